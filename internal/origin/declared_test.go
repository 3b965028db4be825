package origin

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDeclaredBy(t *testing.T) {
	for card, want := range map[string]declared{
		"": {},
		"---\nbase_model: org/base\ntags: [generated_from_trainer, trl, sft]\n---\n": {"org/base", "SFT"},
		"---\nbase_model: [org/base]\ntags:\n- SFT\n- trl\n- DPO\n---\n":             {"org/base", "preference tuning"},
		"---\nbase_model: [a, b]\ntags: grpo\n---\n":                                 {"", "RL"},
		"---\ntags: [merge]\n---\n":                                                  {},
		"# a card without a header\n":                                                {},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte(card), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := declaredBy(dir); got != want {
			t.Errorf("%q: %+v, want %+v", card, got, want)
		}
	}
}
