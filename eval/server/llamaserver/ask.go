package llamaserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"soup/eval"
	"soup/eval/server/internal/wire"
)

const defaultTokens = 32 // eval.Request.MaxTokens of 0

// settings are what requests to /completion differ in.
type settings struct {
	tokens int      // most to generate
	stop   []string // texts that end the answer
	top    int      // likeliest tokens to name at each place
	raise  []int32  // tokens whose logits are raised by lift; their probabilities come after that
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

// choice is a token that could have been said.
type choice struct {
	ID      int32  `json:"id"`
	Text    string `json:"token"`
	LogProb number `json:"logprob"`
	Prob    number `json:"prob"` // in place of LogProb where settings.raise is given
}

// completion is a reply of /completion.
type completion struct {
	Content   *string `json:"content"`
	StopType  string  `json:"stop_type"`
	Truncated bool    `json:"truncated"`
	Tokens    int     `json:"tokens_predicted"` // with the end token
	Positions []place `json:"completion_probabilities"`
}

// place is a token of the answer.
type place struct {
	choice
	Top   []choice `json:"top_logprobs"`
	After []choice `json:"top_probs"`
}

// complete asks for the continuation of a prompt: a text, or token ids.
func (n *session) complete(ctx context.Context, prompt any, s settings) (completion, error) {
	request := map[string]any{
		"prompt": prompt, "n_predict": s.tokens, "seed": 1, "cache_prompt": false, "stream": false,
		"temperature": 0, "top_k": 1, "repeat_penalty": 1.0, "samplers": []string{"top_k"},
		"response_fields": []string{"content", "stop_type", "truncated", "tokens_predicted", "completion_probabilities"},
	}
	if len(s.stop) > 0 {
		request["stop"] = s.stop
	}
	if s.top > 0 {
		request["n_probs"] = s.top
	}
	if len(s.raise) > 0 {
		var bias [][2]any
		for _, id := range s.raise {
			bias = append(bias, [2]any{id, lift})
		}
		request["logit_bias"], request["post_sampling_probs"] = bias, true
		request["temperature"], request["top_k"], request["samplers"] = 1, 0, []string{}
	}
	var reply completion
	err := n.post(ctx, "/completion", request, &reply, func() error { return reply.check(s) })
	return reply, err
}

// check looks for what no good reply has.
func (c completion) check(s settings) error {
	switch {
	case c.Content == nil:
		return fmt.Errorf("%w: no content", eval.ErrReply)
	case !slices.Contains([]string{"eos", "word", "limit"}, c.StopType):
		return fmt.Errorf("%w: stop_type %q", eval.ErrReply, c.StopType)
	case c.Tokens < 0 || c.StopType == "eos" && c.Tokens == 0:
		return fmt.Errorf("%w: %d tokens were predicted", eval.ErrReply, c.Tokens)
	case s.top > 0 && c.Tokens > 0 && len(c.Positions) == 0 && c.StopType != "word":
		return fmt.Errorf("%w: no probabilities", eval.ErrReply)
	}
	var tokens []wire.Token
	for _, p := range c.Positions {
		if err := p.check(len(s.raise) > 0); err != nil {
			return err
		}
		tokens = append(tokens, wire.Token{Text: p.Text})
	}
	return wire.CheckTokens(*c.Content, tokens)
}

// check wants probabilities that can be, of different tokens; raised says that
// they are those after settings.raise.
func (p place) check(raised bool) error {
	list, total, seen := p.Top, 0.0, map[int32]bool{}
	if raised {
		list = p.After
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: a token without probabilities", eval.ErrReply)
	}
	for _, c := range list {
		v := float64(c.LogProb)
		if raised {
			v = math.Log(float64(c.Prob))
		}
		if err := wire.CheckLogProb(v); err != nil {
			return err
		}
		if seen[c.ID] {
			return fmt.Errorf("%w: token %d stands twice among the likeliest", eval.ErrReply, c.ID)
		}
		seen[c.ID] = true
		total += math.Exp(v)
	}
	if total > 1.01 { // float32, rounded
		return fmt.Errorf("%w: probabilities add up to %g", eval.ErrReply, total)
	}
	return nil
}

// post sends a request about the model that is loaded. A reply that check refuses
// is asked for again. There is no second attempt where the process has ended.
func (n *session) post(ctx context.Context, path string, request map[string]any, reply any, check func() error) error {
	if n.model != "" {
		request["model"] = n.model
	}
	within, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var died error
	err := n.client.Retry(within, func(ctx context.Context) error {
		err := n.client.Once(ctx, "POST", path, request, reply)
		if err == nil {
			if err = check(); err != nil {
				return fmt.Errorf("%s at %s: %w", kind, n.client.URL(), err)
			}
		}
		if errors.Is(err, eval.ErrUnreachable) {
			if died = n.ended(); died != nil {
				giveUp()
			}
		}
		return err
	})
	if err != nil && died != nil {
		return died
	}
	return err
}

// Generate implements eval.Server. A prompt that does not fit into the context
// is an error of the server's; an answer that reaches its end is cut there.
func (s *Server) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	failed := eval.Reply{Finish: eval.FinishError}
	now, err := s.session()
	if err != nil {
		return failed, err
	}
	prompt, err := now.prompt(ctx, r)
	if err != nil {
		return failed, err
	}
	tokens := r.MaxTokens
	if tokens <= 0 {
		tokens = defaultTokens
	}
	stop := slices.DeleteFunc(slices.Clone(r.Stop), func(text string) bool { return text == "" })
	begun := time.Now()
	// One probability a token tells whether the text is that of its tokens.
	c, err := now.complete(ctx, prompt, settings{tokens: tokens, stop: stop, top: 1})
	if err != nil {
		return failed, err
	}
	reply, err := c.reply()
	if err != nil {
		return failed, fmt.Errorf("%s at %s: %w", kind, now.client.URL(), err)
	}
	reply.Latency = time.Since(begun)
	return reply, nil
}

// reply reads how the answer ended.
func (c completion) reply() (eval.Reply, error) {
	r := eval.Reply{Text: *c.Content, Tokens: c.Tokens}
	switch c.StopType {
	case "eos":
		r.Finish, r.Tokens = eval.FinishStop, c.Tokens-1
	case "word":
		r.Finish = eval.FinishStop
	case "limit":
		r.Finish = eval.FinishLength
	}
	if c.Truncated && r.Finish == eval.FinishStop {
		return eval.Reply{Finish: eval.FinishError},
			errors.New("the beginning of the prompt was dropped to go on: start the server without --context-shift")
	}
	return r, nil
}

// Check implements eval.Checker.
func (s *Server) Check(q eval.Question) error {
	now, err := s.session()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ids, err := now.promptTokens(ctx, q.Request)
	if err != nil {
		return err
	}
	if now.context > 0 && len(ids)+1 > now.context {
		return fmt.Errorf("%s: prompt of %d tokens does not fit into the server's context of %d a request", kind, len(ids), now.context)
	}
	if len(q.Labels) > 0 {
		_, err = now.firstTokens(ctx, q.Labels)
	}
	return err
}
