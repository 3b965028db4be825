package mergekit

import (
	"fmt"
	"strings"
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

// failf builds an error with a remedy; none if hint is empty.
func failf(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if hint == "" {
		return err
	}
	return &hinted{err, hint}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
