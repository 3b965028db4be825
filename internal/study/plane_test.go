package study

import (
	"math"
	"slices"
	"strings"
	"testing"

	"soup/results"
	"soup/search"
)

func planeOf(t *testing.T, p plane, space search.Space) []search.Point {
	t.Helper()
	space, err := space.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newPlane(p, space)
	if err != nil {
		t.Fatal(err)
	}
	return s.Ask(1000)
}

func TestPlaneIsALattice(t *testing.T) {
	space := search.Space{Parents: []string{"a", "b", "c", "d", "e"}, Groups: []string{"x", "y"}}
	points := planeOf(t, plane{[]int{0, 2, 4}, 0.5}, space)
	var labels []string
	for _, p := range points {
		labels = append(labels, p.Label)
		if w := p.Weights[1]; len(p.Weights) != 2 || w[1] != 0 || w[3] != 0 || math.Abs(w[0]+w[2]+w[4]-1) > 1e-12 {
			t.Errorf("%s: %v", p.Label, p.Weights)
		}
	}
	want := []string{"uniform", "plane 1 a", "plane 0.5 a + 0.5 c", "plane 0.5 a + 0.5 e", "plane 1 c", "plane 0.5 c + 0.5 e", "plane 1 e"}
	if !slices.Equal(labels, want) {
		t.Errorf("%q", labels)
	}
	space.Min, space.Max, space.Groups = -0.5, 1.5, nil
	if n := len(planeOf(t, plane{[]int{0, 1, 2}, 0.5}, space)); n != 1+21-3 { // rows of three from -1 to 3 that sum to 2, in steps of 0.5: those from -1 on but for 4 in one place
		t.Errorf("%d points", n)
	}
}

func TestReadPlane(t *testing.T) {
	run := []string{"s1", "s2", "s3", "s4", "s5", "s6"}
	for _, c := range []struct {
		given   map[string]any
		parents []string
		run     bool
		corners []int
		wrong   string
	}{
		{nil, run, true, []int{0, 2, 5}, ""},
		{nil, run[:3], false, []int{0, 1, 2}, ""},
		{map[string]any{"parents": []any{"s6", "s2", "s1"}, "step": 0.1}, run, false, []int{5, 1, 0}, ""},
		{nil, run, false, nil, "name them as plane"},
		{nil, run[:2], true, nil, "three of 2 parents"},
		{map[string]any{"parents": []any{"s6", "s2", "s2"}}, run, false, nil, "option parents"},
		{map[string]any{"parents": []any{"s6", "s2", "other"}}, run, false, nil, "option parents"},
		{map[string]any{"step": 0.7}, run, true, nil, "option step"},
		{map[string]any{"grid": 1}, run, true, nil, "unknown option"},
	} {
		p, err := readPlane(c.given, c.parents, c.run)
		if c.wrong == "" && (err != nil || !slices.Equal(p.corners, c.corners)) || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%v of %v: %+v, %v", c.given, c.parents, p, err)
		}
	}
}

// A plane is found among the points that other strategies asked.
func TestLandscapeOfOtherStrategies(t *testing.T) {
	b := &reporter{parents: []string{"a", "b", "c", "d"}, byNumber: map[int]results.TrialReport{}}
	mean := 0.5
	add := func(strategy string, rows ...[]float64) {
		n := len(b.trials)
		b.trials = append(b.trials, results.Trial{Number: n, Of: n, Strategy: strategy, State: results.Complete, Weights: rows})
		b.byNumber[n] = results.TrialReport{Scores: results.Scores{Search: &results.Score{Mean: &mean}}}
	}
	for i := range 4 {
		row := make([]float64, 4)
		row[i] = 2 // weights need not sum to 1
		add("single", row)
	}
	add(baseStrategy, make([]float64, 4))
	add("random", []float64{0.5, 0, 0.25, 0.25})
	for i := range 5 {
		add("random", []float64{0, 0.5, 0.1 * float64(i), 0.5 - 0.1*float64(i)})
	}
	add("layerwise", []float64{0, 0.5, 0.5, 0}, []float64{0, 0.5, 0, 0.5}) // by group: no point of a plane
	add("random", []float64{0, 0.2, 0.4, 0.4})
	find := func() (*results.Landscape, []results.Trial) {
		var best *results.Landscape
		var most []results.Trial
		for _, corners := range b.triples() {
			if l, trials, err := b.filled(&results.Landscape{Corners: corners}); err != nil || len(trials) > len(most) {
				best, most = l, trials
			}
		}
		return best, most
	}
	if l, trials := find(); l != nil {
		t.Errorf("9 points are a picture: %v of %v", trials, l.Corners)
	}
	add("random", []float64{0, 0.3, 0.4, 0.3})
	l, trials := find()
	if l == nil || !slices.Equal(l.Corners, []string{"b", "c", "d"}) || len(trials) != 10 || trials[0].Number != 1 || trials[2].Number != 3 {
		t.Errorf("%+v, %v", l, trials)
	}
}
