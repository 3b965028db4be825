//go:build servers

package agreement

import (
	"path/filepath"
	"testing"

	"soup/eval"
	driver "soup/eval/server/ollama"
	"soup/eval/server/servertest"
	"soup/internal/launch"
	"soup/merge/convert"
)

// startOllama starts one for a driver to talk to.
func startOllama(tb testing.TB, env ...string) *launch.Process {
	tb.Helper()
	p, err := launch.Ollama(tb.Context(), launch.Options{Folder: serverLogs(tb), Env: env})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func modelsOf(p *launch.Process) string { return launch.OllamaModels(filepath.Dir(p.Log)) }

func newDriver(tb testing.TB, o driver.Options) *driver.Server {
	tb.Helper()
	s, err := driver.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// gguf converts a checkpoint of the garden.
func gguf(t *testing.T, name string) string {
	t.Helper()
	path, err := convert.Path(t.Context(), filepath.Join("../../examples/garden", name), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func gardenFixture(t *testing.T, start func(*testing.T) eval.Server) servertest.Fixture {
	user := func(text string) eval.Request {
		return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
	}
	return servertest.Fixture{
		New: start,
		A:   eval.Model{Path: gguf(t, "finetune/arith")},
		B:   eval.Model{Path: gguf(t, "finetune/order")},
		Questions: []eval.Question{
			{Request: user("785+878"), Reference: "1663"},
			{Request: user("reverse TNHEEIPE"), Reference: "EPIEEHNT"},
			{Request: user("sort 03186265969")},
			{Request: user("odd A big B star C quiet D tiny"), Labels: []string{"A", "B", "C", "D"}},
			{Request: eval.Request{Raw: "<|user|>12+34<|end|><|assistant|>"}, Reference: "46"},
		},
		Missing: filepath.Join(t.TempDir(), "no-such-model"),
	}
}

// The driver keeps its promises with a real Ollama, with candidates that are
// linked and with candidates that are uploaded.
func TestOllamaConformance(t *testing.T) {
	p := startOllama(t)
	for name, models := range map[string]string{"linked": modelsOf(p), "uploaded": ""} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OLLAMA_MODELS", "") // where it would look for itself
			t.Setenv("HOME", t.TempDir())
			servertest.Run(t, gardenFixture(t, func(t *testing.T) eval.Server {
				return newDriver(t, driver.Options{URL: p.URL, Models: models, Threads: 1})
			}))
		})
	}
}
