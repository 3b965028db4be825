//go:build servers

package agreement

import (
	"path/filepath"
	"testing"
)

// TestGarden: a trained checkpoint in bfloat16, through its chat template.
func TestGarden(t *testing.T) {
	dir := filepath.Join(root, "examples/garden/finetune/order")
	user := func(text string) question {
		return question{Messages: []message{{"user", text}}, Tokens: 24}
	}
	r := greedy(t, dir, []question{
		user("785+878"), user("reverse TNHEEIPE"), user("sort 03186265969"), user("odd A big B star C quiet D tiny"),
		{Prompt: "<|user|>12+34<|end|><|assistant|>", Tokens: 24}, {Prompt: "sort 4", Tokens: 40},
	})
	exactly(t, written(t, dir), r)
}

// exactly: every server reads the prompts as the reference does and gives its
// very answers.
func exactly(t *testing.T, gguf string, want reference) {
	everywhere(t, func(t *testing.T, r runner) {
		r.load(t, gguf)
		for _, a := range want.Answers {
			r.reads(t, a.Prompt, a.IDs)
			got, whole := r.answer(t, a.Prompt, budget(a))
			if a = a.upTo(got, whole); got != a.Text {
				t.Errorf("%q: the answer is\n%q, not\n%q%s", a.Prompt, got, a.Text, a.whereItParts(got))
			}
		}
	})
}
