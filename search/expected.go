package search

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat/distuv"
)

// prospect is a point with what a surrogate believes about its score.
type prospect struct {
	Point
	place    []float64
	mean     float64
	variance float64
	known    []float64 // of all categories, each with its part: gauss.Process.Known
}

// covariance is that of what is not known of two scores.
func (m *surrogate) covariance(a, b *prospect) float64 {
	return m.prior(a.place, b.place) - floats.Dot(a.known, b.known)
}

// difference is how much better a is than b: the mean, and the variance of what is
// not known of it.
func (m *surrogate) difference(a, b *prospect) (mean, variance float64) {
	return a.mean - b.mean, a.variance + b.variance - 2*m.covariance(a, b)
}

// doubted is how far a prediction is lowered where the surest of the good points
// is wanted, in standard deviations. The highest mean of many is too high by luck,
// and less so the more is known about it.
const doubted = 1.0

// stepped is how far a point must be expected to be above an earlier one to take
// its place, in standard deviations of the difference: the one-standard-error rule.
// Looking at more and more points finds the luckiest.
const stepped = 1.0

// surest is the point with the highest mean less doubt, the first of equals.
func surest(all []*prospect) *prospect {
	low := func(a *prospect) float64 { return a.mean - doubted*math.Sqrt(max(0, a.variance)) }
	top := all[0]
	for _, a := range all {
		if low(a) > low(top) {
			top = a
		}
	}
	return top
}

// steady is the first of points from which no later one is a step up by more than
// doubt: points are gone through in order, and a later one takes over if it is
// expected to be better by stepped standard deviations of the difference.
func (m *surrogate) steady(all []*prospect) *prospect {
	chosen := all[0]
	for _, a := range all {
		gain, variance := m.difference(a, chosen)
		if gain > 0 && gain >= stepped*math.Sqrt(max(0, variance)) {
			chosen = a
		}
	}
	return chosen
}

// improvement is how much better than b a is expected to be where it is better, by
// the joint distribution of both: the expected improvement of Mockus (1975) over a
// point that itself is known with noise only.
func (m *surrogate) improvement(a, b *prospect) float64 {
	gain, variance := m.difference(a, b)
	if variance < 1e-14 {
		return max(0, gain)
	}
	deviation := math.Sqrt(variance)
	z := gain / deviation
	return gain*distuv.UnitNormal.CDF(z) + deviation*distuv.UnitNormal.Prob(z)
}

// believedNoise is the variance of the noise of a score that is believed before it
// is there: a standard error of a point.
const believedNoise = 1e-4

// believe takes a point as tried, with the outcome that is expected: its mean stays,
// what is not known about it and its like shrinks (Ginsbourger et al. 2010, the
// kriging believer).
func (m *surrogate) believe(tried *prospect, all []*prospect) {
	total := tried.variance + believedNoise
	across := make([]float64, len(all))
	for i, a := range all {
		across[i] = m.covariance(a, tried) / math.Sqrt(total)
	}
	for i, a := range all {
		a.known = append(a.known, across[i])
		a.variance -= across[i] * across[i]
	}
}
