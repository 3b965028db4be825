package eval

import "context"

// TokenLister is a Server that tells how it divides a text into tokens, so that
// its tokenizer can be compared with the model's own before anything is scored.
type TokenLister interface {
	// Tokens returns the ids of a text; special puts before and after it what the
	// model's tokenizer puts there.
	Tokens(ctx context.Context, text string, special bool) ([]int32, error)
}
