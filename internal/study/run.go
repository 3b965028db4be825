package study

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"soup/eval"
	"soup/internal/progress"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// ErrNoGain is returned at the end of a study whose soup is not better than
// its best single checkpoint, if that was asked for.
var ErrNoGain = errors.New("no soup is better than the best single checkpoint")

// RunOptions are the choices that belong to the command line, not the study.
type RunOptions struct {
	Dir         string            // the study's folder; default the study file without its extension
	Progress    progress.Reporter // default: none
	Warnings    io.Writer         // where warnings go; default nowhere
	Info        io.Writer         // where the plan goes, before work starts; default nowhere
	RequireGain bool              // ErrNoGain unless the winner is better on test

	Fleet *Fleet // nil: this process alone

	start func(context.Context, serve.Options) (eval.Server, error) // tests put a broken server in its place
	pause time.Duration                                             // and do not wait as long for it
}

// Run starts or continues the study of a study file. It stops promptly when
// ctx ends and returns ctx.Err(); the same call then goes on from there.
func Run(ctx context.Context, c *Config, o RunOptions) error {
	s, err := open(ctx, c, o)
	if err != nil {
		return err
	}
	defer s.close()
	s.progress.Phase(SearchPhase, 0)
	if err := s.announce(); err != nil {
		return err
	}
	if err := s.work(ctx, o.Fleet); err != nil {
		return err
	}
	s.progress.Phase(FinishedPhase, 0)
	s.progress.Close()
	if !o.RequireGain {
		return nil
	}
	return s.requireGain()
}

// work searches and finishes, with the help of a fleet if there is one.
func (s *session) work(ctx context.Context, f *Fleet) (err error) {
	if f != nil {
		if ctx, err = s.openFleet(ctx, *f); err != nil {
			return err
		}
		defer func() { s.closeFleet(err == nil) }()
	}
	if err = s.search(ctx); err == nil {
		err = s.finish(ctx)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// DefaultDir is the folder of a study whose command line names none.
func DefaultDir(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }

// search runs the baselines and then the strategies of the study file.
func (s *session) search(ctx context.Context) error {
	if s.pantry.base != "" {
		if err := s.scoreBase(ctx); err != nil {
			return err
		}
	}
	strategies, err := s.newStrategies()
	if err != nil {
		return err
	}
	later := 0
	for _, strategy := range strategies {
		later += planned(strategy)
	}
	for _, strategy := range strategies {
		later -= planned(strategy) // as it was before any outcome
		if err := s.runStrategy(ctx, strategy, later); err != nil {
			return err
		}
	}
	return s.noteRacing()
}

// newStrategies makes the strategies of the study.
func (s *session) newStrategies() ([]search.Strategy, error) {
	var list []search.Strategy
	for _, spec := range s.strategies() {
		strategy, err := s.newStrategy(spec)
		if err != nil {
			return nil, usage.Errorf("%s: strategies: %s", s.config.File, err)
		}
		list = append(list, strategy)
	}
	return list, nil
}

func (s *session) newStrategy(spec StrategySpec) (search.Strategy, error) {
	if spec.Name != windowStrategy && spec.Name != planeStrategy {
		return search.New(spec.Name, spec.Options, s.space, s.config.Seed)
	}
	space, err := s.space.WithDefaults()
	if err != nil {
		return nil, err
	}
	run := s.config.Run != ""
	if spec.Name == planeStrategy {
		p, err := readPlane(spec.Options, space.Parents, run)
		if err != nil {
			return nil, err
		}
		return newPlane(p, space)
	}
	if !run {
		return nil, errors.New("strategy window: it averages along one training run; name it as run: path/step-* in place of the parents")
	}
	return newWindow(spec.Options, space)
}

// strategies are the baselines, which always run, and then those of the file. The
// probe comes as soon as the parents are scored.
func (s *session) strategies() []StrategySpec {
	var list []StrategySpec
	named := map[string]bool{}
	for _, name := range search.Baselines() {
		list = append(list, StrategySpec{Name: name})
		named[name] = true
		if name == singleStrategy && s.config.Probe != "" {
			list = append(list, s.config.probe())
		}
	}
	for _, spec := range s.config.Strategies {
		if spec.Name != s.config.Probe && (!named[spec.Name] || spec.Options != nil) {
			list = append(list, spec)
		}
	}
	return list
}

func isBaseline(strategy string) bool { return slices.Contains(search.Baselines(), strategy) }

// planned is how many candidates a strategy is certain to ask for.
func planned(strategy search.Strategy) int {
	if p, ok := strategy.(search.Planner); ok {
		return p.Planned()
	}
	return 0
}

// runStrategy runs one strategy to its end; later is how many candidates the
// strategies after it are known to ask for.
func (s *session) runStrategy(ctx context.Context, strategy search.Strategy, later int) error {
	begun := s.next
	objective := func(ctx context.Context, p search.Point) (search.Trial, error) {
		s.takeTurn(begun + p.Number)
		defer s.mu.Unlock()
		s.progress.Expect(begun + planned(strategy) + later)
		c, err := s.soup(strategy.Name(), p)
		if err != nil {
			return search.Trial{}, err
		}
		return s.scoreOne(ctx, begun+p.Number, c)
	}
	_, err := search.Run(ctx, &paced{Strategy: strategy, session: s, begun: begun}, objective, search.Settings{Ahead: s.ahead()})
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.heed(strategy); err != nil {
		return err
	}
	if strategy.Name() == s.config.Probe {
		if err := s.warnOfProbe(); err != nil {
			return err
		}
	}
	e, ok := strategy.(search.Explainer)
	if !ok {
		return nil
	}
	notes := e.Notes()
	if !strategy.Done() {
		notes = append(notes, "ended by the study's budget")
	}
	return s.ledger.Note(strategy.Name(), notes)
}

// scoreBase scores the base, before any strategy.
func (s *session) scoreBase(ctx context.Context) error {
	number := s.next
	s.takeTurn(number)
	defer s.mu.Unlock()
	_, err := s.scoreOne(ctx, number, s.baseCandidate())
	return err
}

// scoreOne tries a candidate and translates what came out for the strategies. The
// caller has mu.
func (s *session) scoreOne(ctx context.Context, number int, c candidate) (search.Trial, error) {
	replayed := number < len(s.past) && s.past[number].State != results.Running
	t, err := s.try(ctx, number, c)
	if err != nil {
		return search.Trial{}, err
	}
	s.trials[number] = t
	defer func() { s.reportProgress(t, replayed) }()
	if t.State == results.Failed {
		return search.Trial{State: search.StateFailed, Err: errors.New(t.Reason)}, nil
	}
	outcomes, err := s.outcomes(t.Of, results.Search)
	if err != nil {
		return search.Trial{}, err
	}
	s.answered[t.Of] = len(outcomes)
	if was, ok := s.stopped[t.Of]; ok && s.trials[t.Of].State == results.Pruned {
		s.stoppedByKey[t.Key] = t.Of
		return search.Trial{State: search.StatePruned, Categories: categories(was.Categories), Items: items(outcomes)}, nil
	}
	s.byKey[t.Key] = t.Of
	if err := s.startKeeping(c.strategy); err != nil {
		return search.Trial{}, err
	}
	summary := eval.Summarize(outcomes)
	score, err := summary.Aggregate(s.config.Objective.Weights)
	if err != nil {
		return search.Trial{State: search.StateFailed, Err: err}, nil
	}
	s.scores[t.Of] = score - s.keeper.penalty(outcomes)
	return search.Trial{
		State: search.StateComplete, Score: s.scores[t.Of], Categories: categories(summary.Categories), Items: items(outcomes),
	}, nil
}

func (s *session) outcomes(trial int, split string) ([]eval.Outcome, error) {
	o, err := s.ledger.Outcomes(trial, split)
	return fromLedger(o), err
}

// reportProgress says how far the search is and what is best. Answers from the
// ledger took no time and tell nothing about the rate.
func (s *session) reportProgress(t results.Trial, replayed bool) {
	if best := s.complete(); len(best) > 0 {
		s.progress.Best(100*best[0].search, best[0].label)
	}
	if replayed || t.State == results.Cached {
		s.progress.Skip()
		return
	}
	s.progress.Done()
	s.announceFirst(t)
}
