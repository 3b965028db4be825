package merge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"soup/merge/internal/remedy"
)

// storage is where checkpoints are written. Tests put failing ones in place of
// the real one, to see that no failure leaves a file that looks complete.
type storage interface {
	mkdir(path string) error
	create(path string, size int64) (output, error) // a new file with its blocks reserved
	rename(from, to string) error
	sync(dir string) error // brings a directory's entries to the disk
}

// output is a file that is being written.
type output interface {
	io.WriterAt
	io.ReaderAt
	Sync() error
	Close() error
}

// realDisk is the operating system's file system.
type realDisk struct{}

func (realDisk) mkdir(path string) error { return os.Mkdir(path, 0o777) }

func (realDisk) rename(from, to string) error { return os.Rename(from, to) }

func (realDisk) sync(dir string) error { return SyncDir(dir) }

func (realDisk) create(path string, size int64) (output, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	if err := allocate(f, size); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %s cannot be allocated: %w", path, gigabytes(size), err), f.Close())
	}
	return f, nil
}

// writeSynced creates a file and brings it to the disk.
func writeSynced(disk storage, path string, data []byte) error {
	f, err := disk.create(path, int64(len(data)))
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// draft is a directory in which an output grows, hidden beside the place where
// it will appear. It is locked, so that what a killed process left can be told
// from what another process is writing.
type draft struct {
	disk     storage
	out, dir string // resolved
	unlock   func() error
}

// newDraft makes the directory, and those above it, after clearing away what
// killed processes left of the same output.
func newDraft(disk storage, out string) (*draft, error) {
	parent := filepath.Dir(out)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, remedy.Opening(parent, err)
	}
	if err := sweep(out); err != nil {
		return nil, err
	}
	d := &draft{disk: disk, out: out, dir: partialName(out)}
	if err := disk.mkdir(d.dir); err != nil {
		return nil, remedy.Opening(parent, err)
	}
	var err error
	if d.unlock, err = lockDir(d.dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(d.dir))
	}
	return d, nil
}

// partialName is a hidden name beside out that nothing has, not even what a
// killed process of the same number left there.
func partialName(out string) string {
	for n := 0; ; n++ {
		name := filepath.Join(filepath.Dir(out), fmt.Sprintf(".%s.%d-%d.partial", filepath.Base(out), os.Getpid(), n))
		if _, err := os.Lstat(name); err != nil {
			return name
		}
	}
}

// sweep removes drafts of an output that no process holds any more.
func sweep(out string) error {
	left, err := filepath.Glob(filepath.Join(globQuote(filepath.Dir(out)), "."+globQuote(filepath.Base(out))+".*.partial"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		unlock, err := lockDir(dir)
		if err != nil {
			continue // another process is writing it
		}
		if err := errors.Join(os.RemoveAll(dir), unlock()); err != nil {
			return remedy.Opening(dir, err)
		}
	}
	return nil
}

// globQuote makes a path match itself only.
func globQuote(path string) string {
	var quoted []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[', '\\':
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, path[i])
	}
	return string(quoted)
}

// path returns a file's place in the draft.
func (d *draft) path(name string) string { return filepath.Join(d.dir, name) }

// write adds a small file.
func (d *draft) write(name string, data []byte) error { return writeSynced(d.disk, d.path(name), data) }

// publish makes the whole draft the output, in one rename.
func (d *draft) publish() error {
	if err := d.disk.sync(d.dir); err != nil {
		return err
	}
	if info, err := os.Lstat(d.out); err == nil && info.IsDir() {
		if err := os.Remove(d.out); err != nil { // fails unless it is empty
			return err
		}
	}
	return d.move(d.dir, d.out)
}

// publishFile moves one file of the draft to a place beside the draft.
func (d *draft) publishFile(name, to string) error { return d.move(d.path(name), to) }

func (d *draft) move(from, to string) error {
	if err := d.disk.rename(from, to); err != nil {
		return remedy.Opening(to, err)
	}
	return d.disk.sync(filepath.Dir(to))
}

// discard removes what was not published.
func (d *draft) discard() { _ = errors.Join(os.RemoveAll(d.dir), d.unlock()) } // the output is complete or an error is on its way
