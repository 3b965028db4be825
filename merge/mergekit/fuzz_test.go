package mergekit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead: a recipe is read or refused in one line; what is read can be
// planned, and gives every tensor weights or an error.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(seeds) < 5 {
		f.Fatalf("seeds: %v, %v", seeds, err)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	tensors := []string{embedding, q0, k1, up1, up2, q2, norm, head}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse("f.yaml", text)
		if err != nil {
			if s := err.Error(); strings.Contains(s, "\n") || !strings.HasPrefix(s, "f.yaml") {
				t.Errorf("error %q", s)
			}
			return
		}
		terms, err := c.plan(tensors)
		if err != nil || c.Method == "slerp" || c.Method == "model_stock" {
			return
		}
		if rows, err := c.rows(t.Context(), terms, c.models(), nil); err == nil && len(rows) != len(tensors) {
			t.Errorf("%d rows for %d tensors", len(rows), len(tensors))
		}
	})
}
