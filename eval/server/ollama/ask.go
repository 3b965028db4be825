package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

// probe is a conversation that every template can render.
var probe = []eval.Message{{Role: "user", Content: "What is the capital of France?"}}

// settings are the options of a request. Those of the runner are the same in all:
// others would make the server load the model again.
func (s *Server) settings(tokens int, stop []string) map[string]any {
	stops := make([]any, 0, len(stop)) // not nil: it takes the place of the model's own
	for _, t := range stop {
		stops = append(stops, t)
	}
	o := map[string]any{
		"temperature": 0, "seed": s.options.Seed, "top_k": 1, "num_predict": tokens, "stop": stops,
		"repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
		"num_ctx": s.context(),
	}
	if s.options.Threads > 0 {
		o["num_thread"] = s.options.Threads
	}
	return o
}

// context is how many tokens the runner is loaded for.
func (s *Server) context() int {
	if s.made != nil && s.made.Context > 0 {
		return min(s.options.Context, s.made.Context)
	}
	return s.options.Context
}

// request is a raw prompt; without one the model is loaded, and that is all.
func (s *Server) request(prompt string, tokens int, stop ...string) *api.GenerateRequest {
	return &api.GenerateRequest{
		Model: s.options.Name, Prompt: prompt, Raw: prompt != "", Stream: &no, Truncate: &no, Shift: &no,
		KeepAlive: &api.Duration{Duration: keepLoaded}, Options: s.settings(tokens, stop),
	}
}

// chatRequest is a conversation that the server renders. Tools go as they are.
type chatRequest struct {
	api.ChatRequest
	Tools json.RawMessage `json:"tools,omitempty"`
}

func (s *Server) chat(model string, r eval.Request, tokens int) *chatRequest {
	c := &chatRequest{Tools: r.Tools, ChatRequest: api.ChatRequest{
		Model: model, Stream: &no, Truncate: &no, Shift: &no,
		KeepAlive: &api.Duration{Duration: keepLoaded}, Options: s.settings(tokens, append(s.base.stops(), r.Stop...)),
	}}
	for _, m := range r.Messages {
		c.Messages = append(c.Messages, api.Message{Role: m.Role, Content: m.Content})
	}
	if s.thinks {
		c.Think = &api.ThinkValue{Value: false}
	}
	return c
}

// reply is what both ways of asking answer with. Arguments of function calls
// stay as they are written: api.ToolCall would make 5 of 5.0.
type reply struct {
	api.GenerateResponse
	Message *struct {
		Content   string `json:"content"`
		ToolCalls []struct {
			Function struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
	} `json:"message"`
}

// text is the answer.
func (r *reply) text() string {
	if r.Message != nil {
		return r.Message.Content
	}
	return r.Response
}

// finish says why the answer ended. After one token more than 31 times in a row
// Ollama gives up and does not say that it is done (llm/server.go of v0.17.4,
// "token repeat limit").
func (r *reply) finish() (eval.Finish, bool) {
	switch {
	case !r.Done, r.DoneReason == "length":
		return eval.FinishLength, true
	case r.DoneReason == "stop":
		return eval.FinishStop, true
	}
	return eval.FinishError, false
}

// post sends a request of one of the two kinds.
func (s *Server) post(ctx context.Context, request any) (*reply, error) {
	var r *reply
	err := s.items.Retry(ctx, func(ctx context.Context) (err error) {
		r, err = s.once(ctx, request)
		return err
	})
	return r, err
}

func (s *Server) once(ctx context.Context, request any) (*reply, error) {
	path := "/api/generate"
	if _, chat := request.(*chatRequest); chat {
		path = "/api/chat"
	}
	r := &reply{}
	if err := s.items.Once(ctx, http.MethodPost, path, request, r); err != nil {
		return nil, notNumbers(err)
	}
	if r.Model == "" || r.CreatedAt.IsZero() {
		return nil, fmt.Errorf("ollama at %s: %w: it names no model and no time", s.options.URL, eval.ErrReply)
	}
	if err := r.sound(); err != nil {
		return nil, fmt.Errorf("ollama at %s: %w", s.options.URL, err)
	}
	return r, nil
}

// sound refuses log-probabilities that are none.
func (r *reply) sound() error {
	for _, at := range r.Logprobs {
		for _, t := range at.TopLogprobs {
			if err := wire.CheckLogProb(t.Logprob); err != nil {
				return err
			}
		}
	}
	return nil
}

// notNumbers recognises what the server says where logits are NaN: its Go engine
// when it samples, either runner when the reply cannot be written as JSON. No
// repetition helps then.
func notNumbers(err error) error {
	if nanWords.MatchString(err.Error()) {
		return fmt.Errorf("%w: %s", eval.ErrNotNumbers, err.Error())
	}
	return err
}

var nanWords = regexp.MustCompile(`sum to NaN|unsupported value: (NaN|[+-]Inf)`)

// prompt makes the request that asks r: raw text that is rendered here, or a
// conversation for the server to render.
func (s *Server) prompt(r eval.Request, tokens int) (any, error) {
	if s.base != nil && r.Raw == "" {
		if len(r.Tools) > 0 && !s.tools {
			return nil, fmt.Errorf("ollama: %w", eval.ErrNoTools)
		}
		if len(r.Messages) == 0 {
			return nil, errEmpty
		}
		return s.chat(s.options.Name, r, tokens), nil
	}
	text, err := s.render(r)
	if err != nil {
		return nil, err
	}
	return s.request(text, tokens, r.Stop...), nil
}

var errEmpty = errors.New("ollama: empty prompt")

// render gives the text to send. The server puts the token before it that the
// template may have written there already.
func (s *Server) render(r eval.Request) (string, error) {
	text, err := s.template.Render(r)
	if err != nil {
		return "", fmt.Errorf("ollama: %w", err)
	}
	if r.Raw == "" && s.addsBOS {
		text = strings.TrimPrefix(text, s.made.BOS)
	}
	if text == "" {
		return "", errEmpty
	}
	return text, nil
}

// enter is the beginning of every question; leave is to be called after it.
func (s *Server) enter() (leave func(), err error) {
	s.mu.RLock()
	switch {
	case s.closed:
		err = errClosed
	case !s.loaded:
		err = errNoModel
	default:
		return s.mu.RUnlock, nil
	}
	s.mu.RUnlock()
	return nil, err
}

// Generate implements eval.Server.
func (s *Server) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	failed := eval.Reply{Finish: eval.FinishError}
	leave, err := s.enter()
	if err != nil {
		return failed, err
	}
	defer leave()
	tokens := r.MaxTokens
	if tokens <= 0 {
		tokens = defaultTokens
	}
	request, err := s.prompt(r, tokens)
	if err != nil {
		return failed, err
	}
	started := time.Now()
	got, err := s.post(ctx, request)
	if err != nil {
		return failed, err
	}
	finish, known := got.finish()
	if !known {
		return failed, fmt.Errorf("ollama at %s: %w: an answer that ended with %q", s.options.URL, eval.ErrReply, got.DoneReason)
	}
	answer := eval.Reply{Text: got.text(), Finish: finish, Tokens: got.EvalCount, Latency: time.Since(started), Calls: got.calls()}
	if finish == eval.FinishStop {
		answer.Tokens = max(0, got.EvalCount-1) // the end token is counted there
	}
	return answer, nil
}

// calls are the function calls that the server found in the answer.
func (r *reply) calls() []eval.Call {
	if r.Message == nil {
		return nil
	}
	var calls []eval.Call
	for _, c := range r.Message.ToolCalls {
		calls = append(calls, eval.Call{Name: c.Function.Name, Arguments: c.Function.Arguments})
	}
	return calls
}

// readCanary asks what package canary says. It is the first thing that a runner
// is asked, so that its prompt cache is empty.
func (s *Server) readCanary(ctx context.Context) ([]canary.Reading, error) {
	request := s.request(canary.Prompt, canary.Tokens)
	request.Logprobs, request.TopLogprobs = true, canary.Top
	got, err := s.post(ctx, request)
	if err != nil {
		return nil, err
	}
	if len(got.Logprobs) == 0 { // the model says nothing after it
		if got, err = s.evenIfItEnds(ctx, request); err != nil {
			return nil, err
		}
	}
	var readings []canary.Reading
	for _, at := range got.Logprobs {
		for _, t := range at.TopLogprobs {
			readings = append(readings, canary.Reading{Token: tokenText(t), LogProb: t.Logprob})
		}
	}
	return readings, nil
}

// evenIfItEnds asks again where the model's first token is the one that ends an
// answer, of which the server shows no log-probabilities: it is made to say JSON,
// which cannot begin with that token. Log-probabilities are those before it is
// made to. A model whose logits are NaN says the end token all the same, and
// llama.cpp's runner stops ("grammar error", llama-grammar.cpp of v0.17.4).
func (s *Server) evenIfItEnds(ctx context.Context, request any) (*reply, error) {
	switch r := request.(type) {
	case *chatRequest:
		r.Format, r.Options["num_predict"] = json.RawMessage(`"json"`), 1
	case *api.GenerateRequest:
		r.Format, r.Options["num_predict"] = json.RawMessage(`"json"`), 1
	}
	var r *reply
	err := failingTwice(ctx, s.items, func(ctx context.Context) (err error) {
		r, err = s.once(ctx, request)
		return err
	})
	if errors.Is(err, eval.ErrServer) {
		err = fmt.Errorf("%w: it says nothing, and the runner stops when it has to: %w", eval.ErrNotNumbers, err)
	}
	return r, err
}

// tokenText is a token as its bytes have it; text that is no UTF-8 is replaced
// in the other field.
func tokenText(t api.TokenLogprob) string {
	if len(t.Bytes) == 0 {
		return t.Token
	}
	raw := make([]byte, len(t.Bytes))
	for i, b := range t.Bytes {
		raw[i] = byte(b)
	}
	return string(raw)
}

// probeOnce finds out what holds for all files of one header: whether the server
// begins prompts with a token of its own, and that it renders as expected.
func (s *Server) probeOnce(ctx context.Context) error {
	if s.probed {
		return nil
	}
	s.addsBOS = false
	if s.made.BOS != "" {
		got, err := s.post(ctx, s.request(s.made.BOS, 1))
		if err != nil {
			return err
		}
		s.addsBOS = got.PromptEvalCount == 2
	}
	if err := s.checkRendering(ctx); err != nil {
		return err
	}
	s.probed = true
	return nil
}

// checkRendering compares what the server would have the model read with what
// it should. Servers that do not tell are believed.
func (s *Server) checkRendering(ctx context.Context) error {
	want, got := canary.Prompt, ""
	if s.base != nil {
		want = s.base.rendered
		text, err := s.renderedBy(ctx, s.options.Name, &api.Duration{Duration: keepLoaded})
		if err != nil {
			return err
		}
		got = text
	} else {
		request := s.request(want, 1)
		request.DebugRenderOnly = true
		told, err := s.post(ctx, request)
		if err != nil {
			return err
		}
		if told.DebugInfo != nil {
			got = told.DebugInfo.RenderedTemplate
		}
	}
	if want != "" && got != "" && want != got {
		return fmt.Errorf("ollama at %s: the prompt is rendered as %q, not %q", s.options.URL, got, want)
	}
	return nil
}

// renderedBy is a conversation as the server renders it for a model; "" if it
// does not tell.
func (s *Server) renderedBy(ctx context.Context, model string, keep *api.Duration) (string, error) {
	request := s.chat(model, eval.Request{Messages: probe}, 1)
	request.KeepAlive, request.DebugRenderOnly = keep, true
	got, err := s.post(ctx, request)
	if err != nil || got.DebugInfo == nil {
		return "", err
	}
	return got.DebugInfo.RenderedTemplate, nil
}
