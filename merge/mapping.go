package merge

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/edsrzf/mmap-go"

	"soup/merge/internal/remedy"
)

// mapping is one weight file, mapped whole and read-only or, where mappings
// are not wanted, held open and read piece by piece.
type mapping struct {
	name string // relative to the checkpoint's directory
	path string
	info os.FileInfo
	data mmap.MMap
	file *os.File // nil where data is not
}

// openFile maps a regular, non-empty file, or opens it. The descriptor of a
// mapped file is closed at once: the mapping keeps the file, and 20 parents of
// 30 shards would hold 600.
func openFile(path, name string, unmapped bool) (*mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	m, err := mapOpened(f, path, name, unmapped)
	if err != nil || !unmapped {
		_ = f.Close() // nothing was written
	}
	return m, err
}

func mapOpened(f *os.File, path, name string, unmapped bool) (*mapping, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case info.Size() == 0:
		return nil, remedy.Errorf("download or copy the file again", "%s: empty file", path)
	case unmapped:
		return &mapping{name: name, path: path, info: info, file: f}, nil
	}
	data, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, remedy.Errorf("read it without mapping (--no-mmap)", "%s: cannot be mapped: %w", path, err)
	}
	return &mapping{name: name, path: path, info: info, data: data}, nil
}

// reopened opens a mapped file to be read piece by piece, into memory of the
// reader's: pages of a mapping stay in the process until they are let go of, and
// large ones of the system's cache are mapped whole. The mapping itself is returned
// where it cannot be opened: it was replaced, or there are too many open files.
func (m *mapping) reopened() *mapping {
	if m.data == nil {
		return m
	}
	f, err := os.Open(m.path)
	if err != nil {
		return m
	}
	if info, err := f.Stat(); err != nil || !os.SameFile(info, m.info) {
		_ = f.Close() // nothing was written
		return m
	}
	return &mapping{name: m.name, path: m.path, info: m.info, file: f}
}

// size returns the file's length as it was when it was opened.
func (m *mapping) size() int64 { return m.info.Size() }

// window returns n bytes from begin on: of the mapping, or read into room,
// which grows if it must.
func (m *mapping) window(begin, n int64, room []byte) ([]byte, error) {
	switch {
	case m.data != nil:
		return m.data[begin : begin+n : begin+n], nil
	case m.released():
		return nil, fmt.Errorf("%s: the checkpoint is closed", m.path)
	case int64(cap(room)) < n:
		room = make([]byte, n)
	}
	_, err := m.file.ReadAt(room[:n], begin)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, remedy.Errorf("replace the file", "%s: became shorter while it was read", m.path)
	}
	return room[:n:n], err
}

// line is a multiple of the length of processors' cache lines, in bytes.
const line = 64

// aligned is window for who reads a lot. Into room, which must have line bytes to
// spare, it reads from the beginning of a cache line on: the system copies bytes that
// keep their places within lines several times as fast (docs/log.md, 2026-11-30).
func (m *mapping) aligned(begin, n int64, room []byte) ([]byte, error) {
	if m.data != nil {
		return m.window(begin, n, nil)
	}
	lead := begin % line
	data, err := m.window(begin-lead, lead+n, room)
	if err != nil {
		return nil, err
	}
	return data[lead:], nil
}

// released says whether the checkpoint was closed.
func (m *mapping) released() bool { return m.data == nil && m.file == nil }

// ReadAt implements io.ReaderAt.
func (m *mapping) ReadAt(p []byte, at int64) (int, error) {
	n := min(int64(len(p)), m.size()-at)
	data, err := m.window(at, n, p)
	if err == nil && n < int64(len(p)) {
		err = io.EOF
	}
	return copy(p, data), err
}

// unmap releases the file; twice is allowed.
func (m *mapping) unmap() error {
	switch {
	case m.data != nil:
		return m.data.Unmap()
	case m.file != nil:
		err := m.file.Close()
		m.file = nil
		return err
	}
	return nil
}
