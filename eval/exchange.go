package eval

import (
	"crypto/sha256"
	"math/rand/v2"
)

const (
	exchangeSeed      = "soup exchange 1\n"
	exchangeResamples = 500 // of each bootstrap: its ends need not be exact, there are many
)

// Exchanges counts what CompareWeighted would claim if there were nothing to
// claim.
type Exchanges struct {
	N             int // times that a and b were exchanged
	Better, Worse int // verdicts
}

// Exchange is an A/A check of the comparison of a and b on their own items: in
// each unit the two are exchanged with probability 1/2, which makes them equally
// good in truth and leaves everything else as it is, and the verdict is taken
// anew, n times (Fisher's randomisation: Efron & Tibshirani 1993, chapter 15).
// In 5 % of them at most something should be claimed. The seed is fixed; each
// bootstrap has 500 resamples, which makes a check of 200 exchanges as dear as ten
// comparisons.
func Exchange(a, b []Outcome, weights map[string]float64, n int) Exchanges {
	pairs, _ := pair(a, b)
	pairs = weighing(pairs, weights)
	e := Exchanges{}
	if len(pairs) == 0 {
		return e
	}
	drawn := memory{}
	random := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(exchangeSeed))))
	for e.N < n {
		e.N++
		sign := map[unit]float64{}
		for i, d := range pairs {
			if sign[d.unit] == 0 {
				sign[d.unit] = float64(1 - 2*random.IntN(2))
			}
			pairs[i].value *= sign[d.unit]
		}
		switch judgeDifferences(pairs, mix(resampleAll(pairs, exchangeResamples, drawn), weights)).Verdict {
		case Better:
			e.Better++
		case Worse:
			e.Worse++
		}
	}
	return e
}
