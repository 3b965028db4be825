package study

import (
	"context"

	"soup/eval"
	"soup/results"
)

// scoring returns how a candidate's score on a split is computed from its
// outcomes; weights are those of the categories in the objective.
func scoring(weights map[string]float64) func([]results.Outcome) results.Score {
	return func(outcomes []results.Outcome) results.Score {
		s := eval.Summarize(fromLedger(outcomes))
		score := results.Score{Counts: results.Counts(s.Counts), Categories: categoryScores(s.Categories)}
		if mean, err := s.Aggregate(weights); err == nil {
			score.Mean = &mean
			if len(weights) == 0 && s.ErrorKnown() {
				score.SE = &s.SE
			}
		}
		return score
	}
}

func categoryScores(means map[string]eval.Category) map[string]results.CategoryScore {
	scores := map[string]results.CategoryScore{}
	for name, c := range means {
		cs := results.CategoryScore{Counts: results.Counts(c.Counts)}
		if c.N > 0 {
			cs.Mean = &c.Mean
		}
		if c.Units > 1 {
			cs.SE = &c.SE
		}
		scores[name] = cs
	}
	return scores
}

// keepScores has the ledger keep the scores of what has been asked since, so
// that reports need not compute them. Where ctx has ended, the next run does it.
func (s *session) keepScores(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	return fatal(s.ledger.UpdateScores(ctx, scoring(s.config.Objective.Weights)))
}
