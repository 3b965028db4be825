package search

import (
	"slices"
	"testing"
)

// A strategy that learns from where its points were must not be misled by a caller
// that writes over the weights it was given.
func TestStagesOwnTheirPoints(t *testing.T) {
	var seen []float64
	s := newStages("learner", func(done []Trial) []Point {
		if len(done) == 0 {
			return []Point{{Weights: [][]float64{{0.25, 0.75}}}}
		}
		seen = done[0].Point.Weights[0]
		return nil
	})
	p := s.Ask(1)[0]
	clear(p.Weights[0])
	s.Tell([]Trial{{Point: p, State: StateComplete}})
	if !s.Done() || !slices.Equal(seen, []float64{0.25, 0.75}) {
		t.Errorf("the strategy sees %v", seen)
	}
}

func TestStagesNotesAreACopy(t *testing.T) {
	s := newStages("noter", nil)
	s.note("%d is %s", 1, "one")
	s.Notes()[0] = ""
	if got := s.Notes()[0]; got != "1 is one" {
		t.Errorf("note %q", got)
	}
}
