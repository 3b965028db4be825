//go:build servers

package agreement

import (
	"testing"

	"soup/eval/server/embedded"
)

// written is a Hugging Face directory as a GGUF file written by soup.
func written(t *testing.T, dir string) string {
	t.Helper()
	c, err := embedded.Convert(t.Context(), dir, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c.Path
}
