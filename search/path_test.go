package search

import (
	"errors"
	"math"
	"testing"
)

func TestPathFindsThePeak(t *testing.T) {
	for _, c := range []struct {
		space   Space
		optimum []float64
		trials  int
	}{
		{letters(2), []float64{0.7, 0.3}, 9},
		{letters(2), []float64{1, 0}, 7},
		{letters(3), []float64{0.2, 0.3, 0.5}, 40},
	} {
		s, r := search(t, "path", nil, c.space, 1, peaked(c.optimum...))
		for i, w := range r.Best.Point.Weights[0] {
			if math.Abs(w-c.optimum[i]) > 0.0625 {
				t.Errorf("%v: best is %v", c.optimum, r.Best.Point.Weights)
			}
		}
		if len(r.Trials) > c.trials || len(s.(Explainer).Notes()) == 0 {
			t.Errorf("%v: %d trials, want at most %d; notes %q", c.optimum, len(r.Trials), c.trials, s.(Explainer).Notes())
		}
	}
}

// Beyond the parents only where the weights may go there.
func TestPathExtrapolates(t *testing.T) {
	beyond := []float64{1.4, -0.4}
	_, r := search(t, "path", nil, letters(2), 1, peaked(beyond...))
	if w := r.Best.Point.Weights[0][0]; w != 1 {
		t.Errorf("within the parents: best at %v", w)
	}
	space := letters(2)
	space.Min, space.Max = -0.5, 1.5
	_, r = search(t, "path", map[string]any{"finest": 0.1}, space, 1, peaked(beyond...))
	if w := r.Best.Point.Weights[0][0]; math.Abs(w-1.4) > 0.07 {
		t.Errorf("extrapolating: best at %v", w)
	}
}

func TestPathRefuses(t *testing.T) {
	for _, n := range []int{1, 4} {
		if _, err := New("path", nil, letters(n), 1); !errors.Is(err, ErrSpace) {
			t.Errorf("%d parents: %v", n, err)
		}
	}
	if _, err := New("path", map[string]any{"step": 0.1, "finest": 0.2}, letters(2), 1); err == nil || errors.Is(err, ErrSpace) {
		t.Errorf("finest above step: %v", err)
	}
}

func TestPathKeepsToTheBudget(t *testing.T) {
	s, r := search(t, "path", map[string]any{"budget": 7}, letters(3), 1, peaked(0.2, 0.3, 0.5))
	if len(r.Trials) != 7 || !s.Done() {
		t.Errorf("%d trials", len(r.Trials))
	}
}
