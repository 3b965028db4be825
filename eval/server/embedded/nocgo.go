//go:build !cgo

package embedded

import (
	"errors"

	"soup/eval"
)

// ErrNoCgo says that this binary has no embedded engine.
var ErrNoCgo = errors.New("embedded engine: not in this binary, it was built without cgo; use another server kind")

// New fails: the engine needs cgo.
func New(Options) (eval.Server, error) { return nil, ErrNoCgo }
