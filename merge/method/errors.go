package method

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

// failf builds an error with a remedy.
func failf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// InputError is a mistake in what a method was asked to do: its name, its
// options, the number of parents, the base. Errors of reading are of other
// types.
type InputError struct{ message, hint string }

// Error returns one line.
func (e *InputError) Error() string { return e.message }

// Hint returns the remedy, one line; it may be empty.
func (e *InputError) Hint() string { return e.hint }

// misusef builds an InputError.
func misusef(hint, format string, args ...any) error {
	return &InputError{strings.TrimSpace(fmt.Sprintf(format, args...)), hint}
}
