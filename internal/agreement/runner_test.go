//go:build servers

package agreement

import (
	"log/slog"
	"os"
	"slices"
	"testing"

	"soup/eval"
	"soup/eval/server/embedded"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError) // ggml's loader reports its devices
	os.Exit(m.Run())
}

// runner runs a GGUF file somewhere.
type runner interface {
	load(t *testing.T, gguf string) error
	// answer continues a prompt greedily by so many tokens at most. It is not
	// whole where the runner gave up before that for a reason of its own.
	answer(t *testing.T, prompt string, tokens int) (text string, whole bool)
	// reads compares the token ids of a prompt with those of the reference, as far as the runner shows them.
	reads(t *testing.T, prompt string, ids []int)
}

// everywhere runs a test in each of the three.
func everywhere(t *testing.T, test func(t *testing.T, r runner)) {
	for _, c := range []struct {
		name string
		new  func(t *testing.T) runner
	}{
		{"embedded", newEmbedded},
		{"llama-server", newLlamaServer},
		{"ollama", func(t *testing.T) runner { return newOllama(t) }},
	} {
		t.Run(c.name, func(t *testing.T) { test(t, c.new(t)) })
	}
}

// serverLogs is where the servers write: a folder that stays, so that a failure
// can be looked into.
func serverLogs(t testing.TB) string {
	t.Helper()
	parent := os.Getenv("SOUP_SERVER_LOGS")
	if parent == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp(parent, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("log in %s", folder)
	return folder
}

type inProcess struct{ engine *embedded.Engine }

func newEmbedded(t *testing.T) runner {
	e, err := embedded.New(embedded.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return inProcess{e}
}

func (r inProcess) load(t *testing.T, gguf string) error {
	t.Helper()
	_, err := r.engine.Load(t.Context(), eval.Model{Path: gguf})
	return err
}

func (r inProcess) answer(t *testing.T, prompt string, tokens int) (string, bool) {
	t.Helper()
	reply, err := r.engine.Generate(t.Context(), eval.Request{Raw: prompt, MaxTokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	return reply.Text, true
}

// reads: the engine shows no token ids. Its tokenizer is Ollama's.
func (inProcess) reads(*testing.T, string, []int) {}

func sameIDs(t *testing.T, prompt string, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q is read as\n%v, not\n%v", prompt, got, want)
	}
}
