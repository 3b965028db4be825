package search_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"soup/search"
)

// replay answers for parents from a table and scores soups by their entropy.
func replay(models []search.Model) search.Objective {
	return func(_ context.Context, p search.Point) (search.Trial, error) {
		t := scored(0)
		for i, w := range p.Weights[0] {
			if w == 1 {
				t.Categories = models[i].Categories
			}
			if w > 0 {
				t.Score -= w * math.Log(w)
			}
		}
		return t, nil
	}
}

func space(models []search.Model) search.Space {
	var s search.Space
	for _, m := range models {
		s.Parents = append(s.Parents, m.Name)
	}
	return s
}

func runOn(t *testing.T, name string, models []search.Model, options map[string]any) (search.Strategy, search.Result) {
	t.Helper()
	s := mustNew(t, name, options, space(models))
	r, err := search.Run(t.Context(), s, replay(models), search.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// soceMixtures are the trials of soce after the parents.
func soceMixtures(t *testing.T, models []search.Model, options map[string]any) []search.Trial {
	t.Helper()
	_, r := runOn(t, "soce", models, options)
	return r.Trials[len(models):]
}

func TestSoCEGarden(t *testing.T) {
	s, r := runOn(t, "soce", gardenModels(t), nil)
	mixtures := r.Trials[8:]
	first, second := mixtures[0].Point, mixtures[1].Point
	if first.Label != "soce: equal arith + call + quiz + order + lingua" || search.Key(first) != "0.2,0.2,0,0,0.2,0,0.2,0.2" {
		t.Errorf("first soup is %s %v", first.Label, first.Weights)
	}
	if second.Label != "soce 0.6 arith + 0.1 call + 0.1 lingua + 0.1 order + 0.1 quiz" || search.Key(second) != "0.6,0.1,0,0,0.1,0,0.1,0.1" {
		t.Errorf("second soup is %s %v", second.Label, second.Weights)
	}
	for _, trial := range mixtures {
		w := trial.Point.Weights[0]
		if w[2] != 0 || w[3] != 0 || w[5] != 0 {
			t.Errorf("%s mixes in a parent that is no expert", trial.Point.Label)
		}
	}
	if want := "5 experts, step 0.1: equal weights and all 126 points of the grid"; !strings.HasSuffix(notes(s), want) {
		t.Errorf("notes\n%s\nwant, at the end, %s", notes(s), want)
	}
}

// One less than there are points is a budget too small: the rest is drawn.
func TestSoCEBudget(t *testing.T) {
	for _, c := range []struct{ budget, points int }{{127, 126}, {126, 126}, {40, 40}, {2, 2}, {1, 1}} {
		s, r := runOn(t, "soce", gardenModels(t), map[string]any{"budget": c.budget})
		mixtures := r.Trials[8:]
		if len(mixtures) != c.points || !strings.HasPrefix(mixtures[0].Point.Label, "soce: equal") {
			t.Errorf("budget %d: %d soups, first %s", c.budget, len(mixtures), mixtures[0].Point.Label)
		}
		want := fmt.Sprintf("5 experts, step 0.1: equal weights and %d of the 126 points of the grid, at random, for a budget of %d", c.budget-1, c.budget)
		if c.budget < 127 && !strings.HasSuffix(notes(s), want) {
			t.Errorf("budget %d: notes\n%s", c.budget, notes(s))
		}
	}
}

func TestSoCESampleDependsOnSeed(t *testing.T) {
	sample := func(seed uint64, budget int) string {
		models := gardenModels(t)
		s, err := search.New("soce", map[string]any{"budget": budget}, space(models), seed)
		if err != nil {
			t.Fatal(err)
		}
		r, err := search.Run(t.Context(), s, replay(models), search.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		return labels(r.Trials)
	}
	if sample(1, 30) == sample(2, 30) {
		t.Error("two seeds give the same points")
	}
	if !strings.HasPrefix(sample(1, 30), sample(1, 10)) {
		t.Error("a larger budget does not begin as a smaller one")
	}
}

// A step of 0.02 over five experts has 211,876 points, far above any budget.
func TestSoCEFineStep(t *testing.T) {
	mixtures := soceMixtures(t, gardenModels(t), map[string]any{"step": 0.02, "budget": 300})
	if len(mixtures) != 300 {
		t.Fatalf("%d soups", len(mixtures))
	}
	mean := 0.0
	for _, trial := range mixtures {
		mean += trial.Point.Weights[0][0] / 300
	}
	if math.Abs(mean-0.2) > 0.04 {
		t.Errorf("mean weight of the first expert is %.3f; want about 0.2", mean)
	}
}

// The optimum of the skills lies on the grid, at the squares of their worth.
func TestSoCEFindsOptimum(t *testing.T) {
	f := skills(math.Sqrt(0.5), math.Sqrt(0.3), math.Sqrt(0.2))
	options := map[string]any{"tau": 0.6}
	r, err := search.Run(t.Context(), mustNew(t, "soce", options, three), f, search.Settings{Ahead: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Trials) != 3+1+36 || search.Key(r.Best.Point) != "0.5,0.3,0.2" {
		t.Errorf("%d trials, best %v", len(r.Trials), r.Best.Point.Weights)
	}
	s := mustNew(t, "uniform-selected", options, three)
	r, err = search.Run(t.Context(), s, f, search.Settings{})
	if err != nil || len(r.Trials) != 4 || r.Best.Point.Label != "uniform: a+b+c" {
		t.Errorf("uniform-selected: %d trials, best %+v, %v", len(r.Trials), r.Best, err)
	}
}

func TestUniformSelectedGarden(t *testing.T) {
	_, r := runOn(t, "uniform-selected", gardenModels(t), nil)
	last := r.Trials[len(r.Trials)-1].Point
	if len(r.Trials) != 9 || last.Label != "uniform: arith+call+quiz+order+lingua" || search.Key(last) != "0.2,0.2,0,0,0.2,0,0.2,0.2" {
		t.Errorf("%d trials, last %s %v", len(r.Trials), last.Label, last.Weights)
	}
}

// What leaves fewer than two experts is said, and the parents are all there is.
func TestFewExperts(t *testing.T) {
	var clever []search.Model
	for i, x := range []float64{0.9, 0.3, 0.5} {
		clever = append(clever, model([]string{"a", "b", "c"}[i], 100, map[string]float64{"x": x, "y": x * x, "z": x / 2}))
	}
	for _, name := range []string{"soce", "uniform-selected"} {
		for _, c := range []struct {
			options map[string]any
			want    string
		}{
			{map[string]any{"tau": 1}, "a is the only expert: nothing to mix; greedy and random try the others too"},
			{map[string]any{"tau": 0.1}, "no category is kept, so there is no expert: nothing to mix; try a higher tau, a lower min_n, greedy or random"},
			{map[string]any{"min_n": 101}, "skips y: 100 items for a, fewer than 101"},
		} {
			s, r := runOn(t, name, clever, c.options)
			if len(r.Trials) != 3 || !strings.Contains(notes(s), c.want) {
				t.Errorf("%s %v: %d trials, notes\n%s\nwant %s", name, c.options, len(r.Trials), notes(s), c.want)
			}
		}
	}
}

func TestSoCEFailedParents(t *testing.T) {
	models := gardenModels(t)
	answer := replay(models)
	f := func(ctx context.Context, p search.Point) (search.Trial, error) {
		switch p.Label {
		case "quiz":
			return search.Trial{State: search.StateFailed}, nil
		case "call":
			return search.Trial{State: search.StatePruned, Categories: models[1].Categories}, nil
		}
		return answer(ctx, p)
	}
	s := mustNew(t, "soce", nil, space(models))
	r, err := search.Run(t.Context(), s, f, search.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Trials[8].Point.Label; got != "soce: equal arith + call-b + order + lingua" {
		t.Errorf("first soup is %s", got)
	}
	for _, want := range []string{"skips parent call: pruned, no score", "skips parent quiz: failed, no score", "over 6 models"} {
		if !strings.Contains(notes(s), want) {
			t.Errorf("notes\n%s\nwant %s", notes(s), want)
		}
	}
	dead := func(context.Context, search.Point) (search.Trial, error) {
		return search.Trial{State: search.StateFailed}, nil
	}
	s = mustNew(t, "soce", nil, three)
	r, err = search.Run(t.Context(), s, dead, search.Settings{})
	if err != nil || len(r.Trials) != 3 || !strings.HasSuffix(notes(s), "no experts: no model given") {
		t.Errorf("all parents failed: %d trials, %v, notes\n%s", len(r.Trials), err, notes(s))
	}
}

func TestExpertsOutOfBounds(t *testing.T) {
	for name, want := range map[string]string{
		"soce":             "3 experts: the bounds allow no soup of them alone",
		"uniform-selected": "does not try uniform: a+b+c: equal shares of 3 are outside the bounds",
	} {
		s := mustNew(t, name, map[string]any{"tau": 1}, search.Space{Parents: []string{"a", "b", "c", "d"}, Min: 0.05})
		r, err := search.Run(t.Context(), s, skills(1, 1, 1, 0), search.Settings{})
		if err != nil || len(r.Trials) != 4 || !strings.Contains(notes(s), want) {
			t.Errorf("%s: %d trials, %v, notes\n%s", name, len(r.Trials), err, notes(s))
		}
	}
}
