package search

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/c-bata/goptuna/sobol"
)

// mostDimensions is how many goptuna has direction numbers for.
const mostDimensions = 21_199

// newSobol asks for points of Sobol's sequence, which fill the space more evenly
// than random ones: Joe and Kuo's direction numbers from github.com/c-bata/goptuna
// v0.9.0, which leaves out the first point; it comes first here. The seed shifts the
// sequence digit by digit, which keeps it as even as it was (Owen, "Randomized
// QMC"). Point k is the same whatever the budget.
//
// A group of n parents takes n-1 dimensions: each says how large a part of what is
// left the next parent gets, by the quantiles of a beta distribution. So points are
// uniform over the simplex, and near points of the sequence stay near, which is not
// so where uniform numbers are sorted; exponential spacings would take a dimension
// more.
func newSobol(space Space, seed uint64, o options) (Strategy, error) {
	each := len(space.Parents) - 1
	dimensions := each * len(space.Groups)
	if dimensions > mostDimensions {
		return nil, fmt.Errorf("%d parents and %d groups have %d dimensions; there are at most %d", len(space.Parents), len(space.Groups), dimensions, mostDimensions)
	}
	sequence := newSequence(dimensions, Rand(seed, "sobol", 0))
	var points []Point
	for k := range o.whole("budget") {
		u := sequence.point(k)
		var rows [][]float64
		for g := range space.Groups {
			rows = append(rows, space.spread(simplex(u[g*each:(g+1)*each])))
		}
		points = append(points, space.tidy(fmt.Sprintf("sobol %d", k), rows))
	}
	s := once("sobol", points)
	s.note("%d points of Sobol's sequence in %d dimensions", len(points), dimensions)
	return s, nil
}

// sequence is Sobol's, shifted.
type sequence struct {
	engine *sobol.Engine
	shift  []uint32
}

func newSequence(dimensions int, r *rand.Rand) sequence {
	s := sequence{engine: sobol.NewEngine(uint32(max(1, dimensions)))}
	for range dimensions {
		s.shift = append(s.shift, r.Uint32())
	}
	return s
}

// point is the next one, the k-th: numbers between 0 and 1, neither of them.
func (s sequence) point(k int) []float64 {
	raw := make([]float64, len(s.shift))
	if k > 0 {
		copy(raw, s.engine.Draw())
	}
	for i, x := range raw {
		digits := uint32(x*(1<<32)) ^ s.shift[i]
		raw[i] = (float64(digits) + 0.5) / (1 << 32)
	}
	return raw
}

// simplex maps uniform numbers to one share more, uniform over all that sum to 1:
// the part that a share takes of the rest is beta distributed, with quantiles
// 1-(1-u)^(1/k) where k shares follow.
func simplex(u []float64) []float64 {
	var shares []float64
	rest := 1.0
	for i, x := range u {
		keep := math.Pow(1-x, 1/float64(len(u)-i))
		shares = append(shares, rest*(1-keep))
		rest *= keep
	}
	return append(shares, rest)
}

// spread turns shares into weights: shares of what is left when each parent has
// Min. What is above Max then is pulled straight towards equal weights.
func (s Space) spread(shares []float64) []float64 {
	n := float64(len(shares))
	equal, pull := s.Sum/n, 1.0
	row := make([]float64, len(shares))
	for i, share := range shares {
		row[i] = s.Min + (s.Sum-n*s.Min)*share
		if row[i] > s.Max {
			pull = min(pull, (s.Max-equal)/(row[i]-equal))
		}
	}
	for i := range row {
		row[i] = equal + pull*(row[i]-equal)
	}
	return row
}
