package llamaserver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"soup/eval"
)

// fake is a llama-server whose model has one token a byte and logits between 0
// and 130 that depend on the file's content and the prompt's last 8 tokens.
type fake struct {
	t      *testing.T
	url    string
	router bool
	models string // the router's folder
	shows  int    // most tokens that it shows at a place; 0 is as many as are asked for
	bos    string // what the tokenizer puts before a text

	mu        sync.Mutex
	weights   string // content of the file
	path      string
	known     bool   // to the router
	status    string // of the router's model
	code      int    // exit code of its process
	adapters  []adapter
	asked     []map[string]any // bodies of /completion
	intercept func(w http.ResponseWriter, r *http.Request) bool
}

const vocabulary = 256

func newFake(t *testing.T) *fake {
	f := &fake{t: t, status: unloaded}
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
	switch r.URL.Path {
	case "/health":
		f.say(w, map[string]string{"status": "ok"})
	case "/props":
		f.props(w, r)
	case "/models", "/models/load", "/models/unload":
		f.route(w, r)
	case "/tokenize":
		in := f.read(r)
		text := in["content"].(string)
		if in["add_special"] == true {
			text = f.bos + text
		}
		ids := []int{}
		for _, b := range []byte(text) {
			ids = append(ids, int(b))
		}
		f.say(w, map[string]any{"tokens": ids})
	case "/lora-adapters":
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&f.adapters); err != nil {
				f.t.Error(err)
			}
			f.weights = fmt.Sprint(f.adapters)
		}
		f.say(w, f.adapters)
	case "/completion":
		f.complete(w, f.read(r))
	default:
		w.WriteHeader(http.StatusNotFound)
		f.say(w, map[string]any{"error": map[string]any{"code": 404, "message": "File Not Found"}})
	}
}

func (f *fake) read(r *http.Request) (in map[string]any) {
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		f.t.Error(err)
	}
	return in
}

func (f *fake) say(w http.ResponseWriter, reply any) {
	if err := json.NewEncoder(w).Encode(reply); err != nil {
		f.t.Error(err)
	}
}

func (f *fake) props(w http.ResponseWriter, r *http.Request) {
	if f.router && r.URL.Query().Get("model") == "" {
		f.say(w, map[string]any{"role": "router", "build_info": "b1-fake"})
		return
	}
	f.say(w, map[string]any{
		"total_slots": 3, "build_info": "b1-fake", "model_path": f.path, "bos_token": f.bos, "eos_token": "\x00",
		"chat_template":               "{{ bos_token }}{% for m in messages %}<{{ m.content }}>{% endfor %}",
		"default_generation_settings": map[string]any{"n_ctx": 64},
	})
}

// route is the router: /models/load reads the link, as a new process does.
func (f *fake) route(w http.ResponseWriter, r *http.Request) {
	file := filepath.Join(f.models, "soup.gguf")
	switch r.URL.Path {
	case "/models/load":
		weights, err := os.ReadFile(file)
		f.weights, f.status, f.code = string(weights), loaded, 0
		if err != nil || strings.Contains(f.weights, "broken") {
			f.status, f.code = unloaded, 1
		}
	case "/models/unload":
		f.status = unloaded
	}
	_, err := os.Stat(file)
	f.known = f.known || err == nil && r.URL.Query().Get("reload") != ""
	list := []any{map[string]any{"id": "other", "status": map[string]any{"value": loaded}}}
	if f.known {
		list = append(list, map[string]any{"id": "soup", "status": map[string]any{"value": f.status, "exit_code": f.code, "failed": f.code != 0}})
	}
	f.say(w, map[string]any{"data": list})
}

func (f *fake) logits(prompt []byte) []float64 {
	row := make([]float64, vocabulary)
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %x ", f.weights, prompt[max(0, len(prompt)-8):])
	for id := range row {
		h, err := h.(hash.Cloner).Clone()
		if err != nil {
			f.t.Error(err)
		}
		fmt.Fprint(h, id)
		row[id] = float64(h.(hash.Hash64).Sum64()>>7%13000) / 100
	}
	return row
}

// ranked are the log-probabilities of all tokens, the likeliest first.
func ranked(row []float64) []choice {
	total, most := 0.0, slices.Max(row)
	for _, v := range row {
		total += math.Exp(v - most)
	}
	list := make([]choice, 0, len(row))
	for id, v := range row {
		p := v - most - math.Log(total)
		list = append(list, choice{ID: int32(id), Text: string(rune(id)), LogProb: number(p), Prob: number(float32(math.Exp(p)))})
	}
	slices.SortFunc(list, func(a, b choice) int { return cmp.Or(cmp.Compare(b.LogProb, a.LogProb), cmp.Compare(a.ID, b.ID)) })
	return list
}

func promptBytes(in any) []byte {
	if text, ok := in.(string); ok {
		return []byte(text)
	}
	var b []byte
	for _, id := range in.([]any) {
		b = append(b, byte(id.(float64)))
	}
	return b
}

func (f *fake) complete(w http.ResponseWriter, in map[string]any) {
	f.asked = append(f.asked, in)
	prompt := promptBytes(in["prompt"])
	if _, text := in["prompt"].(string); text {
		prompt = append([]byte(f.bos), prompt...)
	}
	top, _ := in["n_probs"].(float64)
	if f.shows > 0 {
		top = min(top, float64(f.shows))
	}
	var content []byte
	var positions []any
	stop, tokens := "limit", 0
	for tokens < int(in["n_predict"].(float64)) {
		row := f.logits(append(slices.Clone(prompt), content...))
		if bias, ok := in["logit_bias"].([]any); ok {
			for _, pair := range bias {
				row[int(pair.([]any)[0].(float64))] += pair.([]any)[1].(float64)
			}
		}
		all := ranked(row)
		key := "top_logprobs"
		if in["post_sampling_probs"] == true {
			key = "top_probs"
			all = slices.DeleteFunc(all, func(c choice) bool { return c.Prob == 0 })
		}
		said := 'a' + byte(all[0].ID%26)
		tokens++
		if all[0].ID < 8 {
			stop, said = "eos", 0
		}
		positions = append(positions, map[string]any{"token": strings.Trim(string(rune(said)), "\x00"), key: all[:min(len(all), int(top))]})
		if stop == "eos" {
			break
		}
		content = append(content, said)
	}
	reply := map[string]any{"content": string(content), "stop_type": stop, "truncated": false, "tokens_predicted": tokens}
	if top > 0 {
		reply["completion_probabilities"] = positions
	}
	f.say(w, reply)
}

// weightsFile is a file that the fake loads.
func weightsFile(t *testing.T, content string) eval.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), content+".gguf")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return eval.Model{Path: path}
}

// started makes a driver that "starts" the fake.
func (f *fake) started(t *testing.T) *Server {
	t.Helper()
	return newServer(t, Options{Start: func(_ context.Context, gguf string) (Process, error) {
		content, err := os.ReadFile(gguf)
		f.weights, f.path = string(content), gguf
		return Process{URL: f.url, Stop: func() error { return nil }, Err: func() error { return nil }}, err
	}})
}

func newServer(t *testing.T, o Options) *Server {
	t.Helper()
	o.Pause = time.Millisecond
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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
	return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
}
