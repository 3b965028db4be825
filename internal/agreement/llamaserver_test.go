//go:build servers

package agreement

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"

	"soup/internal/launch"
)

// llamaServer is a real llama-server, one process a model.
type llamaServer struct {
	args    []string
	process *launch.Process
}

func newLlamaServer(*testing.T) runner { return &llamaServer{} }

func (r *llamaServer) load(t *testing.T, gguf string) error {
	t.Helper()
	r.close(t)
	p, err := launch.LlamaServer(t.Context(), gguf, launch.Options{
		Folder: serverLogs(t),
		Args:   append([]string{"-c", strconv.Itoa(contextSize), "-np", "1", "-t", "1", "--no-warmup"}, r.args...),
	})
	if err != nil {
		return err
	}
	r.process = p
	t.Cleanup(func() { r.close(t) })
	return nil
}

func (r *llamaServer) close(t *testing.T) {
	t.Helper()
	if r.process == nil {
		return
	}
	if err := r.process.Close(); err != nil {
		t.Error(err)
	}
}

func (r *llamaServer) answer(t *testing.T, prompt string, tokens int) (string, bool) {
	t.Helper()
	var reply struct {
		Content   string `json:"content"`
		Truncated bool   `json:"truncated"`
	}
	r.post(t, "/completion", map[string]any{
		"prompt": prompt, "n_predict": tokens, "cache_prompt": false, "seed": 1,
		"temperature": 0, "top_k": 1, "repeat_penalty": 1.0, "samplers": []string{"top_k"},
	}, &reply)
	if reply.Truncated {
		t.Fatal("the prompt was cut")
	}
	return reply.Content, true
}

func (r *llamaServer) reads(t *testing.T, prompt string, ids []int) {
	t.Helper()
	var reply struct {
		Tokens []int `json:"tokens"`
	}
	r.post(t, "/tokenize", map[string]any{"content": prompt, "add_special": true, "parse_special": true}, &reply)
	sameIDs(t, prompt, reply.Tokens, ids)
}

func (r *llamaServer) post(t *testing.T, path string, request, reply any) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.process.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(post)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<24))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", path, resp.Status, err, raw)
	}
	if err := json.Unmarshal(raw, reply); err != nil {
		t.Fatalf("%s: %v: %s", path, err, raw)
	}
}
