package llamaserver

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"soup/eval"
)

func TestNewRefuses(t *testing.T) {
	start := func(context.Context, string) (Process, error) { return Process{}, nil }
	for _, o := range []Options{{}, {URL: "http://127.0.0.1:1", Start: start}, {URL: "127.0.0.1:1"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is no error", o)
		}
	}
}

// What is sent decides about what is measured.
func TestRequest(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	mustLoad(t, s, weightsFile(t, "one"))
	r := user("1+1")
	r.Stop, r.MaxTokens = []string{"\n", ""}, 7
	if _, err := s.Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"prompt": "<1+1>", "n_predict": 7.0, "n_probs": 1.0, "seed": 1.0, "cache_prompt": false, "stream": false, "stop": []any{"\n"},
		"temperature": 0.0, "top_k": 1.0, "repeat_penalty": 1.0, "samplers": []any{"top_k"},
		"response_fields": []any{"content", "stop_type", "truncated", "tokens_predicted", "completion_probabilities"},
	}
	if got := f.asked[len(f.asked)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	if id, err := s.Identity(t.Context()); err != nil || id != "llama-server b1-fake" || s.Slots() != 3 {
		t.Errorf("%q, %v, %d slots", id, err, s.Slots())
	}
}

// A tokenizer that begins texts with a token must not do so twice, and not at
// all where the template leaves it out.
func TestBeginningToken(t *testing.T) {
	f := newFake(t)
	f.bos = "^"
	s := f.started(t)
	mustLoad(t, s, weightsFile(t, "one"))
	now, err := s.session()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r    eval.Request
		want any
	}{
		{user("hi"), "<hi>"},
		{eval.Request{Raw: "hi"}, "hi"},
		{eval.Request{Raw: "^hi"}, "^hi"},
	} {
		if got, err := now.prompt(t.Context(), c.r); err != nil || got != c.want {
			t.Errorf("%+v: %v, %v", c.r, got, err)
		}
	}
	s.options.ChatTemplate = func(string) (string, error) { return "{{ messages[0].content }}", nil }
	mustLoad(t, s, weightsFile(t, "one"))
	if now, err = s.session(); err != nil {
		t.Fatal(err)
	}
	if got, err := now.prompt(t.Context(), user("hi")); err != nil || !reflect.DeepEqual(got, []int32{'h', 'i'}) {
		t.Errorf("a template without the token: %v, %v", got, err)
	}
}

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		name, reply string
		want        eval.Reply
		is          error
		says        string
	}{
		{"end", `{"content":"ab","stop_type":"eos","tokens_predicted":3}`, eval.Reply{Text: "ab", Finish: eval.FinishStop, Tokens: 2}, nil, ""},
		{"stop text", `{"content":"ab","stop_type":"word","tokens_predicted":3}`, eval.Reply{Text: "ab", Finish: eval.FinishStop, Tokens: 3}, nil, ""},
		{"limit", `{"content":"ab","stop_type":"limit","tokens_predicted":2}`, eval.Reply{Text: "ab", Finish: eval.FinishLength, Tokens: 2}, nil, ""},
		{"context used up", `{"content":"ab","stop_type":"limit","tokens_predicted":2,"truncated":true}`, eval.Reply{Text: "ab", Finish: eval.FinishLength, Tokens: 2}, nil, ""},
		{"context shifted", `{"content":"ab","stop_type":"eos","tokens_predicted":2,"truncated":true}`, eval.Reply{Finish: eval.FinishError}, nil, "--context-shift"},
		{"other reason", `{"content":"ab","stop_type":"tired","tokens_predicted":2}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "tired"},
		{"another text", `{"content":"abc","stop_type":"eos","tokens_predicted":2}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "not that of its tokens"},
		{"no tokens", `{"content":"","stop_type":"eos","tokens_predicted":0}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "0 tokens"},
		{"no content", `{"stop_type":"eos"}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "no content"},
		{"wrong type", `{"content":3}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "number"},
		{"web page", `<html>`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "<html>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			s := f.started(t)
			mustLoad(t, s, weightsFile(t, "one"))
			f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
				const shown = `"completion_probabilities":[{"token":"ab","top_logprobs":[{"id":1,"token":"ab","logprob":-1}]}],"stop_type"`
				_, _ = w.Write([]byte(strings.Replace(c.reply, `"stop_type"`, shown, 1)))
				return true
			}
			got, err := s.Generate(t.Context(), user("1+1"))
			got.Latency = 0
			if !reflect.DeepEqual(got, c.want) || (err == nil) != (c.says == "") {
				t.Errorf("%+v, %v", got, err)
			}
			if err != nil && (c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestContextIsTooSmall(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	mustLoad(t, s, weightsFile(t, "one"))
	if err := s.Check(eval.Question{Request: user(strings.Repeat("x", 62))}); err == nil || !strings.Contains(err.Error(), "prompt of 64 tokens") {
		t.Errorf("check: %v", err)
	}
	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadRequest)
		f.say(w, map[string]any{"error": map[string]any{"message": "request (70 tokens) exceeds the available context size (64 tokens)", "type": "exceed_context_size_error"}})
		return true
	}
	r, err := s.Generate(t.Context(), user(strings.Repeat("x", 70)))
	if err == nil || r.Finish != eval.FinishError || !strings.Contains(err.Error(), "exceeds the available context") {
		t.Errorf("%+v, %v", r, err)
	}
}

// NaN is null in JSON.
func TestNotNumbers(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/completion" {
			_, _ = w.Write([]byte(`{"content":"","stop_type":"limit","completion_probabilities":[{"top_logprobs":[{"id":1,"token":"a","logprob":null}]}]}`))
		}
		return r.URL.Path == "/completion"
	}
	if _, err := s.Load(t.Context(), weightsFile(t, "one")); !errors.Is(err, eval.ErrNotNumbers) {
		t.Errorf("load: %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	if err := s.Check(eval.Question{Request: user("hi")}); err == nil {
		t.Error("no model is no error")
	}
	mustLoad(t, s, weightsFile(t, "one"))
	tools := user("hi")
	tools.Tools = []byte(`[]`)
	for name, q := range map[string]eval.Question{
		"labels": {Request: user("hi"), Labels: []string{"A", "AB"}},
		"tools":  {Request: tools},
		"empty":  {},
	} {
		if err := s.Check(q); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.Check(eval.Question{Request: tools}); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("tools: %v", err)
	}
}

// A process that died is named, with the reason.
func TestProcessDied(t *testing.T) {
	f := newFake(t)
	died := error(nil)
	s := newServer(t, Options{Start: func(context.Context, string) (Process, error) {
		return Process{URL: f.url, Stop: func() error { return nil }, Err: func() error { return died }}, nil
	}})
	mustLoad(t, s, weightsFile(t, "one"))
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	died = errors.New("signal: killed; the last line of its log")
	f.intercept = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	for name, err := range map[string]error{"health": s.Health(t.Context()), "generate": func() error { _, err := s.Generate(t.Context(), user("hi")); return err }()} {
		if !errors.Is(err, eval.ErrUnreachable) || !strings.Contains(err.Error(), "last line") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartFails(t *testing.T) {
	s := newServer(t, Options{Start: func(context.Context, string) (Process, error) { return Process{}, eval.ErrOutOfMemory }})
	m := weightsFile(t, "one")
	if _, err := s.Load(t.Context(), m); !errors.Is(err, eval.ErrOutOfMemory) || !strings.Contains(err.Error(), m.Path) {
		t.Errorf("%v", err)
	}
	if _, err := s.Load(t.Context(), eval.Model{Path: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "convert it to GGUF") {
		t.Errorf("a directory: %v", err)
	}
}
