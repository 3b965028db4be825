package sglang

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"soup/eval"
	"soup/eval/server/internal/bytoken/toymodel"
	"soup/eval/server/servertest"
)

func driver(t *testing.T, url string) *Server {
	t.Helper()
	s, err := New(Options{URL: url, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// exchange is one request with its reply; see testdata/README.md.
type exchange struct {
	Path    string
	Request json.RawMessage
	Status  int
	Reply   json.RawMessage
}

// recorded answers with the exchanges of testdata, in their order, and compares
// what is asked.
func recorded(t *testing.T, dir string) http.Handler {
	text, err := os.ReadFile("testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []exchange
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "DIR", dir)), &exchanges); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(exchanges) > 0 {
			t.Errorf("%d exchanges were not needed, the next is %s", len(exchanges), exchanges[0].Path)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(exchanges) == 0 {
			t.Errorf("one more: %s %s", r.URL.Path, body)
			return
		}
		e := exchanges[0]
		exchanges = exchanges[1:]
		if r.URL.Path != e.Path || !sameJSON(body, e.Request) {
			t.Errorf("%s %s, want %s %s", r.URL.Path, body, e.Path, e.Request)
		}
		if e.Status != 0 {
			w.WriteHeader(e.Status)
		}
		_, _ = w.Write(e.Reply)
	})
}

func sameJSON(a, b []byte) bool {
	var x, y any
	_, _ = json.Unmarshal(a, &x), json.Unmarshal(b, &y) // nothing equals nothing
	return reflect.DeepEqual(x, y)
}

// TestContract says what SGLang's source says that it takes, and reads what it
// says that it gives.
func TestContract(t *testing.T) {
	dir := toymodel.Write(t, "weightsA")
	server := httptest.NewServer(recorded(t, dir))
	defer server.Close()
	s, ctx := driver(t, server.URL), t.Context()
	if v, err := s.Load(ctx, eval.Model{Path: dir, Digest: "cand-1"}); err != nil || v == "" {
		t.Fatalf("version %q, %v", v, err)
	}
	if got, err := s.Identity(t.Context()); err != nil || got != "sglang 0.5.4" {
		t.Errorf("identity %q", got)
	}
	r := eval.Request{Raw: "go on", MaxTokens: 20, Stop: []string{"!"}}
	reply := func(want eval.Reply) {
		t.Helper()
		got, err := s.Generate(ctx, r)
		if got.Latency = 0; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	reply(eval.Reply{Text: "and on", Finish: eval.FinishStop, Tokens: 2})
	r.Stop = []string{"n!"}
	reply(eval.Reply{Text: "and o", Finish: eval.FinishStop, Tokens: 4})
	r.Stop, r.MaxTokens = nil, 2
	reply(eval.Reply{Text: "and", Finish: eval.FinishLength, Tokens: 2})
	if got, err := s.ScoreLabels(ctx, r, []string{"A", "Bee"}); err != nil || !slices.Equal(got, []float64{-2.5, -3.25}) {
		t.Errorf("labels %v, %v", got, err)
	}
	if got, err := s.ScoreReference(ctx, r, "x y"); err != nil || got != -0.5 {
		t.Errorf("reference %g, %v", got, err)
	}
	want := []eval.Continuation{{LogProb: -2.5, Tokens: 1}, {LogProb: -0.75, Tokens: 2, Greedy: true}}
	if got, err := s.ScoreContinuations(ctx, r, []string{"A", "x y"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("continuations %+v, %v", got, err)
	}
	if _, err := s.Load(ctx, eval.Model{Path: dir}); err == nil || !strings.Contains(err.Error(), "weights iterator") || strings.Contains(err.Error(), "\n") {
		t.Errorf("weights that it cannot read: %v", err)
	}
	if _, err := s.Generate(ctx, r); err == nil {
		t.Error("an answer after a load that failed")
	}
}

// fake answers as SGLang does, with a toy model.
type fake struct {
	mu    sync.Mutex
	model toymodel.Model
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in struct {
		request
		Prompt string
		Path   string `json:"model_path"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	switch r.URL.Path {
	case "/health":
	case "/get_server_info":
		fmt.Fprint(w, `{"version":"0.5.4","model_path":"org/model","context_length":64}`)
	case "/tokenize":
		_ = json.NewEncoder(w).Encode(map[string]any{"tokens": toymodel.Encode(in.Prompt)})
	case "/update_weights_from_disk":
		m, err := toymodel.Open(in.Path)
		f.model = m
		fmt.Fprintf(w, `{"success":%t,"message":"done"}`, err == nil)
	case "/generate":
		f.generate(w, in.request)
	}
}

func (f *fake) generate(w http.ResponseWriter, r request) {
	text, n, reason := f.model.Answer(r.IDs, r.Sampling.MaxTokens, r.Sampling.Stop)
	finish := map[string]any{"type": "stop", "matched": reason}
	switch reason {
	case "length":
		finish = map[string]any{"type": "length"}
	case "stop":
		finish["matched"] = toymodel.End
	}
	meta := map[string]any{"finish_reason": finish, "completion_tokens": n}
	if r.Logprob {
		lps := f.model.LogProbs(r.IDs)
		best := f.model.Best(r.IDs, nil)
		var wanted [][]any
		for _, id := range r.Wanted {
			wanted = append([][]any{{lps[id], id, nil}}, wanted...)
		}
		meta["output_token_logprobs"] = [][]any{{lps[best], best, nil}}
		meta["output_token_ids_logprobs"] = [][][]any{wanted}
	}
	if r.Start >= 0 {
		in, top := [][]any{{nil, r.IDs[r.Start], nil}}, [][][]any{nil}
		for i := r.Start + 1; i < len(r.IDs); i++ {
			lps, best := f.model.LogProbs(r.IDs[:i]), f.model.Best(r.IDs[:i], nil)
			in, top = append(in, []any{lps[r.IDs[i]], r.IDs[i], nil}), append(top, [][]any{{lps[best], best, nil}})
		}
		meta["input_token_logprobs"], meta["input_top_logprobs"] = in, top
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"text": text, "meta_info": meta})
}

func TestConformance(t *testing.T) {
	server := httptest.NewServer(&fake{})
	defer server.Close()
	raw := func(text string) eval.Request { return eval.Request{Raw: text, MaxTokens: 20} }
	servertest.Run(t, servertest.Fixture{
		New: func(t *testing.T) eval.Server { return driver(t, server.URL) },
		A:   eval.Model{Path: toymodel.Write(t, "weightsA")}, B: eval.Model{Path: toymodel.Write(t, "weightsB")},
		Questions: []eval.Question{
			{Request: eval.Request{Messages: []eval.Message{{Role: "user", Content: "1+1"}}, MaxTokens: 20}, Reference: "2"},
			{Request: raw("pick"), Labels: []string{"A", "B"}},
			{Request: raw("go on")},
		},
		Missing: filepath.Join(t.TempDir(), "no-such-model"),
	})
}

func faked(t *testing.T) servertest.Fake {
	return servertest.Fake{
		New:  func(t *testing.T, url string) eval.Server { return driver(t, url) },
		Well: func(*testing.T) http.Handler { return &fake{} },
		A:    eval.Model{Path: toymodel.Write(t, "weightsA")}, B: eval.Model{Path: toymodel.Write(t, "weightsB")},
		Question: eval.Question{
			Request: eval.Request{Raw: "pick", MaxTokens: 20}, Labels: []string{"A", "B"}, Reference: "x", Continuations: []string{"one", "two"},
		},
		Asks: func(r *http.Request) bool { return r.URL.Path == "/generate" },
	}
}

func TestHostile(t *testing.T) { servertest.Hostile(t, faked(t)) }

func TestStale(t *testing.T) { servertest.Stale(t, faked(t)) }

func TestTools(t *testing.T) {
	server := httptest.NewServer(&fake{})
	defer server.Close()
	s := driver(t, server.URL)
	dir := toymodel.Write(t, "weightsA")
	if _, err := s.Load(t.Context(), eval.Model{Path: dir}); err != nil {
		t.Fatal(err)
	}
	r := eval.Request{Messages: []eval.Message{{Role: "user", Content: "hi"}}, Tools: json.RawMessage(`[1]`)}
	with, err := s.Render(t.Context(), r)
	if want := toymodel.Encode("<hi>[1]"); err != nil || !slices.Equal(with, want) {
		t.Errorf("tokens %v, %v; want %v", with, err, want)
	}
	if _, err := s.Generate(t.Context(), eval.Request{Raw: "hi", Tools: r.Tools}); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("raw prompt: %v", err)
	}
}
