package search

import (
	"math"
	"slices"
	"testing"
)

// singlesWith are trials of parents with means by category.
func singlesWith(means ...map[string]float64) []Trial {
	var trials []Trial
	for _, m := range means {
		t := Trial{State: StateComplete, Categories: map[string]Category{}}
		for name, mean := range m {
			t.Categories[name] = Category{Mean: mean, N: 100}
		}
		trials = append(trials, t)
	}
	return trials
}

func TestVote(t *testing.T) {
	for _, c := range []struct {
		name      string
		aggregate map[string]float64
		singles   []Trial
		want      []float64 // nil: no vote
	}{
		{"experts, and one that is good at nothing", nil, singlesWith(
			map[string]float64{"x": 0.9, "y": 0.1}, map[string]float64{"x": 0.1, "y": 0.8}, map[string]float64{"x": 0.02, "y": 0.02},
		), []float64{0.5, 0.5, 0}},
		{"equals share", nil, singlesWith(map[string]float64{"x": 0.6}, map[string]float64{"x": 0.6}, map[string]float64{"x": 0.3}), []float64{0.5, 0.5, 0}},
		{"nine tenths of the best", nil, singlesWith(map[string]float64{"x": 0.8}, map[string]float64{"x": 0.72}), []float64{0.7, 0.3}},
		{"categories count what the objective says", map[string]float64{"x": 4, "y": 1}, singlesWith(
			map[string]float64{"x": 0.9, "y": 0.1}, map[string]float64{"x": 0.1, "y": 0.9},
		), []float64{0.8, 0.2}},
		{"all low", nil, singlesWith(map[string]float64{"x": 0.13}, map[string]float64{"x": 0.01}), []float64{1, 0}},
		{"nobody is right", nil, singlesWith(map[string]float64{"x": 0}, map[string]float64{"x": 0}), nil},
		{"no means", nil, singlesWith(map[string]float64{"x": math.NaN()}, map[string]float64{}), nil},
	} {
		var names []string
		for i := range c.singles {
			names = append(names, string(rune('a'+i)))
		}
		space, err := Space{Parents: names, Aggregate: c.aggregate}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		p, ok := space.vote(c.singles)
		if ok != (c.want != nil) {
			t.Errorf("%s: vote %v, %v", c.name, p.Weights, ok)
			continue
		}
		if ok && !slices.EqualFunc(p.Weights[0], c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: votes %v, want %v", c.name, p.Weights[0], c.want)
		}
	}
}
