//go:build servers

package agreement

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"soup/eval"
	driver "soup/eval/server/ollama"
	"soup/merge/convert"
	"soup/merge/convert/picotest"
)

// A candidate whose numbers are none is told apart, in both of Ollama's runners,
// and the server goes on with the next.
func TestOllamaNotNumbers(t *testing.T) {
	p := startOllama(t)
	s := newDriver(t, driver.Options{URL: p.URL, Models: modelsOf(p), Threads: 1})
	for name, dir := range map[string]string{"llama.cpp": filepath.Join(root, "examples/garden/base"), "Go engine": picotest.Dir(t, "qwen3")} {
		well, err := convert.Path(t.Context(), dir, t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		version, err := s.Load(t.Context(), eval.Model{Path: well})
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(well)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(data) / 2; i < len(data); i++ {
			data[i] = 0xff // NaN in every type
		}
		broken := filepath.Join(t.TempDir(), "broken.gguf")
		if err := os.WriteFile(broken, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), eval.Model{Path: broken}); !errors.Is(err, eval.ErrNotNumbers) {
			t.Errorf("%s: %v", name, err)
		}
		if again, err := s.Load(t.Context(), eval.Model{Path: well}); err != nil || again != version {
			t.Errorf("%s, after it: version %s, %v; before %s", name, again, err, version)
		}
	}
}
