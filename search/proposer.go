package search

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// proposer looks for the points that a surrogate expects most of.
type proposer struct {
	*surrogate
	taken   [][]float64 // places that are not proposed again
	central bool        // ask for where the best point is expected to lie
}

// What is looked at for a proposal. More did not find better points in spaces of
// up to twelve parents.
const (
	drawn    = 300 // points all over the space
	screened = 32  // of them, with the highest means
	rounds   = 3   // of moves from the best
	moved    = 32  // points a round
)

// closest is how near points are that are not worth telling apart: weights that
// differ by a hundredth give the same answers but for a few.
const closest = 0.015

// moves are the parts of the sum that go from a parent to another, round by round.
var moves = [rounds]float64{0.2, 0.1, 0.04}

// grains are how fine weights are, in parts of their sum. A coarser point is taken
// if it is expected to gain most of what a finer one would: a simpler recipe, and
// with a thousand items no soups can be told apart whose weights differ by less
// than a few hundredths.
var grains = []int{10, 20, 100}

// most is how large a part of the gain of a finer point a coarser one must have.
const most = 0.8

// propose returns up to n points, and how much better than the surest of the known
// points the first of them is expected to be.
func (p *proposer) propose(r *rand.Rand, known []Point, n int) (points []Point, gain float64) {
	over := *surest(p.top) // a copy: what is believed of it changes
	pool := p.prospects(p.screen(p.scatter(r, known)))
	for _, step := range moves {
		ranked := p.rank(pool, &over)
		fresh := p.prospects(p.around(r, pointsOf(ranked), step))
		pool = slices.Concat(ranked[:min(len(ranked), screened)], fresh)
	}
	for len(points) < n {
		next := p.next(r, pool, &over, len(points) == 0)
		if next == nil {
			break
		}
		if len(points) == 0 {
			gain = p.improvement(next, &over)
		}
		points, p.taken = append(points, next.Point), append(p.taken, next.place)
		p.believe(next, append(pool, &over))
	}
	return points, gain
}

// next is the point to ask, nil if all are taken: the centre, if that is wanted and
// it is the first, or else the best of the pool.
func (p *proposer) next(r *rand.Rand, pool []*prospect, over *prospect, first bool) *prospect {
	if p.central && first {
		if c := p.centre(r, append(pool, over)); c != nil {
			return c
		}
	}
	return p.best(pool, over)
}

func pointsOf(all []*prospect) (points []Point) {
	for _, a := range all {
		points = append(points, a.Point)
	}
	return points
}

// scatter are points all over the space: drawn from the whole simplex and from
// faces with few parents, and near the known points.
func (p *proposer) scatter(r *rand.Rand, known []Point) []Point {
	var pool []Point
	for range drawn {
		rows := make([][]float64, len(p.space.Groups))
		face := p.face(r)
		for g := range rows {
			rows[g] = p.space.spread(face.shares(r))
		}
		if r.IntN(2) == 0 { // the same in all groups
			for g := range rows {
				rows[g] = rows[0]
			}
		}
		pool = append(pool, p.space.round(rows, grains[r.IntN(len(grains))]))
	}
	return append(pool, p.around(r, known, 0.1)...)
}

// face is a set of parents that may have weight.
type face []bool

func (p *proposer) face(r *rand.Rand) face {
	n := len(p.space.Parents)
	f := make(face, n)
	count := n
	if n > 2 && r.IntN(2) == 0 {
		count = 2 + r.IntN(n-1)
	}
	for _, i := range r.Perm(n)[:count] {
		f[i] = true
	}
	return f
}

func (f face) shares(r *rand.Rand) []float64 {
	all := dirichlet(r, len(f), 1)
	total := 0.0
	for i, in := range f {
		if in {
			total += all[i]
		} else {
			all[i] = 0
		}
	}
	for i := range all {
		all[i] /= max(total, 1e-300)
	}
	return all
}

// rank sorts the pool by expected improvement over a point. What is taken is left
// out.
func (p *proposer) rank(pool []*prospect, over *prospect) []*prospect {
	gains := p.gains(pool, over)
	var ranked []*prospect
	for _, i := range descending(gains) {
		if !math.IsInf(gains[i], -1) {
			ranked = append(ranked, pool[i])
		}
	}
	return ranked
}

// gains are the expected improvements of the pool; minus infinity where a point is
// taken.
func (p *proposer) gains(pool []*prospect, over *prospect) []float64 {
	gains := make([]float64, len(pool))
	for i, a := range pool {
		gains[i] = math.Inf(-1)
		if !p.isTaken(a.place) {
			gains[i] = p.improvement(a, over)
		}
	}
	return gains
}

// best is the point with the highest gain, or a coarser one with most of that; nil
// if all are taken.
func (p *proposer) best(pool []*prospect, over *prospect) *prospect {
	gains := p.gains(pool, over)
	order := descending(gains)
	if len(order) == 0 || math.IsInf(gains[order[0]], -1) {
		return nil
	}
	for _, grain := range grains {
		for _, i := range order {
			if gains[i] >= most*gains[order[0]] && p.space.isRound(pool[i].Point, grain) {
				return pool[i]
			}
		}
	}
	return pool[order[0]]
}

// isRound says whether weights are multiples of 1/grain of their sum.
func (s Space) isRound(p Point, grain int) bool {
	for _, row := range s.rows(p) {
		for _, w := range row {
			steps := w / s.Sum * float64(grain)
			if math.Abs(steps-math.Round(steps)) > 1e-6 {
				return false
			}
		}
	}
	return true
}

func (p *proposer) isTaken(x []float64) bool {
	limit := closest / math.Sqrt(float64(len(p.space.Groups)))
	return slices.ContainsFunc(p.taken, func(y []float64) bool {
		for i, w := range x {
			if math.Abs(w-y[i]) > limit {
				return false
			}
		}
		return true
	})
}

// around are points to which a part of the sum goes from a parent to another, in
// one group or in all, starting from the first points of a list more often than
// from later ones.
func (p *proposer) around(r *rand.Rand, from []Point, step float64) []Point {
	n := len(p.space.Parents)
	if n < 2 || len(from) == 0 {
		return nil
	}
	var pool []Point
	for range moved {
		rows := p.space.rows(from[r.IntN(1+r.IntN(len(from)))])
		giver, taker := r.IntN(n), r.IntN(n)
		only := r.IntN(2 * len(rows)) // beyond the groups: all of them
		for g, row := range rows {
			if only >= len(rows) || g == only {
				row[giver] -= step * p.space.Sum
				row[taker] += step * p.space.Sum
				rows[g] = p.space.project(row)
			}
		}
		pool = append(pool, p.space.round(rows, grains[r.IntN(len(grains))]))
	}
	return pool
}

// round makes weights multiples of a part of their sum, 1/grain, where the bounds
// allow that.
func (s Space) round(rows [][]float64, grain int) Point {
	rounded := make([][]float64, len(rows))
	for g, row := range rows {
		rounded[g] = s.roundRow(row, float64(grain))
	}
	return s.tidy("", rounded)
}

func (s Space) roundRow(row []float64, grain float64) []float64 {
	out, order := make([]float64, len(row)), make([]int, len(row))
	rest := int(grain)
	for i, w := range row {
		whole := math.Floor(w/s.Sum*grain + 1e-9)
		out[i], order[i] = whole, i
		rest -= int(whole)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(row[b]/s.Sum*grain-out[b], row[a]/s.Sum*grain-out[a])
	})
	for _, i := range order[:max(0, min(rest, len(order)))] {
		out[i]++
	}
	for i := range out {
		out[i] *= s.Sum / grain
		if out[i] < s.Min-slack || out[i] > s.Max+slack {
			return slices.Clone(row)
		}
	}
	return out
}

// descending is the order of values from the highest, the first of equals first.
func descending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	return order
}
