package eval

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// ExpectedOptimism is how much too good the best of k equally good candidates
// looks on the n items that chose it: z_k * sqrt(d/(2n)), d the share of items
// on which two candidates differ (Disagreement) and z_k
// ExpectedMaximum(k). Two candidates' scores differ by a variance of d/n, each
// one's own share of it is half. Scores from 0 to 1; 0 if there is no choice.
func ExpectedOptimism(k int, d float64, n int) float64 {
	if n <= 0 || !(d > 0) {
		return 0
	}
	return ExpectedMaximum(k) * math.Sqrt(d/(2*float64(n)))
}

// ExpectedMaximum is the expected maximum of k independent standard normal
// variables, the integral of x k φ(x) Φ(x)^(k-1): 0.56 for 2, 2.51 for 100.
// 0 for k below 2.
func ExpectedMaximum(k int) float64 {
	if k < 2 {
		return 0
	}
	normal := distuv.UnitNormal
	density := func(x float64) float64 {
		return x * float64(k) * normal.Prob(x) * math.Pow(normal.CDF(x), float64(k-1))
	}
	// Beyond 12 the density is below k * 1e-30.
	return quad.Fixed(density, -12, 12, 1000, nil, 0)
}
