package search

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
)

// draws are how many times it is drawn from what is believed of a pool which of its
// points is best.
const draws = 500

// centre is where the best of all points is expected to lie: the mean of the points
// that are the best in draws from what is believed of all together (one such draw is
// what Thompson 1933, Biometrika 25:285, would try). Where good soups differ by less
// than the noise, the one that looks best may lie anywhere among them; where scores
// fall off to all sides their middle is the safer guess. Weights are as coarse as
// they can be without the point being taken; nil if it is.
func (p *proposer) centre(r *rand.Rand, all []*prospect) *prospect {
	shares := p.winning(r, all)
	if shares == nil {
		return nil
	}
	rows := make([][]float64, len(p.space.Groups))
	for g := range rows {
		rows[g] = make([]float64, len(p.space.Parents))
		for i, share := range shares {
			for k, w := range p.space.rows(all[i].Point)[g] {
				rows[g][k] += share * w
			}
		}
		rows[g] = p.space.project(rows[g]) // parents may lie outside the bounds
	}
	for _, grain := range grains {
		c := p.prospects([]Point{p.space.round(rows, grain)})[0]
		if !p.isTaken(c.place) {
			return c
		}
	}
	return nil
}

// negligible is a variance of scores that keeps a covariance positive definite.
const negligible = 1e-8

// winning are the shares of draws in which each point is the best; nil if it cannot be
// drawn.
func (p *proposer) winning(r *rand.Rand, all []*prospect) []float64 {
	means, covariance := make([]float64, len(all)), mat.NewSymDense(len(all), nil)
	for i, a := range all {
		means[i] = a.mean
		for j, b := range all[:i+1] {
			covariance.SetSym(i, j, p.covariance(a, b))
		}
		covariance.SetSym(i, i, a.variance+negligible)
	}
	belief, ok := distmv.NewNormal(means, covariance, r)
	if !ok {
		return nil
	}
	shares := make([]float64, len(all))
	for range draws {
		shares[floats.MaxIdx(belief.Rand(nil))] += 1. / draws
	}
	return shares
}
