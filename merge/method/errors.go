package method

import (
	"fmt"
	"strings"
)

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
