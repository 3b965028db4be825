package search

import (
	"fmt"
	"slices"
)

var paramBatch = Parameter{Name: "batch", Default: 1, Low: 1, High: 100, Whole: true, Doc: "points that are asked together, for so many workers"}

// modelled asks the points that a surrogate expects most of. It begins with the
// parents and equal weights. Each time it fits the surrogate to all that was told,
// pruned trials too, and asks the point whose expected improvement over the surest
// known point is highest; of a batch, those before are believed to turn out as
// expected. It recommends the surest point, not the luckiest.
type modelled struct {
	*stages
	space   Space
	seed    uint64
	options options
	fit     fitter
}

// newGP is Bayesian optimisation with a Gaussian process for each category.
func newGP(space Space, seed uint64, o options) (Strategy, error) {
	return newModelled("gp", space, seed, o, fitMeans), nil
}

func newModelled(name string, space Space, seed uint64, o options, fit fitter) *modelled {
	m := &modelled{space: space, seed: seed, options: o, fit: fit}
	m.stages = newStages(name, m.follow)
	return m
}

func (m *modelled) follow(done []Trial) []Point {
	left := m.options.whole("budget") - len(done)
	if len(done) == 0 {
		first := append(m.space.singles(), m.space.equal("uniform", m.space.all()))
		return first[:min(len(first), left)]
	}
	if left <= 0 || len(m.space.Parents) == 1 {
		return nil
	}
	s := newSurrogate(m.space, done, m.fit)
	if s == nil {
		m.note("nothing has a score to learn from")
		return nil
	}
	points, gain := m.propose(s, done, min(left, m.options.whole("batch")), false)
	for i := range points {
		points[i].Label = fmt.Sprintf("%s %d: %s", m.name, len(done)+i, m.space.describe(points[i]))
	}
	if len(points) > 0 {
		m.note("%s: may gain %.4f over the best known", points[0].Label, gain)
	}
	return points
}

func (m *modelled) propose(s *surrogate, done []Trial, n int, central bool) ([]Point, float64) {
	p := &proposer{s, slices.Clone(s.places), central}
	return p.propose(Rand(m.seed, m.name, len(done)), scored(done), n)
}

// scored are the points of complete trials, of all trials if there is none.
func scored(done []Trial) []Point {
	var complete, all []Point
	for _, t := range done {
		all = append(all, t.Point)
		if t.State == StateComplete {
			complete = append(complete, t.Point)
		}
	}
	if len(complete) == 0 {
		return all
	}
	return complete
}

// Recommended is the surest of the complete trials.
func (m *modelled) Recommended() (Point, bool) {
	var told []Trial
	for _, t := range m.trials {
		if t.State != "" {
			told = append(told, t)
		}
	}
	if best(told) == nil {
		return Point{}, false
	}
	s := newSurrogate(m.space, told, m.fit)
	if s == nil {
		return Point{}, false
	}
	return s.steady(s.top).clone(), true
}
