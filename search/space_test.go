package search_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/search"
)

var three = search.Space{Parents: []string{"a", "b", "c"}}

func rows(r ...[]float64) search.Point { return search.Point{Weights: r} }

func TestDefaults(t *testing.T) {
	s, err := three.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if s.Min != 0 || s.Max != 1 || s.Sum != 1 || len(s.Groups) != 1 || s.Groups[0] != "global" {
		t.Errorf("got %+v", s)
	}
	s, err = search.Space{Parents: []string{"a"}, Sum: 2}.WithDefaults()
	if err != nil || s.Max != 2 {
		t.Errorf("sum 2: got %+v, %v; want max 2", s, err)
	}
}

func TestSpaceErrors(t *testing.T) {
	ab := []string{"a", "b"}
	for want, s := range map[string]search.Space{
		"no parent given":                            {},
		"parent 2 has no name":                       {Parents: []string{"a", ""}},
		"two parents are named a":                    {Parents: []string{"a", "b", "a"}},
		"two groups are named x":                     {Parents: ab, Groups: []string{"x", "x"}},
		"min is NaN; it must be from -1000 to 1000":  {Parents: ab, Min: math.NaN()},
		"max is +Inf; it must":                       {Parents: ab, Max: math.Inf(1)},
		"sum is -1; it must be from 0.001 to 1000":   {Parents: ab, Sum: -1, Min: -2},
		"min 0.6 and max 1 leave no room for equal":  {Parents: ab, Min: 0.6},
		"min 0 and max 0.4 leave no room for equal ": {Parents: ab, Max: 0.4},
	} {
		if _, err := s.WithDefaults(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v; want %q", s, err, want)
		}
		if _, err := s.Effective(rows([]float64{1, 1})); err == nil {
			t.Errorf("%+v: Effective has no error", s)
		}
	}
}

func TestEffective(t *testing.T) {
	wide := search.Space{Parents: three.Parents, Min: -0.5, Max: 1.5}
	twice := search.Space{Parents: three.Parents, Sum: 2}
	for _, c := range []struct {
		space search.Space
		in    search.Point
		want  string
	}{
		{three, rows([]float64{2, 1, 1}), "0.5,0.25,0.25"},
		{three, rows([]float64{0, 0.001, 0}), "0,1,0"},
		{three, rows([]float64{1, 1, 1}), "0.333333333333,0.333333333333,0.333333333333"},
		{wide, rows([]float64{1.5, -0.5, 0}), "1.5,-0.5,0"},
		{twice, rows([]float64{1, 1, 0}), "1,1,0"},
		{twice, rows([]float64{0, 0, 2}), "0,0,1"}, // the parent itself
	} {
		got, err := c.space.Effective(c.in)
		if err != nil || search.Key(got) != c.want {
			t.Errorf("%v: got %s, %v; want %s", c.in.Weights, search.Key(got), err, c.want)
		}
	}
}

func TestEffectiveErrors(t *testing.T) {
	for want, p := range map[string]search.Point{
		"0 rows of weights for 1 groups":                {},
		"2 rows of weights for 1 groups":                rows([]float64{1, 0, 0}, []float64{1, 0, 0}),
		"group global: 2 weights for 3 parents":         rows([]float64{1, 0}),
		"group global: weight of b is NaN":              rows([]float64{1, math.NaN(), 0}),
		"group global: weight of c is -Inf":             rows([]float64{1, 0, math.Inf(-1)}),
		"group global: weights sum to 0;":               rows([]float64{0, 0, 0}),
		"group global: weights sum to -1;":              rows([]float64{-1, 0, 0}),
		"group global: weights sum to +Inf;":            rows([]float64{math.MaxFloat64, math.MaxFloat64, 0}),
		"group global: weight 2 of a is outside 0 to 1": rows([]float64{2, -1, 0}),
	} {
		_, err := three.Effective(p)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %v; want %q", p.Weights, err, want)
		}
	}
}

func TestEffectiveLeavesItsArgument(t *testing.T) {
	p := rows([]float64{1, 1, 2})
	if _, err := three.Effective(p); err != nil || p.Weights[0][2] != 2 {
		t.Errorf("weights became %v, error %v", p.Weights, err)
	}
}

func TestEffectiveProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "parents")
		s := search.Space{Parents: []string{"a", "b", "c", "d", "e", "f", "g", "h"}[:n]}
		row := rapid.SliceOfN(rapid.Float64Range(0.01, 10), n, n).Draw(t, "row")
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		once, err := s.Effective(rows(row))
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Effective(once)
		if err != nil || search.Key(again) != search.Key(once) {
			t.Fatalf("twice: %s, %v; once: %s", search.Key(again), err, search.Key(once))
		}
		sum := 0.0
		scaled := make([]float64, n)
		for i, w := range once.Weights[0] {
			sum += w
			scaled[i] = scale * row[i]
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("sums to %v", sum)
		}
		other, err := s.Effective(rows(scaled))
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range other.Weights[0] {
			if math.Abs(w-once.Weights[0][i]) > 1e-12 {
				t.Fatalf("scaled by %v: %v; as it was: %v", scale, other.Weights, once.Weights)
			}
		}
	})
}

func TestKey(t *testing.T) {
	same := [][2]search.Point{
		{rows([]float64{0.1 + 0.2, 0.7}), rows([]float64{0.3, 0.7})},
		{rows([]float64{math.Copysign(0, -1), 1}), rows([]float64{0, 1})},
		{rows([]float64{-1e-14, 1}), rows([]float64{0, 1})},
	}
	for _, pair := range same {
		if search.Key(pair[0]) != search.Key(pair[1]) {
			t.Errorf("%v and %v: %s, %s", pair[0], pair[1], search.Key(pair[0]), search.Key(pair[1]))
		}
	}
	seen := map[string]search.Point{}
	for _, p := range []search.Point{
		rows([]float64{0.3, 0.7}), rows([]float64{0.7, 0.3}), rows([]float64{0.3}, []float64{0.7}),
		rows([]float64{0.3, 0.7 + 1e-11}), rows([]float64{0.3, 0.7}, []float64{0.3, 0.7}),
	} {
		if q, ok := seen[search.Key(p)]; ok {
			t.Errorf("%v and %v share key %s", p.Weights, q.Weights, search.Key(p))
		}
		seen[search.Key(p)] = p
	}
}
