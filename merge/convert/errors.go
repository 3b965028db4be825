package convert

import "fmt"

// hinted is an error that knows what to do about it. Callers find the remedy
// with errors.As and interface{ Hint() string }.
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

// elsewhere is the remedy for models that GGUF, or the programs that read it,
// cannot express.
const elsewhere = "serve the safetensors directory with a server that reads it, such as vLLM or SGLang"
