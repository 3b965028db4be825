package gauss

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Prior says what is believed of a kernel before any observation. Length and
// Signal are log-normal; Level and Slope are as given.
type Prior struct {
	Mean         float64 // of the values
	Level, Slope float64 // variances
	Signal       float64 // median standard deviation of the signal
	SignalFactor float64 // its standard deviation is a factor of e to this
	Length       float64 // median
	LengthFactor float64
	Steps        int // how many values of each are tried, over two standard deviations to each side; default 7
}

// fitted is how many observations at most choose a kernel: its evidence is
// clear by then, and time grows with their cube.
const fitted = 48

// Fit chooses the kernel by the marginal likelihood times the prior, on a grid,
// and conditions on the observations. Of many observations it chooses by the first
// 16, which lie all over where a search begins, and the last 32. The error is that
// of Condition.
func Fit(prior Prior, o Observations) (*Process, error) {
	return Condition(choose(prior, o.some(fitted/3, fitted-fitted/3)), prior.Mean, o)
}

// some are the first and the last observations.
func (o Observations) some(first, last int) Observations {
	n := len(o.Places)
	if n <= first+last {
		return o
	}
	part := Observations{
		Places: slices.Concat(o.Places[:first], o.Places[n-last:]),
		Values: slices.Concat(o.Values[:first], o.Values[n-last:]),
	}
	if o.Noise == nil {
		return part
	}
	at := func(i int) int {
		if i < first {
			return i
		}
		return n - last - first + i
	}
	noise := mat.NewSymDense(first+last, nil)
	for i := range first + last {
		for j := range i + 1 {
			noise.SetSym(i, j, o.Noise.At(at(i), at(j)))
		}
	}
	part.Noise = noise
	return part
}

// choose looks for the kernel with the highest evidence times prior.
func choose(prior Prior, o Observations) Kernel {
	best, top := prior.kernel(prior.Length, prior.Signal), math.Inf(-1)
	if len(o.Places) == 0 {
		return best
	}
	distance, product := pairs(o.Places)
	covariance := mat.NewSymDense(len(o.Places), nil)
	p := &Process{Mean: prior.Mean, xs: o.Places}
	for _, z := range prior.steps() {
		length := prior.Length * math.Exp(z*prior.LengthFactor)
		alike := correlations(distance, length)
		for _, y := range prior.steps() {
			p.Kernel = prior.kernel(length, prior.Signal*math.Exp(y*prior.SignalFactor))
			p.fill(covariance, alike, product, o.Noise)
			if p.condition(covariance, o.Values) != nil {
				continue
			}
			if density := p.Evidence - z*z/2 - y*y/2; density > top {
				best, top = p.Kernel, density
			}
		}
	}
	return best
}

func (p Prior) kernel(length, deviation float64) Kernel {
	return Kernel{Level: p.Level, Slope: p.Slope, Signal: deviation * deviation, Length: length}
}

// steps are standard deviations from the median.
func (p Prior) steps() []float64 {
	n := p.Steps
	if n == 0 {
		n = 7
	}
	steps := make([]float64, n)
	for i := range steps {
		steps[i] = -2 + 4*(float64(i)+0.5)/float64(n)
	}
	return steps
}

// pairs are the distances and inner products of all pairs of places.
func pairs(xs [][]float64) (distance, product []float64) {
	for i, x := range xs {
		for _, y := range xs[:i+1] {
			d, p := apart(x, y)
			distance, product = append(distance, d), append(product, p)
		}
	}
	return distance, product
}

// correlations are Matérn's at these distances.
func correlations(distance []float64, length float64) []float64 {
	alike := make([]float64, len(distance))
	for i, d := range distance {
		alike[i] = matern(d / length)
	}
	return alike
}

// fill makes the covariance of the observations from the correlations and inner
// products of all pairs.
func (p *Process) fill(covariance *mat.SymDense, alike, product []float64, noise mat.Symmetric) {
	at := 0
	for i := range p.xs {
		for j := range i + 1 {
			c := p.Kernel.of(alike[at], product[at])
			if noise != nil {
				c += noise.At(i, j)
			}
			if i == j {
				c += jitter * p.Kernel.Signal
			}
			covariance.SetSym(i, j, c)
			at++
		}
	}
}
