package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// serve runs a fake and a driver of it.
func serve(t *testing.T, h http.Handler) *Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return driver(t, server.URL)
}

func load(t *testing.T, s *Server, dir string) eval.Version {
	t.Helper()
	v, err := s.Load(t.Context(), eval.Model{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func raw(text string) eval.Request { return eval.Request{Raw: text, MaxTokens: 20} }

func TestConformance(t *testing.T) {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	servertest.Run(t, servertest.Fixture{
		New: func(t *testing.T) eval.Server { return serve(t, newFake(t, a)) },
		A:   eval.Model{Path: a}, B: eval.Model{Path: b},
		Questions: []eval.Question{
			{Request: eval.Request{Messages: []eval.Message{{Role: "user", Content: "1+1"}}, MaxTokens: 20}, Reference: "2"},
			{Request: raw("pick"), Labels: []string{"A", "B"}},
			{Request: raw("go on")},
		},
		Missing: filepath.Join(t.TempDir(), "no-such-model"),
	})
}

func faked(t *testing.T) servertest.Fake {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	return servertest.Fake{
		New:  func(t *testing.T, url string) eval.Server { return driver(t, url) },
		Well: func(t *testing.T) http.Handler { return newFake(t, a) },
		A:    eval.Model{Path: a}, B: eval.Model{Path: b},
		Question: eval.Question{Request: raw("pick"), Labels: []string{"A", "B"}, Reference: "x", Continuations: []string{"one", "two"}},
		Asks:     func(r *http.Request) bool { return r.URL.Path == "/v1/completions" },
	}
}

func TestHostile(t *testing.T) { servertest.Hostile(t, faked(t)) }

func TestStale(t *testing.T) { servertest.Stale(t, faked(t)) }

// Each kind of server is asked in its own way to exchange weights.
func TestWays(t *testing.T) {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	drop := "/reset_prefix_cache"
	for _, c := range []struct {
		name   string
		change func(*fake)
		load   string
		want   []string
	}{
		{"reload", func(*fake) {}, b, []string{"/collective_rpc", drop}},
		{"older configuration", func(f *fake) { f.config = `"one long text"` }, b, []string{"/collective_rpc", drop}},
		{"disk", func(f *fake) { f.config = `{"weight_transfer_config":{"backend":"disk"}}` }, b, []string{
			"/init_weight_transfer_engine", "/start_weight_update", "/update_weights", "/finish_weight_update", drop,
		}},
		{"no path", func(f *fake) { f.noPath = true }, a, []string{"/collective_rpc", "/collective_rpc", drop}},
		{"sleep", func(f *fake) { f.noPath, f.config = true, `{"model_config":{"enable_sleep_mode":true}}` }, a, []string{
			"/collective_rpc", "/sleep?level=2", "/wake_up?tags=weights", "/collective_rpc", "/wake_up?tags=kv_cache", drop,
		}},
		{"busy cache", func(f *fake) { f.busy = 2 }, b, []string{"/collective_rpc", drop, drop, drop}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, a)
			c.change(f)
			s := serve(t, f)
			load(t, s, c.load)
			if !slices.Equal(f.called, c.want) {
				t.Errorf("called %v, want %v", f.called, c.want)
			}
			if m, _ := toymodel.Open(c.load); f.model != m {
				t.Error("other weights are loaded")
			}
			if got, err := s.Identity(t.Context()); err != nil || got != "vllm 0.32.0" {
				t.Errorf("identity %q", got)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	other := toymodel.Write(t, "weightsC")
	file := filepath.Join(other, "model.safetensors")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "[8]", "[7]", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*fake)
		load   string
		says   string
		hint   string
	}{
		{"no development mode", func(f *fake) { f.config = "" }, b, "no route that exchanges weights", "VLLM_SERVER_DEV_MODE=1"},
		{"other log-probabilities", func(f *fake) { f.config = `{"model_config":{"logprobs_mode":"raw_logits"}}` }, b, "raw_logits", "--logprobs-mode"},
		{"other path", func(f *fake) { f.noPath = true }, b, "can only read " + a, "update vLLM"},
		{"other shapes", func(*fake) {}, other, `tensor "w" has the shape [7]`, ""},
		{"busy for ever", func(f *fake) { f.busy = 1 << 30 }, b, "prefix cache", "alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, a)
			c.change(f)
			s := serve(t, f)
			_, err := s.Load(t.Context(), eval.Model{Path: c.load})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v", err)
			}
			var remedy interface{ Hint() string }
			if c.hint != "" && (!errors.As(err, &remedy) || !strings.Contains(remedy.Hint(), c.hint)) {
				t.Errorf("no remedy for %v", err)
			}
			if err := s.Health(t.Context()); err == nil {
				t.Error("well without a model")
			}
		})
	}
}

// A server that does not know logprob_token_ids gives the same numbers.
func TestLabelsOfOlderServers(t *testing.T) {
	a := toymodel.Write(t, "weightsA")
	var scores [][]float64
	for _, old := range []bool{false, true} {
		f := newFake(t, a)
		f.noIDs = old
		s := serve(t, f)
		load(t, s, a)
		got, err := s.ScoreLabels(t.Context(), raw("pick"), []string{"A", "B", "C"})
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, got)
	}
	if !slices.Equal(scores[0], scores[1]) {
		t.Errorf("%v, older %v", scores[0], scores[1])
	}
}

// Broken weights leave nothing behind.
func TestNotNumbers(t *testing.T) {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	f := newFake(t, a)
	f.notNumbers = b
	s := serve(t, f)
	want := load(t, s, a)
	if _, err := s.Load(t.Context(), eval.Model{Path: b}); !errors.Is(err, eval.ErrNotNumbers) {
		t.Fatalf("error %v", err)
	}
	if got := load(t, s, a); got != want {
		t.Errorf("version %s, before %s", got, want)
	}
}

func TestContextIsAnItemsError(t *testing.T) {
	a := toymodel.Write(t, "weightsA")
	s := serve(t, newFake(t, a))
	load(t, s, a)
	long := raw(strings.Repeat("x", 64))
	if _, err := s.Generate(t.Context(), long); err == nil || !strings.Contains(err.Error(), "64 tokens does not fit into the context of 64") {
		t.Errorf("error %v", err)
	}
	if _, err := s.ScoreReference(t.Context(), raw(strings.Repeat("x", 60)), "abcd"); err == nil {
		t.Error("a reference that does not fit is no error")
	}
	if r, err := s.Generate(t.Context(), raw(strings.Repeat("x", 63))); err != nil || r.Tokens != 1 || r.Finish != eval.FinishLength {
		t.Errorf("one token of room: %+v, %v", r, err)
	}
	if err := s.Check(eval.Question{Request: raw("pick"), Labels: []string{"A", "Ab"}}); err == nil {
		t.Error("labels with one first token are no error")
	}
}

func TestTools(t *testing.T) {
	a := toymodel.Write(t, "weightsA")
	f := newFake(t, a)
	s := serve(t, f)
	load(t, s, a)
	r := eval.Request{Messages: []eval.Message{{Role: "user", Content: "tools"}}, Tools: json.RawMessage(`[1]`)}
	reply, err := s.Generate(t.Context(), r)
	if err != nil || len(reply.Calls) != 2 || string(reply.Calls[0].Arguments) != `{"a": 5.0}` || string(reply.Calls[1].Arguments) != `"{oops"` || reply.Finish != eval.FinishStop {
		t.Errorf("%+v, %v", reply, err)
	}
	f.noParser = true
	if reply, err = s.Generate(t.Context(), r); err != nil || reply.Text == "" || reply.Calls != nil {
		t.Errorf("without a parser: %+v, %v", reply, err)
	}
	r.Messages[0].Content = "a template that leaves them out"
	if _, err := s.Generate(t.Context(), r); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("left out: %v", err)
	}
}

// A server that soup starts is started again when it has died.
func TestStart(t *testing.T) {
	a, b := toymodel.Write(t, "weightsA"), toymodel.Write(t, "weightsB")
	var started []string
	var server *httptest.Server
	s, err := New(Options{Pause: time.Millisecond, Start: func(_ context.Context, checkpoint string) (string, error) {
		started = append(started, checkpoint)
		if server != nil {
			server.Close()
		}
		server = httptest.NewServer(newFake(t, checkpoint))
		return server.URL, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	va, vb := load(t, s, a), load(t, s, b)
	server.Close()
	if err := s.Health(t.Context()); !errors.Is(err, eval.ErrUnreachable) {
		t.Errorf("health of a dead server: %v", err)
	}
	if got := load(t, s, a); got != va || va == vb {
		t.Errorf("versions %s, %s, %s", va, vb, got)
	}
	if got, err := s.Reload(t.Context(), eval.Model{Path: b}); err != nil || got != vb {
		t.Errorf("from scratch: %s, %v; want %s", got, err, vb)
	}
	server.Close()
	if want := []string{a, a, b}; !slices.Equal(started, want) {
		t.Errorf("started with %v, want %v", started, want)
	}
}
