//go:build servers

package agreement

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// nearTie is how far, in logits, the reference's choice may be above its second
// best where a server that rounds is allowed to choose the other: the step of
// bfloat16 between 16 and 32. The best logits of this model's answers lie
// between 1 and 44, most above 16.
const nearTie = 0.125

// TestSmolLM2: a real model. Its weights are stored in bfloat16 and, the same
// numbers, in float32. In float32 nothing but the order of additions differs
// from the reference; in bfloat16 ggml rounds the inputs of every product as
// well, and a near tie may fall the other way.
func TestSmolLM2(t *testing.T) {
	dir := t.TempDir()
	python(t, "smollm2.py", dir)
	raw, err := os.ReadFile("testdata/smollm2.json")
	if err != nil {
		t.Fatal(err)
	}
	var questions []question
	if err := json.Unmarshal(raw, &questions); err != nil {
		t.Fatal(err)
	}
	want := greedy(t, filepath.Join(dir, "bfloat16"), questions)
	t.Run("reference", func(t *testing.T) {
		var s score
		for _, a := range want.Answers {
			if a.Rounded == nil {
				t.Fatal("the weights are not in bfloat16")
			}
			s.count(t, a, *a.Rounded)
		}
		t.Logf("transformers in bfloat16: %s", s)
	})
	for _, stored := range []string{"float32", "bfloat16"} {
		t.Run(stored, func(t *testing.T) {
			gguf := written(t, filepath.Join(dir, stored))
			everywhere(t, func(t *testing.T, r runner) { nearly(t, r, gguf, want) })
		})
	}
}

// nearly: token ids agree, and texts part at near ties only.
func nearly(t *testing.T, r runner, gguf string, want reference) {
	t.Helper()
	if err := r.load(t, gguf); err != nil {
		t.Fatal(err)
	}
	var s score
	for _, a := range want.Answers {
		r.reads(t, a.Prompt, a.IDs)
		text, whole := r.answer(t, a.Prompt, budget(a))
		got := complete(text)
		a = a.upTo(got, whole)
		s.count(t, a, got)
		if k, margin := a.parting(got); k >= 0 && margin > nearTie {
			t.Errorf("%q: the answer is\n%q, not\n%q%s", a.Prompt, got, a.Text, a.whereItParts(got))
		}
	}
	t.Log(s)
}
