//go:build cgo

package embedded

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// memoryFile is a file of an overlayFS whose content is in memory.
type memoryFile struct {
	*strings.Reader
	name string
}

func (m *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{m}, nil }
func (m *memoryFile) Close() error               { return nil }

type memoryInfo struct{ f *memoryFile }

func (i memoryInfo) Name() string     { return i.f.name }
func (i memoryInfo) Size() int64      { return i.f.Reader.Size() }
func (memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (memoryInfo) ModTime() time.Time { return time.Time{} }
func (memoryInfo) IsDir() bool        { return false }
func (memoryInfo) Sys() any           { return nil }

// tensorNames lists the tensors of every safetensors file in a directory.
func tensorNames(dir fs.FS) ([]string, error) {
	files, err := fs.Glob(dir, "*.safetensors")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		header, err := safetensorsHeader(dir, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for name := range header {
			if name != "__metadata__" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func safetensorsHeader(dir fs.FS, name string) (map[string]json.RawMessage, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var size uint64
	if err := binary.Read(f, binary.LittleEndian, &size); err != nil {
		return nil, err
	}
	var header map[string]json.RawMessage
	err = json.NewDecoder(io.LimitReader(f, int64(min(size, 100<<20)))).Decode(&header)
	return header, err
}
