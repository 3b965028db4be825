package adapter

import (
	"errors"
	"fmt"
	"io/fs"
)

// hinted is an error that knows what to do about it, as in package merge.
type hinted struct {
	error
	hint string
}

// Hint returns the remedy, one line.
func (h *hinted) Hint() string { return h.hint }

// Unwrap returns the error without its remedy.
func (h *hinted) Unwrap() error { return h.error }

// failf builds an error with a remedy.
func failf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// fileError words the errors of opening a file.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failf("check the path", "%s: no such file or directory", path)
	case errors.Is(err, fs.ErrPermission):
		return failf("check the file's permissions", "%s: no permission", path)
	}
	return fmt.Errorf("%s: cannot be opened: %w", path, err)
}
