package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"soup/eval"
	"soup/eval/server/internal/wire"
)

const defaultTokens = 32 // eval.Request.MaxTokens of 0

var seed = 1

// message is a turn of a conversation. The library's leaves an empty content out,
// which servers refuse.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// chatRequest is the library's, with what that cannot say: temperature 0, an
// empty content, functions with their keys in order.
type chatRequest struct {
	openai.ChatCompletionRequest
	Temperature float32         `json:"temperature"`
	Messages    []message       `json:"messages"`
	Tools       json.RawMessage `json:"tools,omitempty"`
}

// textRequest likewise.
type textRequest struct {
	openai.CompletionRequest
	Temperature float32 `json:"temperature"`
}

// reply is that of both paths.
type reply struct {
	Choices []struct {
		Text    *string `json:"text"`
		Message *struct {
			Content *string           `json:"content"`
			Calls   []openai.ToolCall `json:"tool_calls"`
		} `json:"message"`
		Finish openai.FinishReason `json:"finish_reason"`
		Probs  *probabilities      `json:"logprobs"`
	} `json:"choices"`
	Usage openai.Usage `json:"usage"`
}

// ask sends r, and wants the likeliest tokens at each place if top is not 0.
func (s *Server) ask(ctx context.Context, r eval.Request, top int) (reply, error) {
	path, request := s.request(r, top)
	body, err := s.extended(request)
	if err != nil {
		return reply{}, err
	}
	var out reply
	err = s.client.Retry(ctx, func(ctx context.Context) error {
		err := s.client.Once(ctx, "POST", path, body, &out)
		if err == nil {
			if err = out.check(); err != nil {
				err = fmt.Errorf("%s at %s: %w", kind, s.options.URL, err)
			}
		}
		return err
	})
	return out, err
}

// check looks for what no good reply has.
func (r reply) check() error {
	if len(r.Choices) == 0 {
		return fmt.Errorf("%w: no choices", eval.ErrReply)
	}
	c := r.Choices[0]
	switch {
	case c.Text == nil && c.Message == nil:
		return fmt.Errorf("%w: neither text nor message", eval.ErrReply)
	case !slices.Contains(finishes, c.Finish):
		return fmt.Errorf("%w: finish_reason %q", eval.ErrReply, c.Finish)
	}
	return c.Probs.check()
}

// finishes are the reasons for an answer's end that servers give.
var finishes = []openai.FinishReason{
	openai.FinishReasonStop, openai.FinishReasonToolCalls, openai.FinishReasonFunctionCall, "eos",
	openai.FinishReasonLength, openai.FinishReasonContentFilter,
}

// request is what is sent for r, and where.
func (s *Server) request(r eval.Request, top int) (path string, body any) {
	tokens := r.MaxTokens
	if tokens <= 0 {
		tokens = defaultTokens
	}
	stop := slices.DeleteFunc(slices.Clone(r.Stop), func(text string) bool { return text == "" })
	if r.Raw != "" {
		return "/completions", textRequest{CompletionRequest: openai.CompletionRequest{
			Model: s.options.Model, Prompt: r.Raw, MaxTokens: tokens, Stop: stop, Seed: &seed, TopP: 1, LogProbs: top,
		}}
	}
	//nolint:staticcheck // max_completion_tokens is known to few servers but OpenAI's own; Options.Request can send it
	out := chatRequest{ChatCompletionRequest: openai.ChatCompletionRequest{
		Model: s.options.Model, MaxTokens: tokens, Stop: stop, Seed: &seed, TopP: 1, LogProbs: top > 0, TopLogProbs: top,
	}, Tools: r.Tools}
	for _, m := range r.Messages {
		out.Messages = append(out.Messages, message(m))
	}
	return "/chat/completions", out
}

// extended adds Options.Request.
func (s *Server) extended(request any) (any, error) {
	if len(s.options.Request) == 0 {
		return request, nil
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, err
	}
	if r, ok := request.(chatRequest); ok && len(r.Tools) > 0 {
		keys["tools"] = r.Tools // the order of its keys counts
	}
	maps.Copy(keys, s.options.Request)
	maps.DeleteFunc(keys, func(_ string, v any) bool { return v == nil })
	return keys, nil
}

func (s *Server) odd(what string) error {
	return fmt.Errorf("%s at %s: %w: %s", kind, s.options.URL, eval.ErrReply, what)
}

// Generate implements eval.Server.
func (s *Server) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	failed := eval.Reply{Finish: eval.FinishError}
	can, err := s.abilities()
	if err != nil {
		return failed, err
	}
	if err := can.check(r); err != nil {
		return failed, err
	}
	begun := time.Now()
	out, err := s.ask(ctx, r, 0)
	if err != nil {
		return failed, withoutTools(r, err)
	}
	answer, err := s.read(out)
	if err != nil {
		return failed, err
	}
	answer.Latency = time.Since(begun)
	return answer, nil
}

// withoutTools is eval.ErrNoTools where a request was refused that has some.
func withoutTools(r eval.Request, err error) error {
	var refusal *wire.Refusal
	if len(r.Tools) > 0 && errors.As(err, &refusal) && refusal.Code/100 == 4 && !wire.MayRetry(err) {
		return fmt.Errorf("%w: %w", eval.ErrNoTools, err)
	}
	return err
}

// read makes an answer of a reply.
func (s *Server) read(out reply) (eval.Reply, error) {
	c := out.Choices[0]
	answer := eval.Reply{Finish: eval.FinishStop, Tokens: out.Usage.CompletionTokens}
	switch {
	case c.Text != nil:
		answer.Text = *c.Text
	case c.Message.Content != nil: // null beside function calls, or for silence
		answer.Text = *c.Message.Content
	}
	switch c.Finish {
	case openai.FinishReasonLength:
		answer.Finish = eval.FinishLength
	case openai.FinishReasonContentFilter:
		return eval.Reply{Finish: eval.FinishError}, fmt.Errorf("%s at %s: a filter of the server's kept the answer back", kind, s.options.URL)
	}
	if c.Message != nil {
		for _, call := range c.Message.Calls {
			arguments := json.RawMessage(call.Function.Arguments)
			if call.Function.Arguments == "" {
				arguments = json.RawMessage("{}")
			}
			if !json.Valid(arguments) { // the model's fault: its text says what it wrote
				answer.Text += call.Function.Name + "(" + call.Function.Arguments + ")"
				continue
			}
			answer.Calls = append(answer.Calls, eval.Call{Name: call.Function.Name, Arguments: arguments})
		}
	}
	return answer, nil
}

// number is a JSON number; what is none (NaN is written as null) becomes NaN.
type number float64

func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}
