package ollama

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"soup/eval"
)

const stamp = `"model":"soup:latest","created_at":"2026-01-01T00:00:00Z"`

// loaded is a server with a garden checkpoint.
func loaded(t *testing.T, f *fake, o Options) *Server {
	t.Helper()
	o.Models = f.folder
	s := newServer(t, f, o)
	mustLoad(t, s, converted(t, "finetune/arith"))
	return s
}

// replying makes the fake answer questions with a text as it is.
func (f *fake) replying(code int, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead = func(w http.ResponseWriter, path string, _ map[string]any) bool {
		return (path == "/api/generate" || path == "/api/chat") && say(w, code, text)
	}
}

func TestFinish(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{})
	for _, c := range []struct {
		reply string
		want  eval.Reply
		kind  error
	}{
		{`{` + stamp + `,"response":"12","done":true,"done_reason":"stop","eval_count":3}`, eval.Reply{Text: "12", Finish: eval.FinishStop, Tokens: 2}, nil},
		{`{` + stamp + `,"response":"12","done":true,"done_reason":"length","eval_count":2}`, eval.Reply{Text: "12", Finish: eval.FinishLength, Tokens: 2}, nil},
		{`{` + stamp + `,"response":"9999","done":false}`, eval.Reply{Text: "9999", Finish: eval.FinishLength}, nil},
		{`{` + stamp + `,"response":"","done":true,"done_reason":"load"}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply},
		{`{}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply},
		{`{"model":"soup","created_at":"yesterday"}`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply},
		{`<html>`, eval.Reply{Finish: eval.FinishError}, eval.ErrReply},
	} {
		f.replying(200, c.reply)
		got, err := s.Generate(t.Context(), user("785+878"))
		got.Latency = 0
		if !errors.Is(err, c.kind) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", c.reply, got, err)
		}
	}
	f.replying(500, `{"error":"sample: logits sum to NaN, check model output"}`)
	if _, err := s.Generate(t.Context(), user("785+878")); !errors.Is(err, eval.ErrNotNumbers) {
		t.Errorf("NaN: %v", err)
	}
	f.replying(400, `{"error":"the input length exceeds the context length"}`)
	if _, err := s.Generate(t.Context(), user("785+878")); err == nil || !strings.Contains(err.Error(), "context length") {
		t.Errorf("too long: %v", err)
	}
}

// A conversation is sent as the file's template renders it, without what the
// server puts before every prompt by itself.
func TestRendered(t *testing.T) {
	for _, adds := range []bool{false, true} {
		f := newFake(t)
		f.addsBOS = adds
		f.tokens = func(text string) int {
			if text == "<|bos|>" {
				return 1
			}
			return len(text)
		}
		s := loaded(t, f, Options{})
		s.made.BOS = "<|bos|>" // the garden's template has none
		s.probed = false
		if err := s.probeOnce(t.Context()); err != nil || s.addsBOS != adds {
			t.Fatalf("the server begins prompts: %t, %v", s.addsBOS, err)
		}
		for _, c := range []struct {
			r    eval.Request
			want string
		}{
			{user("1+1"), "<|user|>1+1<|end|><|assistant|>"},
			{eval.Request{Raw: "<|bos|>as it is"}, "<|bos|>as it is"},
		} {
			if got, err := s.render(c.r); err != nil || got != c.want {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	f := newFake(t)
	s := loaded(t, f, Options{})
	if _, err := s.Generate(t.Context(), eval.Request{Raw: "1+1", Tools: json.RawMessage(`[]`)}); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("tools that no template offers: %v", err)
	}
	f.replying(200, `{`+stamp+`,"done":false,"_debug_info":{"rendered_template":"[INST]"}}`)
	s.probed = false
	if err := s.checkRendering(t.Context()); err == nil || !strings.Contains(err.Error(), `rendered as "[INST]"`) {
		t.Errorf("a prompt that is rendered otherwise: %v", err)
	}
}

func TestLabels(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{})
	top := func(shown string) string {
		return `{` + stamp + `,"response":"A","done":true,"done_reason":"length","logprobs":[{"token":"A","logprob":-0.1,"top_logprobs":[` + shown + `]}]}`
	}
	f.replying(200, top(`{"token":"A","logprob":-0.1},{"token":"?","bytes":[66],"logprob":-2.5},{"token":"x","logprob":-7}`))
	got, err := s.ScoreLabels(t.Context(), user("odd"), []string{"A", "B", "C"})
	if err != nil || got[0] != -0.1 || got[1] != -2.5 || got[2] != math.Nextafter(-7, -8) {
		t.Errorf("%v, %v", got, err)
	}
	if s.Floored() != 1 {
		t.Errorf("%d labels were not shown", s.Floored())
	}
	for _, c := range []struct {
		reply, want string
		labels      []string
		kind        error
	}{
		{top(`{"token":"x","logprob":-7}`), "none of the labels A, B is among", []string{"A", "B"}, nil},
		{`{` + stamp + `,"response":"A","done":true,"done_reason":"length"}`, "v0.12.11", []string{"A", "B"}, eval.ErrReply},
		{top(`{"token":"A","logprob":-7}`), "no labels", nil, nil},
		{top(`{"token":"A","logprob":-7}`), "no first token of its own", []string{"A", "A"}, nil},
		{top(`{"token":"A","logprob":-7}`), "no first token of its own", []string{""}, nil},
	} {
		f.replying(200, c.reply)
		_, err := s.ScoreLabels(t.Context(), user("odd"), c.labels)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", c.reply, err)
		}
	}
}

// Where the model would end its answer at once, the server shows nothing; asked
// for JSON it does.
func TestLabelsOfAnEmptyAnswer(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{})
	text, err := s.render(user("odd"))
	if err != nil {
		t.Fatal(err)
	}
	f.texts[text] = ""
	got, err := s.ScoreLabels(t.Context(), user("odd"), []string{"A", "B"})
	if err != nil || len(got) != 2 || math.Exp(got[0])+math.Exp(got[1]) > 0.9 {
		t.Errorf("%v, %v", got, err)
	}
}

// A model whose logits are NaN says nothing, and its runner stops when it has to
// say something.
func TestNotNumbers(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{})
	asked := 0
	f.instead = func(w http.ResponseWriter, path string, body map[string]any) bool {
		if path != "/api/generate" || body["logprobs"] != true {
			return false
		}
		if asked++; body["format"] != nil {
			return say(w, 500, `{"error":"model runner has unexpectedly stopped"}`)
		}
		return say(w, 200, `{`+stamp+`,"response":"","done":true,"done_reason":"stop","eval_count":1}`)
	}
	if _, err := s.Load(t.Context(), eval.Model{Path: converted(t, "finetune/order")}); !errors.Is(err, eval.ErrNotNumbers) || asked != 3 {
		t.Errorf("%v, after %d questions", err, asked)
	}
}

// Labels of several tokens are divided by counting what the server reads.
func TestLabelsOfSeveralTokens(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{})
	lengths := map[string]int{"31": 2, "1": 1, "sort 3": 3, "ort 3": 3, "rt 3": 2, " 3": 1, "t 3": 2, "3": 1}
	f.tokens = func(text string) int {
		if n, ok := lengths[text]; ok {
			return n
		}
		return len(text)
	}
	if !s.made.HasToken("3") || s.made.HasToken("31") {
		t.Fatal("the garden's tokenizer is not the one that this test knows")
	}
	if got, err := s.firstToken(t.Context(), "31"); err != nil || got != "3" {
		t.Errorf("%q, %v", got, err)
	}
	s.made.Prefixed = true
	if _, err := s.firstToken(t.Context(), "41"); err == nil || !strings.Contains(err.Error(), "use labels of one token") {
		t.Errorf("a blank before everything: %v", err)
	}
	s.made.Prefixed = false
	f.tokens = func(string) int { return 5 }
	if _, err := s.firstToken(t.Context(), "41"); err == nil || !strings.Contains(err.Error(), "use labels of one token") {
		t.Errorf("counts that fit nothing: %v", err)
	}
}

func TestCheck(t *testing.T) {
	f := newFake(t)
	s := loaded(t, f, Options{Context: 200})
	f.take()
	for _, c := range []struct {
		q    eval.Question
		want string
	}{
		{eval.Question{Request: user("1+1"), Reference: "2"}, ""},
		{eval.Question{Request: user("odd"), Labels: []string{"A", "B"}}, ""},
		{eval.Question{Request: user("1+1"), Continuations: []string{"2"}}, "no likelihood of a given text"},
		{eval.Question{Request: user("1+1"), Labels: []string{"A", "A"}}, "no first token of its own"},
		{eval.Question{Request: eval.Request{}}, ""},
		{eval.Question{Request: user(strings.Repeat("7", 120))}, ""},
		{eval.Question{Request: user(strings.Repeat("7", 300))}, "exceeds the context length"},
	} {
		err := s.Check(c.q)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
	if got := f.take(); got != "generate generate" {
		t.Errorf("the server was asked %s", got)
	}
}

// What a model at the server has besides weights is copied and compared.
func TestBase(t *testing.T) {
	f := newFake(t)
	f.models["llama:1b"] = &api.ShowResponse{
		Template: "<tools> <thinking>", System: "Be brief.", Renderer: "r", Parser: "p",
		Parameters: writeParameters(map[string]any{"stop": []any{"<|x|>", "<|y z|>"}, "top_p": 0.5, "mirostat": 1}),
	}
	f.blob["llama:1b"] = "sha256:base"
	if err := os.WriteFile(f.path("sha256:base"), []byte("base"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := loaded(t, f, Options{Base: "llama:1b"})
	made := f.models["soup:latest"]
	if made.Template != "<tools> <thinking>" || made.System != "Be brief." || made.Renderer != "r" || made.Parser != "p" || made.Parameters != f.models["llama:1b"].Parameters {
		t.Errorf("made %+v", made)
	}
	r := user("785+878")
	r.Stop, r.Tools = []string{"!"}, json.RawMessage(`[{"type":"function","function":{"name":"add","extra":[1]}}]`)
	if _, err := s.Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	sent := f.options[len(f.options)-1]
	if sent["think"] != false || !reflect.DeepEqual(sent["options"].(map[string]any)["stop"], []any{"<|x|>", "<|y z|>", "!"}) {
		t.Errorf("sent %v", sent)
	}
	if tools, err := json.Marshal(sent["tools"]); err != nil || !strings.Contains(string(tools), `"extra":[1]`) {
		t.Errorf("tools %s, %v", tools, err)
	}
	if _, err := s.ScoreLabels(t.Context(), user("odd"), []string{"A", "B"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Generate(t.Context(), eval.Request{}); !errors.Is(err, errEmpty) {
		t.Errorf("no messages: %v", err)
	}
	f.replying(200, `{`+stamp+`,"message":{"content":"","tool_calls":[{"function":{"name":"add","arguments":{"a":5.0}}}]},"done":true,"done_reason":"stop"}`)
	got, err := s.Generate(t.Context(), r)
	if err != nil || len(got.Calls) != 1 || got.Calls[0].Name != "add" || string(got.Calls[0].Arguments) != `{"a":5.0}` {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBaseRefused(t *testing.T) {
	path := converted(t, "finetune/arith")
	for name, c := range map[string]struct {
		prepare func(f *fake)
		want    string
	}{
		"missing": {func(f *fake) { delete(f.models, "llama:1b") }, "there is no model llama:1b"},
		"remote":  {func(f *fake) { f.models["llama:1b"].RemoteHost = "https://example.com" }, "runs elsewhere"},
		"lost":    {func(f *fake) { f.models["llama:1b"].License = "lose" }, "the template of llama:1b did not reach the candidate"},
	} {
		f := newFake(t)
		f.models["llama:1b"], f.blob["llama:1b"] = &api.ShowResponse{Template: "plain"}, "sha256:base"
		if err := os.WriteFile(f.path("sha256:base"), []byte("base"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.prepare(f)
		if name == "lost" {
			f.instead = func(w http.ResponseWriter, path string, body map[string]any) bool {
				if path == "/api/show" && body["model"] == "soup:latest" && f.models["soup:latest"] != nil {
					answer(w, api.ShowResponse{Template: "other", License: mark})
					return true
				}
				return false
			}
		}
		s := newServer(t, f, Options{Models: f.folder, Base: "llama:1b"})
		if _, err := s.Load(t.Context(), eval.Model{Path: path}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFake(t)
	f.models["llama:1b"], f.blob["llama:1b"] = &api.ShowResponse{Template: "plain"}, "sha256:base"
	if err := os.WriteFile(f.path("sha256:base"), []byte("base"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := loaded(t, f, Options{Base: "llama:1b"})
	r := user("1+1")
	r.Tools = json.RawMessage(`[]`)
	if _, err := s.Generate(t.Context(), r); !errors.Is(err, eval.ErrNoTools) {
		t.Errorf("tools: %v", err)
	}
}

func TestReadParameters(t *testing.T) {
	got := readParameters("stop                           \"<|im_start|>\"\nstop \"a b\"\nnum_ctx 4096\ntop_p 0.5\npenalize_newline false\nodd as it is\n\n")
	want := map[string]any{"stop": []any{"<|im_start|>", "a b"}, "num_ctx": 4096.0, "top_p": 0.5, "penalize_newline": false, "odd": "as it is"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}
