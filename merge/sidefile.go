package merge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// maxSideFile is above every tokenizer there is (Gemma 3's has 33 MB).
const maxSideFile = 128 << 20

// readSmall reads a file of a checkpoint's directory that is not weights. It
// returns nil for one that does not exist, is a directory, or is too large to
// be configuration, and an error for one that leads out of the directory.
func readSmall(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSideFile {
		return nil, nil
	}
	if err := staysInside(dir, path); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return raw, nil
}

// readSmallJSON reads such a file into v, which stays as it is without one.
func readSmallJSON(dir, name string, v any) error {
	raw, err := readSmall(dir, name)
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: broken JSON: %w", filepath.Join(dir, name), err)
	}
	return nil
}
