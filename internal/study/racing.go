package study

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"soup/eval"
	"soup/results"
)

// Racing says that candidates of strategies that search are asked their search
// items in rungs, and stopped when they are surely not better than the best so far.
// Baselines and the probe are always scored on all items.
type Racing struct {
	First int     `yaml:"first"` // items before the first look; default 50
	Eta   int     `yaml:"eta"`   // by how much the items grow from look to look; default 3
	Alpha float64 `yaml:"alpha"` // most of the candidates that would not be worse that may be stopped; default 0.05
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *Racing) UnmarshalYAML(n ast.Node) error {
	type plain Racing
	*r = Racing{First: 50, Eta: 3, Alpha: 0.05}
	if err := decode(n, (*plain)(r)); err != nil {
		return err
	}
	switch {
	case r.First < 1:
		return mistake(at(n, "first"), "racing: first is the number of items before the first look, 1 or more")
	case r.Eta < 2:
		return mistake(at(n, "eta"), "racing: eta is by how much the items grow from look to look, 2 or more")
	case !(r.Alpha > 0 && r.Alpha <= 0.5):
		return mistake(at(n, "alpha"), "racing: alpha is the most of the good candidates that may be stopped, above 0 and at most 0.5")
	}
	return nil
}

func (r Racing) String() string {
	return fmt.Sprintf("first %d eta %d alpha %g", r.First, r.Eta, r.Alpha)
}

// peers are the complete candidates, beside the best, that must have solved an
// item for it to be settled.
const peers = 4

// race is one candidate's race against the best complete candidate before it. It
// follows from the trials before, so that a study that goes on runs the same one.
type race struct {
	eval.Race
	alpha     float64
	against   finalist
	incumbent []eval.Outcome
	settled   []string // items, sorted
	margin    float64  // what the incumbent's score lost for what it does not keep
	look      eval.Look
}

// raced says whether a candidate may be stopped. A plane with holes is no picture.
func (s *session) raced(c candidate) bool {
	return s.config.Racing != nil && !c.isBase() && !s.config.always(c.strategy) && c.strategy != planeStrategy
}

// newRace is nil where a candidate is not raced, or nothing is complete yet that
// could win.
func (s *session) newRace(c candidate) (*race, error) {
	if !s.raced(c) {
		return nil, nil
	}
	if err := s.startKeeping(c.strategy); err != nil {
		return nil, err
	}
	var best []finalist
	for _, f := range s.complete() {
		if !f.isBase() && len(best) <= peers {
			best = append(best, f)
		}
	}
	if len(best) == 0 {
		return nil, nil
	}
	solved := map[string]int{}
	r := &race{alpha: s.config.Racing.Alpha, against: best[0]}
	for i, f := range best {
		outcomes, err := s.outcomes(f.trial, results.Search)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			r.incumbent, r.margin = outcomes, s.keeper.penalty(outcomes)
		}
		for _, o := range outcomes {
			if o.Scored() && o.Score == 1 {
				solved[o.ID]++
			}
		}
	}
	for id, n := range solved {
		if len(best) > peers && n == len(best) {
			r.settled = append(r.settled, id)
		}
	}
	slices.Sort(r.settled)
	r.Race = eval.NewRace(s.set.Search, s.config.raceOptions(r.settled))
	return r, nil
}

// course is a way through the items of a split: in rungs, until it is over.
type course struct {
	items []eval.Item
	rungs []int // ends of the rungs, the last is all of the items
	over  func([]eval.Outcome) bool
}

// whole is the course of a candidate that is asked everything.
func whole(items []eval.Item) course {
	return course{items, []int{len(items)}, func([]eval.Outcome) bool { return false }}
}

func (r *race) course(items []eval.Item) course {
	if r == nil {
		return whole(items)
	}
	return course{r.Items, r.Rungs, r.over}
}

// asks are the ids of its items.
func (c course) asks() map[string]bool {
	ids := make(map[string]bool, len(c.items))
	for _, it := range c.items {
		ids[it.ID] = true
	}
	return ids
}

// next are the items of the first rung that is not answered as a whole; none where
// the course is over.
func (c course) next(recorded []eval.Outcome) []eval.Item {
	done := make(map[string]bool, len(recorded))
	for _, o := range recorded {
		done[o.ID] = true
	}
	from := 0
	for _, to := range c.rungs {
		rung := c.items[from:to]
		if slices.ContainsFunc(rung, func(it eval.Item) bool { return !done[it.ID] }) {
			if from > 0 && c.over(recorded) {
				return nil
			}
			return rung
		}
		from = to
	}
	return nil
}

// over looks at the answers so far.
func (r *race) over(outcomes []eval.Outcome) bool {
	r.look = r.Look(outcomes, r.incumbent, r.margin)
	return r.isLost()
}

// isLost says that the candidate is surely not better than the incumbent.
func (r *race) isLost() bool { return r != nil && r.look.Evidence >= 1/r.alpha }

// reason says why a candidate was stopped.
func (r *race) reason() string {
	evidence := "it could not catch up any more"
	if e := r.look.Evidence; e < 1e6 {
		evidence = fmt.Sprintf("evidence %.0f to 1, %.0f needed", e, 1/r.alpha)
	} else if !math.IsInf(e, 1) {
		evidence = "evidence above a million to 1"
	}
	return fmt.Sprintf("about %+.1f points against trial %d after %d of %d items: %s",
		100*r.look.Delta, r.against.trial, r.look.Answered, len(r.Items), evidence)
}

// raceEvent is written for every candidate that was stopped.
const raceEvent = "race"

// stopped is what is known of a candidate that was stopped: its order of items is
// its own, so that means over what it answered have to be weighed.
type stopped struct {
	Trial      int                      `json:"trial"`
	Against    int                      `json:"against"`
	Answered   int                      `json:"answered"`
	Of         int                      `json:"of"`
	Delta      float64                  `json:"delta"` // expected difference over all items
	Categories map[string]eval.Category `json:"categories"`
}

// stop makes a trial one that was stopped. What is known of it is recorded before
// the trial ends: no stopped trial is without.
func (s *session) stop(t *results.Trial, r *race) error {
	t.State, t.Reason = results.Pruned, r.reason()
	outcomes, err := s.outcomes(t.Number, results.Search)
	if err != nil {
		return err
	}
	s.stopped[t.Number] = stopped{
		Trial: t.Number, Against: r.against.trial, Answered: len(outcomes), Of: len(r.Items), Delta: r.look.Delta, Categories: r.Estimate(outcomes),
	}
	return s.ledger.Event(raceEvent, s.stopped[t.Number])
}

// readStopped are the stopped trials of a ledger, by number.
func readStopped(l *results.Ledger) (map[int]stopped, error) {
	events, err := l.Events(raceEvent)
	if err != nil {
		return nil, err
	}
	all := map[int]stopped{}
	for _, e := range events {
		var d stopped
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Number, err)
		}
		all[d.Trial] = d
	}
	return all, nil
}

// partial is what a report says of a stopped trial.
func (b *reporter) partial(d stopped) *results.Partial {
	p := &results.Partial{Of: d.Of, Delta: d.Delta, To: d.Against}
	s := eval.Summary{Categories: d.Categories}
	p.Categories = categoryScores(d.Categories)
	for _, c := range d.Categories {
		p.N, p.Failed, p.Timeout, p.Missing, p.Truncated = p.N+c.N, p.Failed+c.Failed, p.Timeout+c.Timeout, p.Missing+c.Missing, p.Truncated+c.Truncated
	}
	if mean, err := s.Aggregate(b.weights); err == nil {
		p.Mean = &mean
	}
	return p
}

// RacingNote is under whose name a study notes what racing saved.
const RacingNote = "racing"

// noteRacing says what racing saved in the search.
func (s *session) noteRacing() error {
	raced, stopped, saved, all := 0, 0, 0, 0
	for _, t := range s.trials {
		if t.Of != t.Number || t.State != results.Complete && t.State != results.Pruned || !s.raced(candidate{strategy: t.Strategy}) {
			continue
		}
		raced++
		all += len(s.set.Search)
		if d, ok := s.stopped[t.Number]; ok && t.State == results.Pruned {
			stopped++
			saved += d.Of - d.Answered
		}
	}
	if raced == 0 {
		return nil
	}
	return s.ledger.Note(RacingNote, []string{fmt.Sprintf("stopped %d of %d candidates early, which saved %d of %d items (%.0f %%)",
		stopped, raced, saved, all, 100*float64(saved)/float64(all))})
}
