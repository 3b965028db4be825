package study

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"soup/results"
)

// finalist is a candidate that is scored on the selection split.
type finalist struct {
	candidate
	trial  int
	search float64
}

// finish chooses the winner on the selection split, exports it, loads it again
// from the export and scores it, and what it is compared with, on test.
func (s *session) finish(ctx context.Context) error {
	if err := s.settle(); err != nil {
		return err
	}
	finalists := s.finalists()
	if len(finalists) == 0 {
		return errors.New("no candidate could be scored")
	}
	s.progress.Phase(SelectionPhase, len(finalists))
	if err := s.divide(ctx, results.Selection, len(finalists), s.set.Selection); err != nil {
		return err
	}
	err := s.scoreFinalists(ctx, finalists, func(f finalist) error {
		_, err := s.scoreSelection(ctx, f.trial, f.candidate, s.set.Selection)
		return err
	})
	if err != nil {
		return err
	}
	winner, reason, err := s.choose(finalists)
	if err != nil {
		return err
	}
	rows := s.tested()
	s.progress.Phase(TestPhase, len(rows)+1)
	if err := s.deliver(ctx, winner, reason); err != nil {
		return err
	}
	s.progress.Done()
	rows = slices.DeleteFunc(rows, func(f finalist) bool { return f.trial == winner.trial })
	if err := s.divide(ctx, results.Test, len(rows), s.set.Test); err != nil {
		return err
	}
	return s.scoreFinalists(ctx, rows, func(f finalist) error {
		if s.fleet != nil {
			_, err := s.fleet.score(ctx, f.trial, results.Test, f.candidate, nil)
			return err
		}
		load := func(ctx context.Context) (spent, error) { return s.load(ctx, f.candidate) }
		_, err := s.scoreTest(ctx, f.trial, s.set.Test, load)
		return err
	})
}

// scoreFinalists scores one after the other, or all at once where there are workers
// for them.
func (s *session) scoreFinalists(ctx context.Context, list []finalist, score func(finalist) error) error {
	all, within := errgroup.WithContext(ctx)
	all.SetLimit(s.ahead())
	for _, f := range list {
		all.Go(func() error {
			if err := within.Err(); err != nil { // one of them ended the study
				return err
			}
			return s.scoreFinalist(ctx, f, func() error { return score(f) })
		})
	}
	return all.Wait()
}

// scoreFinalist scores one of several: if it cannot be scored, the others can.
func (s *session) scoreFinalist(ctx context.Context, f finalist, score func() error) error {
	s.progress.Candidate(f.trial, f.strategy, f.label)
	err := score()
	s.progress.Done()
	if err == nil || ctx.Err() != nil || errors.Is(err, errFatal) {
		return errors.Join(err, ctx.Err())
	}
	s.warn(fmt.Sprintf("trial %d (%s) could not be scored: %s", f.trial, f.label, oneLine(err.Error())))
	return nil
}

// complete are the trials that hold a search score, best first; of equal scores
// the earlier one comes first.
func (s *session) complete() []finalist {
	var all []finalist
	for _, t := range s.trials {
		if score, ok := s.scores[t.Number]; ok && t.State == results.Complete {
			all = append(all, finalist{candidate{t.Strategy, t.Label, t.Weights, t.Key}, t.Number, score})
		}
	}
	slices.SortStableFunc(all, func(a, b finalist) int {
		switch {
		case a.search > b.search:
			return -1
		case a.search < b.search:
			return 1
		}
		return 0
	})
	return all
}

// searchScore is the search score of a trial that holds one.
func (s *session) searchScore(trial int) (float64, bool) {
	score, ok := s.scores[trial]
	return score, ok
}

// representatives are the rows of the report: the best proposal, by search, of
// every strategy, and the base.
func (s *session) representatives() []finalist {
	byNumber := map[int]finalist{}
	for _, f := range s.complete() {
		byNumber[f.trial] = f
	}
	var rows []finalist
	for _, name := range strategiesIn(s.trials) {
		best, _, ok := bestProposal(s.trials, name, s.searchScore)
		if ok && !slices.ContainsFunc(rows, func(f finalist) bool { return f.trial == best }) {
			rows = append(rows, byNumber[best])
		}
	}
	return rows
}

// tested are what the winner is compared with on test: the representatives and
// every parent; and the points of a plane, for the picture.
func (s *session) tested() []finalist {
	rows, plane := s.representatives(), onPlane(s.trials)
	for _, f := range s.complete() {
		if (f.strategy == singleStrategy || plane[f.trial]) && !slices.ContainsFunc(rows, func(g finalist) bool { return g.trial == f.trial }) {
			rows = append(rows, f)
		}
	}
	return rows
}

// finalists are the representatives, what strategies recommend, the best few on
// search, and the parents that must be kept up with.
func (s *session) finalists() []finalist {
	list := s.representatives()
	for i, f := range s.complete() {
		if i >= s.config.Finalists && !slices.Contains(s.advised, f.trial) && !slices.Contains(s.keeper.references(), f.trial) {
			continue
		}
		if !slices.ContainsFunc(list, func(g finalist) bool { return g.trial == f.trial }) {
			list = append(list, f)
		}
	}
	return list
}
