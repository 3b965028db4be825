package gauss

import (
	"math"
	"slices"
)

// Prior says what is believed of a kernel before any observation. Length and
// Signal are log-normal; Level is as given.
type Prior struct {
	Mean         float64 // of the values
	Level        float64 // variance of that
	Signal       float64 // median standard deviation of the signal
	SignalFactor float64 // its standard deviation is a factor of e to this
	Length       float64 // median
	LengthFactor float64
}

// fitted is how many observations at most choose a kernel: its evidence is
// clear by then, and time grows with their cube.
const fitted = 48

// Fit chooses the kernel by the marginal likelihood times the prior, on a grid,
// and conditions on the observations. Of many observations it chooses by the first
// 16, which lie all over where a search begins, and the last 32. The error is that
// of Condition.
func Fit(prior Prior, o Observations) (*Process, error) {
	seen := o.seen()
	if n := len(seen); n > fitted {
		seen = slices.Concat(seen[:fitted/3], seen[n-fitted+fitted/3:])
	}
	return Condition(prior.choose(o.sample(seen)), prior.Mean, o)
}

// choose looks for the kernel with the highest evidence times prior.
func (p Prior) choose(s sample) Kernel {
	best, top := p.kernel(p.Length, p.Signal), math.Inf(-1)
	tried := &Process{Mean: p.Mean}
	for _, z := range steps() {
		length := p.Length * math.Exp(z*p.LengthFactor)
		alike := correlations(s.distance, length)
		for _, y := range steps() {
			if tried.condition(p.kernel(length, p.Signal*math.Exp(y*p.SignalFactor)), s, alike) != nil {
				continue
			}
			if density := tried.Evidence - z*z/2 - y*y/2; density > top {
				best, top = tried.Kernel, density
			}
		}
	}
	return best
}

func (p Prior) kernel(length, deviation float64) Kernel {
	return Kernel{Level: p.Level, Signal: deviation * deviation, Length: length}
}

// steps are the values that are tried of each, in standard deviations from the
// median: the middles of seven equal parts of two to each side.
func steps() []float64 {
	var all []float64
	for i := -3; i <= 3; i++ {
		all = append(all, float64(i)*4/7)
	}
	return all
}
