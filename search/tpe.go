package search

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/c-bata/goptuna/tpe"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat/distuv"
)

var paramStartup = Parameter{Name: "startup", Default: 10, Low: 1, High: 1000, Whole: true, Doc: "random points to begin with"}

// parzen is the tree-structured Parzen estimator (Bergstra et al., "Algorithms for
// hyper-parameter optimization", NIPS 2011), as a row to compare with: what people
// get who search the weights of a soup with a tool for hyper-parameters. The number
// of good trials, their weights and the mixtures are those of
// github.com/c-bata/goptuna v0.9.0.
//
// The method does not see what a soup is. It has one number from 0 to 1 for each
// parent and scales them to their sum, so that a soup has many names; it looks at
// each number on its own, whatever the others are; and it asks one point at a time.
// Trials without a score are the worst.
//
// Sampler of goptuna is not used. It draws mixture components from the global
// random generator (internal/random.ArgMaxMultinomial), so its points cannot be
// repeated, and its densities are wrong: the distance from a component's centre is
// not squared, components are multiplied where they should be added, and the mass
// within the bounds weights its upper end only. Its mixtures put centres in a wrong
// order unless they are given sorted (gonum's floats.Argsort has sorted them
// already), so that is how they are given.
type parzen struct {
	*stages
	space   Space
	seed    uint64
	options options
	known   record
	drawn   []proposal
}

// proposal is a point with the numbers behind it.
type proposal struct {
	numbers []float64
	point   Point
}

// choices is how many numbers are drawn to choose one from, goptuna's default.
const choices = 24

func newParzen(space Space, seed uint64, o options) (Strategy, error) {
	p := &parzen{space: space, seed: seed, options: o, known: record{}}
	p.stages = newStages("tpe", p.follow)
	p.note("draws %d points, then goes by the better tenth of all", o.whole("startup"))
	return p, nil
}

// follow proposes until it comes to a point that was not asked before.
func (p *parzen) follow(done []Trial) []Point {
	p.known.add(done)
	left := p.options.whole("budget") - len(done)
	for try := 0; left > 0 && try < idle; try++ {
		fresh := p.known.lacks(p.propose())
		if len(fresh) > 0 {
			return fresh[:min(len(fresh), left)]
		}
	}
	return nil
}

// propose adds the points to start with, or one that the model chooses.
func (p *parzen) propose() []Point {
	last := max(len(p.drawn), p.options.whole("startup")-1)
	models := p.models()
	var points []Point
	for k := len(p.drawn); k <= last; k++ {
		r := Rand(p.seed, "tpe", k)
		numbers := make([]float64, len(p.space.Parents)*len(p.space.Groups))
		for i := range numbers {
			numbers[i] = r.Float64()
			if models != nil {
				numbers[i] = models[i].choose(r)
			}
		}
		point := p.space.tidy(fmt.Sprintf("tpe %d", k), p.weights(numbers))
		p.drawn = append(p.drawn, proposal{numbers, point})
		points = append(points, point)
	}
	return points
}

// weights scales the numbers of each group to their sum.
func (p *parzen) weights(numbers []float64) [][]float64 {
	var rows [][]float64
	for shares := range slices.Chunk(slices.Clone(numbers), len(p.space.Parents)) {
		floats.Scale(1/max(floats.Sum(shares), 1e-300), shares)
		rows = append(rows, p.space.spread(shares))
	}
	return rows
}

// models are those of each number; none before there are points.
func (p *parzen) models() []model {
	if len(p.drawn) == 0 {
		return nil
	}
	good := p.good()
	models := make([]model, len(p.drawn[0].numbers))
	for i := range models {
		var below, above []float64
		for k, d := range p.drawn {
			if good[k] {
				below = append(below, d.numbers[i])
			} else {
				above = append(above, d.numbers[i])
			}
		}
		models[i] = model{newMixture(below), newMixture(above)}
	}
	return models
}

// good says which proposals are in the better part.
func (p *parzen) good() []bool {
	order := make([]int, len(p.drawn))
	ranks := make([]float64, len(p.drawn))
	for k, d := range p.drawn {
		order[k], ranks[k] = k, p.known.rank(d.point)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ranks[b], ranks[a]) })
	good := make([]bool, len(order))
	for _, k := range order[:tpe.DefaultGamma(len(order))] {
		good[k] = true
	}
	return good
}

// model is where a number was in good trials and where in the others.
type model struct{ below, above mixture }

// choose draws numbers as good trials have them and returns the one that the others
// have least often in comparison.
func (m model) choose(r *rand.Rand) float64 {
	chosen, high := 0.0, math.Inf(-1)
	for range choices {
		x := m.below.draw(r)
		if ratio := m.below.logDensity(x) - m.above.logDensity(x); ratio > high {
			chosen, high = x, ratio
		}
	}
	return chosen
}

// mixture is a mixture of normal distributions within 0 and 1.
type mixture struct {
	parts  []distuv.Normal
	shares []float64
	within float64 // how much of it lies within
}

// newMixture has a part around each value, given in the order of the trials, later
// ones with more weight, and a wide one in the middle.
func newMixture(values []float64) mixture {
	order := make([]int, len(values))
	sorted := slices.Clone(values)
	floats.ArgsortStable(sorted, order)
	weights := tpe.DefaultWeights(len(values))
	e := tpe.NewParzenEstimator(sorted, 0, 1, tpe.ParzenEstimatorParams{
		ConsiderPrior: true, PriorWeight: 1, ConsiderMagicClip: true,
		Weights: func(int) []float64 {
			var ordered []float64
			for _, i := range order {
				ordered = append(ordered, weights[i])
			}
			return ordered
		},
	})
	m := mixture{shares: e.Weights}
	for i, centre := range e.Mus {
		part := distuv.Normal{Mu: centre, Sigma: e.Sigmas[i]}
		m.parts = append(m.parts, part)
		m.within += m.shares[i] * (part.CDF(1) - part.CDF(0))
	}
	return m
}

func (m mixture) draw(r *rand.Rand) float64 {
	for {
		u, i := r.Float64(), 0
		for ; i < len(m.shares)-1 && u >= m.shares[i]; i++ {
			u -= m.shares[i]
		}
		if x := m.parts[i].Mu + m.parts[i].Sigma*r.NormFloat64(); x >= 0 && x < 1 {
			return x
		}
	}
}

func (m mixture) logDensity(x float64) float64 {
	density := 0.0
	for i, part := range m.parts {
		density += m.shares[i] * part.Prob(x)
	}
	return math.Log(density / m.within)
}
