// Package probe compares a server's token ids with those of the model's own
// tokenizer, before anything is scored: a model that is fed other ids answers,
// and is wrong.
//
// Start with Tokens.
package probe

import (
	"context"
	"errors"
	"fmt"
	"os"

	"soup/eval"
	"soup/internal/usage"
	"soup/merge/tokenizer"
)

// Tokens compares the ids that a server, with the model of a checkpoint loaded,
// gives for [tokenizer.Probe] with those of the checkpoint's tokenizer.json.
// note says why they could not be compared; it is "" where they were, and where
// there is nothing to compare: a GGUF file has no other tokenizer than the
// server's.
func Tokens(ctx context.Context, server eval.Server, checkpoint string) (note string, err error) {
	lister, ok := server.(eval.TokenLister)
	if info, err := os.Stat(checkpoint); !ok || err != nil || !info.IsDir() {
		return "", err
	}
	file, err := tokenizer.Read(checkpoint)
	if errors.Is(err, tokenizer.ErrNone) {
		return checkpoint + ": no tokenizer.json: the server's token ids could not be checked", nil
	}
	if err != nil {
		return "", err
	}
	encoder, err := file.Encoder()
	if err == nil {
		_, err = encoder.Encode(tokenizer.Probe, false)
	}
	if err != nil {
		return fmt.Sprintf("%s: the server's token ids could not be checked: tokenizer.json has an unknown part: %s", checkpoint, err), nil
	}
	for _, special := range []bool{false, true} {
		ids, err := lister.Tokens(ctx, tokenizer.Probe, special)
		if err != nil {
			return "", err
		}
		if err := encoder.Compare(tokenizer.Probe, special, ids); err != nil {
			return "", &usage.Error{
				Message: fmt.Sprintf("%s: the server divides text differently from the model's tokenizer: %s", checkpoint, err),
				Advice:  "score the model through a server that reads tokenizer.json itself, such as vLLM or SGLang",
			}
		}
	}
	return "", nil
}
