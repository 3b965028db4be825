//go:build servers

package agreement

import (
	"path/filepath"
	"testing"

	"soup/internal/single"
)

// TestSoup: what `soup merge --format gguf` writes answers as the same soup in
// safetensors does in transformers.
func TestSoup(t *testing.T) {
	o := single.MergeOptions{
		Paths:   []string{filepath.Join(root, "examples/garden/finetune/arith"), filepath.Join(root, "examples/garden/finetune/order")},
		Weights: "arith=0.4,order=0.6",
	}
	folder := t.TempDir()
	merged := func(name, format string) string {
		o.Out, o.Storing.Format = filepath.Join(folder, name), format
		if _, err := single.Merge(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return o.Out
	}
	exactly(t, merged("soup.gguf", "gguf"), greedy(t, merged("soup", "safetensors"), gardenQuestions()))
}
