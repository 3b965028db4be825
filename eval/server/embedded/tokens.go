//go:build cgo

package embedded

import (
	"context"
	"errors"
	"slices"

	"soup/eval"
)

var _ eval.TokenLister = (*Engine)(nil)

// Tokens implements eval.TokenLister.
func (e *Engine) Tokens(_ context.Context, text string, special bool) (ids []int32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer recoverInto(&err, e.path)
	if e.model == nil {
		return nil, errors.New("embedded engine: no model is loaded")
	}
	ids, err = e.tokens(text, special)
	return slices.Clone(ids), err
}
