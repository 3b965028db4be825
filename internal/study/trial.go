package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"soup/eval"
	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// candidate is one model to score: a soup, or the base.
type candidate struct {
	strategy, label string
	weights         [][]float64 // effective, [group][parent]; all zero for the base
	key             string      // identity of the weights, for the ledger
}

// The strategies of the parents' own trials and of the base's.
const (
	singleStrategy = "single"
	baseStrategy   = "base"
)

func (c candidate) isBase() bool { return c.strategy == baseStrategy }

func (s *session) soup(strategy string, p search.Point) (candidate, error) {
	effective, err := s.space.Effective(p)
	if err != nil {
		return candidate{}, err
	}
	return candidate{strategy, p.Label, effective.Weights, s.key(effective.Weights)}, nil
}

// key identifies the soup of effective weights.
func (s *session) key(weights [][]float64) string {
	sum := sha256.Sum256([]byte(s.pantry.identity() + search.Key(search.Point{Weights: weights})))
	return hex.EncodeToString(sum[:])
}

func (s *session) baseCandidate() candidate {
	sum := sha256.Sum256([]byte("base " + s.pantry.baseID))
	weights := make([][]float64, len(s.space.Groups))
	for g := range weights {
		weights[g] = make([]float64, len(s.space.Parents))
	}
	return candidate{baseStrategy, "base", weights, hex.EncodeToString(sum[:])}
}

// try answers one candidate: from the ledger where it was scored before, by the
// server otherwise. It is the objective of every strategy. Only what must stop
// the study is an error; a candidate that cannot be scored is a failed trial.
func (s *session) try(ctx context.Context, number int, c candidate) (results.Trial, error) {
	if err := ctx.Err(); err != nil {
		return results.Trial{}, err
	}
	t := results.Trial{Number: number, Strategy: c.strategy, Label: c.label, Key: c.key, Weights: c.weights, Groups: s.pantry.groups.Names, Of: number, Attempt: 1}
	if number < len(s.past) {
		old := s.past[number]
		if old.Strategy != c.strategy || old.Key != c.key {
			return t, usage.Errorf("%s: strategies: trial %d was %s (%s) and would now be %s (%s): the list or an option before this point has changed; only its end may grow",
				s.config.File, number, old.Strategy, old.Label, c.strategy, c.label)
		}
		if old.State != results.Running {
			return old, nil
		}
		t.Attempt = old.Attempt + 1
	}
	if err := s.awaitTwin(ctx, c, t); err != nil {
		return t, err
	}
	if twin, ok := s.twin(c); ok {
		t.State, t.Of = results.Cached, twin
		return t, s.ledger.Finish(t)
	}
	return s.run(ctx, c, t)
}

// twin is the trial that has the outcomes of a candidate already. One that was
// stopped stays so: what is not better than an earlier incumbent is not better than
// the present one. Only baselines want all of its items.
func (s *session) twin(c candidate) (int, bool) {
	if trial, ok := s.byKey[c.key]; ok {
		return trial, true
	}
	trial, ok := s.stoppedByKey[c.key]
	return trial, ok && s.raced(c)
}

// run scores a candidate that the ledger does not know, with the books closed.
func (s *session) run(ctx context.Context, c candidate, t results.Trial) (results.Trial, error) {
	s.progress.Candidate(t.Number, c.strategy, c.label)
	t.State = results.Running
	if err := s.ledger.Start(t); err != nil {
		return t, err
	}
	r, err := s.newRace(c)
	if err != nil {
		return t, err
	}
	var spent spent
	s.unbooked(c.key, func() { spent, err = s.scoreSearch(ctx, t.Number, c, s.set.Search, r) })
	t.Merge, t.Swap, t.Eval, t.First = spent.merge, spent.swap, spent.eval, spent.first
	t.State = results.Complete
	switch {
	case ctx.Err() != nil:
		return t, ctx.Err()
	case errors.Is(err, errFatal):
		return t, err
	case err != nil:
		return s.fail(ctx, t, err)
	case r.isLost():
		err = s.stop(&t, r)
	}
	return t, errors.Join(err, s.settle(), s.ledger.Finish(t))
}

// errFatal marks what stops a study: it is not the candidate's fault.
var errFatal = errors.New("study cannot go on")

func fatal(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errFatal, err)
}

// spent is the time that a candidate took, in seconds; first, until the first
// answer came, is a part of eval.
type spent struct{ merge, swap, eval, first float64 }

func (a spent) plus(b spent) spent {
	return spent{a.merge + b.merge, a.swap + b.swap, a.eval + b.eval, a.first + b.first}
}

// The three splits are read by three functions, so that none can read two.

func (s *session) scoreSearch(ctx context.Context, trial int, c candidate, items eval.Search, r *race) (spent, error) {
	if s.fleet != nil {
		return s.fleet.score(ctx, trial, results.Search, c, r)
	}
	return s.score(ctx, trial, results.Search, r.course(items), func(ctx context.Context) (spent, error) { return s.load(ctx, c) })
}

func (s *session) scoreSelection(ctx context.Context, trial int, c candidate, items eval.Selection) (spent, error) {
	if s.fleet != nil {
		return s.fleet.score(ctx, trial, results.Selection, c, nil)
	}
	return s.score(ctx, trial, results.Selection, whole(items), func(ctx context.Context) (spent, error) { return s.load(ctx, c) })
}

func (s *session) scoreTest(ctx context.Context, trial int, items eval.Test, load loader) (spent, error) {
	return s.score(ctx, trial, results.Test, whole(items), load)
}

// loader makes the server answer with a candidate's weights.
type loader func(context.Context) (spent, error)

// score asks the items that the ledger lacks, also across the ends of a server.
func (s *session) score(ctx context.Context, trial int, split string, c course, load loader) (spent, error) {
	took, err := s.attended(ctx, func(ctx context.Context) (spent, error) {
		return s.scoreOnce(ctx, trial, split, c, load)
	})
	if took == (spent{}) {
		return took, err
	}
	if split != results.Search && err == nil {
		err = fatal(s.ledger.Event(secondsEvent, seconds{took.merge, took.swap, took.eval, took.first}))
	}
	return took, errors.Join(err, s.noteUse(), s.keepScores(ctx))
}

// scoreOnce asks the items that the ledger lacks, rung by rung, and records the
// outcomes batch by batch. Where nothing is to be asked any more, nothing is
// loaded.
func (s *session) scoreOnce(ctx context.Context, trial int, split string, c course, load loader) (spent, error) {
	recorded, err := s.recorded(trial, split, c)
	if err != nil {
		return spent{}, err
	}
	if len(c.next(recorded)) == 0 {
		return spent{}, nil
	}
	if err := s.prove(ctx); err != nil {
		return spent{}, err
	}
	took, err := load(ctx)
	if err == nil {
		err = s.findParallel(ctx)
	}
	if err != nil {
		return took, err
	}
	start := time.Now()
	s.progress.Items(len(recorded), len(c.items))
	s.meter.ready()
	for rung := c.next(recorded); len(rung) > 0 && err == nil; rung = c.next(recorded) {
		if err = s.ask(ctx, trial, split, rung, recorded, len(c.items)); err != nil {
			break
		}
		// From the ledger, as a study reads them that goes on.
		recorded, err = s.recorded(trial, split, c)
	}
	took.eval, took.first = time.Since(start).Seconds(), s.meter.firstAnswer()
	return took, err
}

// recorded are the outcomes that the ledger has of a course's items.
func (s *session) recorded(trial int, split string, c course) ([]eval.Outcome, error) {
	outcomes, err := s.outcomes(trial, split)
	asked := c.asks()
	return slices.DeleteFunc(outcomes, func(o eval.Outcome) bool { return !asked[o.ID] }), fatal(err)
}

// ask asks the items of a rung that are not recorded and records them.
func (s *session) ask(ctx context.Context, trial int, split string, rung []eval.Item, recorded []eval.Outcome, of int) error {
	done := make(map[string]bool, len(recorded))
	for _, o := range recorded {
		done[o.ID] = true
	}
	answered := len(recorded)
	return eval.Run(ctx, s.server, rung, s.askOptions(func(id string) bool { return done[id] }), func(outcomes []eval.Outcome) error {
		if err := s.stillServed(ctx); err != nil {
			return err
		}
		answered += len(outcomes)
		s.beat(len(outcomes))
		s.progress.Items(answered, of)
		if split == results.Search {
			if err := s.countTokens(trial, outcomes); err != nil {
				return err
			}
		}
		return fatal(s.ledger.Record(trial, split, toLedger(outcomes)))
	})
}

// secondsEvent holds the time that a finalist took on selection or test; that
// of the search is in the trials.
const secondsEvent = "seconds"

type seconds struct {
	Merge float64 `json:"merge"`
	Swap  float64 `json:"swap"`
	Eval  float64 `json:"eval"`
	First float64 `json:"first_token"`
}

// load cooks a candidate and swaps it in.
func (s *session) load(ctx context.Context, c candidate) (spent, error) {
	path, merged := s.pantry.base, 0.0
	if !c.isBase() {
		start := time.Now()
		var err error
		if path, err = s.kitchen.cook(ctx, c, s.holds); err != nil {
			return spent{}, err
		}
		merged = time.Since(start).Seconds()
	}
	took, err := s.swap(ctx, c, path)
	took.merge = merged
	return took, err
}

// swapEvent is written for every load.
const swapEvent = "swap"

type swapped struct {
	Key     string       `json:"key"`
	Version eval.Version `json:"version"`
	Export  string       `json:"export,omitempty"`
	Canary  bool         `json:"canary,omitempty"` // nothing is scored: see prove
}

// swap loads a file into the server and checks with the canary that it answers
// with these weights: stale weights must never be scored.
func (s *session) swap(ctx context.Context, c candidate, path string) (spent, error) {
	start := time.Now()
	version, err := s.give(ctx, eval.Model{Path: path, Digest: c.key})
	took := spent{swap: time.Since(start).Seconds()}
	if err != nil {
		return took, err
	}
	if err := s.ledger.Event(swapEvent, swapped{Key: c.key, Version: version, Canary: s.proving || c.strategy == canaryStrategy}); err != nil {
		return took, fatal(err)
	}
	if known, ok := s.versions[c.key]; ok && known != version {
		return took, fatal(fmt.Errorf("canary: the server answers differently for the same weights (%s): version %s, before %s", c.label, version, known))
	}
	if before, ok := s.earlier[c.key]; ok && before != version {
		s.warn("this machine or build answers in other last bits than an earlier session of this study; its results mix both")
		clear(s.earlier) // once is enough
	}
	if err := s.checkStale(ctx, c, path, version); err != nil {
		return took, err
	}
	s.versions[c.key] = version
	return took, nil
}

// toLedger converts outcomes to the ledger's form.
func toLedger(outcomes []eval.Outcome) []results.Outcome {
	out := make([]results.Outcome, len(outcomes))
	for i, o := range outcomes {
		out[i] = results.Outcome{
			Item: o.ID, Category: o.Category, Cluster: o.Cluster, State: string(o.State), Score: o.Score, Soft: o.Soft,
			Answer: o.Answer, Finish: string(o.Finish), Error: o.Error, Failure: o.Failure, Latency: o.Latency,
			Labels: (*results.LabelScores)(o.Labels),
		}
	}
	return out
}

// fromLedger converts them back.
func fromLedger(outcomes []results.Outcome) []eval.Outcome {
	out := make([]eval.Outcome, len(outcomes))
	for i, o := range outcomes {
		out[i] = eval.Outcome{
			ID: o.Item, Category: o.Category, Cluster: o.Cluster, State: eval.State(o.State), Score: o.Score, Soft: o.Soft,
			Answer: o.Answer, Finish: eval.Finish(o.Finish), Error: o.Error, Failure: o.Failure, Latency: o.Latency,
		}
	}
	return out
}
