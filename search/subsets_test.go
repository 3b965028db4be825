package search

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestSubsets(t *testing.T) {
	space := Space{Parents: []string{"a", "b", "c"}, Groups: []string{"x", "y"}}
	s, err := New("subsets", nil, space, 1)
	if err != nil {
		t.Fatal(err)
	}
	points := s.Ask(100)
	seen := map[uint]bool{}
	for _, p := range points {
		set, ok := SetOf(p)
		if !ok || seen[set] {
			t.Errorf("%+v is set %b, %v", p, set, ok)
		}
		seen[set] = true
	}
	if len(points) != 7 || points[6].Label != "equal a+b+c" {
		t.Errorf("%+v", points)
	}
	if _, err := New("subsets", map[string]any{"budget": 6}, space, 1); err == nil {
		t.Error("more sets than the budget are no error")
	}
	bounded, err := New("subsets", nil, Space{Parents: space.Parents, Max: 0.4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(bounded.Ask(100)); got != 4 { // three singles, all three
		t.Errorf("%d points of at most 0.4", got)
	}
}

func TestSetOf(t *testing.T) {
	for _, test := range []struct {
		weights [][]float64
		set     uint
		ok      bool
	}{
		{[][]float64{{0.5, 0, 0.5}}, 0b101, true},
		{[][]float64{{1, 0, 0}, {1, 0, 0}}, 0b001, true},
		{[][]float64{{1, 0, 0}, {0, 1, 0}}, 0, false},
		{[][]float64{{0.6, 0.4}}, 0, false},
		{[][]float64{{0, 0}}, 0, false},
		{nil, 0, false},
	} {
		if set, ok := SetOf(Point{Weights: test.weights}); ok != test.ok || ok && set != test.set {
			t.Errorf("%v: %b %v", test.weights, set, ok)
		}
	}
}

// By definition: the mean over all orders of joining.
func TestShapleyIsTheMeanOverOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		values := rapid.SliceOfN(rapid.Float64Range(-1, 1), 1<<n, 1<<n).Draw(t, "values")
		got := Shapley(n, func(set uint) float64 { return values[set] })
		want, orders := make([]float64, n), 0.0
		var join func(set uint)
		gains := make([]float64, n)
		join = func(set uint) {
			if set == 1<<n-1 {
				orders++
				for i, g := range gains {
					want[i] += g
				}
				return
			}
			for i := range n {
				if set>>i&1 == 0 {
					gains[i] = values[set|1<<i] - values[set]
					join(set | 1<<i)
				}
			}
		}
		join(0)
		sum := 0.0
		for i := range got {
			sum += got[i]
			if math.Abs(got[i]-want[i]/orders) > 1e-12 {
				t.Fatalf("player %d: %v, want %v", i, got[i], want[i]/orders)
			}
		}
		if math.Abs(sum-values[1<<n-1]+values[0]) > 1e-12 {
			t.Fatalf("shares sum to %v", sum)
		}
	})
}
