package search

import (
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// auto asks what the baselines ask first, and the vote once the parents are known.
func TestAutoBeginsWithTheBaselines(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c", "d"}}
	try := sampled([]float64{0.4, 0.4, 0.2, 0}, 2, 200)
	var want []string
	for _, name := range Baselines() {
		for _, trial := range chase(t, mustNew(t, name, nil, space), try, 1) {
			if key := Key(trial.Point); !slices.Contains(want, key) {
				want = append(want, key)
			}
		}
	}
	trials := chase(t, mustNew(t, "auto", map[string]any{"budget": 12}, space), try, 1)
	var got []string
	for _, trial := range trials[:len(want)+1] {
		got = append(got, Key(trial.Point))
	}
	for _, key := range want {
		if !slices.Contains(got, key) {
			t.Errorf("%s is not among the first points, %v", key, got)
		}
	}
	if got[5] == want[4] || !strings.HasPrefix(trials[5].Point.Label, "auto vote") {
		t.Errorf("after the parents and the uniform soup comes %s, not the vote", trials[5].Point.Label)
	}
	if len(trials) <= len(want) {
		t.Errorf("%d points: nothing beyond the %d of the baselines", len(trials), len(want))
	}
}

// auto says why it stops: the budget, or that there is nothing to gain.
func TestAutoSaysWhyItStops(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c"}}
	flat := func(p Point) Trial {
		trial := Trial{Point: p, State: StateComplete, Score: 0.5, Categories: map[string]Category{"x": {Mean: 0.5, SE: 0.01, N: 2500}}}
		return trial
	}
	for _, c := range []struct {
		budget int
		try    func(Point) Trial
		why    string
		most   int
	}{
		{9, sampled([]float64{0.5, 0.3, 0.2}, 2, 300), "are the budget", 9},
		{60, flat, "below the noise", 40},
		{60, func(p Point) Trial { return Trial{Point: p, State: StateFailed} }, "nothing to learn from", 10},
	} {
		s := mustNew(t, "auto", map[string]any{"budget": c.budget}, space)
		trials := chase(t, s, c.try, 1)
		if len(trials) > c.most {
			t.Errorf("%s: %d points", c.why, len(trials))
		}
		if notes := strings.Join(s.(Explainer).Notes(), "\n"); !strings.Contains(notes, c.why) {
			t.Errorf("after %d points the notes do not say %q:\n%s", len(trials), c.why, notes)
		}
	}
}

// A parent that spoils every soup does not keep auto from the best of the others.
func TestAutoLeavesOutABadParent(t *testing.T) {
	good := sampled([]float64{0.5, 0.3, 0.2, 0}, 2, 300)
	try := func(p Point) Trial {
		w := slices.Clone(p.Weights[0])
		w[3] *= 4
		trial := good(Point{Weights: [][]float64{w}})
		trial.Point = p
		return trial
	}
	s := mustNew(t, "auto", map[string]any{"budget": 20}, Space{Parents: []string{"a", "b", "c", "bad"}})
	chase(t, s, try, 1)
	p, ok := s.(Recommender).Recommended()
	if !ok || floats.Distance(p.Weights[0], []float64{0.5, 0.3, 0.2, 0}, 2) > 0.2 {
		t.Errorf("recommends %v", p.Weights)
	}
}

// Once equal shares of the best parents are worse than the best alone, only parents
// that the vote leaves out are still added.
func TestAutoCutsGreedyShort(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c", "bad"}}
	own := map[string][]float64{"x": {0.9, 0.5, 0.5, 0.1}, "y": {0.5, 0.8, 0.5, 0.1}, "z": {0.5, 0.5, 0.7, 0.1}}
	try := func(p Point) Trial {
		trial := Trial{Point: p, State: StateComplete, Categories: map[string]Category{}}
		for name, means := range own {
			mean := 0.3
			if i := slices.Index(p.Weights[0], 1); i >= 0 {
				mean = means[i]
			}
			trial.Categories[name] = Category{Mean: mean, SE: 0.05, N: 100}
			trial.Score += mean / 3
		}
		return trial
	}
	var steps []string
	for _, trial := range chase(t, mustNew(t, "auto", map[string]any{"budget": 10}, space), try, 1) {
		if strings.HasPrefix(trial.Point.Label, "greedy") {
			steps = append(steps, trial.Point.Label)
		}
	}
	if want := []string{"greedy: a+b", "greedy: a+bad"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}
