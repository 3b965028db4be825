package merge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/edsrzf/mmap-go"
)

// mapping is one weight file, mapped whole and read-only.
type mapping struct {
	name string // relative to the checkpoint's directory
	path string
	info os.FileInfo
	data mmap.MMap
}

// mapFile maps a regular, non-empty file. The descriptor is closed at once:
// the mapping keeps the file, and 20 parents of 30 shards would hold 600.
func mapFile(path, name string) (*mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fileError(path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case info.Size() == 0:
		return nil, failf("download or copy the file again", "%s: empty file", path)
	}
	data, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be mapped: %w", path, err)
	}
	return &mapping{name, path, info, data}, nil
}

// unmap releases the mapping; twice is allowed.
func (m *mapping) unmap() error {
	if m.data == nil {
		return nil
	}
	return m.data.Unmap()
}

// fileError words the errors of opening a file, once for all readers.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failf("check the path", "%s: no such file or directory", path)
	case errors.Is(err, fs.ErrPermission):
		return failf("check the file's permissions", "%s: no permission", path)
	}
	return err
}
