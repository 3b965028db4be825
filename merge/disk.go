package merge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/merge/internal/remedy"
)

// slack is kept free beside what is written: configuration, tokenizer and the
// file system's own records.
const slack = 16 << 20

// checkSpace refuses work that the disk cannot hold.
func checkSpace(dir string, need int64) error {
	free, err := freeBytes(dir)
	if err != nil {
		return remedy.Opening(dir, err)
	}
	if free >= 0 && free < need+slack {
		return remedy.Errorf("free space or choose another disk", "%s: disk too small: %s needed, %s free", dir, gigabytes(need+slack), gigabytes(free))
	}
	return nil
}

// gigabytes prints a size in decimal units, as disks are sold.
func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// zeroFill allocates by writing where the file system cannot reserve: a hole
// that is filled later through a mapping kills the process on a full disk.
func zeroFill(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// existing returns the nearest ancestor of a path that exists, resolved, and
// what is below it.
func existing(path string) (dir, rest string, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	for dir = abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return real, strings.TrimPrefix(abs[len(dir):], string(filepath.Separator)), nil
		}
		if !os.IsNotExist(err) || dir == filepath.Dir(dir) {
			return "", "", remedy.Opening(path, err)
		}
	}
}

// SyncDir brings a directory's entries to the disk. Systems that cannot open
// directories for that keep entries without it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !os.IsPermission(err) {
		return err
	}
	return nil
}
