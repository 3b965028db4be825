//go:build !cgo

package embedded

import (
	"context"
	"errors"

	"soup/eval"
)

// ErrNoCgo says that this binary has no embedded engine.
var ErrNoCgo = errors.New("embedded engine: not in this binary, it was built without cgo; use another server kind")

// New fails: the engine needs cgo.
func New(Options) (eval.Server, error) { return nil, ErrNoCgo }

// Converted is a checkpoint in the engine's format.
type Converted struct {
	Path    string              // the GGUF file
	Sources map[string][]string // GGUF tensor name to the checkpoint's tensor names
}

// Convert fails: it belongs to the engine.
func Convert(context.Context, string, string, string) (Converted, error) {
	return Converted{}, ErrNoCgo
}

// Cached finds nothing: it belongs to the engine.
func Cached(string, string) (string, bool) { return "", false }
