package search

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shaky adds noise that depends on the point and the seed.
func shaky(f Objective, sd float64, seed uint64) Objective {
	return func(ctx context.Context, p Point) (Trial, error) {
		t, err := f(ctx, p)
		t.Score += sd * Rand(seed, Key(p), 0).NormFloat64()
		t.Categories = map[string]Category{"all": {Mean: t.Score, SE: sd, N: 100}}
		return t, err
	}
}

func TestCMAESConverges(t *testing.T) {
	for _, c := range []struct {
		optimum []float64
		within  float64
	}{
		{[]float64{0.4, 0.3, 0.2, 0.1}, 1e-3},
		{[]float64{0.6, 0, 0.4, 0}, 1e-4},
		{[]float64{0, 0, 0, 1}, 1e-9},
		{[]float64{0.7, 0.3}, 1e-5},
		{[]float64{0.4, 0.3, 0.3, 0, 0, 0, 0, 0}, 2e-2},
	} {
		for seed := range uint64(3) {
			_, r := search(t, "cmaes", nil, letters(len(c.optimum)), seed, peaked(c.optimum...))
			if r.Best.Score < 1-c.within {
				t.Errorf("optimum %v, seed %d: best is %s with %v", c.optimum, seed, r.Best.Point.Label, r.Best.Score)
			}
		}
	}
}

// Weights of exactly 0 are what the nearest point is for.
func TestCMAESLeavesParentsOut(t *testing.T) {
	_, r := search(t, "cmaes", nil, letters(6), 1, peaked(0.7, 0.7, -0.1, -0.1, -0.1, -0.1))
	if w := r.Best.Point.Weights[0]; slices.Max(w[2:]) != 0 {
		t.Errorf("best has weights %v", w)
	}
}

func TestCMAESGroups(t *testing.T) {
	f := byGroup([]float64{0.8, 0.2}, []float64{0.2, 0.8})
	_, r := search(t, "cmaes", nil, letters(2, "x", "y"), 1, f)
	if r.Best.Score < 1-1e-4 {
		t.Errorf("best %v: %v", r.Best.Point.Weights, r.Best.Score)
	}
}

// Points without a score are the worst, so the search stays where there are some.
func TestCMAESAvoidsFailures(t *testing.T) {
	inner := peaked(0.5, 0.3, 0.2)
	f := func(ctx context.Context, p Point) (Trial, error) {
		if p.Weights[0][0] < 0.4 {
			return Trial{State: StateFailed}, nil
		}
		return inner(ctx, p)
	}
	_, r := search(t, "cmaes", nil, letters(3), 1, f)
	failed := 0
	for _, trial := range r.Trials[50:] {
		if trial.State != StateComplete {
			failed++
		}
	}
	if r.Best.Score < 1-1e-4 || failed > 10 {
		t.Errorf("best %v; %d of the later points fail", r.Best.Score, failed)
	}
}

// Of many noisy points the best is a lucky one. The centre is not: over these
// studies it is the better choice.
func TestCMAESRecommendsTheCentre(t *testing.T) {
	truth := scoreOf(peaked(0.5, 0.3, 0.2, 0, 0, 0))
	var centres, luckiest float64
	for seed := range uint64(40) {
		s, r := search(t, "cmaes", map[string]any{"budget": 80, "restarts": 0}, letters(6), seed, shaky(peaked(0.5, 0.3, 0.2, 0, 0, 0), 0.03, seed))
		centres += 1 - truth(recommended(t, s).Weights[0])
		luckiest += 1 - truth(r.Best.Point.Weights[0])
	}
	if centres > 0.9*luckiest {
		t.Errorf("mean regret %.4f, of the best observed %.4f", centres/40, luckiest/40)
	}
}

// Where nothing is noisy the best point it saw is better than the centre.
func TestCMAESRecommendsTheBest(t *testing.T) {
	s, r := search(t, "cmaes", nil, letters(5), 1, peaked(0.5, 0.3, 0.2, 0, 0))
	if p := recommended(t, s); Key(p) != Key(r.Best.Point) {
		t.Errorf("recommends %s; best is %s", p.Label, r.Best.Point.Label)
	}
	s, _ = search(t, "cmaes", nil, letters(3), 1, func(context.Context, Point) (Trial, error) { return Trial{State: StateFailed}, nil })
	if p, ok := s.(Recommender).Recommended(); ok {
		t.Errorf("recommends %v, which failed", p)
	}
}

// A larger budget adds points. Only the last of a budget, its centre, is replaced.
func TestCMAESBudgetGrows(t *testing.T) {
	_, few := search(t, "cmaes", map[string]any{"budget": 23}, letters(4), 1, peaked(0.4, 0.3, 0.2, 0.1))
	_, many := search(t, "cmaes", map[string]any{"budget": 60}, letters(4), 1, peaked(0.4, 0.3, 0.2, 0.1))
	if len(few.Trials) != 23 || len(many.Trials) != 60 || few.Trials[22].Point.Label != "cmaes centre 0" {
		t.Fatalf("%d and %d points, the last of which is %s", len(few.Trials), len(many.Trials), few.Trials[22].Point.Label)
	}
	for i, trial := range few.Trials[:22] {
		if Key(trial.Point) != Key(many.Trials[i].Point) {
			t.Errorf("point %d differs", i)
		}
	}
}

// Two peaks, the higher one off the way: a run that has converged on the lower one
// is followed by larger ones elsewhere.
func TestCMAESRestarts(t *testing.T) {
	f := func(_ context.Context, p Point) (Trial, error) {
		w := p.Weights[0][0]
		return Trial{State: StateComplete, Score: max(0.5-(w-0.4)*(w-0.4), 1-100*(w-0.95)*(w-0.95))}, nil
	}
	s, r := search(t, "cmaes", map[string]any{"budget": 250}, letters(2), 3, f)
	notes := s.(Explainer).Notes()
	if r.Best.Score < 0.99 || len(notes) == 0 || !strings.Contains(notes[0], "begins again elsewhere with 8 points") {
		t.Errorf("best %v, notes %q", r.Best.Score, notes)
	}
	s, r = search(t, "cmaes", map[string]any{"budget": 250, "restarts": 0}, letters(2), 3, f)
	if len(s.(Explainer).Notes()) != 0 || r.Best.Score > 0.5 {
		t.Errorf("without restarts: best %v, notes %q", r.Best.Score, s.(Explainer).Notes())
	}
}

func TestCMAESTooManyDirections(t *testing.T) {
	space := letters(3)
	for g := range 501 {
		space.Groups = append(space.Groups, strings.Repeat("x", g+1))
	}
	if _, err := New("cmaes", nil, space, 1); err == nil || !strings.Contains(err.Error(), "3 parents and 501 groups have 1002 directions, more than 1000; take fewer groups") {
		t.Errorf("got %v", err)
	}
}

func TestCMAESPopulation(t *testing.T) {
	for _, p := range []int{1, 3} {
		if _, err := New("cmaes", map[string]any{"population": p}, letters(3), 1); err == nil || !strings.Contains(err.Error(), "option population: want at least 4, or 0") {
			t.Errorf("population %d: %v", p, err)
		}
	}
	s, err := New("cmaes", map[string]any{"population": 33}, letters(3), 1)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.(Planner).Planned(); n < 25 || n > 33 {
		t.Errorf("%d points in the first generation; want 33 less those that are the same", n)
	}
}

// bounded draws a space that has room.
func bounded(t *rapid.T) Space {
	n := rapid.IntRange(1, 6).Draw(t, "parents")
	space := letters(n)
	equal := 1 / float64(n)
	space.Min = equal - rapid.Float64Range(0, 1).Draw(t, "below")
	space.Max = equal + rapid.Float64Range(1e-3, 1).Draw(t, "above")
	space, err := space.WithDefaults()
	if err != nil {
		t.Skip(err)
	}
	return space
}

// A projection onto a convex set is the point from which no other point of the set
// lies in the direction of the one that is projected.
func TestProjectIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := bounded(t)
		row := rapid.SliceOfN(rapid.Float64Range(-3, 3), len(space.Parents), len(space.Parents)).Draw(t, "row")
		got := space.project(row)
		if p := space.everywhere("", got); space.checkWithin(p) != nil || !space.inside(p) {
			t.Fatalf("%v lies outside", got)
		}
		other := space.draw(Rand(rapid.Uint64().Draw(t, "seed"), "", 0), 1)
		along := 0.0
		for i := range row {
			along += (row[i] - got[i]) * (other[i] - got[i])
		}
		if along > 1e-9 {
			t.Fatalf("%v is nearer than %v", other, got)
		}
	})
}

func TestTidyStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := bounded(t)
		row := space.draw(Rand(rapid.Uint64().Draw(t, "seed"), "", 0), 1)
		p := space.tidy("", [][]float64{row})
		if p.parent() < 0 && !space.inside(p) {
			t.Fatalf("%v becomes %v", row, p.Weights)
		}
		for i, w := range p.Weights[0] {
			if p.parent() < 0 && math.Abs(w-row[i]) > 1e-5 {
				t.Fatalf("%v becomes %v", row, p.Weights)
			}
		}
	})
}

// The plane's coordinates are orthonormal: they tell back what they were made of,
// and distances are those between weights.
func TestPlane(t *testing.T) {
	space, err := letters(4, "x", "y").WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	plane := newPlane(space)
	weights := [][]float64{{0.1, 0.2, 0.3, 0.4}, {0.7, 0, 0.3, 0}}
	x := plane.coordinates(weights)
	if len(x) != 6 {
		t.Fatalf("%d coordinates", len(x))
	}
	if got := space.tidy("", plane.nearest(x)); Key(got) != Key(Point{Weights: weights}) {
		t.Errorf("got back %v", got.Weights)
	}
	corners := plane.coordinates([][]float64{{1, 0, 0, 0}, {0, 0, 0, 1}})
	squares := 0.0
	for i := range x {
		squares += (x[i] - corners[i]) * (x[i] - corners[i])
	}
	if want := 0.81 + 0.04 + 0.09 + 0.16 + 0.49 + 0.09 + 1; math.Abs(squares-want) > 1e-12 {
		t.Errorf("squared distance %v; want %v", squares, want)
	}
}

// BenchmarkPropose measures a whole search of 200 trials of 12 parents, proposals
// and a trivial objective, per trial.
func BenchmarkPropose(b *testing.B) {
	for _, name := range []string{"coordinate", "hillclimb", "layerwise", "cmaes", "sobol", "tpe"} {
		b.Run(name, func(b *testing.B) {
			trials := 0
			for range b.N {
				s, err := New(name, map[string]any{"budget": 200}, letters(12, "x", "y", "z"), 1)
				if err != nil {
					b.Fatal(err)
				}
				r, err := Run(b.Context(), s, peaked(0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, 0), Settings{})
				if err != nil {
					b.Fatal(err)
				}
				trials += len(r.Trials)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(trials), "µs/trial")
		})
	}
}
