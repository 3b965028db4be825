package eval

import (
	"crypto/sha256"
	"math/rand/v2"
)

const halvesSeed = "soup halves 1\n"

// Halves divides the items into two halves, n times, and visits each division:
// what is chosen on the first half may be scored on the second, which chose
// nothing. It returns how many divisions there were, fewer than n where a half
// would have lacked a category.
//
// Units (clusters, or items without one) stay whole and are divided evenly
// within each category, at random with a fixed seed: equal outcomes give equal
// halves. The mean of half of the items, drawn without replacement, has the same
// variance around that of all as a bootstrap mean has (McCarthy 1969, Review of
// the International Statistical Institute 37:239; Politis & Romano 1994), so how
// often a candidate is the best of a half says how sure it is to be the best.
// Scoring on the half that did not choose, many times over, is repeated learning
// and testing (Burman 1989, Biometrika 76:503); it takes off what choosing on the
// same items adds (Cawley & Talbot 2010, JMLR 11:2079).
func (p *Panel) Halves(n int, visit func(first, second Part)) int {
	random := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(halvesSeed))))
	done := 0
	for range n {
		a, b := p.divide(random)
		if first, second := p.part(a), p.part(b); first.complete() && second.complete() {
			visit(first, second)
			done++
		}
	}
	return done
}

// divide deals the units of each stratum; of an odd number either half may get
// one more.
func (p *Panel) divide(random *rand.Rand) (a, b []int) {
	for _, rows := range p.strata {
		order := random.Perm(len(rows))
		cut := (len(rows) + random.IntN(2)) / 2
		for i, k := range order {
			if i < cut {
				a = append(a, rows[k])
			} else {
				b = append(b, rows[k])
			}
		}
	}
	return a, b
}
