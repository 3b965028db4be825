package eval

import "gonum.org/v1/gonum/stat/distuv"

// McNemar returns the two-sided p-value of McNemar's exact test: of wins+losses
// items on which two models disagree, each is won by either with probability
// 1/2 if they are equally good. 1 if there are none.
func McNemar(wins, losses int) float64 {
	n := wins + losses
	if n == 0 {
		return 1
	}
	binomial := distuv.Binomial{N: float64(n), P: 0.5}
	return min(1, 2*binomial.CDF(float64(min(wins, losses))))
}
