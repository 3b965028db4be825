package plots

import (
	"slices"
	"testing"

	"soup/results"
)

func TestPathFigure(t *testing.T) {
	r := made(2, 12)
	se := 0.02
	h := &results.Path{From: "sft", To: "rl", Target: []string{"arith"}, Keep: []string{"call", "sort"}}
	for i := range 5 {
		h.Points = append(h.Points, results.PathPoint{At: float64(i) / 4, Trial: i, Target: results.PathScore{Mean: 0.5 + float64(i)/10, SE: &se}, Keep: results.PathScore{Mean: 0.8}})
	}
	h.Points[2].Trial = r.Winner.Trial
	r.Path = h
	all := texts(t, draw1(t, r, "path"))
	for _, want := range []string{"From sft to rl", "weight of rl", "arith", "to keep: call, sort", "winner"} {
		if !slices.Contains(all, want) {
			t.Errorf("no %q in %q", want, all)
		}
	}
}
