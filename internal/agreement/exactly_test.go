//go:build servers

package agreement

import (
	"strings"
	"testing"
)

// refusals are what runners say of the models that they do not run. They are
// errors, never wrong answers, and a test that does not see one fails.
var refusals = map[string]string{
	"TestPico/gemma/embedded": "an architecture that it does not run",
	"TestPico/olmo2/embedded": "an architecture that it does not run",
	// llama.cpp of Ollama v0.17.4 wants biases as wide as the model; here heads times their size is more.
	"TestPico/llama/ollama": "tensor 'blk.0.attn_q.bias' has wrong shape",
}

// exactly: everything that runs the file reads the prompts as the reference
// does and gives its very answers.
func exactly(t *testing.T, gguf string, want reference) {
	everywhere(t, func(t *testing.T, r runner) {
		refusal, refused := refusals[t.Name()]
		err := r.load(t, gguf)
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), refusal)):
			t.Fatalf("not refused for %q, but: %v", refusal, err)
		case refused:
			t.Logf("refused: %v", err)
			return
		case err != nil:
			t.Fatal(err)
		}
		answersAll(t, r, want)
	})
}

func answersAll(t *testing.T, r runner, want reference) {
	t.Helper()
	for _, a := range want.Answers {
		r.reads(t, a.Prompt, a.IDs)
		text, whole := r.answer(t, a.Prompt, budget(a))
		got := complete(text)
		if a = a.upTo(got, whole); got != a.Text {
			t.Errorf("%q: the answer is\n%q, not\n%q%s", a.Prompt, got, a.Text, a.whereItParts(got))
		}
	}
}
