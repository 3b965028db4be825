package search

import (
	"math"
	"math/rand/v2"
	"testing"
)

// answered are items with smooth scores all over, and scores of them.
func answered(n int, score func(r *rand.Rand, soft float64) float64) []Item {
	r := rand.New(rand.NewPCG(1, 1))
	var items []Item
	for range n {
		soft := -3 * r.Float64()
		items = append(items, Item{Soft: soft, Score: score(r, soft)})
	}
	return items
}

func TestLink(t *testing.T) {
	curve := func(soft float64) float64 { return 1 / (1 + math.Exp(-4*(soft+1))) }
	for name, score := range map[string]func(*rand.Rand, float64) float64{
		"right or wrong": func(r *rand.Rand, soft float64) float64 {
			if r.Float64() < curve(soft) {
				return 1
			}
			return 0
		},
		"graded": func(r *rand.Rand, soft float64) float64 {
			return curve(soft) + min(curve(soft), 1-curve(soft))*(2*r.Float64()-1)
		},
	} {
		l, ok := newLink(answered(4000, score))
		for _, soft := range []float64{-2.5, -1.5, -1, -0.5} {
			if got := l.chance(soft); !ok || math.Abs(got-curve(soft)) > 0.03 {
				t.Errorf("%s: chance %.3f at %v, want %.3f", name, got, soft, curve(soft))
			}
		}
	}
}

// A threshold that no answer contradicts has a steep curve, and not a step.
func TestLinkOfAThreshold(t *testing.T) {
	step := func(_ *rand.Rand, soft float64) float64 {
		if soft > -0.3 {
			return 1
		}
		return 0
	}
	l, ok := newLink(answered(1000, step))
	if low, middle, high := l.chance(-0.9), l.chance(-0.3), l.chance(0); !ok || low > 0.01 || math.Abs(middle-0.5) > 0.15 || high < 0.95 || high == 1 {
		t.Errorf("chances %v, %v, %v", low, middle, high)
	}
}

func TestNoLink(t *testing.T) {
	for name, items := range map[string][]Item{
		"nothing":  nil,
		"one item": {{Soft: -1, Score: 1}},
		"unknown":  {{Soft: math.NaN(), Score: 1}, {Soft: math.Inf(-1)}, {Soft: -1}},
		"alike":    {{Soft: -1, Score: 1}, {Soft: -1}, {Soft: -1}},
		"reversed": answered(100, func(_ *rand.Rand, soft float64) float64 { return -soft / 3 }),
	} {
		if l, ok := newLink(items); ok {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// Where all answers are right, chances are high all over and still finite.
func TestLinkOfRightAnswers(t *testing.T) {
	l, ok := newLink(answered(100, func(*rand.Rand, float64) float64 { return 1 }))
	if p := l.chance(-3); ok && !(p > 0.9 && p <= 1) {
		t.Errorf("chance %v", p)
	}
}
