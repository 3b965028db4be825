package search

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// byGroup has its optimum at other weights in each group.
func byGroup(optima ...[]float64) Objective {
	return func(_ context.Context, p Point) (Trial, error) {
		t := Trial{State: StateComplete, Score: 1}
		for g, row := range p.Weights {
			for i, w := range row {
				t.Score -= (w - optima[g][i]) * (w - optima[g][i]) / float64(len(p.Weights))
			}
		}
		return t, nil
	}
}

// The best soup with the same weights everywhere is at 0.5 and 0.5, with 0.88; by
// group there is one with 1.
func TestLayerwiseMovesGroups(t *testing.T) {
	f := byGroup([]float64{0.8, 0.2, 0}, []float64{0.5, 0.5, 0}, []float64{0.2, 0.8, 0})
	s, r := search(t, "layerwise", nil, letters(3, "x", "y", "z"), 1, f)
	if got := r.Best.Score; got < 0.999 {
		t.Errorf("best %s: %v", r.Best.Point.Label, got)
	}
	if p := recommended(t, s); Key(p) != Key(r.Best.Point) {
		t.Errorf("recommends %s", p.Label)
	}
	notes := strings.Join(s.(Explainer).Notes(), "\n")
	for _, want := range []string{"starts at b: 0.3800", "moves groups from", "goes on from layerwise x: ", "no group gains more than noise: steps of 0.15"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes have no %q:\n%s", want, notes)
		}
	}
}

// What groups could gain here is less than the standard error.
func TestLayerwiseKeepsToNoise(t *testing.T) {
	f := withSE(byGroup([]float64{0.55, 0.45}, []float64{0.45, 0.55}), 0.02)
	s, r := search(t, "layerwise", nil, letters(2, "x", "y"), 1, f)
	p := recommended(t, s)
	if p.Weights[0][0] != p.Weights[1][0] {
		t.Errorf("recommends %s", p.Label)
	}
	if different := r.Trials[len(r.Trials)-1].Point; different.Weights[0][0] == different.Weights[1][0] {
		t.Error("it has not even tried to move a group")
	}
}

func TestLayerwiseWithOneGroup(t *testing.T) {
	f := peaked(0.5, 0, 0.3, 0.2)
	s, r := search(t, "layerwise", nil, letters(4), 1, f)
	_, want := search(t, "coordinate", nil, letters(4), 1, f)
	without := slices.Delete(slices.Clone(r.Trials), 4, 5) // uniform is the fifth
	if Key(r.Trials[4].Point) != "0.25,0.25,0.25,0.25" || len(without) != len(want.Trials) {
		t.Fatalf("%d points; want %d and uniform", len(r.Trials), len(want.Trials))
	}
	for i, trial := range without {
		if Key(trial.Point) != Key(want.Trials[i].Point) {
			t.Errorf("point %d is %s; want %s", i, trial.Point.Label, want.Trials[i].Point.Label)
		}
	}
	if notes := s.(Explainer).Notes(); notes[len(notes)-1] != "there is one group: the same as coordinate" {
		t.Errorf("notes %q", notes)
	}
}

// With hardly any points for a start it begins at the best of what it has: uniform.
func TestLayerwiseStart(t *testing.T) {
	s, r := search(t, "layerwise", map[string]any{"start": 4, "budget": 12}, letters(3, "x", "y"), 1, peaked(0.3, 0.4, 0.3))
	if notes := s.(Explainer).Notes(); !strings.Contains(strings.Join(notes, "\n"), "moves groups from uniform") {
		t.Errorf("notes %q", notes)
	}
	if len(r.Trials) != 12 {
		t.Errorf("%d points", len(r.Trials))
	}
}

func TestLayerwiseWithoutScores(t *testing.T) {
	_, r := search(t, "layerwise", nil, letters(3, "x", "y"), 1, func(context.Context, Point) (Trial, error) {
		return Trial{State: StatePruned}, nil
	})
	if len(r.Trials) != 4 {
		t.Errorf("%d points", len(r.Trials))
	}
}
