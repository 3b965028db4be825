package search

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// beliefs are what a surrogate says about some points together.
type beliefs struct {
	means      []float64
	covariance *mat.SymDense
}

func (b beliefs) deviation(i int) float64 { return math.Sqrt(max(0, b.covariance.At(i, i))) }

// doubted is how far a prediction is lowered where the surest of the good points
// is wanted, in standard deviations. The highest mean of many is too high by luck,
// and less so the more is known about it.
const doubted = 1.0

// stepped is how far a point must be expected to be above an earlier one to take
// its place, in standard deviations of the difference: the one-standard-error rule.
// Looking at more and more points finds the luckiest.
const stepped = 1.0

// surest is the point with the highest mean less doubt, the first of equals, of
// the first n.
func (b beliefs) surest(n int) int {
	top := 0
	for i := range n {
		if b.means[i]-doubted*b.deviation(i) > b.means[top]-doubted*b.deviation(top) {
			top = i
		}
	}
	return top
}

// steady is the first of the first n points from which no later one is a step up by
// more than doubt: points are gone through in order, and a later one takes over if
// it is expected to be better by stepped standard deviations of the difference.
func (b beliefs) steady(n int) int {
	chosen := 0
	for i := range n {
		gain := b.means[i] - b.means[chosen]
		variance := b.covariance.At(i, i) + b.covariance.At(chosen, chosen) - 2*b.covariance.At(i, chosen)
		if gain > 0 && gain >= stepped*math.Sqrt(max(0, variance)) {
			chosen = i
		}
	}
	return chosen
}

// improvement is how much better than point j point i is expected to be where it
// is better, by the joint distribution of both: the expected improvement of
// Mockus (1975) over a point that itself is known with noise only.
func (b beliefs) improvement(i, j int) float64 {
	gain := b.means[i] - b.means[j]
	variance := b.covariance.At(i, i) + b.covariance.At(j, j) - 2*b.covariance.At(i, j)
	if variance < 1e-14 {
		return max(0, gain)
	}
	deviation := math.Sqrt(variance)
	z := gain / deviation
	return gain*distuv.UnitNormal.CDF(z) + deviation*distuv.UnitNormal.Prob(z)
}

// believe takes point i as tried, with the outcome that is expected: its mean
// stays, what is not known about it and its like shrinks (Ginsbourger et al. 2010,
// the kriging believer).
func (b beliefs) believe(i int, noise float64) {
	n := len(b.means)
	across := make([]float64, n)
	for j := range n {
		across[j] = b.covariance.At(i, j)
	}
	total := across[i] + noise
	if total <= 0 {
		return
	}
	b.covariance.SymRankOne(b.covariance, -1/total, mat.NewVecDense(n, across))
}
