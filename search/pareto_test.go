package search

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFront(t *testing.T) {
	points := [][]float64{{1, 3}, {2, 2}, {1, 2}, {3, 1}, {2, 2}, {0, 4}}
	if got := Front(points); !slices.Equal(got, []int{0, 1, 3, 4, 5}) {
		t.Errorf("%v", got)
	}
	if Front(nil) != nil {
		t.Error("nothing has a front")
	}
}

func TestHypervolume(t *testing.T) {
	// Three steps of a stair: 3x1 + 2x1 + 1x1.
	if got := Hypervolume([][]float64{{1, 3}, {2, 2}, {3, 1}, {1, 1}}, []float64{0, 0}); got != 6 {
		t.Errorf("%v", got)
	}
	if got := Hypervolume([][]float64{{2, 3, 4}, {5, 1, 1}}, []float64{1, 0, 0}); got != 12+4-1 {
		t.Errorf("%v", got)
	}
	if got := Hypervolume([][]float64{{2, -1}}, []float64{0, 0}); got != 0 {
		t.Errorf("%v", got)
	}
}

// On points with whole coordinates the volume is the number of unit cells that
// some point covers.
func TestHypervolumeCountsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, side := rapid.IntRange(1, 4).Draw(t, "objectives"), 4
		row := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, side), func(n int) float64 { return float64(n) }), d, d)
		points := rapid.SliceOfN(row, 0, 8).Draw(t, "points")
		want := 0.0
		for cell := range int(math.Pow(float64(side), float64(d))) {
			corner, rest := make([]float64, d), cell
			for k := range corner {
				corner[k], rest = float64(rest%side+1), rest/side
			}
			covers := func(p []float64) bool { return slices.Equal(p, corner) || dominates(p, corner) }
			if slices.ContainsFunc(points, covers) {
				want++
			}
		}
		if got := Hypervolume(points, make([]float64, d)); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}
