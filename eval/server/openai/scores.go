package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

// likely is a token that could have been said at a place.
type likely struct {
	Token   string `json:"token"`
	LogProb number `json:"logprob"`
}

// probabilities are log-probabilities in both forms: of /chat/completions, which
// some servers use for /completions too, and of /completions.
type probabilities struct {
	Content []struct {
		Top []likely `json:"top_logprobs"`
	} `json:"content"`
	Top []map[string]number `json:"top_logprobs"`
}

// places are the likeliest tokens at each place, the likeliest first.
func (p *probabilities) places() (all [][]likely) {
	if p == nil {
		return nil
	}
	for _, c := range p.Content {
		all = append(all, c.Top)
	}
	for _, m := range p.Top {
		if len(p.Content) > 0 {
			break
		}
		var place []likely
		for token, v := range m {
			place = append(place, likely{token, v})
		}
		all = append(all, place)
	}
	for _, place := range all {
		slices.SortFunc(place, func(a, b likely) int {
			return cmp.Or(cmp.Compare(b.LogProb, a.LogProb), strings.Compare(a.Token, b.Token))
		})
	}
	return all
}

// check wants log-probabilities that can be, of different tokens.
func (p *probabilities) check() error {
	for _, place := range p.places() {
		total := 0.0
		for i, t := range place {
			if err := wire.CheckLogProb(float64(t.LogProb)); err != nil {
				return err
			}
			total += math.Exp(float64(t.LogProb))
			if i > 0 && t == place[i-1] && t.Token != "" && !strings.ContainsRune(t.Token, '\uFFFD') {
				return fmt.Errorf("%w: %q stands twice among the likeliest", eval.ErrReply, t.Token)
			}
		}
		if total > 1.01 { // rounded
			return fmt.Errorf("%w: probabilities add up to %g", eval.ErrReply, total)
		}
	}
	return nil
}

// abilities are what a server was found to be able to do.
type abilities struct {
	chat, text       bool // it has /chat/completions, /completions
	chatTop, textTop int  // likeliest tokens that it shows there; 0 shows none
}

// tops are how many likeliest tokens are asked for: as many as any server shows,
// then as many as the oldest ones do.
var tops = []int{canary.Top, 5}

// Prompts of the weaker canary: continuations that models of all sizes have an
// opinion on.
var prompts = []string{
	canary.Prompt, "1, 2, 3, 5, 8,", "The opposite of big is", "def add(a, b):", "Translate to German: the house.",
	"Once upon a time", "A B C D", "Q: 12+34? A:",
}

// version asks the canary, at the first load also which path shows what.
func (s *Server) version(ctx context.Context) (eval.Version, error) {
	s.mu.Lock()
	can := s.shows
	s.mu.Unlock()
	if can == nil {
		found, err := s.explore(ctx)
		if err != nil {
			return "", err
		}
		s.mu.Lock()
		s.shows, can = &found, &found
		s.mu.Unlock()
	}
	readings, err := wire.Agreed(alike, func() ([]canary.Reading, error) { return s.sing(ctx, *can) })
	if err != nil {
		return "", err
	}
	if can.chatTop+can.textTop == 0 {
		return s.texts.Version(readings)
	}
	return s.canary.Version(readings)
}

// Verify implements eval.Verifier.
func (s *Server) Verify(ctx context.Context) (eval.Version, error) {
	can, err := s.abilities()
	if err != nil {
		return "", err
	}
	if can.chatTop+can.textTop == 0 {
		return s.version(ctx)
	}
	readings, err := wire.Agreed(alike, func() ([]canary.Reading, error) { return s.sing(ctx, can) })
	if err != nil {
		return "", err
	}
	return s.canary.Recognise(readings), nil
}

// alike says whether two readings are of the same weights.
func alike(a, b []canary.Reading) bool {
	return slices.EqualFunc(a, b, func(x, y canary.Reading) bool {
		if math.IsInf(x.LogProb, -1) && math.IsInf(y.LogProb, -1) {
			return true
		}
		near := math.Abs(x.LogProb-y.LogProb) <= tolerance
		return near && (x.Token == y.Token || x.LogProb != 0) // near ties may change places; texts have no number
	})
}

// explore finds out what the server can do.
func (s *Server) explore(ctx context.Context) (can abilities, err error) {
	var refused error
	for _, p := range []struct {
		r   eval.Request
		has *bool
		top *int
	}{{said(canary.Prompt, true), &can.text, &can.textTop}, {said(canary.Prompt, false), &can.chat, &can.chatTop}} {
		for _, top := range append(slices.Clone(tops), 0) {
			out, err := s.ask(ctx, p.r, top)
			var refusal *wire.Refusal
			switch {
			case errors.As(err, &refusal) && !wire.MayRetry(err) && refusal.Code != 401 && refusal.Code != 403:
				refused = err
				continue
			case err != nil:
				return can, err
			}
			*p.has = true
			if len(out.Choices[0].Probs.places()) > 0 {
				*p.top = top
			}
			break
		}
	}
	if !can.text && !can.chat {
		return can, refused
	}
	return can, nil
}

// said is a short greedy request.
func said(prompt string, raw bool) eval.Request {
	r := eval.Request{MaxTokens: canary.Tokens, Messages: []eval.Message{{Role: "user", Content: prompt}}}
	if raw {
		r.Raw = prompt
	}
	return r
}

// sing asks for what names the weights.
func (s *Server) sing(ctx context.Context, can abilities) (readings []canary.Reading, err error) {
	if top := max(can.textTop, can.chatTop); top > 0 {
		raw := can.textTop > 0
		if raw {
			top = can.textTop
		}
		out, err := s.ask(ctx, said(canary.Prompt, raw), top)
		if err != nil {
			return nil, err
		}
		for _, place := range out.Choices[0].Probs.places() {
			for _, t := range place {
				readings = append(readings, canary.Reading{Token: t.Token, LogProb: float64(t.LogProb)})
			}
		}
		return readings, nil
	}
	for _, p := range prompts {
		r := said(p, can.text)
		r.MaxTokens = defaultTokens
		out, err := s.ask(ctx, r, 0)
		if err != nil {
			return nil, err
		}
		answer, err := s.read(out)
		if err != nil {
			return nil, err
		}
		readings = append(readings, canary.Reading{Token: answer.Text})
	}
	return readings, nil
}

// Evidence says by what the loaded weights are told from others: "log-probabilities",
// or "texts", which is weaker; "" before the first load.
func (s *Server) Evidence() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shows == nil:
		return ""
	case s.shows.chatTop+s.shows.textTop > 0:
		return "log-probabilities"
	}
	return "texts"
}

// check says whether a request has a path to go to.
func (a abilities) check(r eval.Request) error {
	switch {
	case r.Raw != "" && len(r.Tools) > 0:
		return eval.ErrNoTools
	case r.Raw != "" && !a.text:
		return errors.New(kind + ": it has no /completions for raw prompts")
	case r.Raw == "" && !a.chat:
		return errors.New(kind + ": it has no /chat/completions for conversations")
	}
	return nil
}

// top is how many likeliest tokens are shown for r.
func (a abilities) top(r eval.Request) int {
	if r.Raw != "" {
		return a.textTop
	}
	return a.chatTop
}

// Check implements eval.Checker. Whether functions can be offered is not known
// before they are.
func (s *Server) Check(q eval.Question) error {
	can, err := s.abilities()
	if err != nil {
		return err
	}
	if err := can.check(q.Request); err != nil {
		return err
	}
	if len(q.Continuations) > 0 {
		return errors.New(kind + ": it cannot tell how likely a given text is")
	}
	if len(q.Request.Messages) == 0 && q.Raw == "" {
		return errors.New(kind + ": empty prompt")
	}
	return nil
}

// ScoreLabels implements eval.LabelScorer.
func (s *Server) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	if len(labels) == 0 {
		return nil, errors.New(kind + ": no labels to score")
	}
	can, err := s.abilities()
	if err != nil {
		return nil, err
	}
	if err := can.check(r); err != nil {
		return nil, err
	}
	if can.top(r) == 0 {
		return nil, fmt.Errorf("%s: %w", kind, eval.ErrNoScores)
	}
	r.MaxTokens, r.Stop = 1, nil // a label may hold a stop text
	out, err := s.ask(ctx, r, can.top(r))
	if err != nil {
		return nil, err
	}
	places := out.Choices[0].Probs.places()
	if len(places) == 0 || len(places[0]) == 0 {
		return nil, s.odd("no log-probabilities, which it showed before")
	}
	return s.readLabels(labels, places[0])
}

// readLabels looks the labels up among the likeliest tokens.
func (s *Server) readLabels(labels []string, top []likely) ([]float64, error) {
	floor := math.Nextafter(float64(top[len(top)-1].LogProb), math.Inf(-1))
	scores := make([]float64, len(labels))
	var used []int
	hidden := int64(0)
	for i, label := range labels {
		at := firstToken(label, top)
		switch {
		case at < 0:
			scores[i] = floor
			hidden++
			continue
		case slices.Contains(used, at):
			return nil, fmt.Errorf("%s: label %q has no first token of its own: %q is another's too", kind, label, top[at].Token)
		}
		used = append(used, at)
		scores[i] = float64(top[at].LogProb)
	}
	if hidden == int64(len(labels)) {
		return nil, fmt.Errorf("%s: none of the labels %s is among the %d likeliest first tokens, and the server tells no more",
			kind, strings.Join(labels, ", "), len(top))
	}
	s.floored.Add(hidden)
	return scores, nil
}

// firstToken is the place of the longest token that the label begins with; -1 if
// there is none.
func firstToken(label string, top []likely) int {
	best := -1
	for i, t := range top {
		if t.Token != "" && strings.HasPrefix(label, t.Token) && (best < 0 || len(t.Token) > len(top[best].Token)) {
			best = i
		}
	}
	return best
}
