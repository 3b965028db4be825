package results

import "fmt"

// hinted is an error that knows its remedy. Callers find the remedy with
// errors.As and interface{ Hint() string }.
type hinted struct {
	error
	hint string
}

func failf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// Hint returns the remedy, one line.
func (h *hinted) Hint() string { return h.hint }

// Unwrap returns the error without its remedy.
func (h *hinted) Unwrap() error { return h.error }
