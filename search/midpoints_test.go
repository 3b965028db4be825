package search

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// ends scores what a function makes of the set of parents in a soup, with a
// category for each of two skills.
func ends(score func(parents string) (x, y float64)) Objective {
	return func(_ context.Context, p Point) (Trial, error) {
		names := ""
		for i, w := range p.Weights[0] {
			if w > 0 {
				names += string(rune('a' + i))
			}
		}
		x, y := score(names)
		return Trial{State: StateComplete, Score: (x + y) / 2, Categories: map[string]Category{"x": {Mean: x, SE: 0.01, N: 100}, "y": {Mean: y, SE: 0.01, N: 100}}}, nil
	}
}

func TestMidpointsJudge(t *testing.T) {
	// c lies behind a barrier from both; d is as a but worse at both skills.
	f := ends(func(parents string) (float64, float64) {
		switch parents {
		case "a":
			return 0.8, 0.5
		case "b":
			return 0.5, 0.8
		case "c":
			return 0.7, 0.9
		case "d":
			return 0.3, 0.5
		case "ac", "bc", "cd":
			return 0.1, 0.1
		case "ad", "bd":
			return 0.4, 0.5
		}
		return 0.8, 0.8
	})
	s, r := search(t, "midpoints", nil, letters(4), 1, f)
	if len(r.Trials) != 10 || !s.Done() {
		t.Errorf("%d trials", len(r.Trials))
	}
	notes := strings.Join(s.(Explainer).Notes(), "\n")
	for _, want := range []string{
		"barrier between a and c: their midpoint is 0.6250 below",
		"barrier between b and c:",
		"d may add nothing: c is as good or better in every category, and half of d costs it 0.7000",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	for _, unwanted := range []string{"between a and b", "a may add nothing", "c may add nothing"} {
		if strings.Contains(notes, unwanted) {
			t.Errorf("notes have %q:\n%s", unwanted, notes)
		}
	}
}

func TestMidpointsWithoutBarrier(t *testing.T) {
	s, _ := search(t, "midpoints", nil, letters(3), 1, ends(func(parents string) (float64, float64) { return float64(len(parents)), 0 }))
	if notes := s.(Explainer).Notes(); len(notes) != 1 || notes[0] != "no barrier between any two parents" {
		t.Errorf("%q", notes)
	}
}

func TestMidpointsRefuse(t *testing.T) {
	low := letters(3)
	low.Min = 0.1
	for _, space := range []Space{letters(1), low} {
		if _, err := New("midpoints", nil, space, 1); !errors.Is(err, ErrSpace) {
			t.Errorf("%+v: %v", space, err)
		}
	}
	if _, err := New("midpoints", map[string]any{"budget": 9}, letters(4), 1); err == nil || !strings.Contains(err.Error(), "10 points") {
		t.Errorf("budget: %v", err)
	}
}
