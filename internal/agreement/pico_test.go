//go:build servers

package agreement

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPico: tiny models of every architecture that soup converts itself, in
// float32, with answers whose every token is well above the second best.
func TestPico(t *testing.T) {
	dir := t.TempDir()
	python(t, "pico.py", dir)
	made, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range made {
		seen[m.Name()] = true
		t.Run(m.Name(), func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(dir, m.Name(), "golden.json"))
			if err != nil {
				t.Fatal(err)
			}
			exactly(t, written(t, filepath.Join(dir, m.Name())), parse(t, raw))
		})
	}
	for _, name := range []string{"llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "mistral", "olmo2"} {
		if !seen[name] {
			t.Errorf("%s was not made", name)
		}
	}
}
