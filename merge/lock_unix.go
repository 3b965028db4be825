//go:build unix

package merge

import (
	"os"

	"golang.org/x/sys/unix"

	"soup/merge/internal/remedy"
)

// lockDir takes the lock of a directory, which ends with the process; an error
// if another process has it.
func lockDir(dir string) (unlock func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, remedy.Opening(dir, err)
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = d.Close() // nothing was written
		return nil, &os.PathError{Op: "flock", Path: dir, Err: err}
	}
	return d.Close, nil
}
