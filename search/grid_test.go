package search_test

import (
	"testing"

	"soup/search"
)

func TestGridFindsLatticeOptimum(t *testing.T) {
	for _, optimum := range [][]float64{{0.5, 0.3, 0.2}, {0, 1, 0}, {0.1, 0, 0.9}} {
		r, err := search.Run(t.Context(), mustNew(t, "grid", nil, three), bowl(optimum...), search.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Trials) != 66 || search.Key(r.Best.Point) != search.Key(rows(optimum)) {
			t.Errorf("%d points, best %v; want 66, %v", len(r.Trials), r.Best.Point.Weights, optimum)
		}
	}
}

func TestGridOfGroups(t *testing.T) {
	space := search.Space{Parents: []string{"a", "b"}, Groups: []string{"x", "y"}}
	points := mustNew(t, "grid", map[string]any{"step": 0.5}, space).Ask(100)
	if len(points) != 9 {
		t.Fatalf("%d points", len(points))
	}
	if p := points[1]; p.Label != "grid x: 1 a; y: 0.5 a + 0.5 b" || search.Key(p) != "1,0;0.5,0.5" {
		t.Errorf("second is %s %v", p.Label, p.Weights)
	}
}

func TestGridExtrapolates(t *testing.T) {
	space := search.Space{Parents: []string{"a", "b"}, Min: -0.5, Max: 1.5}
	s := mustNew(t, "grid", map[string]any{"step": 0.5}, space)
	points := s.Ask(100)
	if len(points) != 5 || points[0].Label != "grid 1.5 a + -0.5 b" {
		t.Errorf("%d points, first %+v", len(points), points[0])
	}
}

// -0.3/0.1 is not quite -3, nor 1.1/0.1 quite 11.
func TestGridReachesItsBounds(t *testing.T) {
	for _, c := range []struct {
		min, max float64
		first    string
	}{{-0.3, 1.3, "1.3,-0.3"}, {-0.1, 1.1, "1.1,-0.1"}, {0.3, 0.7, "0.7,0.3"}} {
		points := mustNew(t, "grid", nil, search.Space{Parents: []string{"a", "b"}, Min: c.min, Max: c.max}).Ask(100)
		if got := search.Key(points[0]); got != c.first {
			t.Errorf("from %v to %v: first point %s; want %s", c.min, c.max, got, c.first)
		}
	}
}

func TestUniform(t *testing.T) {
	points := mustNew(t, "uniform", nil, search.Space{Parents: []string{"a", "b", "c", "d"}, Groups: []string{"x", "y"}}).Ask(10)
	if len(points) != 1 || points[0].Label != "uniform" || search.Key(points[0]) != "0.25,0.25,0.25,0.25;0.25,0.25,0.25,0.25" {
		t.Errorf("got %+v", points)
	}
}

func TestSingle(t *testing.T) {
	for i, p := range mustNew(t, "single", nil, search.Space{Parents: three.Parents, Sum: 2}).Ask(10) {
		if p.Label != three.Parents[i] || p.Weights[0][i] != 1 {
			t.Errorf("got %+v", p)
		}
	}
}
