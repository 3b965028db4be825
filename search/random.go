package search

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// newRandom asks for points drawn from a Dirichlet distribution, each group on its
// own. Point k has its own random numbers, Rand(seed, "random", k).
func newRandom(space Space, seed uint64, o options) (Strategy, error) {
	var points []Point
	for k := range o.whole("budget") {
		r := Rand(seed, "random", k)
		p := Point{Label: fmt.Sprintf("random %d", k)}
		for range space.Groups {
			p.Weights = append(p.Weights, space.draw(r, o["alpha"]))
		}
		points = append(points, p)
	}
	s := once("random", points)
	s.notes = append(s.notes, fmt.Sprintf("draws %d points, Dirichlet with alpha %v", len(points), o["alpha"]))
	return s, nil
}

// draw returns a row of weights: Dirichlet shares of what is left when each parent
// has Min. With the default bounds these are the shares themselves. A row with a
// weight above Max is pulled straight towards equal weights until it fits.
func (s Space) draw(r *rand.Rand, alpha float64) []float64 {
	return s.spread(dirichlet(r, len(s.Parents), alpha))
}

// dirichlet returns n shares that sum to 1: gamma draws over their sum. Where alpha
// is small all draws may round to 0; it then draws again.
func dirichlet(r *rand.Rand, n int, alpha float64) []float64 {
	gamma := distuv.Gamma{Alpha: alpha, Beta: 1, Src: r}
	shares, total := make([]float64, n), 0.0
	for total == 0 {
		for i := range shares {
			shares[i] = gamma.Rand()
			total += shares[i]
		}
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}
