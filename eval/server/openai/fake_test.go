package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"soup/eval"
)

// fake is a server with OpenAI's interface that shows what it is told to.
type fake struct {
	t    *testing.T
	url  string
	text string // form of log-probabilities at /completions: "legacy", "content", "none" or "missing"
	chat string // at /chat/completions: "content", "none", "refused" or "missing"
	show int    // most tokens that it shows; 0 is as many as are asked for
	most int    // likeliest tokens that it shows; more are refused

	mu        sync.Mutex
	weights   string
	asked     []map[string]any
	intercept func(w http.ResponseWriter, r *http.Request) bool
}

func newFake(t *testing.T, text, chat string) *fake {
	f := &fake{t: t, text: text, chat: chat, most: 20, weights: "none"}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.intercept != nil && f.intercept(w, r) {
		return
	}
	way := map[string]string{"/v1/completions": f.text, "/v1/chat/completions": f.chat, "/v1/models": "models"}[r.URL.Path]
	switch way {
	case "", "missing":
		f.refuse(w, http.StatusNotFound, "no such path")
		return
	case "models":
		f.say(w, map[string]any{"data": []any{}})
		return
	}
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		f.t.Error(err)
	}
	f.asked = append(f.asked, in)
	top := f.top(in)
	if top > f.most || top > 0 && way == "refused" {
		f.refuse(w, http.StatusBadRequest, "logprobs is not supported")
		return
	}
	f.answer(w, in, way, top)
}

func (f *fake) top(in map[string]any) int {
	for _, key := range []string{"top_logprobs", "logprobs"} {
		if n, ok := in[key].(float64); ok {
			return int(n)
		}
	}
	return 0
}

func (f *fake) refuse(w http.ResponseWriter, code int, why string) {
	w.WriteHeader(code)
	f.say(w, map[string]any{"error": map[string]any{"message": why}})
}

func (f *fake) say(w http.ResponseWriter, reply any) {
	if err := json.NewEncoder(w).Encode(reply); err != nil {
		f.t.Error(err)
	}
}

// answer says a letter that depends on the weights, and shows the alphabet from
// there on, each letter one nat behind the one before.
func (f *fake) answer(w http.ResponseWriter, in map[string]any, way string, top int) {
	h := fnv.New32a()
	fmt.Fprint(h, f.weights, in["prompt"], in["messages"])
	first := int(h.Sum32() % 26)
	letter := func(i int) string { return string(rune('A' + (first+i)%26)) }
	choice := map[string]any{"finish_reason": "length"}
	legacy, content := map[string]any{}, []any{}
	for i := range top {
		if f.show > 0 && i >= f.show {
			break
		}
		v := -0.5 - float64(i) - float64(h.Sum32()%1000)/1000
		legacy[letter(i)] = v
		content = append(content, map[string]any{"token": letter(i), "logprob": v})
	}
	switch {
	case top > 0 && way == "legacy":
		choice["logprobs"] = map[string]any{"tokens": []string{letter(0)}, "token_logprobs": []float64{-0.5}, "top_logprobs": []any{legacy}}
	case top > 0 && way == "content":
		choice["logprobs"] = map[string]any{"content": []any{map[string]any{"token": letter(0), "logprob": -0.5, "top_logprobs": content}}}
	}
	if in["messages"] != nil {
		choice["message"] = map[string]any{"role": "assistant", "content": letter(0)}
	} else {
		choice["text"] = letter(0)
	}
	f.say(w, map[string]any{"choices": []any{choice}, "usage": map[string]any{"completion_tokens": 1}})
}

// swapped is a driver whose swap gives the fake other weights.
func (f *fake) swapped(t *testing.T) *Server {
	t.Helper()
	return newServer(t, Options{URL: f.url, Swap: func(_ context.Context, path string) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.weights = filepath.Base(path)
		return nil
	}})
}

func newServer(t *testing.T, o Options) *Server {
	t.Helper()
	o.Pause = time.Millisecond
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func model(t *testing.T, name string) eval.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
		t.Fatal(err)
	}
	return eval.Model{Path: path}
}

func mustLoad(t *testing.T, s *Server, m eval.Model) eval.Version {
	t.Helper()
	v, err := s.Load(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func user(text string) eval.Request {
	return eval.Request{Messages: []eval.Message{{Role: "system", Content: ""}, {Role: "user", Content: text}}}
}

func raw(text string) eval.Request { return eval.Request{Raw: text} }

func intercepted(reply string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/models") {
			return false
		}
		_, _ = w.Write([]byte(reply))
		return true
	}
}
