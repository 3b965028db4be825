package search

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func sobolPoints(t *testing.T, space Space, budget int, seed uint64) []Point {
	t.Helper()
	s, err := New("sobol", map[string]any{"budget": budget}, space, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s.Ask(budget)
}

// Of two parents the first 2^k points have one in each of 2^k equal parts, whatever
// the seed; so has each group.
func TestSobolIsEven(t *testing.T) {
	for seed := range uint64(3) {
		points := sobolPoints(t, letters(2, "x", "y"), 64, seed)
		for _, n := range []int{2, 8, 64} {
			for g := range 2 {
				taken := map[int]bool{}
				for _, p := range points[:n] {
					taken[int(p.Weights[g][0]*float64(n))] = true
				}
				if len(taken) != n {
					t.Errorf("seed %d, group %d: the first %d points lie in %d parts", seed, g, n, len(taken))
				}
			}
		}
	}
}

// Over the simplex shares have mean 1/n and variance (n-1)/(n^2 (n+1)): those of a
// Dirichlet distribution with alpha 1. 256 points of the sequence have them closer
// than 256 independent ones, by their standard error.
func TestSobolIsUniform(t *testing.T) {
	const points, n = 256, 4
	for parent := range n {
		sum, squares := 0.0, 0.0
		for _, p := range sobolPoints(t, letters(n), points, 1) {
			sum += p.Weights[0][parent] / points
			squares += p.Weights[0][parent] * p.Weights[0][parent] / points
		}
		variance := (n - 1.0) / (n * n * (n + 1))
		if math.Abs(sum-1.0/n) > 0.3*math.Sqrt(variance/points) || math.Abs((squares-sum*sum)/variance-1) > 0.05 {
			t.Errorf("parent %d: mean %.4f, variance %.5f; want %.4f, %.5f", parent, sum, squares-sum*sum, 1.0/n, variance)
		}
	}
}

// Sorted by how much of the simplex is beyond it, the share of the last parents
// follows its distribution: P(w > x) = (1-x)^(n-1).
func TestSimplexQuantiles(t *testing.T) {
	const n, draws = 5, 4096
	for parent := range n {
		beyond := 0.0
		for _, p := range sobolPoints(t, letters(n), draws, 7) {
			if p.Weights[0][parent] > 0.3 {
				beyond++
			}
		}
		if want := math.Pow(0.7, n-1); math.Abs(beyond/draws-want) > 0.01 {
			t.Errorf("parent %d: %.4f are above 0.3; want %.4f", parent, beyond/draws, want)
		}
	}
}

func TestSobolBudgetGrows(t *testing.T) {
	few, many := sobolPoints(t, letters(5), 7, 1), sobolPoints(t, letters(5), 100, 1)
	for i := range few {
		if Key(few[i]) != Key(many[i]) {
			t.Errorf("point %d differs", i)
		}
	}
}

func TestSobolKeepsToBounds(t *testing.T) {
	space := Space{Parents: letters(3).Parents, Min: -0.5, Max: 1.2}
	low, high := 1.0, 0.0
	for _, p := range sobolPoints(t, space, 500, 1) {
		for _, w := range p.Weights[0] {
			low, high = min(low, w), max(high, w)
		}
	}
	if low > -0.45 || high < 1.15 || low < -0.5-slack || high > 1.2+slack {
		t.Errorf("weights from %v to %v", low, high)
	}
}

func TestSobolTooManyDimensions(t *testing.T) {
	space := letters(3)
	for g := range 10_600 {
		space.Groups = append(space.Groups, fmt.Sprint(g))
	}
	_, err := New("sobol", nil, space, 1)
	if err == nil || !strings.Contains(err.Error(), "strategy sobol: 3 parents and 10600 groups have 21200 dimensions; there are at most 21199") {
		t.Errorf("got %v", err)
	}
}
