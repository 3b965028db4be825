package search

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
)

// lattice is the set of all rows of whole numbers from low to high that sum to
// total: weights in units of one step.
type lattice struct {
	parts, total, low, high int
	// ways[k][t] is how many rows of k parts sum to t above their lows. A float64
	// because it may be astronomical.
	ways [][]float64
}

// maxSpan bounds the work of counting, which grows with its square.
const maxSpan = 5000

// newLattice has the bounds of weights in steps of the given size, each at least
// Min and at least so many steps.
func (s Space) newLattice(step, least float64) (lattice, error) {
	total := math.Round(s.Sum / step)
	if math.Abs(s.Sum/step-total) > 1e-6 {
		return lattice{}, fmt.Errorf("option step: %v does not divide the sum of weights, %v", step, s.Sum)
	}
	low, high := max(s.Min/step, least), s.Max/step
	if max(total, total-float64(len(s.Parents))*low) > maxSpan {
		return lattice{}, fmt.Errorf("option step: %v is too small for weights from %v to %v", step, s.Min, s.Max)
	}
	return lattice{total: int(total), low: int(math.Ceil(low - 1e-6)), high: int(math.Floor(high + 1e-6))}, nil
}

// over is the lattice of that many parents, counted.
func (l lattice) over(parts int) lattice {
	l.parts = parts
	l.count()
	return l
}

// span is what is left to share out when each part has its low.
func (l lattice) span() int { return l.total - l.parts*l.low }

func (l *lattice) count() {
	ways := make([]float64, max(0, l.span()+1))
	if len(ways) > 0 {
		ways[0] = 1
	}
	l.ways = [][]float64{ways}
	for k := range l.parts {
		next := make([]float64, len(ways))
		for t := range next {
			for v := range min(l.high-l.low, t) + 1 {
				next[t] += l.ways[k][t-v]
			}
		}
		l.ways = append(l.ways, next)
	}
}

// size is the number of rows.
func (l lattice) size() float64 {
	if l.span() < 0 {
		return 0
	}
	return l.ways[l.parts][l.span()]
}

// all yields the rows in falling order of their first parts. The row is reused.
func (l lattice) all() iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		l.fill(make([]int, l.parts), 0, l.total, yield)
	}
}

// fill goes through all values of the parts from i on and says whether to go on.
func (l lattice) fill(row []int, i, left int, yield func([]int) bool) bool {
	if i == l.parts {
		return yield(row)
	}
	after := l.parts - i - 1
	most := min(l.high, left-after*l.low)
	least := max(l.low, left-after*l.high)
	for row[i] = most; row[i] >= least; row[i]-- {
		if !l.fill(row, i+1, left-row[i], yield) {
			return false
		}
	}
	return true
}

// draw returns a random row, all equally likely. There must be one.
func (l lattice) draw(r *rand.Rand) []int {
	row, left := make([]int, l.parts), l.span()
	for i := range row {
		rest := l.ways[l.parts-i-1]
		u, chosen := r.Float64()*l.ways[l.parts-i][left], 0
		for v := 0; v <= min(l.high-l.low, left) && u >= 0; v++ {
			if rest[left-v] > 0 {
				u, chosen = u-rest[left-v], v
			}
		}
		row[i], left = l.low+chosen, left-chosen
	}
	return row
}

// weigh turns steps into weights: a quotient of whole numbers, so that three steps
// of 0.1 are 0.3.
func (s Space) weigh(l lattice, row []int) []float64 {
	weights := make([]float64, len(row))
	for i, steps := range row {
		weights[i] = s.Sum * float64(steps) / float64(l.total)
	}
	return weights
}
