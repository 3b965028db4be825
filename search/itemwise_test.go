package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"soup/search/internal/gauss"
)

// hinted is a world of two categories whose items are right where their odds are
// above 0; hint makes smooth scores of the odds. The share of right answers there would
// be to any number of items is truth.
func hinted(seed uint64, items int, hint func(r *rand.Rand, odds float64) float64) (try func(Point) Trial, truth func(Point) float64) {
	height := func(p Point, c int) float64 {
		d := floats.Distance(p.Weights[0], []float64{0.5, 0.3, 0.2}, 2)
		return 1.2 - float64(c) - 4*d*d
	}
	r := rand.New(rand.NewPCG(seed, 1))
	ease := make([]float64, 2*items)
	for i := range ease {
		u := r.Float64()
		ease[i] = math.Log(u / (1 - u))
	}
	try = func(p Point) Trial {
		r := rand.New(rand.NewPCG(seed, 2))
		t := Trial{Point: p, State: StateComplete, Categories: map[string]Category{}}
		for i, e := range ease {
			c := i % 2
			odds := height(p, c) + e
			it := Item{ID: fmt.Sprint(i), Category: fmt.Sprint("c", c), Soft: hint(r, odds)}
			if odds > 0 {
				it.Score = 1
			}
			t.Items = append(t.Items, it)
			t.Score += it.Score / float64(len(ease))
		}
		for _, name := range []string{"c0", "c1"} {
			s := spread(t.of(name))
			t.Categories[name] = Category{Mean: s.mean, SE: math.Sqrt(s.mean * (1 - s.mean) / float64(items)), N: items}
		}
		return t
	}
	truth = func(p Point) float64 {
		return (1/(1+math.Exp(-height(p, 0))) + 1/(1+math.Exp(-height(p, 1)))) / 2
	}
	return try, truth
}

// nearMiss is the odds with an error of the item's own.
func nearMiss(r *rand.Rand, odds float64) float64 { return odds + 0.5*r.NormFloat64() }

// errorOf is the root mean square error of the differences that a surrogate predicts
// after some trials, over many seeds.
func errorOf(t *testing.T, fit fitter, items int, hint func(*rand.Rand, float64) float64) float64 {
	t.Helper()
	space, err := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var squares []float64
	for seed := range uint64(12) {
		try, truth := hinted(seed, items, hint)
		draw := func(k int) Point { // some all over, most near the top
			row := space.draw(Rand(seed, "test", k), 1)
			if k > 4 {
				floats.AddScaledTo(row, []float64{0.4, 0.24, 0.16}, 0.2, row)
			}
			return space.everywhere("", row)
		}
		var done []Trial
		for k := range 12 {
			done = append(done, try(draw(k)))
		}
		var points []Point
		var errors []float64
		for k := range 40 {
			points = append(points, draw(100+k))
		}
		for i, a := range newSurrogate(space, done, fit).prospects(points) {
			errors = append(errors, a.mean-truth(points[i]))
		}
		floats.AddConst(-floats.Sum(errors)/float64(len(errors)), errors)
		squares = append(squares, floats.Dot(errors, errors)/float64(len(errors)))
	}
	return math.Sqrt(floats.Sum(squares) / float64(len(squares)))
}

// How near answers are to being right says more of a soup than how many are.
func TestItemwiseLearnsFromNearMisses(t *testing.T) {
	for _, items := range []int{20, 75} {
		gp, itemwise := errorOf(t, fitMeans, items, nearMiss), errorOf(t, fitItems, items, nearMiss)
		if !(itemwise < 0.9*gp) {
			t.Errorf("%d items: error %.4f, %.4f with scores alone", items, itemwise, gp)
		}
	}
}

// Smooth scores that say nothing do little harm.
func TestItemwiseDoubtsSmoothScores(t *testing.T) {
	for name, hint := range map[string]func(*rand.Rand, float64) float64{
		"noise":       func(r *rand.Rand, _ float64) float64 { return r.NormFloat64() },
		"hardly more": func(r *rand.Rand, odds float64) float64 { return 0.1*odds + r.NormFloat64() },
	} {
		gp, itemwise := errorOf(t, fitMeans, 75, hint), errorOf(t, fitItems, 75, hint)
		if !(itemwise < 1.15*gp) {
			t.Errorf("%s: error %.4f, %.4f with scores alone", name, itemwise, gp)
		}
	}
}

// predicted is the mean that a surrogate expects.
func predicted(space Space, done []Trial, fit fitter, p Point) float64 {
	return newSurrogate(space, done, fit).prospects([]Point{p})[0].mean
}

// observedIn is what a surrogate is fitted to.
func observedIn(space Space, done []Trial, category string) gauss.Observations {
	o := *series(done)[category]
	o.Apart, o.Shared = gauss.Distances(space.places(done)), layOut(done).correlation(category)
	return o
}

// Without smooth scores that tell anything itemwise is gp.
func TestItemwiseWithoutSmoothScores(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	for name, hint := range map[string]func(*rand.Rand, float64) float64{
		"missing":  func(*rand.Rand, float64) float64 { return math.NaN() },
		"infinite": func(*rand.Rand, float64) float64 { return math.Inf(-1) },
		"constant": func(*rand.Rand, float64) float64 { return -0.5 },
		"reversed": func(_ *rand.Rand, odds float64) float64 { return -odds },
	} {
		try, _ := hinted(1, 40, hint)
		var done []Trial
		for _, p := range append(space.singles(), space.equal("uniform", space.all())) {
			done = append(done, try(p))
		}
		x := Point{Weights: [][]float64{{0.2, 0.3, 0.5}}}
		if got, want := predicted(space, done, fitItems, x), predicted(space, done, fitMeans, x); got != want {
			t.Errorf("%s: mean %v, that of gp %v", name, got, want)
		}
	}
}

// A pruned trial answered some items only, and some items have no smooth score: what
// there is corrects all means, and leaves less doubt of each.
func TestItemwiseWithSomeItems(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	try, _ := hinted(1, 60, nearMiss)
	done := triedAnywhere(space, try, 7)
	done[3].State, done[3].Items = StatePruned, done[3].Items[:30]
	for i := range done[4].Items {
		if i%3 == 0 {
			done[4].Items[i].Soft = math.NaN()
		}
	}
	o := observedIn(space, done, "c0")
	c, ok := newControl(o, done, "c0")
	if !ok {
		t.Fatal("no link")
	}
	corrected, _, err := c.correct(usualBias)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range corrected.Values {
		before, after := o.Noise[i], corrected.Noise[i]
		if v == o.Values[i] || math.Abs(v-o.Values[i]) > 0.1 || !(after > 0 && after < before) {
			t.Errorf("trial %d: mean %v corrected to %v, variance %v to %v", i, o.Values[i], v, before, after)
		}
	}
	done[5].Items = nil
	if got, want := predicted(space, done, fitItems, done[3].Point), predicted(space, done, fitMeans, done[3].Point); got != want {
		t.Errorf("a trial without items: mean %v, that of gp %v", got, want)
	}
}

// What follows from corrected means is what follows from scores and chances
// together, two means of every trial with all their covariances.
func TestCorrectedIsJoint(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	try, _ := hinted(3, 50, nearMiss)
	done := triedAnywhere(space, try, 6)
	c, ok := newControl(observedIn(space, done, "c1"), done, "c1")
	if !ok {
		t.Fatal("no link")
	}
	k, places := gauss.Kernel{Level: 0.25, Signal: 0.04, Length: 1}, space.places(done)
	for _, bias := range biases {
		corrected, density, err := c.correct(bias)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gauss.Condition(k, 0.5, corrected)
		if err != nil {
			t.Fatal(err)
		}
		want, err := gauss.Condition(k, 0.5, stacked(c, bias, places))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range [][]float64{{0.2, 0.3, 0.5}, {1, 0, 0}} {
			g, w := got.At(gauss.NewView(x, places)), want.At(gauss.NewView(x, slices.Concat(places, places)))
			if math.Abs(g-w) > 1e-6 {
				t.Errorf("bias %v: mean %v, want %v", bias, g, w)
			}
		}
		if g, w := got.Evidence+density, want.Evidence; math.Abs(g-w) > 1e-5 {
			t.Errorf("bias %v: evidence %v, want %v", bias, g, w)
		}
	}
}

// stacked are scores, then chances, with the covariance of both.
func stacked(c *control, bias float64, places [][]float64) gauss.Observations {
	n := len(c.scores)
	difference, noise := c.difference(bias), mat.NewSymDense(2*n, nil)
	for i := range n {
		for j := range n {
			scores := c.scoreNoise.At(i, j)
			noise.SetSym(i, j, scores)
			noise.SetSym(i, n+j, scores-c.across.At(i, j))
			noise.SetSym(n+i, n+j, difference.At(i, j)+scores-c.across.At(i, j)-c.across.At(j, i))
		}
	}
	both := control{seen: make([]int, 2*n), o: gauss.Observations{Apart: gauss.Distances(slices.Concat(places, places)), Values: make([]float64, 2*n)}}
	for i := range both.seen {
		both.seen[i] = i
	}
	return both.observations(slices.Concat(c.scores, c.chances), noise)
}

// With few evaluations and few items itemwise comes near the top.
func TestItemwiseFindsTheTop(t *testing.T) {
	for seed := range uint64(3) {
		try, _ := hinted(seed, 30, nearMiss)
		s := mustNew(t, "itemwise", map[string]any{"budget": 10}, Space{Parents: []string{"a", "b", "c"}})
		chase(t, s, try, 1)
		p, ok := s.(Recommender).Recommended()
		if d := floats.Distance(p.Weights[0], []float64{0.5, 0.3, 0.2}, 2); !ok || d > 0.15 {
			t.Errorf("seed %d: recommends %v", seed, p.Weights)
		}
	}
}

// The next proposal after so many trials, with items of six categories.
func BenchmarkItemwiseProposes(b *testing.B) {
	b.Run("200 trials of 12 parents, 2,000 items", func(b *testing.B) { proposes(b, fitItems, 200, 12, 2000) })
	b.Run("60 trials of 6 parents, 900 items", func(b *testing.B) { proposes(b, fitItems, 60, 6, 900) })
}
