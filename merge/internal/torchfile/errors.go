package torchfile

import (
	"fmt"
	"strconv"
)

// resave is the remedy for everything that this package does not read.
const resave = "load it with torch.load(path, weights_only=True) and save the state dict with safetensors.torch.save_file"

// again is the remedy for files that were cut or mixed up.
const again = "download or copy the file again"

// hinted is an error that knows what to do about it.
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

// quote shows a string out of a file: on one line and not the whole of it.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
