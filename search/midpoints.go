package search

import (
	"fmt"
	"math"
)

// midpoints asks the parents and the midpoint of every two: checkpoints that can be
// averaged have no barrier between them, so that the midpoint is not much worse than
// the mean of its ends (linear mode connectivity, https://arxiv.org/abs/1912.05671).
// It says which pairs have one, and which parents another one covers.
// n parents take n (n+1) / 2 points.
type midpoints struct {
	*stages
	space Space
	known record
}

func newMidpoints(space Space, _ uint64, o options) (Strategy, error) {
	if n := len(space.Parents); n < 2 || space.Min > 0 || space.Max < space.Sum/2 {
		return nil, fmt.Errorf("%w: midpoints need two parents, and weights that may be 0 and %v", ErrSpace, space.Sum/2)
	}
	m := &midpoints{space: space, known: record{}}
	points := append(space.singles(), m.pairs()...)
	if float64(len(points)) > o["budget"] {
		return nil, fmt.Errorf("%d points for %d parents, above the budget of %v", len(points), len(space.Parents), o["budget"])
	}
	m.stages = newStages("midpoints", func(done []Trial) []Point {
		if len(done) == 0 {
			return points
		}
		m.known.add(done)
		m.judge()
		return nil
	})
	return m, nil
}

// pairs are the midpoints, by the numbers of their parents.
func (m *midpoints) pairs() []Point {
	var points []Point
	for j := range m.space.Parents {
		for i := range j {
			points = append(points, m.middle(i, j))
		}
	}
	return points
}

func (m *midpoints) middle(i, j int) Point {
	i, j = min(i, j), max(i, j)
	return m.space.equal("midpoint "+m.space.Parents[i]+"+"+m.space.Parents[j], []int{i, j})
}

// judge notes the barriers, and the parents that nothing speaks for.
func (m *midpoints) judge() {
	for j := range m.space.Parents {
		for i := range j {
			if height, doubt, ok := m.barrier(i, j); ok && height > 2*doubt {
				m.note("barrier between %s and %s: their midpoint is %.4f below the mean of the two", m.space.Parents[i], m.space.Parents[j], height)
			}
		}
	}
	for i := range m.space.Parents {
		if over, cost, ok := m.needless(i); ok {
			m.note("%s may add nothing: %s is as good or better in every category, and half of %s costs it %.4f", m.space.Parents[i], over, m.space.Parents[i], cost)
		}
	}
	if len(m.notes) == 0 {
		m.note("no barrier between any two parents")
	}
}

// barrier is how far the midpoint of two parents lies below their mean, and the
// standard error of its difference to the better one.
func (m *midpoints) barrier(i, j int) (height, doubt float64, ok bool) {
	singles := m.space.singles()
	a, b, middle := m.known.trial(singles[i]), m.known.trial(singles[j]), m.known.trial(m.middle(i, j))
	for _, t := range []*Trial{a, b, middle} {
		if t.State != StateComplete {
			return 0, 0, false
		}
	}
	better := a
	if b.Score > a.Score {
		better = b
	}
	return (a.Score+b.Score)/2 - middle.Score, m.space.doubt(*middle, *better), true
}

// needless is a parent that is as good as another one, or better, in every category,
// and loses by half of the other: nothing in the numbers speaks for the other.
func (m *midpoints) needless(i int) (over string, cost float64, ok bool) {
	singles := m.space.singles()
	own := m.known.trial(singles[i])
	for j, p := range singles {
		other, middle := m.known.trial(p), m.known.trial(m.middle(i, j))
		if j == i || own.State != StateComplete || other.State != StateComplete || middle.State != StateComplete || len(own.Categories) == 0 {
			continue
		}
		lost := other.Score - middle.Score
		if lost > cost && lost > 2*m.space.doubt(*middle, *other) && covers(*other, *own) {
			over, cost, ok = m.space.Parents[j], lost, true
		}
	}
	return over, cost, ok
}

// covers says whether a trial is not worse than another one in any category, beyond
// a standard error of the difference.
func covers(a, b Trial) bool {
	variances := paired(a.Items, b.Items)
	for name, c := range b.Categories {
		variance, known := variances[name]
		if !known {
			variance = c.SE * c.SE
		}
		if a.Categories[name].Mean < c.Mean-math.Sqrt(variance) {
			return false
		}
	}
	return true
}
