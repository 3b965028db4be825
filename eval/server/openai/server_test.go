package openai

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"soup/eval"
)

// Whatever a server shows, other weights are another version and equal ones the same.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		text, chat, evidence string
		most                 int
	}{
		{"legacy", "content", "log-probabilities", 20},
		{"content", "none", "log-probabilities", 20},
		{"legacy", "missing", "log-probabilities", 5},
		{"none", "content", "log-probabilities", 20},
		{"missing", "content", "log-probabilities", 20},
		{"missing", "refused", "texts", 20},
		{"none", "none", "texts", 20},
	} {
		t.Run(c.text+" "+c.chat, func(t *testing.T) {
			f := newFake(t, c.text, c.chat)
			f.most = c.most
			s := f.swapped(t)
			if s.Evidence() != "" {
				t.Error("evidence before the first load")
			}
			a, b := model(t, "a"), model(t, "b")
			first, second, again := mustLoad(t, s, a), mustLoad(t, s, b), mustLoad(t, s, a)
			if first != again || first == second || s.Evidence() != c.evidence {
				t.Errorf("versions %s, %s, %s by %s", first, second, again, s.Evidence())
			}
		})
	}
}

func TestRequests(t *testing.T) {
	f := newFake(t, "legacy", "content")
	s := f.swapped(t)
	mustLoad(t, s, model(t, "a"))
	r := user("1+1")
	r.Stop, r.MaxTokens = []string{"\n", ""}, 7
	r.Tools = json.RawMessage(`[{"type":"function","function":{"name":"z","parameters":{"b":1,"a":2}}}]`)
	if _, err := s.Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var tools any
	if err := json.Unmarshal(r.Tools, &tools); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"model": "soup", "max_tokens": 7.0, "temperature": 0.0, "top_p": 1.0, "seed": 1.0, "stop": []any{"\n"}, "stream": false, "tools": tools,
		"messages": []any{map[string]any{"role": "system", "content": ""}, map[string]any{"role": "user", "content": "1+1"}},
	}
	if got := f.asked[len(f.asked)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	s.options.Request = map[string]any{"cache_prompt": false, "max_completion_tokens": 9, "max_tokens": nil, "seed": nil}
	if _, err := s.Generate(t.Context(), raw("1+1=")); err != nil {
		t.Fatal(err)
	}
	want = map[string]any{
		"model": "soup", "max_completion_tokens": 9.0, "temperature": 0.0, "top_p": 1.0, "stream": false, "prompt": "1+1=", "cache_prompt": false,
	}
	if got := f.asked[len(f.asked)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	body, err := s.extended(chatRequest{Tools: r.Tools})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(body); err != nil || !strings.Contains(string(text), `{"b":1,"a":2}`) {
		t.Errorf("functions were sent as %s, %v", text, err)
	}
}

func TestReplies(t *testing.T) {
	const call = `{"id":"1","type":"function","function":{"name":"f","arguments":`
	for _, c := range []struct {
		name, reply string
		want        eval.Reply
		is          error
		says        string
	}{
		{"chat", `{"choices":[{"message":{"content":"ab"},"finish_reason":"stop"}],"usage":{"completion_tokens":3}}`, eval.Reply{Text: "ab", Finish: eval.FinishStop, Tokens: 3}, nil, ""},
		{"text", `{"choices":[{"text":"ab","finish_reason":"length"}]}`, eval.Reply{Text: "ab", Finish: eval.FinishLength}, nil, ""},
		{"silence", `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, eval.Reply{Finish: eval.FinishStop}, nil, ""},
		{
			"calls", `{"choices":[{"message":{"content":null,"tool_calls":[` + call + `"{\"n\":1.50}"}},` + call + `""}}]},"finish_reason":"tool_calls"}]}`,
			eval.Reply{Finish: eval.FinishStop, Calls: []eval.Call{{Name: "f", Arguments: json.RawMessage(`{"n":1.50}`)}, {Name: "f", Arguments: json.RawMessage(`{}`)}}},
			nil, "",
		},
		{
			"a call that is no JSON", `{"choices":[{"message":{"content":"","tool_calls":[` + call + `"{n"}}]},"finish_reason":"tool_calls"}]}`,
			eval.Reply{Text: "f({n)", Finish: eval.FinishStop},
			nil, "",
		},
		{"filter", `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`, eval.Reply{Finish: eval.FinishError}, nil, "kept the answer back"},
		{"other reason", `{"choices":[{"message":{"content":""},"finish_reason":"tired"}]}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "tired"},
		{"no choices", `{"choices":[]}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "no choices"},
		{"no message", `{"choices":[{"finish_reason":"stop"}]}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "neither"},
		{"web page", `<html>`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply, "<html>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, "legacy", "content")
			s := f.swapped(t)
			mustLoad(t, s, model(t, "a"))
			f.intercept = intercepted(c.reply)
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

func TestLabels(t *testing.T) {
	f := newFake(t, "legacy", "content")
	s := f.swapped(t)
	mustLoad(t, s, model(t, "a"))
	place := `{"choices":[{"message":{"content":"B"},"finish_reason":"length","logprobs":{"content":[{"top_logprobs":[
		{"token":"B","logprob":-1},{"token":"True","logprob":-2},{"token":"T","logprob":-3},{"token":"x","logprob":-4}]}]}}]}`
	f.intercept = intercepted(place)
	got, err := s.ScoreLabels(t.Context(), user("?"), []string{"B", "Truer", "Z"})
	if want := []float64{-1, -2, math.Nextafter(-4, -5)}; err != nil || !reflect.DeepEqual(got, want) || s.Floored() != 1 {
		t.Errorf("%v, %v, %d floored; want %v", got, err, s.Floored(), want)
	}
	for says, labels := range map[string][]string{"none of the labels Y, Z": {"Y", "Z"}, "no first token of its own": {"B", "Bx"}, "no labels": nil} {
		if _, err := s.ScoreLabels(t.Context(), user("?"), labels); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", labels, err)
		}
	}
	f.intercept = intercepted(strings.Replace(place, "-4", "null", 1))
	if _, err := s.ScoreLabels(t.Context(), user("?"), []string{"B", "T"}); !errors.Is(err, eval.ErrNotNumbers) {
		t.Errorf("NaN: %v", err)
	}
	for _, damaged := range []string{strings.Replace(place, "-1}", "1}", 1), strings.Replace(place, "-2", "-0.1", 1), strings.Replace(place, `"T","logprob":-3`, `"B","logprob":-1`, 1)} {
		f.intercept = intercepted(damaged)
		if _, err := s.ScoreLabels(t.Context(), user("?"), []string{"B", "T"}); !errors.Is(err, eval.ErrReply) {
			t.Errorf("%s: %v", damaged, err)
		}
	}
	f.intercept = intercepted(`{"choices":[{"message":{"content":"B"},"finish_reason":"length"}]}`)
	if _, err := s.ScoreLabels(t.Context(), user("?"), []string{"B", "T"}); !errors.Is(err, eval.ErrReply) {
		t.Errorf("nothing shown: %v", err)
	}
	mute := newFake(t, "legacy", "none").swapped(t)
	mustLoad(t, mute, model(t, "a"))
	if _, err := mute.ScoreLabels(t.Context(), user("?"), []string{"A", "B"}); !errors.Is(err, eval.ErrNoScores) {
		t.Errorf("a server that shows none: %v", err)
	}
	if got, err := mute.ScoreLabels(t.Context(), raw("?"), strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")); err != nil || len(got) != 26 || mute.Floored() != 6 {
		t.Errorf("raw: %v, %v, %d floored", got, err, mute.Floored())
	}
}

func TestCheck(t *testing.T) {
	chat, text := newFake(t, "missing", "content").swapped(t), newFake(t, "legacy", "missing").swapped(t)
	if err := chat.Check(eval.Question{Request: user("?")}); err == nil {
		t.Error("no model is no error")
	}
	mustLoad(t, chat, model(t, "a"))
	mustLoad(t, text, model(t, "a"))
	tools := raw("?")
	tools.Tools = json.RawMessage(`[]`)
	for _, c := range []struct {
		s  *Server
		q  eval.Question
		ok bool
	}{
		{chat, eval.Question{Request: user("?"), Labels: []string{"A", "B"}}, true},
		{chat, eval.Question{Request: raw("?")}, false},
		{chat, eval.Question{Request: user("?"), Continuations: []string{"a"}}, false},
		{chat, eval.Question{}, false},
		{text, eval.Question{Request: raw("?")}, true},
		{text, eval.Question{Request: user("?")}, false},
		{text, eval.Question{Request: tools}, false},
	} {
		if err := c.s.Check(c.q); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.q, err)
		}
		if _, err := c.s.Generate(t.Context(), c.q.Request); !c.ok && len(c.q.Continuations) == 0 && c.q.Raw != "" && err == nil {
			t.Errorf("%+v was answered", c.q)
		}
	}
}

// Functions that a server refuses are told from other refusals.
func TestToolsRefused(t *testing.T) {
	f := newFake(t, "legacy", "content")
	s := f.swapped(t)
	mustLoad(t, s, model(t, "a"))
	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		f.refuse(w, http.StatusBadRequest, "tools param requires --jinja flag")
		return true
	}
	r := user("?")
	if _, err := s.Generate(t.Context(), r); err == nil || errors.Is(err, eval.ErrNoTools) {
		t.Errorf("without functions: %v", err)
	}
	r.Tools = json.RawMessage(`[]`)
	if _, err := s.Generate(t.Context(), r); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("with functions: %v", err)
	}
}

func TestNoSwap(t *testing.T) {
	f := newFake(t, "legacy", "content")
	s := newServer(t, Options{URL: f.url})
	a, b := model(t, "a"), model(t, "b")
	a.Digest, b.Digest = "1", "1"
	mustLoad(t, s, a)
	mustLoad(t, s, b) // equal weights
	b.Digest = "2"
	if _, err := s.Load(t.Context(), b); err == nil || !strings.Contains(err.Error(), "option swap") {
		t.Errorf("another model: %v", err)
	}
	if err := s.Health(t.Context()); err == nil {
		t.Error("well after a load that failed")
	}
	mustLoad(t, s, a)
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSwapFails(t *testing.T) {
	f := newFake(t, "legacy", "content")
	broken := errors.New("exit status 3")
	s := newServer(t, Options{URL: f.url, Swap: func(context.Context, string) error { return broken }})
	m := model(t, "a")
	if _, err := s.Load(t.Context(), m); !errors.Is(err, broken) || !strings.Contains(err.Error(), m.Path) {
		t.Errorf("%v", err)
	}
	down := newServer(t, Options{URL: "http://127.0.0.1:1", Wait: 100 * time.Millisecond, Swap: func(context.Context, string) error { return nil }})
	if _, err := down.Load(t.Context(), m); err == nil || !strings.Contains(err.Error(), "within 100ms") {
		t.Errorf("a server that stays down: %v", err)
	}
}

// A wrong key is no ability that is missing.
func TestKeyRefused(t *testing.T) {
	f := newFake(t, "legacy", "content")
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer right" {
			return false
		}
		f.refuse(w, http.StatusUnauthorized, "wrong key")
		return true
	}
	s := newServer(t, Options{URL: f.url, Key: "wrong"})
	if _, err := s.Load(t.Context(), model(t, "a")); err == nil || !strings.Contains(err.Error(), "wrong key") {
		t.Errorf("%v", err)
	}
	mustLoad(t, newServer(t, Options{URL: f.url + "/v1/", Key: "right"}), model(t, "a"))
	if _, err := New(Options{URL: "127.0.0.1:80"}); err == nil {
		t.Error("no url is no error")
	}
}

func TestNothingOffered(t *testing.T) {
	s := newFake(t, "missing", "missing").swapped(t)
	if _, err := s.Load(t.Context(), model(t, "a")); err == nil || !strings.Contains(err.Error(), "no such path") {
		t.Errorf("%v", err)
	}
	if id, err := s.Identity(t.Context()); err != nil || !strings.HasPrefix(id, "openai ") {
		t.Errorf("%q, %v", id, err)
	}
}
