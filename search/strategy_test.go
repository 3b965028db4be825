package search_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/search"
)

func TestNames(t *testing.T) {
	names := search.Names()
	want := []string{"single", "uniform", "uniform-selected", "greedy", "random", "grid", "subsets", "soce", "coordinate", "midpoints", "path", "hillclimb", "layerwise", "cmaes", "sobol", "gp", "itemwise", "auto", "tpe"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v; want %v", names, want)
	}
	for _, name := range search.Baselines() {
		if !slices.Contains(names, name) {
			t.Errorf("baseline %s does not exist", name)
		}
	}
	for _, name := range names {
		s := mustNew(t, name, nil, three)
		if s.Name() != name {
			t.Errorf("%s calls itself %s", name, s.Name())
		}
		if _, ok := s.(search.Explainer); !ok {
			t.Errorf("%s explains nothing", name)
		}
	}
}

func TestNewErrors(t *testing.T) {
	type options = map[string]any
	for _, c := range []struct {
		name    string
		options options
		space   search.Space
		want    string
	}{
		{"annealing", nil, three, `unknown strategy "annealing"; there are single, uniform, uniform-selected, greedy, random, grid, subsets, soce`},
		{"single", nil, search.Space{}, "strategy single: no parent given"},
		{"greedy", options{"budget": 3}, three, `strategy greedy: unknown option "budget"; it takes none`},
		{"soce", options{"tua": 0.5}, three, `strategy soce: unknown option "tua"; it takes tau, min_n, step, budget`},
		{"soce", options{"tau": 0}, three, "strategy soce: option tau: want a number from 0.001 to 1, not 0"},
		{"soce", options{"tau": 1.5}, three, "option tau: want"},
		{"soce", options{"tau": math.NaN()}, three, "option tau: want"},
		{"soce", options{"tau": "0.5"}, three, "option tau: want"},
		{"soce", options{"tau": nil}, three, "option tau: want"},
		{"soce", options{"tau": []any{1}}, three, "option tau: want"},
		{"soce", options{"min_n": 0}, three, "option min_n: want a whole number from 1"},
		{"soce", options{"step": 0.3}, three, "strategy soce: option step: 0.3 does not divide the sum of weights, 1"},
		{"random", options{"budget": 1.5}, three, "strategy random: option budget: want a whole number from 1 to 100000, not 1.5"},
		{"random", options{"budget": 100001}, three, "option budget: want"},
		{"random", options{"alpha": -1}, three, "option alpha: want"},
		{"grid", options{"step": 0.7}, three, "strategy grid: option step: 0.7 does not divide"},
		{"grid", options{"step": 0.001}, three, "strategy grid: 501501 points for 3 parents, 1 groups and step 0.001, above the budget of 100000; take a larger step"},
		{"grid", options{"budget": 65}, three, "66 points"},
		{"grid", options{"step": 1}, search.Space{Parents: three.Parents, Max: 0.5}, "option step: no multiples of 1 lie within the bounds"},
		{"grid", options{"step": 0.001}, search.Space{Parents: three.Parents, Min: -100, Max: 100}, "option step: 0.001 is too small"},
		{"grid", nil, search.Space{Parents: three.Parents, Sum: 1000}, "option step: 0.1 is too small"},
		{"soce", nil, search.Space{Parents: three.Parents, Sum: 1000}, "option step: 0.1 is too small"},
		{"random", nil, search.Space{Parents: three.Parents, Sum: 1e300}, "strategy random: weights: sum is 1e+300; it must be"},
	} {
		_, err := search.New(c.name, c.options, c.space, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %v: got %v; want %s", c.name, c.options, err, c.want)
		}
	}
}

// Readers of YAML and JSON make different numbers of the same text.
func TestOptionsTakeAnyNumber(t *testing.T) {
	for _, seven := range []any{7, int64(7), uint64(7), uint8(7), float32(7), 7.0} {
		s := mustNew(t, "random", map[string]any{"budget": seven}, three)
		if n := len(s.Ask(100)); n != 7 {
			t.Errorf("budget %T: %d points", seven, n)
		}
	}
}

func TestParameters(t *testing.T) {
	if p := search.Parameters("nothing"); p != nil {
		t.Errorf("got %v", p)
	}
	for _, name := range search.Names() {
		for _, p := range search.Parameters(name) {
			if p.Doc == "" || !(p.Low <= p.Default && p.Default <= p.High) {
				t.Errorf("%s: %+v", name, p)
			}
			for _, v := range []float64{p.Low - 1, p.High * 2, p.High + 1} {
				if _, err := search.New(name, map[string]any{p.Name: v}, three, 1); err == nil {
					t.Errorf("%s takes %s = %v", name, p.Name, v)
				}
			}
			search.Parameters(name)[0].Doc = ""
			if search.Parameters(name)[0].Doc == "" {
				t.Errorf("%s: what Parameters returns is not a copy", name)
			}
		}
	}
}

// No options make New panic, or make a strategy that breaks off.
func TestNewNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(search.Names()).Draw(t, "name")
		value := rapid.OneOf(rapid.Float64().AsAny(), rapid.IntRange(-3, 300).AsAny(), rapid.String().AsAny(), rapid.Bool().AsAny())
		options := rapid.MapOfN(rapid.SampledFrom([]string{"tau", "min_n", "alpha", "budget"}), value, 0, 2).Draw(t, "options")
		bound := rapid.OneOf(rapid.Float64Range(-2, 2), rapid.Float64())
		space := search.Space{
			Parents: three.Parents[:rapid.IntRange(0, 3).Draw(t, "parents")],
			Min:     bound.Draw(t, "min"), Max: bound.Draw(t, "max"), Sum: bound.Draw(t, "sum"),
		}
		s, err := search.New(name, options, space, 1)
		if err != nil {
			return
		}
		for _, p := range s.Ask(20) {
			if _, err := space.Effective(p); err != nil {
				t.Fatalf("%s %v in %+v: %s: %v", name, options, space, p.Label, err)
			}
		}
	})
}

// Only the random strategies depend on the seed.
func TestSeeds(t *testing.T) {
	for _, name := range search.Names() {
		keys := map[string]bool{}
		for seed := range uint64(5) {
			s, err := search.New(name, nil, three, seed)
			if err != nil {
				t.Fatal(err)
			}
			all := ""
			for _, p := range s.Ask(1000) {
				all += search.Key(p) + " "
			}
			keys[all] = true
		}
		drawn := slices.Contains([]string{"random", "cmaes", "sobol", "tpe"}, name)
		if want := map[bool]int{true: 5, false: 1}[drawn]; len(keys) != want {
			t.Errorf("%s: %d different lists of points for 5 seeds; want %d", name, len(keys), want)
		}
	}
}
