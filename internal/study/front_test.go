package study

import (
	"slices"
	"testing"

	"soup/results"
)

func TestFront(t *testing.T) {
	candidate := func(trial, call, sort int, single bool) runner {
		return runner{
			results.FrontPoint{Trial: trial, Scores: []float64{float64(call) / 20, float64(sort) / 20}},
			slices.Concat(scoredItems("call", 20, call), scoredItems("sort", 20, sort)), single,
		}
	}
	f := front([]string{"call", "sort"}, []runner{
		candidate(0, 18, 2, true), candidate(1, 4, 16, true), candidate(2, 14, 14, false),
		candidate(3, 13, 14, false), // an item below trial 2: near it
		candidate(4, 4, 4, false),   // far below
	})
	var trials, open []int
	for _, p := range f.Points {
		trials = append(trials, p.Trial)
		if p.Open {
			open = append(open, p.Trial)
		}
	}
	if !slices.Equal(trials, []int{0, 2, 3, 1}) || !slices.Equal(open, []int{3}) || f.Near != 1 || !slices.Equal(f.Reference, []float64{0.2, 0.1}) {
		t.Errorf("%+v", f)
	}
	if !(f.Hypervolume > f.OfParents) {
		t.Errorf("%+v", f)
	}
}

func TestBuildFront(t *testing.T) {
	file := finishedStudy(t)
	f, err := BuildFront(t.Context(), DefaultDir(file), []string{"arith", "sort"})
	if err != nil || len(f.Points) == 0 {
		t.Errorf("%+v %v", f, err)
	}
	for _, categories := range [][]string{{"arith"}, {"arith", "poetry"}} {
		if _, err := BuildFront(t.Context(), DefaultDir(file), categories); err == nil {
			t.Errorf("%v is no error", categories)
		}
	}
}
