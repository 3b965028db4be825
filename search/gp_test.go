package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// sampled is a world of categories with noise of its own for every item: all
// soups are asked the same.
func sampled(top []float64, categories, items int) func(Point) Trial {
	r := rand.New(rand.NewPCG(7, 7))
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
	x := space.places([]Point{pruned.Point})
	without := newSurrogate(space, done).means(x)[0]
	with := newSurrogate(space, append(done, pruned)).means(x)[0]
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
	s := newSurrogate(space, []Trial{trial(0, 0.2, 0.8), trial(0.5, 0.4, 0.4), trial(1, 0.6, 0.5)})
	means := s.means([][]float64{{0, 1}, {1, 0}})
	if math.Abs(means[0]-0.35) > 0.01 || math.Abs(means[1]-0.575) > 0.01 {
		t.Errorf("means %v, want 0.35 and 0.575", means)
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
	correlation := layOut(trials).correlation("")
	for _, c := range []struct {
		i, j int
		want float64
	}{{0, 1, 0.95}, {0, 2, 0.95 / math.Sqrt2}, {1, 2, 0.95 / math.Sqrt2}, {0, 3, 0}, {0, 4, 0}, {0, 5, 0}} {
		if got := correlation.At(c.i, c.j); math.Abs(got-c.want) > 1e-12 {
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

// A later point takes over only if it is better by more than doubt.
func TestSteady(t *testing.T) {
	b := beliefs{[]float64{0.80, 0.804, 0.83, 0.831}, mat.NewSymDense(4, nil)}
	for i := range 4 {
		b.covariance.SetSym(i, i, 1e-4)
	}
	if got := b.steady(4); got != 2 {
		t.Errorf("chose %d", got)
	}
	if got := b.steady(2); got != 0 {
		t.Errorf("of two chose %d", got)
	}
}

// Expected improvement is that of the difference of two normal values.
func TestImprovement(t *testing.T) {
	b := beliefs{[]float64{0.5, 0.4, 0.4}, mat.NewSymDense(3, []float64{0.04, 0.01, 0, 0.01, 0.02, 0, 0, 0, 0})}
	r, sum := rand.New(rand.NewPCG(1, 2)), 0.0
	const draws = 1_000_000
	deviation := math.Sqrt(0.04 + 0.02 - 0.02)
	for range draws {
		sum += max(0, 0.1+deviation*r.NormFloat64())
	}
	if got, want := b.improvement(0, 1), sum/draws; math.Abs(got-want) > 1e-3 {
		t.Errorf("improvement %v, want %v", got, want)
	}
	if got := b.improvement(2, 2); got != 0 {
		t.Errorf("improvement over itself %v", got)
	}
	b.believe(0, 0.01)
	if got, want := b.covariance.At(1, 1), 0.02-0.01*0.01/0.05; math.Abs(got-want) > 1e-12 {
		t.Errorf("variance %v, want %v", got, want)
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

// The next proposal after 200 trials of 12 parents with 900 items of six categories.
func BenchmarkGPProposes(b *testing.B) {
	var names []string
	top := make([]float64, 12)
	for i := range 12 {
		names = append(names, fmt.Sprint("p", i))
		top[i] = float64(12-i) / 78
	}
	space, _ := Space{Parents: names}.WithDefaults()
	try := sampled(top, 6, 150)
	var done []Trial
	for k := range 200 {
		row := space.draw(Rand(1, "bench", k), 1)
		done = append(done, try(space.everywhere("", row)))
	}
	m := &modelled{space: space, seed: 1, stages: newStages("gp", nil)}
	for b.Loop() {
		m.propose(newSurrogate(space, done), done, 1)
	}
}
