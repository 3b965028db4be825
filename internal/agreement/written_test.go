//go:build servers

package agreement

import (
	"path/filepath"
	"testing"

	"soup/merge/convert"
)

// written is a Hugging Face directory as a GGUF file written by soup.
func written(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "model.gguf")
	if _, err := convert.Write(t.Context(), dir, out); err != nil {
		t.Fatal(err)
	}
	return out
}
