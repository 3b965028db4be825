package llamaserver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"soup/eval"
)

const (
	shown = 50 // likeliest tokens that are asked for; more costs more than it saves
	// lift raises the logits of tokens that are not among them. Their ratios stay;
	// all others are e^lift times less likely and do not matter. Logits are
	// float32: so many more leave them steps of 1e-5 nats.
	lift = 100.0
	// deepest is the greatest distance to the likeliest token that is told, in
	// nats: the probabilities are float32, whose precision ends at e^-87.
	deepest = 80.0
)

// ScoreLabels implements eval.LabelScorer.
func (s *Server) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	if len(labels) == 0 {
		return nil, errors.New(kind + ": no labels to score")
	}
	now, err := s.session()
	if err != nil {
		return nil, err
	}
	first, err := now.firstTokens(ctx, labels)
	if err != nil {
		return nil, err
	}
	prompt, err := now.prompt(ctx, r)
	if err != nil {
		return nil, err
	}
	scores, _, err := now.next(ctx, prompt, first)
	return scores, err
}

// next returns the log-probabilities of tokens as the next one after a prompt,
// and the likeliest token.
func (n *session) next(ctx context.Context, prompt any, wanted []int32) ([]float64, int32, error) {
	reply, err := n.complete(ctx, prompt, settings{tokens: 1, top: shown})
	if err != nil {
		return nil, 0, err
	}
	top := reply.Positions[0].Top
	scores := make([]float64, len(wanted))
	var missing []int32
	for i, id := range wanted {
		at := slices.IndexFunc(top, func(c choice) bool { return c.ID == id })
		if at < 0 {
			missing = append(missing, id)
			continue
		}
		scores[i] = float64(max(top[at].LogProb, top[0].LogProb-deepest))
	}
	if len(missing) == 0 {
		return scores, top[0].ID, nil
	}
	behind, err := n.behind(ctx, prompt, top[0].ID, missing)
	if err != nil {
		return nil, 0, err
	}
	for i, id := range wanted {
		if at := slices.Index(missing, id); at >= 0 {
			scores[i] = float64(top[0].LogProb) - behind[at]
		}
	}
	return scores, top[0].ID, nil
}

// behind returns how far, in nats, unlikely tokens are behind the likeliest.
func (n *session) behind(ctx context.Context, prompt any, best int32, unlikely []int32) ([]float64, error) {
	raised := append([]int32{best}, unlikely...)
	reply, err := n.complete(ctx, prompt, settings{tokens: 1, top: len(raised), raise: raised})
	if err != nil {
		return nil, err
	}
	probs := map[int32]float64{}
	for _, c := range reply.Positions[0].After {
		probs[c.ID] = float64(c.Prob)
	}
	if !(probs[best] > 0) {
		return nil, n.odd("the likeliest token has no probability")
	}
	distances := make([]float64, len(unlikely))
	for i, id := range unlikely {
		distances[i] = deepest
		if probs[id] > 0 {
			distances[i] = min(deepest, math.Log(probs[best]/probs[id]))
		}
	}
	return distances, nil
}

func (n *session) odd(what string) error {
	return fmt.Errorf("%s at %s: %w: %s", kind, n.client.URL(), eval.ErrReply, what)
}

// ScoreContinuations implements eval.ContinuationScorer. Prompt and continuation
// are divided into tokens together; those beyond the prompt's number are the
// continuation's, as lm-evaluation-harness has it (_encode_pair in
// lm_eval/api/model.py of release 0.4.13).
func (s *Server) ScoreContinuations(ctx context.Context, r eval.Request, continuations []string) ([]eval.Continuation, error) {
	if len(continuations) == 0 {
		return nil, errors.New(kind + ": no continuations to score")
	}
	now, err := s.session()
	if err != nil {
		return nil, err
	}
	text, err := now.template.Render(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	prompt, err := now.promptTokens(ctx, r)
	if err != nil {
		return nil, err
	}
	results := make([]eval.Continuation, len(continuations))
	paths := make([]path, len(continuations))
	for i, c := range continuations {
		whole, err := now.tokens(ctx, text+c, r.Raw != "")
		if err != nil {
			return nil, err
		}
		if len(whole) <= len(prompt) {
			return nil, fmt.Errorf("%s: continuation %q adds no token to its prompt", kind, c)
		}
		results[i] = eval.Continuation{Tokens: len(whole) - len(prompt), Greedy: true}
		paths[i] = path{whole, &results[i]}
	}
	return results, now.walk(ctx, paths, len(prompt))
}

// path is a text whose tokens are being read.
type path struct {
	ids    []int32
	result *eval.Continuation
}

// walk reads token at of all paths: those that are alike up to there are asked
// about together.
func (n *session) walk(ctx context.Context, paths []path, at int) error {
	paths = slices.DeleteFunc(slices.Clone(paths), func(p path) bool { return len(p.ids) == at })
	for len(paths) > 0 {
		before := paths[0].ids[:at]
		var alike, others []path
		for _, p := range paths {
			if slices.Equal(p.ids[:at], before) {
				alike = append(alike, p)
			} else {
				others = append(others, p)
			}
		}
		if err := n.step(ctx, alike, at); err != nil {
			return err
		}
		paths = others
	}
	return nil
}

// step reads token at of paths that are alike up to there, and goes on.
func (n *session) step(ctx context.Context, alike []path, at int) error {
	var wanted []int32
	for _, p := range alike {
		if !slices.Contains(wanted, p.ids[at]) {
			wanted = append(wanted, p.ids[at])
		}
	}
	scores, best, err := n.next(ctx, alike[0].ids[:at], wanted)
	if err != nil {
		return err
	}
	for _, p := range alike {
		p.result.LogProb += scores[slices.Index(wanted, p.ids[at])]
		p.result.Greedy = p.result.Greedy && p.ids[at] == best
	}
	return n.walk(ctx, alike, at+1)
}
