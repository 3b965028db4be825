package study

import (
	"context"
	"errors"
	"fmt"

	"soup/eval"
	"soup/results"
)

// failuresInARow candidates that cannot be scored stop a study, unless one that
// was scored before can be asked again: then it is not the server that is at
// fault. Until that is known, failures stay open in the ledger, so that a study
// whose server was down tries them again.
const failuresInARow = 3

// fail notes that a candidate could not be scored. Broken weights are its own
// fault; anything else may be the server's.
func (s *session) fail(ctx context.Context, t results.Trial, err error) (results.Trial, error) {
	t.State, t.Reason, t.Failure = results.Failed, oneLine(err.Error()), eval.FailureKind(err)
	s.warn(fmt.Sprintf("candidate %d (%s) failed: %s", t.Number, t.Label, t.Reason))
	if errors.Is(err, eval.ErrNotNumbers) || s.fleet != nil { // several machines have tried
		return t, s.ledger.Finish(t)
	}
	s.pending = append(s.pending, t)
	many := len(s.pending) >= failuresInARow
	if (many || errors.Is(err, errKilled) || errors.Is(err, errLate)) && s.isWell(ctx, !many) {
		return t, s.settle()
	}
	if ctx.Err() != nil {
		return t, ctx.Err()
	}
	if many {
		return t, fmt.Errorf("%d candidates in a row could not be scored, the last: %w", len(s.pending), err)
	}
	return t, nil
}

// settle records the failures before a candidate that was scored: the server
// is well, so they were at fault.
func (s *session) settle() (failed error) {
	for _, t := range s.pending {
		failed = errors.Join(failed, s.ledger.Finish(t))
	}
	s.pending = nil
	return failed
}

// isWell says whether the server can load and answer as the best candidate so
// far. Where none was scored yet it asks a parent, if that will do.
func (s *session) isWell(ctx context.Context, parent bool) bool {
	if scored := s.complete(); len(scored) > 0 {
		return s.answers(ctx, scored[0].candidate)
	}
	return parent && s.answers(ctx, s.parents()[0])
}

// answers loads a candidate and asks it the first item of the search.
func (s *session) answers(ctx context.Context, c candidate) bool {
	_, err := s.inTime(ctx, func(ctx context.Context) (spent, error) {
		if took, err := s.load(ctx, c); err != nil {
			return took, err
		}
		return spent{}, eval.Run(ctx, s.server, s.set.Search[:1], s.askOptions(nil), func(o []eval.Outcome) error {
			if o[0].Failure != "" { // an item that nobody can answer has none
				return errors.New(o[0].Error)
			}
			return nil
		})
	})
	return err == nil
}
