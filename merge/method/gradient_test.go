package method

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestGradient(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		t, want float64
	}{
		{[]float64{3}, 0.7, 3},
		{[]float64{0, 1}, 0.3, 0.3},
		{[]float64{0, 0.5, 0.3, 0.7, 1}, 0.125, 0.25},
		{[]float64{0, 0.5, 0.3, 0.7, 1}, 0.5, 0.3},
		{[]float64{1, 0}, 1, 0},
	} {
		if got := Gradient(c.numbers, c.t); !near(got, c.want, 1e-15) {
			t.Errorf("%v at %v: %v, want %v", c.numbers, c.t, got, c.want)
		}
	}
}

// TestGradientInvariants: the numbers hold at their places, and what lies
// between two of them is between them, in proportion.
func TestGradientInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Float64Range(-10, 10), 2, 12).Draw(rt, "numbers")
		last := float64(len(numbers) - 1)
		i := rapid.IntRange(0, len(numbers)-2).Draw(rt, "i")
		part := rapid.Float64Range(0, 1).Draw(rt, "part")
		if got := Gradient(numbers, float64(i)/last); !near(got, numbers[i], 1e-12) {
			rt.Fatalf("at its place %v is %v", numbers[i], got)
		}
		if got := Gradient(numbers, 1); got != numbers[len(numbers)-1] {
			rt.Fatalf("at 1: %v", got)
		}
		want := numbers[i] + part*(numbers[i+1]-numbers[i])
		if got := Gradient(numbers, (float64(i)+part)/last); !near(got, want, 1e-11) {
			rt.Fatalf("between: %v, want %v", got, want)
		}
		reversed := slices.Clone(numbers)
		slices.Reverse(reversed)
		if a, b := Gradient(numbers, part), Gradient(reversed, 1-part); !near(a, b, 1e-11) {
			rt.Fatalf("from the other end: %v and %v", a, b)
		}
	})
}

func TestLayersOf(t *testing.T) {
	l := LayersOf([]string{
		"model.embed_tokens.weight", "model.layers.0.mlp.experts.7.w1.weight", "model.layers.11.mlp.up_proj.weight", "lm_head.weight",
		"vision.blocks.3.attn.weight", "model.layers.99999999999999999999.weight",
	})
	if l.Count != 12 || len(l.Of) != 3 || l.Of["model.layers.0.mlp.experts.7.w1.weight"] != 0 || l.Of["vision.blocks.3.attn.weight"] != 3 {
		t.Errorf("layers %+v", l)
	}
	if !slices.Equal(l.Stacks, []string{"model.layers", "vision.blocks"}) {
		t.Errorf("stacks %v", l.Stacks)
	}
	for _, c := range []struct {
		layer, count int
		want         float64
	}{{0, 1, 1}, {0, 2, 0}, {1, 2, 1}, {1, 5, 0.25}} {
		if got := Depth(c.layer, c.count); got != c.want {
			t.Errorf("layer %d of %d: %v", c.layer, c.count, got)
		}
	}
}

// TestRows: as few groups as there are distinct rows, and every tensor keeps
// its own.
func TestRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "n")
		var names []string
		var rows [][]float64
		distinct := map[float64]bool{}
		for i := range n {
			w := rapid.SampledFrom([]float64{0, 0.25, 0.5, 1}).Draw(rt, "w")
			names, rows, distinct[w] = append(names, string(rune('a'+i))), append(rows, []float64{w, 1 - w}), true
		}
		r := Rows(names, rows)
		if len(r.Weights) != len(distinct) || r.Groups.Len() != len(distinct) {
			rt.Fatalf("%d rows for %d", len(r.Weights), len(distinct))
		}
		for i, name := range names {
			g := 0
			if len(distinct) > 1 {
				g = r.Groups.Of[name]
			}
			if !slices.Equal(r.Weights[g], rows[i]) {
				rt.Fatalf("tensor %s: %v, want %v", name, r.Weights[g], rows[i])
			}
		}
		sorted := slices.Sorted(slices.Values(r.Groups.Names))
		if len(slices.Compact(sorted)) != len(r.Groups.Names) {
			rt.Fatalf("a name twice: %q", r.Groups.Names)
		}
	})
	r := Rows([]string{"x", "y", "z"}, [][]float64{{1}, {2}, {1}})
	if !slices.Equal(r.Groups.Names, []string{"x and 1 more", "y"}) {
		t.Errorf("names %q", r.Groups.Names)
	}
	if r := Rows([]string{"x", "y"}, [][]float64{{1}, {1}}); !slices.Equal(r.Weights[0], []float64{1}) || len(r.Groups.Of) != 0 {
		t.Errorf("one row: %+v", r)
	}
}
