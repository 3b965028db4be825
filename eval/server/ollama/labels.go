package ollama

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ollama/ollama/api"

	"soup/eval"
)

const shown = 20 // tokens that the server tells the log-probabilities of, at most

// ScoreLabels implements eval.LabelScorer. The server shows the 20 likeliest
// first tokens. A label that is not among them gets the next number below the
// last of them: its log-probability is that or less, and it is less likely than
// every label that is shown, so the choice is the right one; Floored counts
// them. Where no label is shown there is no choice, and that is an error.
func (s *Server) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	leave, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	first, err := s.firstTokens(ctx, labels)
	if err != nil {
		return nil, err
	}
	r.Stop = nil // a label may hold one
	request, err := s.prompt(r, 1)
	if err != nil {
		return nil, err
	}
	top, err := s.likeliest(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.readLabels(labels, first, top)
}

// likeliest are the log-probabilities of the likeliest first tokens.
func (s *Server) likeliest(ctx context.Context, request any) (map[string]float64, error) {
	switch r := request.(type) {
	case *chatRequest:
		r.Logprobs, r.TopLogprobs = true, shown
	case *api.GenerateRequest:
		r.Logprobs, r.TopLogprobs = true, shown
	}
	got, err := s.post(ctx, request)
	if err == nil && len(got.Logprobs) == 0 {
		got, err = s.evenIfItEnds(ctx, request)
	}
	if err != nil {
		return nil, err
	}
	if len(got.Logprobs) == 0 || len(got.Logprobs[0].TopLogprobs) == 0 {
		return nil, fmt.Errorf("ollama at %s: %w: no log-probabilities; they came with v0.12.11", s.options.URL, eval.ErrReply)
	}
	top := map[string]float64{}
	for _, t := range got.Logprobs[0].TopLogprobs {
		if math.IsNaN(t.Logprob) {
			return nil, fmt.Errorf("ollama at %s: %w", s.options.URL, eval.ErrNotNumbers)
		}
		text := tokenText(t)
		if v, twice := top[text]; !twice || v < t.Logprob { // two tokens can have one text
			top[text] = t.Logprob
		}
	}
	return top, nil
}

// readLabels looks the labels up.
func (s *Server) readLabels(labels, first []string, top map[string]float64) ([]float64, error) {
	floor := math.Inf(1)
	for _, v := range top {
		floor = min(floor, v)
	}
	scores := make([]float64, len(labels))
	hidden := 0
	for i, token := range first {
		v, ok := top[token]
		if !ok {
			hidden++
			v = math.Nextafter(floor, math.Inf(-1))
		}
		scores[i] = v
	}
	if hidden == len(labels) {
		return nil, fmt.Errorf("ollama: none of the labels %s is among the %d likeliest first tokens, and Ollama tells no more", strings.Join(labels, ", "), len(top))
	}
	s.floored.Add(int64(hidden))
	return scores, nil
}

// firstTokens are the texts of the tokens that labels begin with, which must
// differ.
func (s *Server) firstTokens(ctx context.Context, labels []string) ([]string, error) {
	if len(labels) == 0 {
		return nil, errors.New("ollama: no labels to score")
	}
	var first []string
	for _, label := range labels {
		token, err := s.firstToken(ctx, label)
		if err != nil {
			return nil, err
		}
		if token == "" || slices.Contains(first, token) {
			return nil, fmt.Errorf("ollama: label %q has no first token of its own", label)
		}
		first = append(first, token)
	}
	return first, nil
}

// firstToken is the text of a label's first token. A label of several tokens is
// divided by counting: with the right first token, the rest has one token less
// than the whole. Where more than one passes, none can be told to be right.
func (s *Server) firstToken(ctx context.Context, label string) (string, error) {
	s.firstMu.Lock()
	defer s.firstMu.Unlock()
	if token, known := s.first[label]; known {
		return token, nil
	}
	text := label
	if s.made.Prefixed && label != "" {
		text = " " + label
	}
	token := text
	if text != "" && !s.made.HasToken(text) {
		var err error
		if token, err = s.divide(ctx, text); err != nil {
			return "", err
		}
	}
	s.first[label] = token
	return token, nil
}

// divide finds the first token of a text that is several.
func (s *Server) divide(ctx context.Context, text string) (string, error) {
	unclear := fmt.Errorf("ollama: label %q is several tokens, and Ollama does not tell which is the first; use labels of one token", text)
	if s.made.Prefixed { // what is counted would have a blank before it
		return "", unclear
	}
	whole, err := s.count(ctx, text)
	if err != nil {
		return "", err
	}
	found := ""
	for n := 1; n < len(text); n++ {
		if !s.made.HasToken(text[:n]) {
			continue
		}
		rest, err := s.count(ctx, text[n:])
		if err != nil {
			return "", err
		}
		if rest+1 != whole {
			continue
		}
		if found != "" {
			return "", unclear
		}
		found = text[:n]
	}
	if found == "" {
		return "", unclear
	}
	return found, nil
}

// count is how many tokens the server reads a text as.
func (s *Server) count(ctx context.Context, text string) (int, error) {
	got, err := s.post(ctx, s.request(text, 1))
	if err != nil {
		return 0, err
	}
	return got.PromptEvalCount, nil
}
