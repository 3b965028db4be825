package search_test

import (
	"math"
	"testing"

	"soup/search"
)

func draws(t *testing.T, space search.Space, alpha float64, n int) []search.Point {
	t.Helper()
	return mustNew(t, "random", map[string]any{"alpha": alpha, "budget": n}, space).Ask(n)
}

// Mean and variance of a Dirichlet share of k parents: 1/k and
// (k-1)/(k^2 (k alpha + 1)).
func TestRandomIsDirichlet(t *testing.T) {
	const n, k = 4000, 3.0
	for _, alpha := range []float64{0.3, 1, 5} {
		points := draws(t, three, alpha, n)
		for parent := range 3 {
			sum, squares := 0.0, 0.0
			for _, p := range points {
				w := p.Weights[0][parent]
				sum, squares = sum+w, squares+w*w
			}
			mean, variance := sum/n, squares/n-sum/n*sum/n
			want := (k - 1) / (k * k * (k*alpha + 1))
			if math.Abs(mean-1/k) > 4*math.Sqrt(want/n) || math.Abs(variance/want-1) > 0.12 {
				t.Errorf("alpha %v, parent %d: mean %.3f, variance %.4f; want %.3f, %.4f", alpha, parent, mean, variance, 1/k, want)
			}
		}
	}
}

// Point k is the same whatever the budget, so that a budget can grow.
func TestRandomBudgetGrows(t *testing.T) {
	few, many := draws(t, three, 1, 5), draws(t, three, 1, 50)
	for i := range few {
		if search.Key(few[i]) != search.Key(many[i]) {
			t.Errorf("point %d differs", i)
		}
	}
}

func TestRandomGroupsAreIndependent(t *testing.T) {
	const n = 2000
	space := search.Space{Parents: []string{"a", "b"}, Groups: []string{"x", "y"}}
	covariance := 0.0
	for _, p := range draws(t, space, 1, n) {
		covariance += (p.Weights[0][0] - 0.5) * (p.Weights[1][0] - 0.5) / n
	}
	if math.Abs(covariance) > 4*(1.0/12)/math.Sqrt(n) {
		t.Errorf("covariance between groups %.4f", covariance)
	}
}

// With bounds beyond 0 and 1 points go there, and to the bounds where they are tight.
func TestRandomFillsItsBounds(t *testing.T) {
	low, high := 1.0, 0.0
	for _, p := range draws(t, search.Space{Parents: three.Parents, Min: -0.5, Max: 1.2}, 1, 500) {
		for _, w := range p.Weights[0] {
			low, high = min(low, w), max(high, w)
		}
	}
	if low > -0.45 || high < 1.15 || low < -0.5-1e-9 || high > 1.2+1e-9 {
		t.Errorf("weights from %v to %v", low, high)
	}
	for _, p := range draws(t, search.Space{Parents: three.Parents, Max: 1.0 / 3}, 1, 1) {
		if got := search.Key(p); got != "0.333333333333,0.333333333333,0.333333333333" {
			t.Errorf("no room but %s", got)
		}
	}
}

func TestRandomSmallAlpha(t *testing.T) {
	for _, p := range draws(t, search.Space{Parents: []string{"a", "b"}}, 0.01, 2000) {
		if w := p.Weights[0]; !(w[0] >= 0 && w[1] >= 0 && math.Abs(w[0]+w[1]-1) < 1e-12) {
			t.Fatalf("%s: %v", p.Label, w)
		}
	}
}
