// Package usage is the error of what the user asked for, in a study file or on
// the command line: soup exits with 2 for it, and with 1 for all others.
//
// Start with Error and Errorf; Of is for mistakes that another package found.
package usage

import (
	"errors"
	"fmt"
)

// Error is a mistake in what was asked for. Hint says what to do instead and
// may be empty.
type Error struct {
	Message string
	Advice  string
}

func (e *Error) Error() string { return e.Message }

// Hint returns the advice.
func (e *Error) Hint() string { return e.Advice }

// Errorf is an Error without advice.
func Errorf(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// Of makes err an Error if a mistake of kind E is in it, and returns it as it is
// otherwise.
func Of[E error](err error) error {
	if _, ok := errors.AsType[E](err); ok {
		return &Error{Message: err.Error()}
	}
	return err
}
