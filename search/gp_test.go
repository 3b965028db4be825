package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"soup/search/internal/gauss"
)

// sampled is a world of categories with noise of its own for every item: all
// soups are asked the same.
func sampled(top []float64, categories, items int) func(Point) Trial {
	return sampledBy(7, top, categories, items)
}

// sampledBy is such a world of a seed.
func sampledBy(seed uint64, top []float64, categories, items int) func(Point) Trial {
	r := rand.New(rand.NewPCG(seed, seed))
	ease := make([]float64, categories*items)
	for i := range ease {
		u := r.Float64()
		ease[i] = math.Log(u / (1 - u))
	}
	return func(p Point) Trial {
		t := Trial{Point: p, State: StateComplete, Categories: map[string]Category{}}
		d := floats.Distance(p.Weights[0], top, 2)
		for c := range categories {
			right := 0.0
			name := fmt.Sprint("c", c)
			for i, e := range ease[c*items : (c+1)*items] {
				it := Item{ID: fmt.Sprint(name, i), Category: name}
				if 1.5-float64(c%2)-5*d*d+e > 0 {
					it.Score = 1
				}
				right += it.Score
				t.Items = append(t.Items, it)
			}
			mean := right / float64(items)
			t.Categories[name] = Category{Mean: mean, SE: math.Sqrt(mean * (1 - mean) / float64(items)), N: items}
			t.Score += mean / float64(categories)
		}
		return t
	}
}

// triedAnywhere are trials of points drawn from the whole space.
func triedAnywhere(space Space, try func(Point) Trial, n int) (done []Trial) {
	for k := range n {
		done = append(done, try(space.everywhere("", space.draw(Rand(1, "test", k), 1))))
	}
	return done
}

// chase drives a strategy to its end.
func chase(t *testing.T, s Strategy, try func(Point) Trial, each int) []Trial {
	t.Helper()
	var trials []Trial
	for !s.Done() {
		asked := s.Ask(each)
		if len(asked) == 0 {
			t.Fatal("neither asks nor is done")
		}
		for _, p := range asked {
			trials = append(trials, try(p))
		}
		s.Tell(trials[len(trials)-len(asked):])
	}
	return trials
}

func mustNew(t *testing.T, name string, given map[string]any, space Space) Strategy {
	t.Helper()
	s, err := New(name, given, space, 3)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// With few evaluations gp comes near the top of noisy hills, inside, at an edge and
// in a corner.
func TestGPFindsTheTop(t *testing.T) {
	for _, top := range [][]float64{{0.4, 0.3, 0.2, 0.1}, {0.7, 0, 0.3, 0}, {0, 0, 0, 1}} {
		s := mustNew(t, "gp", map[string]any{"budget": 18}, Space{Parents: []string{"a", "b", "c", "d"}})
		if n := len(chase(t, s, sampled(top, 2, 300), 1)); n != 18 {
			t.Errorf("%v: %d points", top, n)
		}
		p, ok := s.(Recommender).Recommended()
		if !ok || floats.Distance(p.Weights[0], top, 2) > 0.2 {
			t.Errorf("%v: recommends %v", top, p.Weights)
		}
	}
}

// Points of a batch are apart: those before are believed.
func TestGPBatch(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c"}}
	s := mustNew(t, "gp", map[string]any{"budget": 12, "batch": 4}, space)
	trials := chase(t, s, sampled([]float64{0.5, 0.3, 0.2}, 2, 100), 4)
	if len(trials) != 12 {
		t.Fatalf("%d points", len(trials))
	}
	for i := 4; i < 12; i++ {
		for j := range i {
			if d := floats.Distance(trials[i].Point.Weights[0], trials[j].Point.Weights[0], math.Inf(1)); d < closest {
				t.Errorf("points %d and %d are %v apart", i, j, d)
			}
		}
	}
}

// A pruned trial teaches what its items say, and is never recommended.
func TestGPLearnsFromPruned(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b"}}.WithDefaults()
	try := sampled([]float64{0.5, 0.5}, 2, 100)
	done := []Trial{try(Point{Weights: [][]float64{{1, 0}}}), try(Point{Weights: [][]float64{{0, 1}}})}
	pruned := try(Point{Weights: [][]float64{{0.5, 0.5}}})
	pruned.State, pruned.Score = StatePruned, 0
	mean := func(done []Trial) float64 {
		return newSurrogate(space, done, fitMeans).prospects([]Point{pruned.Point})[0].mean
	}
	without, with := mean(done), mean(append(done, pruned))
	if !(with > without+0.05) {
		t.Errorf("mean %v with a good pruned trial, %v without", with, without)
	}
	if n := len(scored(append(done, pruned))); n != 2 {
		t.Errorf("%d points to recommend", n)
	}
}

// Categories count what the objective says.
func TestGPWeighsCategories(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b"}, Aggregate: map[string]float64{"x": 3, "y": 1, "z": 0}}.WithDefaults()
	trial := func(a, x, y float64) Trial {
		return Trial{Point: Point{Weights: [][]float64{{a, 1 - a}}}, State: StateComplete, Categories: map[string]Category{
			"x": {Mean: x, N: 1e6}, "y": {Mean: y, N: 1e6}, "z": {Mean: a, N: 1e6},
		}}
	}
	s := newSurrogate(space, []Trial{trial(0, 0.2, 0.8), trial(0.5, 0.4, 0.4), trial(1, 0.6, 0.5)}, fitMeans)
	for i, b := range s.prospects([]Point{{Weights: [][]float64{{0, 1}}}, {Weights: [][]float64{{1, 0}}}}) {
		if want := []float64{0.35, 0.575}[i]; math.Abs(b.mean-want) > 0.01 {
			t.Errorf("mean %v, want %v", b.mean, want)
		}
	}
}

// Soups that answer the same items share their errors, so that a small difference
// counts more than between soups with other items.
func TestSharedErrors(t *testing.T) {
	var trials []Trial
	for _, items := range [][]Item{
		{{ID: "a", Score: 1}, {ID: "b"}, {ID: "c", Score: 1}, {ID: "d"}},
		{{ID: "d"}, {ID: "c", Score: 1}, {ID: "b"}, {ID: "a", Score: 1}},
		{{ID: "d"}, {ID: "c", Score: 1}},
		{{ID: "e", Score: 1}, {ID: "f"}},
		{{ID: "a", Category: "other", Score: 1}},
		nil,
	} {
		trials = append(trials, Trial{Items: items})
	}
	shared := layOut(trials).correlation("")
	for _, c := range []struct {
		i, j int
		want float64
	}{{1, 0, 0.95}, {2, 0, 0.95 / math.Sqrt2}, {2, 1, 0.95 / math.Sqrt2}, {3, 0, 0}, {4, 0, 0}, {5, 0, 0}} {
		if got := shared[c.i][c.j]; math.Abs(got-c.want) > 1e-12 {
			t.Errorf("correlation of %d and %d: %v, want %v", c.i, c.j, got, c.want)
		}
	}
}

func TestNoiseOfFewItems(t *testing.T) {
	if v := (Category{Mean: 1, N: 3}).noise(); v < 0.02 {
		t.Errorf("three right answers of three: variance %v", v)
	}
	if v := (Category{Mean: 0.5, SE: 0.05, N: 100}).noise(); math.Abs(v-0.0025) > 1e-4 {
		t.Errorf("variance %v, want about the square of the SE", v)
	}
	if v := (Category{Mean: 0.5}).noise(); !math.IsNaN(v) {
		t.Errorf("nothing known: variance %v", v)
	}
}

// vague is a surrogate that has observed nothing: scores have a variance that all
// share and one of their own.
func vague(t *testing.T, level, signal float64) *surrogate {
	t.Helper()
	p, err := gauss.Condition(gauss.Kernel{Level: level, Signal: signal, Length: 1e-3}, 0.5, gauss.Observations{})
	if err != nil {
		t.Fatal(err)
	}
	return &surrogate{process: []*gauss.Process{p}, parts: []float64{1}}
}

// A later point takes over only if it is better by more than doubt.
func TestSteady(t *testing.T) {
	var all []*prospect
	for i, mean := range []float64{0.80, 0.804, 0.83, 0.831} {
		all = append(all, &prospect{place: []float64{float64(i)}, mean: mean, variance: 1e-4})
	}
	s := vague(t, 0, 1e-4)
	if got := s.steady(all).mean; got != 0.83 {
		t.Errorf("chose %v", got)
	}
	if got := s.steady(all[:2]).mean; got != 0.80 {
		t.Errorf("of two chose %v", got)
	}
}

// Expected improvement is that of the difference of two normal values.
func TestImprovement(t *testing.T) {
	s := vague(t, 0.01, 0.03)
	a := &prospect{place: []float64{0}, mean: 0.5, variance: 0.04, known: []float64{0}}
	b := &prospect{place: []float64{1}, mean: 0.4, variance: 0.02, known: []float64{math.Sqrt(0.02)}}
	r, sum := rand.New(rand.NewPCG(1, 2)), 0.0
	const draws = 1_000_000
	deviation := math.Sqrt(0.04 + 0.02 - 0.02)
	for range draws {
		sum += max(0, 0.1+deviation*r.NormFloat64())
	}
	if got, want := s.improvement(a, b), sum/draws; math.Abs(got-want) > 1e-3 {
		t.Errorf("improvement %v, want %v", got, want)
	}
	if got := s.improvement(a, a); got != 0 {
		t.Errorf("improvement over itself %v", got)
	}
	s.believe(a, []*prospect{a, b})
	if got, want := b.variance, 0.02-0.01*0.01/(0.04+believedNoise); math.Abs(got-want) > 1e-12 {
		t.Errorf("variance %v, want %v", got, want)
	}
	if got := s.covariance(b, b); math.Abs(got-b.variance) > 1e-12 {
		t.Errorf("variance %v, covariance with itself %v", b.variance, got)
	}
}

// Proposals are multiples of a tenth where finer ones promise no more.
func TestRound(t *testing.T) {
	space, _ := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	p := space.round([][]float64{{0.333, 0.333, 0.334}}, 10)
	if !space.isRound(p, 10) || math.Abs(floats.Sum(p.Weights[0])-1) > 1e-9 {
		t.Errorf("rounded to %v", p.Weights)
	}
	if space.isRound(Point{Weights: [][]float64{{0.25, 0.25, 0.5}}}, 10) {
		t.Error("a quarter is no multiple of a tenth")
	}
	narrow, _ := Space{Parents: []string{"a", "b", "c"}, Max: 0.38}.WithDefaults()
	if p := narrow.round([][]float64{{0.38, 0.37, 0.25}}, 10); p.Weights[0][0] != 0.38 {
		t.Errorf("rounded beyond the bounds: %v", p.Weights)
	}
}

func TestGPWithoutScores(t *testing.T) {
	s := mustNew(t, "gp", nil, Space{Parents: []string{"a", "b"}})
	chase(t, s, func(p Point) Trial { return Trial{Point: p, State: StateFailed} }, 1)
	if _, ok := s.(Recommender).Recommended(); ok {
		t.Error("recommends a failed trial")
	}
	if notes := strings.Join(s.(Explainer).Notes(), "\n"); !strings.Contains(notes, "nothing has a score") {
		t.Errorf("notes %q", notes)
	}
}

// Where all soups give the same answers, far better ones than the parents, the step up
// to them may look like luck that they share: no parent is recommended for that.
func TestGPRecommendsNoneThatIsSurelyWorse(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c", "d"}}
	for _, name := range []string{"gp", "auto"} {
		s := mustNew(t, name, map[string]any{"budget": 20}, space)
		chase(t, s, func(p Point) Trial {
			trial := Trial{Point: p, State: StateComplete, Categories: map[string]Category{}}
			right := 16
			if slices.Contains(p.Weights[0], 1) {
				right = 7
			}
			for c := range 4 {
				category := fmt.Sprint("c", c)
				for i := range 20 {
					it := Item{ID: fmt.Sprint(i), Category: category}
					if (7*i+c)%20 < right {
						it.Score = 1
					}
					trial.Items = append(trial.Items, it)
				}
				mean := float64(right) / 20
				trial.Categories[category] = Category{Mean: mean, SE: math.Sqrt(mean * (1 - mean) / 20), N: 20}
				trial.Score += mean / 4
			}
			return trial
		}, 1)
		if p, ok := s.(Recommender).Recommended(); !ok || slices.Contains(p.Weights[0], 1) {
			t.Errorf("%s recommends %v", name, p.Weights)
		}
	}
}

// The next proposal after so many trials, with 900 items of six categories.
func BenchmarkGPProposes(b *testing.B) {
	b.Run("200 trials of 12 parents", func(b *testing.B) { proposes(b, fitMeans, 200, 12, 900) })
	b.Run("40 trials of 4 parents", func(b *testing.B) { proposes(b, fitMeans, 40, 4, 900) })
}

func proposes(b *testing.B, fit fitter, trials, parents, items int) {
	var space Space
	top := make([]float64, parents)
	for i := range parents {
		space.Parents = append(space.Parents, fmt.Sprint("p", i))
		top[i] = 2 * float64(parents-i) / float64(parents*(parents+1))
	}
	space, _ = space.WithDefaults()
	done := triedAnywhere(space, sampled(top, 6, items/6), trials)
	for k, t := range done {
		r := Rand(2, "soft", k)
		for i := range t.Items {
			t.Items[i].Soft = t.Items[i].Score + r.NormFloat64()
		}
	}
	m := newModelled("bench", space, 1, nil, fit)
	for b.Loop() {
		m.propose(newSurrogate(space, done, m.fit), done, 1, false)
	}
}
