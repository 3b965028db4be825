package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"soup/eval"
	"soup/eval/server/internal/wire"
)

// Encode implements bytoken.Backend.
func (s *Server) Encode(ctx context.Context, text string, special bool) ([]int32, error) {
	return s.tokenize(ctx, map[string]any{"model": s.connect.model, "prompt": text, "add_special_tokens": special})
}

// Render implements bytoken.Backend: the server's own rendering, which is
// transformers'. A template that does not speak of functions leaves them out
// without a word.
func (s *Server) Render(ctx context.Context, r eval.Request) ([]int32, error) {
	body := map[string]any{"model": s.connect.model, "messages": r.Messages, "add_generation_prompt": true}
	ids, err := s.tokenize(ctx, body)
	if err != nil || len(r.Tools) == 0 {
		return ids, err
	}
	body["tools"] = r.Tools
	with, err := s.tokenize(ctx, body)
	if err == nil && slices.Equal(ids, with) {
		return nil, fmt.Errorf("vllm: %w: the chat template leaves them out", eval.ErrNoTools)
	}
	return with, err
}

func (s *Server) tokenize(ctx context.Context, body map[string]any) ([]int32, error) {
	var reply struct{ Tokens *[]int32 }
	err := s.client.Retry(ctx, func(ctx context.Context) error {
		reply.Tokens = nil
		if err := s.client.Once(ctx, http.MethodPost, "/tokenize", body, &reply); err != nil {
			return err
		}
		if reply.Tokens == nil || len(*reply.Tokens) > 0 && slices.Min(*reply.Tokens) < 0 {
			return fmt.Errorf("vllm at %s: %w: no tokens", s.client.URL(), eval.ErrReply)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return *reply.Tokens, nil
}

// chat answers a conversation that offers functions, and lets the server read
// the calls from the answer: it knows the model's own way of writing them.
func (s *Server) chat(ctx context.Context, limit int, r eval.Request) (eval.Reply, error) {
	request := struct {
		Model    string          `json:"model"`
		Messages []eval.Message  `json:"messages"`
		Tools    json.RawMessage `json:"tools"`
		decoding
	}{s.connect.model, r.Messages, r.Tools, greedy(limit)}
	request.Stop = r.Stop
	var reply struct {
		Choices []struct {
			Finish  string `json:"finish_reason"`
			Message struct {
				Content *string
				Calls   []struct {
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
		}
		Usage struct {
			Completion int `json:"completion_tokens"`
		}
	}
	if err := s.client.Post(ctx, "/v1/chat/completions", request, &reply); err != nil {
		return eval.Reply{}, s.explain(err)
	}
	if len(reply.Choices) != 1 {
		return eval.Reply{}, fmt.Errorf("vllm: %w: %d answers", eval.ErrReply, len(reply.Choices))
	}
	answer := reply.Choices[0]
	out := eval.Reply{Tokens: reply.Usage.Completion}
	if answer.Message.Content != nil {
		out.Text = *answer.Message.Content
	}
	for _, call := range answer.Message.Calls {
		out.Calls = append(out.Calls, eval.Call{Name: call.Function.Name, Arguments: arguments(call.Function.Arguments)})
	}
	var err error
	if out.Finish, err = finish(answer.Finish); out.Finish == eval.FinishStop {
		out.Tokens = max(0, out.Tokens-1) // the end token
	}
	return out, err
}

// arguments are JSON written by the model: what is none is a text, which no
// function takes.
func arguments(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string can always be written
	return quoted
}

// lacksParser finds the refusal of servers that were started without
// --enable-auto-tool-choice and --tool-call-parser.
func lacksParser(err error) bool {
	var refusal *wire.Refusal
	return errors.As(err, &refusal) && refusal.Code == 400 && strings.Contains(refusal.Message, "tool choice requires")
}
