package study

import (
	"soup/eval"
	"soup/results"
)

// requireGain compares the winner with the best single parent on test.
func (s *session) requireGain() error {
	w, ok, err := s.ledger.Winner()
	if err != nil {
		return err
	}
	single, _, found := bestProposal(s.trials, "single", s.searchScore)
	if !ok || !found || parentsUsed(s.trials[w.Trial].Weights) == 1 {
		return ErrNoGain
	}
	a, err := s.outcomes(w.Trial, results.Test)
	if err != nil {
		return err
	}
	b, err := s.outcomes(single, results.Test)
	if err != nil {
		return err
	}
	if eval.CompareWeighted(a, b, s.config.Objective.Weights).Verdict != eval.Better {
		return ErrNoGain
	}
	return nil
}
