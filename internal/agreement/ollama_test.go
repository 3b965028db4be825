//go:build servers

package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/ollama/ollama/api"

	"soup/internal/launch"
)

const (
	contextSize = 1024 // tokens, of every server here
	modelName   = "soup-agreement"
)

// ollama is a real Ollama with one model.
type ollama struct{ client *api.Client }

func newOllama(t *testing.T, env ...string) *ollama {
	t.Helper()
	p, err := launch.Ollama(t.Context(), launch.Options{Folder: serverLogs(t), Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(launch.OllamaModels(filepath.Dir(p.Log))) // the log stays
	})
	return &ollama{newClient(t, p.URL)}
}

func newClient(tb testing.TB, server string) *api.Client {
	tb.Helper()
	address, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	return api.NewClient(address, http.DefaultClient)
}

// load uploads the file and makes a model of it, as one does from afar.
func (r *ollama) load(t *testing.T, gguf string) error {
	t.Helper()
	if err := r.make(t, gguf, ""); err != nil {
		return err
	}
	_, err := r.generate(t, "", 1) // no prompt: the model is loaded, and that is all
	return err
}

// make is load without loading, with a template of Ollama's.
func (r *ollama) make(t *testing.T, gguf, template string) error {
	t.Helper()
	f, err := os.Open(gguf)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + hex.EncodeToString(h.Sum(nil))
	if err := r.client.CreateBlob(t.Context(), digest, f); err != nil {
		t.Fatal(err)
	}
	request := &api.CreateRequest{Model: modelName, Files: map[string]string{"model.gguf": digest}, Template: template}
	return r.client.Create(t.Context(), request, func(api.ProgressResponse) error { return nil })
}

func (r *ollama) generate(t *testing.T, prompt string, tokens int) (api.GenerateResponse, error) {
	t.Helper()
	no := false
	request := &api.GenerateRequest{
		Model: modelName, Prompt: prompt, Raw: true, Stream: &no, Truncate: &no, Shift: &no,
		Options: map[string]any{
			"temperature": 0, "seed": 1, "top_k": 1, "repeat_penalty": 1.0,
			"num_predict": tokens, "num_ctx": contextSize, "num_thread": 1,
		},
	}
	var reply api.GenerateResponse
	err := r.client.Generate(t.Context(), request, func(g api.GenerateResponse) error { reply = g; return nil })
	return reply, err
}

func (r *ollama) ask(t *testing.T, prompt string, tokens int) api.GenerateResponse {
	t.Helper()
	reply, err := r.generate(t, prompt, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// answer is not whole where the model says one token, blanks aside, more than
// 31 times in a row: Ollama then gives up, without an error and without saying
// that it is done (llm/server.go of v0.17.4, "token repeat limit").
func (r *ollama) answer(t *testing.T, prompt string, tokens int) (string, bool) {
	t.Helper()
	reply := r.ask(t, prompt, tokens)
	return reply.Response, reply.Done
}

// reads: Ollama tells how many tokens it has read, not which.
func (r *ollama) reads(t *testing.T, prompt string, ids []int) {
	t.Helper()
	if n := r.ask(t, prompt, 1).PromptEvalCount; n != len(ids) {
		t.Errorf("%q is read as %d tokens, not %d", prompt, n, len(ids))
	}
}
