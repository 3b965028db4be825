package study

import (
	"context"
	"fmt"
	"maps"

	"soup/eval"
	"soup/results"
)

// CompareWinners sets the winners of two finished studies against each other on
// the test items; false if they were not judged alike: by the same items and
// the same weights of categories.
func CompareWinners(dir, other string) (results.Difference, bool, error) {
	a, err := readJudged(dir)
	if err != nil {
		return results.Difference{}, false, err
	}
	b, err := readJudged(other)
	if err != nil || a.items != b.items || !maps.Equal(a.weights, b.weights) {
		return results.Difference{}, false, err
	}
	return difference(eval.CompareWeighted(a.outcomes, b.outcomes, a.weights)), true, nil
}

// judged is a winner with what it was judged by.
type judged struct {
	outcomes []eval.Outcome
	items    string // identity of the study's items
	weights  map[string]float64
}

func readJudged(dir string) (j judged, err error) {
	ledger, err := openForReading(dir)
	if err != nil {
		return j, err
	}
	defer ledger.Close()
	b, err := newReporter(dir, ledger)
	if err != nil {
		return j, err
	}
	if b.winner == nil {
		return j, fmt.Errorf("%s: the study is not finished", dir)
	}
	for _, s := range b.study.Settings {
		if s.Name == itemsSetting {
			j.items = s.Value
		}
	}
	j.weights = b.weights
	j.outcomes, err = b.outcomes(b.winner.Trial, results.Test)
	return j, err
}

// CompareTrials sets two trials of one study against each other on test; the
// verdict is "" where one has no score there.
func CompareTrials(ctx context.Context, dir string, of, against int) (results.Difference, error) {
	if err := ctx.Err(); err != nil {
		return results.Difference{}, err
	}
	ledger, err := openForReading(dir)
	if err != nil {
		return results.Difference{}, err
	}
	defer ledger.Close()
	b, err := newReporter(dir, ledger)
	if err != nil {
		return results.Difference{}, err
	}
	c, err := b.compare("", of, "", against)
	if err != nil || c == nil {
		return results.Difference{}, err
	}
	return c.Difference, nil
}
