package merge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/merge/internal/remedy"
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
		return nil, remedy.Opening(path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSideFile {
		return nil, nil
	}
	if err := staysInside(dir, path); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, remedy.Opening(path, err)
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

// CopySideFiles copies into the directory out, which exists, what belongs to
// soups of a checkpoint beside their weights, as [Write] does: configuration,
// tokenizer, templates. The configuration names the dtype store. Files that are
// in out stay as they are. A checkpoint that is a single file has none.
func CopySideFiles(out string, like *Checkpoint, store DType) error {
	if like.dir == "" {
		return nil
	}
	return copySmallFiles(&draft{disk: realDisk{}, out: out, dir: out}, like.dir, store)
}

// copySmallFiles copies what belongs to a soup from a parent's directory, less
// what is there, and notes the dtype that it is stored in.
func copySmallFiles(to *draft, dir string, store DType) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return remedy.Opening(dir, err)
	}
	for _, e := range entries {
		if _, err := os.Lstat(to.path(e.Name())); !copied(e.Name()) || err == nil {
			continue
		}
		raw, err := readSmall(dir, e.Name())
		if err != nil {
			return err
		}
		if e.Name() == "config.json" && store != AsStored {
			raw = withDType(raw, store)
		}
		if raw == nil {
			continue
		}
		if err := to.write(e.Name(), raw); err != nil {
			return err
		}
	}
	return nil
}

// copied says which of a parent's files belong to the soup: not its weights in
// any format, its card, or the state and logs of its training.
func copied(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "events.out.tfevents") {
		return false
	}
	switch filepath.Ext(name) {
	case ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".msgpack", ".npz", ".ot":
		return false
	}
	switch name {
	case indexName, "pytorch_model.bin.index.json", cardName, recordName,
		"trainer_state.json", "train_results.json", "eval_results.json", "all_results.json":
		return false
	}
	return true
}
