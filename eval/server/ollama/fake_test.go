package ollama

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ollama/ollama/api"
)

// fake answers as Ollama v0.17.4 does, save that its model is a hash: what it
// says depends on the bytes of the blob that was there when it was loaded, and
// on the prompt.
type fake struct {
	t      *testing.T
	URL    string
	folder string // of models

	mu      sync.Mutex
	models  map[string]*api.ShowResponse
	blob    map[string]string // digest of each model
	running map[string][]byte // content by name
	log     []string
	options []map[string]any // of every request to answer

	// instead answers a request in the fake's place, if it returns true.
	instead func(w http.ResponseWriter, path string, body map[string]any) bool
	stale   bool // goes on with the first weights
	addsBOS bool
	texts   map[string]string // answers to prompts, instead of hashes
	tokens  func(text string) int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{
		t: t, folder: t.TempDir(), models: map[string]*api.ShowResponse{}, blob: map[string]string{}, running: map[string][]byte{},
		texts: map[string]string{}, tokens: func(text string) int { return len(text) },
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	if err := os.MkdirAll(filepath.Join(f.folder, "blobs"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fake) path(digest string) string {
	return filepath.Join(f.folder, "blobs", strings.Replace(digest, ":", "-", 1))
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if digest, ok := strings.CutPrefix(r.URL.Path, "/api/blobs/"); ok {
		f.serveBlob(w, r, digest)
		return
	}
	var body map[string]any
	text, err := io.ReadAll(r.Body)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		f.t.Errorf("%s: %v", r.URL.Path, err)
	}
	f.log = append(f.log, f.entry(r.URL.Path, body))
	if f.instead != nil && f.instead(w, r.URL.Path, body) {
		return
	}
	switch r.URL.Path {
	case "/api/version":
		answer(w, map[string]string{"version": "0.17.4"})
	case "/api/ps":
		f.list(w)
	case "/api/show":
		f.show(w, body["model"].(string))
	case "/api/create":
		f.create(w, text)
	case "/api/delete":
		f.remove(w, body["model"].(string))
	case "/api/generate", "/api/chat":
		f.run(w, r.URL.Path, body)
	default:
		refuse(w, http.StatusNotFound, "no such route: "+r.URL.Path)
	}
}

// entry is a request in short.
func (f *fake) entry(path string, body map[string]any) string {
	path = strings.TrimPrefix(path, "/api/")
	switch {
	case path == "generate" && body["keep_alive"] == "0s":
		return "unload"
	case path == "generate" && body["prompt"] == "":
		return "load"
	}
	return path
}

// take returns the log so far and begins another.
func (f *fake) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.log = nil }()
	return strings.Join(f.log, " ")
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, code int, text string) {
	w.WriteHeader(code)
	answer(w, map[string]string{"error": text})
}

func (f *fake) serveBlob(w http.ResponseWriter, r *http.Request, digest string) {
	if _, err := os.Stat(f.path(digest)); r.Method == http.MethodHead {
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	f.log = append(f.log, "upload")
	content, err := io.ReadAll(r.Body)
	if sum := fmt.Sprintf("sha256:%x", sha256.Sum256(content)); err != nil || sum != digest {
		refuse(w, http.StatusBadRequest, "digest mismatch")
		return
	}
	if err := os.WriteFile(f.path(digest), content, 0o600); err != nil {
		f.t.Error(err)
	}
	w.WriteHeader(http.StatusCreated)
}

func (f *fake) list(w http.ResponseWriter) {
	var list api.ProcessResponse
	for name := range f.running {
		list.Models = append(list.Models, api.ProcessModelResponse{Name: name, Model: name})
	}
	answer(w, list)
}

func (f *fake) show(w http.ResponseWriter, name string) {
	if m := f.models[name]; m != nil {
		answer(w, m)
		return
	}
	refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", name))
}

func (f *fake) create(w http.ResponseWriter, text []byte) {
	var r api.CreateRequest
	if err := json.Unmarshal(text, &r); err != nil {
		f.t.Error(err)
	}
	if f.running[r.Model] != nil {
		f.t.Error("a model was made anew under its runner")
	}
	m := &api.ShowResponse{License: r.License.(string), Template: r.Template, System: r.System, Messages: r.Messages, Renderer: r.Renderer, Parser: r.Parser}
	m.Parameters = writeParameters(r.Parameters)
	m.Capabilities = append(m.Capabilities, "completion")
	if strings.Contains(r.Template, "tools") {
		m.Capabilities = append(m.Capabilities, "tools")
	}
	if strings.Contains(r.Template, "thinking") {
		m.Capabilities = append(m.Capabilities, "thinking")
	}
	for _, digest := range r.Files {
		if _, err := os.Stat(f.path(digest)); err != nil {
			refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		f.blob[r.Model] = digest
	}
	f.models[r.Model] = m
	answer(w, api.ProgressResponse{Status: "success"})
}

// writeParameters writes them as /api/show does.
func writeParameters(parameters map[string]any) string {
	var lines []string
	for name, v := range parameters {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, one := range list {
			if s, ok := one.(string); ok {
				one = fmt.Sprintf("%q", s)
			}
			lines = append(lines, fmt.Sprintf("%-30s %v", name, one))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (f *fake) remove(w http.ResponseWriter, name string) {
	if f.models[name] == nil {
		refuse(w, http.StatusNotFound, "model not found")
		return
	}
	if f.running[name] != nil {
		f.t.Error("a model was deleted under its runner")
	}
	_ = os.Remove(f.path(f.blob[name]))
	delete(f.models, name)
}

func (f *fake) run(w http.ResponseWriter, path string, body map[string]any) {
	name := body["model"].(string)
	m := f.models[name]
	if m == nil {
		refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", name))
		return
	}
	if f.log[len(f.log)-1] == "unload" {
		delete(f.running, name)
		answer(w, reply{GenerateResponse: f.head(name, "unload")})
		return
	}
	if f.running[name] == nil {
		content, err := os.ReadFile(f.path(f.blob[name]))
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		f.running[name] = content
	}
	f.options = append(f.options, body)
	if body["prompt"] == "" {
		answer(w, f.head(name, "load"))
		return
	}
	f.answer(w, name, f.prompt(m, body), body)
}

func (f *fake) head(name, reason string) api.GenerateResponse {
	r := api.GenerateResponse{Model: name, Done: true, DoneReason: reason}
	r.CreatedAt = r.CreatedAt.AddDate(2025, 0, 0)
	return r
}

// prompt is what the model reads: the template stands before a conversation.
func (f *fake) prompt(m *api.ShowResponse, body map[string]any) string {
	if text, ok := body["prompt"].(string); ok {
		return text
	}
	text := m.Template + m.System
	for _, one := range body["messages"].([]any) {
		text += fmt.Sprint(one.(map[string]any)["content"])
	}
	return text
}

func (f *fake) answer(w http.ResponseWriter, name, prompt string, body map[string]any) {
	options := body["options"].(map[string]any)
	r := f.head(name, "stop")
	read := f.tokens(prompt)
	if f.addsBOS {
		read++
	}
	if float64(read) >= options["num_ctx"].(float64) {
		refuse(w, http.StatusBadRequest, "the input length exceeds the context length")
		return
	}
	if body["_debug_render_only"] == true {
		r.Done, r.DoneReason, r.DebugInfo = false, "", &api.DebugInfo{RenderedTemplate: prompt}
		answer(w, r)
		return
	}
	content := f.running[name]
	if f.stale {
		content = nil
	}
	sum := sha256.Sum256(append([]byte(prompt), content...))
	text, known := f.texts[prompt]
	if !known {
		text = strings.Map(func(r rune) rune { return 'a' + r%20 }, fmt.Sprintf("%x", sum[:3]))
		text = "x" + text[:4]
	}
	r.PromptEvalCount, r.EvalCount = read, len(text)+1
	if limit := int(options["num_predict"].(float64)); len(text) >= limit {
		text, r.DoneReason, r.EvalCount = text[:limit], "length", limit
	}
	for _, stop := range options["stop"].([]any) {
		if before, _, found := strings.Cut(text, stop.(string)); found {
			r.DoneReason, r.EvalCount, text = "stop", len(before)+1, before
		}
	}
	if body["logprobs"] == true && (text != "" || body["format"] != nil) {
		r.Logprobs = []api.Logprob{{TopLogprobs: likelihoods(sum[:])}}
	}
	if body["messages"] != nil {
		answer(w, map[string]any{"model": name, "created_at": r.CreatedAt, "done": r.Done, "done_reason": r.DoneReason, "logprobs": r.Logprobs, "eval_count": r.EvalCount, "message": map[string]any{"role": "assistant", "content": text}})
		return
	}
	r.Response = text
	answer(w, r)
}

// likelihoods gives the letters A to T probabilities that add up to 0.9.
func likelihoods(sum []byte) []api.TokenLogprob {
	total := 0.0
	shares := make([]float64, 20)
	for i := range shares {
		shares[i] = 1 + float64(binary.LittleEndian.Uint16(sum[i:]))
		total += shares[i]
	}
	var top []api.TokenLogprob
	for i, v := range shares {
		top = append(top, api.TokenLogprob{Token: string(rune('A' + i)), Logprob: math.Log(0.9 * v / total)})
	}
	slices.SortFunc(top, func(a, b api.TokenLogprob) int { return cmp.Compare(b.Logprob, a.Logprob) })
	return top
}

// stored are the names in the folder of blobs.
func (f *fake) stored() []string {
	entries, err := os.ReadDir(filepath.Join(f.folder, "blobs"))
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// say answers one request with a text as it is.
func say(w http.ResponseWriter, code int, text string) bool {
	w.WriteHeader(code)
	_, _ = io.Copy(w, bytes.NewBufferString(text))
	return true
}
