package search

import (
	"math"
	"testing"
)

// tradeOff is a world of two parents in which "new" grows with the weight of the
// second, and "old" falls with it, all of it near the end.
func tradeOff(p Point) Trial {
	w := p.Weights[0][1]
	mean := func(v float64) Category { return Category{Mean: v, N: 2000, SE: math.Sqrt(v * (1 - v) / 2000)} }
	c := map[string]Category{"new": mean(0.2 + 0.6*w), "old": mean(0.8 - 0.4*w*w)}
	return Trial{State: StateComplete, Score: c["new"].Mean, Categories: c}
}

// With only "new" counting, the best soup that loses at most 0.1 of "old" has a
// weight of 0.5 for the second parent.
func TestModelsKeepWhatTheyMust(t *testing.T) {
	for _, name := range []string{"gp", "auto"} {
		for _, parent := range []int{BestParent, 0} {
			space := Space{Parents: []string{"old", "new"}, Aggregate: map[string]float64{"new": 1}, Keep: []Keep{{"old", parent, 0.1}}}
			s, err := New(name, map[string]any{"budget": 15}, space, 1)
			if err != nil {
				t.Fatal(err)
			}
			for !s.Done() {
				var told []Trial
				for _, p := range s.Ask(1) {
					trial := tradeOff(p)
					trial.Point = p
					told = append(told, trial)
				}
				s.Tell(told)
			}
			p, ok := s.(Recommender).Recommended()
			if w := p.Weights[0][1]; !ok || w < 0.35 || w > 0.56 {
				t.Errorf("%s, of parent %d: recommends %v of the new parent, want about 0.5", name, parent, w)
			}
		}
	}
}

func TestFloors(t *testing.T) {
	space := Space{Parents: []string{"a", "b"}, Keep: []Keep{{"x", BestParent, 0.1}, {"y", 0, 0}, {"z", BestParent, 0}}}
	space, err := space.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var done []Trial
	for i, p := range space.singles() {
		done = append(done, Trial{Point: p, State: StateComplete, Categories: map[string]Category{
			"x": {Mean: 0.5 + 0.1*float64(i)}, "y": {Mean: 0.3 + 0.1*float64(i)},
		}})
	}
	done = append(done, Trial{Point: space.equal("", space.all()), State: StateComplete, Categories: map[string]Category{"x": {Mean: 0.9}}})
	got := space.floors(done)
	if len(got) != 2 || math.Abs(got["x"]-0.5) > 1e-12 || got["y"] != 0.3 {
		t.Errorf("%v", got)
	}
	if _, err := (Space{Parents: []string{"a"}, Keep: []Keep{{"x", 1, 0}}}).WithDefaults(); err == nil {
		t.Error("a parent that is not there is no error")
	}
}
