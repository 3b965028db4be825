package search

import (
	"context"
	"math"
	"strings"
	"testing"
)

// peaked scores 1 at the given weights and a bowl around them, in every group.
func peaked(optimum ...float64) Objective {
	return func(_ context.Context, p Point) (Trial, error) {
		t := Trial{State: StateComplete, Score: 1}
		for _, row := range p.Weights {
			for i, w := range row {
				t.Score -= (w - optimum[i]) * (w - optimum[i]) / float64(len(p.Weights))
			}
		}
		return t, nil
	}
}

// withSE gives each trial a category with this standard error.
func withSE(f Objective, se float64) Objective {
	return func(ctx context.Context, p Point) (Trial, error) {
		t, err := f(ctx, p)
		t.Categories = map[string]Category{"all": {Mean: t.Score, SE: se, N: 100}}
		return t, err
	}
}

func letters(n int, groups ...string) Space {
	return Space{Parents: strings.Split("abcdefghijklmnopqrst", "")[:n], Groups: groups}
}

func search(t *testing.T, name string, given map[string]any, space Space, seed uint64, f Objective) (Strategy, Result) {
	t.Helper()
	s, err := New(name, given, space, seed)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), s, f, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func recommended(t *testing.T, s Strategy) Point {
	t.Helper()
	p, ok := s.(Recommender).Recommended()
	if !ok {
		t.Fatalf("%s recommends nothing", s.Name())
	}
	return p
}

func TestVertex(t *testing.T) {
	// -(x-2)^2 + 5 at 0, 1 and 5.
	if x, ok := vertex([3]float64{0, 1, 5}, [3]float64{1, 4, -4}); !ok || math.Abs(x-2) > 1e-12 {
		t.Errorf("got %v, %v; want 2", x, ok)
	}
	for _, y := range [][3]float64{{1, 1, 1}, {1, 2, 3}, {2, 1, 2}} {
		if x, ok := vertex([3]float64{0, 1, 2}, y); ok {
			t.Errorf("%v has a top at %v", y, x)
		}
	}
}

func TestPeak(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
		ok   bool
	}{
		{[]float64{0}, []float64{1}, 0, false},
		{[]float64{0, 0.3}, []float64{1, 2}, 0.6, true},
		{[]float64{0, 0.3}, []float64{2, 1}, 0.15, true},
		{[]float64{0, 0.5, 1}, []float64{-1, 0.25, 0.5}, 0.875, true},            // the best at the end
		{[]float64{0, 0.2, 0.4, 1}, []float64{0.75, 0.99, 0.91, -9}, 0.25, true}, // only the neighbours of the best
		{[]float64{0, 0.5, 1}, []float64{1, 0, 1}, 0, false},
	} {
		if got, ok := peak(c.x, c.y); ok != c.ok || math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%v %v: got %v, %v; want %v, %v", c.x, c.y, got, ok, c.want, c.ok)
		}
	}
}

// On a parabola three points say where the top is: the pair is found exactly, with
// six points after the parents.
func TestCoordinateFindsAPair(t *testing.T) {
	s, r := search(t, "coordinate", nil, letters(4), 1, peaked(0.7, 0, 0.3, 0))
	if got := recommended(t, s); Key(got) != "0.7,0,0.3,0" {
		t.Errorf("recommends %v", got.Weights)
	}
	first := r.Trials[4:9]
	for _, trial := range first[:3] {
		if w := trial.Point.Weights[0]; math.Abs(w[0]-2.0/3) > 1e-5 {
			t.Errorf("%s is not a third of the way from a", trial.Point.Label)
		}
	}
	if first[3].Score != 1 && first[4].Score != 1 {
		t.Errorf("the top of the edge is not among %s and %s", first[3].Point.Label, first[4].Point.Label)
	}
}

func TestCoordinateAddsParents(t *testing.T) {
	s, r := search(t, "coordinate", nil, letters(5), 1, peaked(0.5, 0, 0.3, 0, 0.2))
	if r.Best.Score < 1-1e-3 {
		t.Errorf("best %v: %v", r.Best.Point.Label, r.Best.Score)
	}
	notes := strings.Join(s.(Explainer).Notes(), "\n")
	if n := strings.Count(notes, "goes on from"); n < 2 || !strings.Contains(notes, "stops: ") {
		t.Errorf("notes:\n%s", notes)
	}
}

// The third parent is worth 0.007 here: taken where that is more than noise, left
// out where it is less.
func TestCoordinateStopsAtNoise(t *testing.T) {
	f := peaked(0.5, 0.4, 0.1)
	for se, want := range map[float64]bool{0.0005: true, 0.02: false} {
		s, _ := search(t, "coordinate", nil, letters(3), 1, withSE(f, se))
		if p := recommended(t, s); (p.Weights[0][2] > 0) != want {
			t.Errorf("standard error %v: recommends %s", se, p.Label)
		}
	}
	s, _ := search(t, "coordinate", map[string]any{"margin": 0}, letters(3), 1, withSE(f, 0.02))
	if p := recommended(t, s); p.Weights[0][2] == 0 {
		t.Errorf("margin 0: recommends %s", p.Label)
	}
}

// The budget cuts the list of points off and changes nothing else; what it has by
// then is recommended.
func TestCoordinateBudget(t *testing.T) {
	f := peaked(0.5, 0, 0.3, 0, 0.2)
	_, all := search(t, "coordinate", nil, letters(5), 1, f)
	for budget := 1; budget < len(all.Trials); budget++ {
		s, r := search(t, "coordinate", map[string]any{"budget": budget}, letters(5), 1, f)
		if len(r.Trials) != budget {
			t.Fatalf("budget %d: %d points", budget, len(r.Trials))
		}
		for i, trial := range r.Trials {
			if Key(trial.Point) != Key(all.Trials[i].Point) {
				t.Errorf("budget %d: point %d differs", budget, i)
			}
		}
		if budget >= 5 && Key(recommended(t, s)) != Key(r.Best.Point) {
			t.Errorf("budget %d: recommends %v; best is %s", budget, recommended(t, s).Weights, r.Best.Point.Label)
		}
	}
}

func TestCoordinateWithoutScores(t *testing.T) {
	s, r := search(t, "coordinate", nil, letters(3), 1, func(context.Context, Point) (Trial, error) {
		return Trial{State: StateFailed}, nil
	})
	if len(r.Trials) != 3 || !strings.Contains(s.(Explainer).Notes()[0], "a has no score: nothing to start from") {
		t.Errorf("%d points, notes %q", len(r.Trials), s.(Explainer).Notes())
	}
	if p, ok := s.(Recommender).Recommended(); ok {
		t.Errorf("recommends %v", p)
	}
}

// With negative weights allowed a line is followed backwards too.
func TestCoordinateExtrapolates(t *testing.T) {
	space := letters(2)
	space.Min, space.Max = -0.5, 1.5
	s, _ := search(t, "coordinate", nil, space, 1, peaked(1.3, -0.3))
	if p := recommended(t, s); math.Abs(p.Weights[0][0]-1.3) > 1e-5 {
		t.Errorf("recommends %v", p.Weights)
	}
}

func TestCorner(t *testing.T) {
	for _, c := range []struct {
		space Space
		want  string
	}{
		{letters(3), "0,1,0"},
		{Space{Parents: letters(4).Parents, Min: 0.1}, "0.1,0.7,0.1,0.1"},
		{Space{Parents: letters(4).Parents, Max: 0.4}, "0.2,0.4,0.2,0.2"},
		{Space{Parents: letters(3).Parents, Max: 1, Sum: 2}, "0.5,1,0.5"},
		{Space{Parents: letters(3).Parents, Min: -0.5, Max: 1.5}, "0,1,0"},
	} {
		space, err := c.space.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if got := Key(space.everywhere("", space.corner(1))); got != c.want {
			t.Errorf("%+v: got %s; want %s", c.space, got, c.want)
		}
	}
}

// Spaces in which a parent itself is no mixture: its weight is 1, the sum is not.
func TestSumsBesideOne(t *testing.T) {
	for _, space := range []Space{{Sum: 0.5}, {Sum: 3, Min: -1}, {Max: 1.0 / 3}, {Sum: 2, Max: 1, Min: 0.5}} {
		space.Parents = letters(3).Parents
		for _, name := range []string{"coordinate", "hillclimb", "layerwise", "cmaes", "sobol", "tpe"} {
			for _, groups := range [][]string{nil, {"x", "y"}} {
				space.Groups = groups
				_, r := search(t, name, nil, space, 1, peaked(0.3, 0.1, 0.1))
				for _, trial := range r.Trials {
					if e, err := space.Effective(trial.Point); err != nil || Key(e) != Key(trial.Point) {
						t.Errorf("%s in %+v: %s takes effect as %v, %v", name, space, trial.Point.Label, e.Weights, err)
					}
				}
			}
		}
	}
}

// With a sum of a half the best soup of a and b is found as well as with one of 1.
func TestCoordinateWithSmallSum(t *testing.T) {
	space := letters(3)
	space.Sum = 0.5
	s, _ := search(t, "coordinate", nil, space, 1, peaked(0.3, 0.2, 0))
	if p := recommended(t, s); math.Abs(p.Weights[0][0]-0.3) > 1e-3 || p.Weights[0][2] > 1e-3 {
		t.Errorf("recommends %v", p.Weights)
	}
}

func items(category string, cluster func(i int) string, scores ...float64) []Item {
	var items []Item
	for i, score := range scores {
		items = append(items, Item{ID: category + string(rune('a'+i)), Category: category, Cluster: cluster(i), Score: score})
	}
	return items
}

func alone(int) string { return "" }

// Differences 1, 0, 0, -1: mean 0, variance of the mean 2/3/4. In two clusters of
// two, 1+0 and 0-1: (1+1)*2/1/16.
func TestDoubtOfItems(t *testing.T) {
	halves := func(i int) string { return string(rune('x' + i/2)) }
	for _, c := range []struct {
		cluster func(int) string
		want    float64
	}{{alone, math.Sqrt(1.0 / 6)}, {halves, 0.5}, {func(int) string { return "one" }, 0}} {
		a := Trial{Items: items("k", c.cluster, 1, 1, 0, 0)}
		b := Trial{Items: items("k", c.cluster, 0, 1, 0, 1)}
		if got := (Space{}).doubt(a, b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("got %v; want %v", got, c.want)
		}
	}
}

func TestDoubtOfCategories(t *testing.T) {
	a := Trial{Categories: map[string]Category{"x": {SE: 0.03}, "y": {SE: 0.04}, "z": {SE: math.NaN()}}}
	if got, want := (Space{}).doubt(a, Trial{}), 0.05/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("equal weights: got %v; want %v", got, want)
	}
	s := Space{Aggregate: map[string]float64{"x": 1, "y": 3}}
	if got, want := s.doubt(a, Trial{}), math.Hypot(0.03, 0.12)/4; math.Abs(got-want) > 1e-12 {
		t.Errorf("weights 1 and 3: got %v; want %v", got, want)
	}
	for _, s := range []Space{{}, {Aggregate: map[string]float64{"other": 1}}} {
		if got := s.doubt(Trial{}, Trial{}); got != 0 {
			t.Errorf("nothing known: got %v", got)
		}
	}
}

// Categories keep their weights: a mean of paired differences of each.
func TestDoubtOfItemsByCategory(t *testing.T) {
	a := Trial{Items: append(items("k", alone, 1, 1, 0, 0), items("l", alone, 1, 1)...)}
	b := Trial{Items: append(items("k", alone, 0, 1, 0, 1), items("l", alone, 0, 0)...)}
	if got, want := (Space{}).doubt(a, b), math.Sqrt(1.0/6)/2; math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v; want %v", got, want)
	}
	// Only what both have answered counts.
	b.Items = b.Items[:2]
	if got := (Space{}).doubt(a, b); math.Abs(got-0.5) > 1e-12 {
		t.Errorf("two common items: got %v; want 0.5", got)
	}
}
