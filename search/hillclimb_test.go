package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// caruana is ensemble selection with replacement, written down again as simply as
// possible: the score of the best bag of each size.
func caruana(f func([]float64) float64, parents, steps int) []float64 {
	bag, scores := make([]float64, parents), []float64{}
	for size := 1.0; size <= float64(steps); size++ {
		best, high := -1, math.Inf(-1)
		for i := range bag {
			row := slices.Clone(bag)
			row[i]++
			for k := range row {
				row[k] /= size
			}
			if y := f(row); y > high {
				best, high = i, y
			}
		}
		bag[best]++
		scores = append(scores, high)
	}
	return scores
}

func scoreOf(f Objective) func([]float64) float64 {
	return func(row []float64) float64 {
		t, _ := f(context.Background(), Point{Weights: [][]float64{row}})
		return t.Score
	}
}

// wavy is a bowl with dents, so that steps get worse on the way.
func wavy(optimum ...float64) Objective {
	bowl := peaked(optimum...)
	return func(ctx context.Context, p Point) (Trial, error) {
		t, err := bowl(ctx, p)
		for _, w := range p.Weights[0] {
			t.Score -= 0.02 * math.Abs(math.Sin(20*w))
		}
		return t, err
	}
}

func TestHillclimbIsEnsembleSelection(t *testing.T) {
	for _, f := range []Objective{peaked(0.6, 0.4, 0), peaked(0.15, 0.35, 0.5), wavy(0.2, 0.3, 0.5)} {
		s, r := search(t, "hillclimb", map[string]any{"patience": 12, "steps": 12}, letters(3), 1, f)
		want := caruana(scoreOf(f), 3, 12)
		if got := r.Best.Score; math.Abs(got-slices.Max(want)) > 1e-5 {
			t.Errorf("best %v (%s); want %v", got, r.Best.Point.Label, slices.Max(want))
		}
		for step, note := range s.(Explainer).Notes() {
			if !strings.Contains(note, fmt.Sprintf("step %d ", step+1)) || !strings.Contains(note, fmt.Sprintf(": %.4f,", want[step])) {
				t.Errorf("note %q; want score %.4f", note, want[step])
			}
		}
		if n := len(s.(Explainer).Notes()); n != 12 {
			t.Errorf("%d steps", n)
		}
	}
}

// Weights in fifths: five steps come to the optimum exactly.
func TestHillclimbFindsMultiples(t *testing.T) {
	_, r := search(t, "hillclimb", nil, letters(4), 1, peaked(0.6, 0, 0.4, 0))
	if Key(r.Best.Point) != "0.6,0,0.4,0" {
		t.Errorf("best is %s", r.Best.Point.Label)
	}
}

func TestHillclimbLosesPatience(t *testing.T) {
	for patience := 1; patience < 4; patience++ {
		s, _ := search(t, "hillclimb", map[string]any{"patience": patience}, letters(3), 1, peaked(1, 0, 0))
		if n := len(s.(Explainer).Notes()); n != 1+patience {
			t.Errorf("patience %d: %d steps; want the parent and %d that are not better", patience, n, patience)
		}
	}
}

func TestHillclimbBudgetGrows(t *testing.T) {
	_, few := search(t, "hillclimb", map[string]any{"budget": 9}, letters(3), 1, peaked(0.2, 0.3, 0.5))
	_, many := search(t, "hillclimb", nil, letters(3), 1, peaked(0.2, 0.3, 0.5))
	if len(few.Trials) != 9 || len(many.Trials) < 12 {
		t.Fatalf("%d and %d points", len(few.Trials), len(many.Trials))
	}
	for i, trial := range few.Trials {
		if Key(trial.Point) != Key(many.Trials[i].Point) {
			t.Errorf("point %d differs", i)
		}
	}
}
