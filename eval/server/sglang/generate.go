package sglang

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"soup/eval"
	"soup/eval/server/internal/bytoken"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

// sampling is greedy, whatever the model's generation_config.json says.
type sampling struct {
	Temperature float64  `json:"temperature"`
	Repetition  float64  `json:"repetition_penalty"`
	Presence    float64  `json:"presence_penalty"`
	Frequency   float64  `json:"frequency_penalty"`
	MinTokens   int      `json:"min_new_tokens"`
	MaxTokens   int      `json:"max_new_tokens"`
	Stop        []string `json:"stop,omitempty"`
	IgnoreEOS   bool     `json:"ignore_eos"`
	SkipSpecial bool     `json:"skip_special_tokens"`
}

// request is one to /generate.
type request struct {
	IDs      []int32  `json:"input_ids"`
	Sampling sampling `json:"sampling_params"`
	Logprob  bool     `json:"return_logprob"`
	Start    int      `json:"logprob_start_len"` // first place of the prompt to give log-probabilities of; -1 is none
	Top      int      `json:"top_logprobs_num"`
	Wanted   []int32  `json:"token_ids_logprob,omitempty"` // tokens to give those of at each place
}

func ask(prompt []int32, limit int) request {
	return request{IDs: prompt, Start: -1, Sampling: sampling{Repetition: 1, MaxTokens: limit, SkipSpecial: true}}
}

// scored is a token with its log-probability; on the wire a list of the two and
// of a text or nothing. A prompt's first token has no log-probability.
type scored struct {
	logProb *float64
	id      int32
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *scored) UnmarshalJSON(text []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return errors.New("a log-probability without a token")
	}
	if err := json.Unmarshal(parts[0], &s.logProb); err != nil {
		return err
	}
	return json.Unmarshal(parts[1], &s.id)
}

// generated is the reply.
type generated struct {
	Text *string
	Meta *struct {
		Finish *struct {
			Type    string
			Matched any // a text of Stop, or the id of a token
			Message string
		} `json:"finish_reason"`
		Completion int        `json:"completion_tokens"`
		Input      []scored   `json:"input_token_logprobs"`
		InputTop   [][]scored `json:"input_top_logprobs"`
		Output     []scored   `json:"output_token_logprobs"`
		OutputTop  [][]scored `json:"output_top_logprobs"`
		Wanted     [][]scored `json:"output_token_ids_logprobs"`
	} `json:"meta_info"`
}

// generate asks; a reply that cannot be right is asked for again.
func (s *Server) generate(ctx context.Context, r request) (generated, error) {
	var reply generated
	err := s.client.Retry(ctx, func(ctx context.Context) error {
		reply = generated{}
		if err := s.client.Once(ctx, http.MethodPost, "/generate", r, &reply); err != nil {
			return err
		}
		if err := reply.check(r); err != nil {
			if errors.Is(err, eval.ErrNotNumbers) || errors.Is(err, eval.ErrServer) {
				return fmt.Errorf("sglang: %w", err)
			}
			return fmt.Errorf("sglang at %s: %w: %w", s.client.URL(), eval.ErrReply, err)
		}
		return nil
	})
	return reply, err
}

// check compares a reply with what was asked.
func (g generated) check(r request) error {
	switch {
	case g.Text == nil || g.Meta == nil || g.Meta.Finish == nil:
		return errors.New("no text, or no end")
	case g.Meta.Finish.Type == "abort":
		return fmt.Errorf("%w: it gave the request up: %s", eval.ErrServer, g.Meta.Finish.Message)
	case g.Meta.Finish.Type != "stop" && g.Meta.Finish.Type != "length":
		return fmt.Errorf("an answer that ended with %q", g.Meta.Finish.Type)
	case r.Logprob && len(g.Meta.Output) == 0:
		return errors.New("no log-probabilities")
	case r.Logprob && len(r.Wanted) > 0 && len(g.Meta.Wanted) == 0:
		return errors.New("no log-probabilities of the tokens that were named")
	case r.Start >= 0 && len(g.Meta.Input) != len(r.IDs)-r.Start:
		return fmt.Errorf("log-probabilities of %d of %d tokens", len(g.Meta.Input), len(r.IDs)-r.Start)
	case r.Start >= 0 && r.Top > 0 && len(g.Meta.InputTop) != len(g.Meta.Input):
		return errors.New("the likeliest tokens of some places only")
	}
	for i, in := range g.Meta.Input {
		if in.id != r.IDs[r.Start+i] {
			return fmt.Errorf("token %d in place of %d", in.id, r.IDs[r.Start+i])
		}
	}
	rows := append(append([][]scored{g.Meta.Input, g.Meta.Output}, g.Meta.InputTop...), g.Meta.OutputTop...)
	return soundRows(append(rows, g.Meta.Wanted...))
}

func soundRows(rows [][]scored) error {
	for _, row := range rows {
		for i, t := range row {
			if t.logProb == nil && i > 0 {
				return errors.New("a token without a log-probability")
			}
			if t.logProb != nil {
				if err := wire.CheckLogProb(*t.logProb); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Continue implements bytoken.Backend.
func (s *Server) Continue(ctx context.Context, prompt []int32, limit int, r eval.Request) (eval.Reply, error) {
	request := ask(prompt, limit)
	request.Sampling.Stop = r.Stop
	g, err := s.generate(ctx, request)
	if err != nil {
		return eval.Reply{}, err
	}
	reply := eval.Reply{Text: *g.Text, Finish: eval.FinishLength, Tokens: g.Meta.Completion}
	if g.Meta.Finish.Type == "stop" {
		reply.Finish = eval.FinishStop
		if _, byText := g.Meta.Finish.Matched.(string); !byText {
			reply.Tokens = max(0, reply.Tokens-1) // the end token
		}
	}
	return reply, nil
}

// Next implements bytoken.Backend.
func (s *Server) Next(ctx context.Context, prompt, tokens []int32) ([]float64, error) {
	r := ask(prompt, 1)
	r.Logprob, r.Wanted = true, tokens
	g, err := s.generate(ctx, r)
	if err != nil {
		return nil, err
	}
	found := map[int32]float64{}
	for _, t := range g.Meta.Wanted[0] { // in an order of the server's own
		if t.logProb != nil {
			found[t.id] = *t.logProb
		}
	}
	scores := make([]float64, len(tokens))
	for i, id := range tokens {
		score, ok := found[id]
		if !ok {
			return nil, fmt.Errorf("sglang: %w: no log-probability of token %d", eval.ErrReply, id)
		}
		scores[i] = score
	}
	return scores, nil
}

// Follow implements bytoken.Backend.
func (s *Server) Follow(ctx context.Context, prompt []int32, texts [][]int32) ([][]bytoken.Likelihood, error) {
	all := make([][]bytoken.Likelihood, len(texts))
	for i, text := range texts {
		r := ask(append(prompt[:len(prompt):len(prompt)], text...), 1)
		// One place before the text: the first that is returned has no number.
		r.Logprob, r.Start, r.Top = true, len(prompt)-1, 1
		g, err := s.generate(ctx, r)
		if err != nil {
			return nil, err
		}
		for k, t := range g.Meta.Input[1:] {
			top := g.Meta.InputTop[k+1]
			if t.logProb == nil || len(top) == 0 || top[0].logProb == nil {
				return nil, fmt.Errorf("sglang: %w: no log-probability of token %d", eval.ErrReply, t.id)
			}
			all[i] = append(all[i], bytoken.Likelihood{LogProb: *t.logProb, Best: *t.logProb >= *top[0].logProb})
		}
	}
	return all, nil
}

// sing asks the canary's prompt.
func (s *Server) sing(ctx context.Context) ([]canary.Reading, error) {
	ids, err := s.Encode(ctx, canary.Prompt, true)
	if err != nil {
		return nil, err
	}
	r := ask(ids, canary.Tokens)
	r.Logprob, r.Start, r.Top, r.Sampling.IgnoreEOS = true, 0, canary.Top, true
	g, err := s.generate(ctx, r)
	if err != nil {
		return nil, err
	}
	var all []canary.Reading
	rows := append([][]scored{g.Meta.Input, g.Meta.Output}, g.Meta.InputTop...)
	for place, row := range append(rows, g.Meta.OutputTop...) {
		for _, t := range row {
			if t.logProb != nil {
				all = append(all, canary.Reading{Token: fmt.Sprintf("%d:%d", place, t.id), LogProb: *t.logProb})
			}
		}
	}
	return all, nil
}
