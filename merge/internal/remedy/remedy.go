// Package remedy makes errors that know what to do about them.
//
// Start with [Errorf].
package remedy

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Error is an error with a remedy. Callers find it with errors.As and
// interface{ Hint() string }.
type Error struct {
	error
	hint string
}

// Hint returns the remedy, one line.
func (e *Error) Hint() string { return e.hint }

// Unwrap returns the error without its remedy.
func (e *Error) Unwrap() error { return e.error }

// Errorf makes an error as [fmt.Errorf] does, with a remedy; none if hint is
// empty.
func Errorf(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if hint == "" {
		return err
	}
	return &Error{err, hint}
}

// Opening words the errors of opening a file, once for all readers; others go
// on as they are.
func Opening(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Errorf("check the path", "%s: no such file or directory", path)
	case errors.Is(err, fs.ErrPermission):
		return Errorf("check the file's permissions", "%s: no permission", path)
	case errors.Is(err, syscall.EMFILE):
		return Errorf("files that are mapped need no descriptors: leave --no-mmap out, or raise the limit (ulimit -n)", "%s: this process may not open more files at once", path)
	}
	return err
}
