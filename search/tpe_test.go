package search

import (
	"math"
	"slices"
	"testing"
)

func TestMixtureIsADensity(t *testing.T) {
	m := newMixture([]float64{0.9, 0.1, 0.15, 0.5})
	const steps = 20_000
	mass, mean := 0.0, 0.0
	for i := range steps {
		x := (float64(i) + 0.5) / steps
		mass += math.Exp(m.logDensity(x)) / steps
		mean += x * math.Exp(m.logDensity(x)) / steps
	}
	if math.Abs(mass-1) > 1e-6 {
		t.Errorf("mass %v", mass)
	}
	r, drawn := Rand(1, "", 0), 0.0
	for range steps {
		x := m.draw(r)
		if !(x >= 0 && x < 1) {
			t.Fatalf("draws %v", x)
		}
		drawn += x / steps
	}
	if math.Abs(drawn-mean) > 4*0.3/math.Sqrt(steps) {
		t.Errorf("mean of draws %v; of the density %v", drawn, mean)
	}
}

// The parts of a mixture are wide where values lie apart: section 4.2 of the paper,
// each to its farther neighbour, and one over everything. Nothing is narrower than
// a seventh of the range for five values and the wide part (1 + 6 parts).
func TestMixtureParts(t *testing.T) {
	m := newMixture([]float64{0.9, 0.1, 0.4, 0.12, 0.8})
	var centres, widths []float64
	for _, p := range m.parts {
		centres, widths = append(centres, p.Mu), append(widths, p.Sigma)
	}
	if want := []float64{0.1, 0.12, 0.4, 0.5, 0.8, 0.9}; !slices.Equal(centres, want) {
		t.Errorf("centres %v; want %v", centres, want)
	}
	for i, want := range []float64{1.0 / 7, 0.28, 0.28, 1, 0.3, 1.0 / 7} {
		if math.Abs(widths[i]-want) > 1e-9 {
			t.Errorf("width of the part at %v is %v; want %v", centres[i], widths[i], want)
		}
	}
}

// Of more than 25 values the first ones count less: goptuna's weights, which have to
// stay with their values when these are sorted.
func TestMixtureForgets(t *testing.T) {
	values := make([]float64, 40)
	for i := range values {
		values[i] = 1 - float64(i)/40
	}
	m := newMixture(values)
	first, last := m.shares[len(m.shares)-1], m.shares[0]
	if math.Abs(last/first-40) > 1e-9 {
		t.Errorf("the last value counts %v times the first; want 40", last/first)
	}
}

func TestModelChooses(t *testing.T) {
	m := model{newMixture([]float64{0.3, 0.31, 0.29}), newMixture([]float64{0.7, 0.8, 0.9, 0.6})}
	r, sum := Rand(1, "", 0), 0.0
	for range 200 {
		sum += m.choose(r) / 200
	}
	if sum > 0.35 {
		t.Errorf("chooses %v on average", sum)
	}
}

// It is better than what it begins with, and than as many random points.
func TestTPEImproves(t *testing.T) {
	f := peaked(0.5, 0.3, 0.2, 0)
	var ours, random float64
	for seed := range uint64(10) {
		_, r := search(t, "tpe", nil, letters(4), seed, f)
		ours += (1 - r.Best.Score) / 10
		if len(r.Trials) != 60 {
			t.Fatalf("%d points", len(r.Trials))
		}
		_, r = search(t, "random", nil, letters(4), seed, f)
		random += (1 - r.Best.Score) / 10
	}
	if ours > 0.8*random {
		t.Errorf("mean regret %.4f; of random points %.4f", ours, random)
	}
}

func TestTPEBudgetGrows(t *testing.T) {
	_, few := search(t, "tpe", map[string]any{"budget": 14}, letters(3), 1, peaked(0.2, 0.3, 0.5))
	_, many := search(t, "tpe", map[string]any{"budget": 30}, letters(3), 1, peaked(0.2, 0.3, 0.5))
	for i, trial := range few.Trials {
		if Key(trial.Point) != Key(many.Trials[i].Point) {
			t.Errorf("point %d differs", i)
		}
	}
}
