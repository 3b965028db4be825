package vllm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"soup/eval"
	"soup/eval/server/internal/bytoken"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

// decoding is greedy, whatever the model's generation_config.json says; top-k
// and the like do not matter at temperature 0.
type decoding struct {
	Temperature float64  `json:"temperature"`
	Seed        int      `json:"seed"`
	Repetition  float64  `json:"repetition_penalty"`
	Presence    float64  `json:"presence_penalty"`
	Frequency   float64  `json:"frequency_penalty"`
	MinTokens   int      `json:"min_tokens"`
	MaxTokens   int      `json:"max_tokens"`
	Stop        []string `json:"stop,omitempty"`
	SkipSpecial bool     `json:"skip_special_tokens"`
	IgnoreEOS   bool     `json:"ignore_eos,omitempty"`
}

func greedy(limit int) decoding {
	return decoding{Seed: 1, Repetition: 1, MaxTokens: limit, SkipSpecial: true}
}

// completion is a request to /v1/completions.
type completion struct {
	Model  string    `json:"model"`
	Prompt [][]int32 `json:"prompt"`
	decoding
	Logprobs       *int    `json:"logprobs,omitempty"`          // likeliest tokens to name at each generated place
	LogprobIDs     []int32 `json:"logprob_token_ids,omitempty"` // tokens to name there instead
	PromptLogprobs *int    `json:"prompt_logprobs,omitempty"`   // likeliest tokens to name at each place of the prompt, besides its own
	IDs            bool    `json:"return_tokens_as_token_ids,omitempty"`
}

func (s *Server) completion(prompts [][]int32, limit int) completion {
	return completion{Model: s.connect.model, Prompt: prompts, decoding: greedy(limit)}
}

// choice is the answer to one prompt.
type choice struct {
	Index    int
	Text     *string
	Finish   string `json:"finish_reason"`
	Stop     any    `json:"stop_reason"` // a text of Stop, a token's id, or nothing for the end token
	Logprobs *struct {
		Top []map[string]float64 `json:"top_logprobs"` // by "token_id:N"
	}
	Prompt []map[string]likelihood `json:"prompt_logprobs"` // by id; of the first token there is none
	tokens int
}

type likelihood struct {
	LogProb *float64
	Rank    int // 1 is the likeliest
}

// completions is the reply.
type completions struct {
	Choices []choice
	Usage   *struct {
		Completion int `json:"completion_tokens"`
	}
}

// complete asks, and returns a choice for each prompt, in order. A reply that
// cannot be right is asked for again.
func (s *Server) complete(ctx context.Context, c completion) ([]choice, error) {
	var reply completions
	err := s.client.Retry(ctx, func(ctx context.Context) error {
		reply = completions{}
		if err := s.client.Once(ctx, http.MethodPost, "/v1/completions", c, &reply); err != nil {
			return err
		}
		if err := reply.check(c); err != nil {
			return fmt.Errorf("vllm at %s: %w: %w", s.client.URL(), eval.ErrReply, err)
		}
		return nil
	})
	if err != nil {
		return nil, s.explain(err)
	}
	reply.Choices[0].tokens = reply.Usage.Completion
	return reply.Choices, nil
}

// check puts the choices in order and compares them with what was asked.
func (r *completions) check(c completion) error {
	slices.SortStableFunc(r.Choices, func(a, b choice) int { return cmp.Compare(a.Index, b.Index) })
	if len(r.Choices) != len(c.Prompt) || r.Usage == nil {
		return fmt.Errorf("%d answers to %d prompts", len(r.Choices), len(c.Prompt))
	}
	for i, answer := range r.Choices {
		if answer.Text == nil || answer.Finish == "" || answer.Index != i {
			return fmt.Errorf("answer %d has no text or no end", i)
		}
		if err := answer.check(c, c.Prompt[i]); err != nil {
			return err
		}
	}
	return nil
}

// check compares the log-probabilities of one answer with what was asked.
func (a choice) check(c completion, prompt []int32) error {
	if c.PromptLogprobs != nil && len(a.Prompt) != len(prompt) {
		return fmt.Errorf("log-probabilities of %d of %d tokens", len(a.Prompt), len(prompt))
	}
	if c.Logprobs != nil && (a.Logprobs == nil || len(a.Logprobs.Top) == 0) {
		return errors.New("no log-probabilities")
	}
	for i, named := range a.Prompt {
		if _, ok := named[strconv.Itoa(int(prompt[i]))]; i > 0 && !ok {
			return fmt.Errorf("no log-probability of token %d", prompt[i])
		}
		for _, l := range named {
			if l.LogProb == nil {
				return errors.New("a rank without a log-probability")
			}
			if err := wire.CheckLogProb(*l.LogProb); err != nil {
				return err
			}
		}
	}
	if a.Logprobs == nil {
		return nil
	}
	for _, named := range a.Logprobs.Top {
		for _, p := range named {
			if err := wire.CheckLogProb(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Continue implements bytoken.Backend.
func (s *Server) Continue(ctx context.Context, prompt []int32, limit int, r eval.Request) (eval.Reply, error) {
	if len(r.Tools) > 0 && !s.textOnly.Load() {
		reply, err := s.chat(ctx, limit, r)
		if !lacksParser(err) {
			return reply, err
		}
		s.textOnly.Store(true)
	}
	c := s.completion([][]int32{prompt}, limit)
	c.Stop = r.Stop
	choices, err := s.complete(ctx, c)
	if err != nil {
		return eval.Reply{}, err
	}
	answer := choices[0]
	reply := eval.Reply{Text: *answer.Text, Tokens: answer.tokens}
	_, byText := answer.Stop.(string)
	if reply.Finish, err = finish(answer.Finish); err == nil && reply.Finish == eval.FinishStop && !byText {
		reply.Tokens = max(0, reply.Tokens-1) // the end token
	}
	return reply, err
}

// finish reads why an answer ended.
func finish(reason string) (eval.Finish, error) {
	switch reason {
	case "stop", "tool_calls":
		return eval.FinishStop, nil
	case "length":
		return eval.FinishLength, nil
	}
	return "", fmt.Errorf("vllm: %w: it ended the answer with %q", eval.ErrServer, reason)
}

// mostLabels is how many tokens logprob_token_ids takes (vllm/sampling_params.py
// of 0.32.0 allows 128).
const mostLabels = 100

// Next implements bytoken.Backend. Versions that do not know logprob_token_ids
// pass it over; they are asked for the tokens as ends of prompts.
func (s *Server) Next(ctx context.Context, prompt, tokens []int32) ([]float64, error) {
	if s.echoes.Load() || len(tokens) > mostLabels {
		return s.nextByPrompt(ctx, prompt, tokens)
	}
	c, one := s.completion([][]int32{prompt}, 1), 1
	c.Logprobs, c.LogprobIDs, c.IDs = &one, tokens, true
	choices, err := s.complete(ctx, c)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(tokens))
	for i, id := range tokens {
		score, ok := choices[0].Logprobs.Top[0][fmt.Sprintf("token_id:%d", id)]
		if !ok {
			s.echoes.Store(true)
			return s.nextByPrompt(ctx, prompt, tokens)
		}
		scores[i] = score
	}
	return scores, nil
}

func (s *Server) nextByPrompt(ctx context.Context, prompt, tokens []int32) ([]float64, error) {
	texts := make([][]int32, len(tokens))
	for i, id := range tokens {
		texts[i] = []int32{id}
	}
	scored, err := s.Follow(ctx, prompt, texts)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(scored))
	for i, l := range scored {
		scores[i] = l[0].LogProb
	}
	return scores, nil
}

// mostTogether is how many tokens of prompts one request has; its reply has
// about 80 bytes for each.
const mostTogether = 32768

// Follow implements bytoken.Backend.
func (s *Server) Follow(ctx context.Context, prompt []int32, texts [][]int32) (scored [][]bytoken.Likelihood, err error) {
	together := max(1, mostTogether/(len(prompt)+1))
	for part := range slices.Chunk(texts, together) {
		prompts := make([][]int32, len(part))
		for i, t := range part {
			prompts[i] = slices.Concat(prompt, t)
		}
		c, none := s.completion(prompts, 1), 0
		c.PromptLogprobs = &none
		choices, err := s.complete(ctx, c)
		if err != nil {
			return nil, err
		}
		for i, answer := range choices {
			scored = append(scored, answer.after(len(prompt), prompts[i]))
		}
	}
	return scored, nil
}

// after reads the likelihoods of a prompt's tokens from a place on.
func (a choice) after(from int, prompt []int32) (all []bytoken.Likelihood) {
	for i := from; i < len(prompt); i++ {
		l := a.Prompt[i][strconv.Itoa(int(prompt[i]))]
		all = append(all, bytoken.Likelihood{LogProb: *l.LogProb, Best: l.Rank == 1})
	}
	return all
}

// readings are the canary's: the likeliest tokens at each place.
func (a choice) readings() (all []canary.Reading) {
	add := func(place int, named []canary.Reading) {
		slices.SortFunc(named, func(a, b canary.Reading) int {
			return cmp.Or(-cmp.Compare(a.LogProb, b.LogProb), strings.Compare(a.Token, b.Token))
		})
		for _, r := range named {
			all = append(all, canary.Reading{Token: fmt.Sprintf("%d:%s", place, r.Token), LogProb: r.LogProb})
		}
	}
	for place, tokens := range a.Prompt {
		var named []canary.Reading
		for id, l := range tokens {
			if l.LogProb != nil {
				named = append(named, canary.Reading{Token: id, LogProb: *l.LogProb})
			}
		}
		add(place, named)
	}
	if a.Logprobs != nil {
		for place, tokens := range a.Logprobs.Top {
			var named []canary.Reading
			for id, p := range tokens {
				named = append(named, canary.Reading{Token: id, LogProb: p})
			}
			add(len(a.Prompt)+place, named)
		}
	}
	return all
}
