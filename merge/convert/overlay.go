package convert

import (
	"io/fs"
	"strings"
	"time"
)

// overlayFS shows a checkpoint directory with some files replaced.
type overlayFS struct {
	fs.FS
	replaced map[string][]byte
}

func (o overlayFS) Open(name string) (fs.File, error) {
	if b, ok := o.replaced[name]; ok {
		return &memoryFile{Reader: strings.NewReader(string(b)), name: name}, nil
	}
	return o.FS.Open(name)
}

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
