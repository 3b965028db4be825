package gauss

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// sample is some of the observations. Rows of pairs follow each other.
type sample struct {
	seen            []int // their places
	values          []float64
	variances       []float64 // of noise
	distance, noise []float64 // of pairs; covariances of noise
}

// seen are the places that were observed.
func (o Observations) seen() []int {
	var seen []int
	for i, v := range o.Values {
		if !math.IsNaN(v) {
			seen = append(seen, i)
		}
	}
	return seen
}

func (o Observations) sample(seen []int) sample {
	n := len(seen) * (len(seen) - 1) / 2
	s := sample{seen: seen, distance: make([]float64, 0, n), noise: make([]float64, n)}
	for k, i := range seen {
		s.values, s.variances = append(s.values, o.Values[i]), append(s.variances, o.Noise[i])
		for _, j := range seen[:k] {
			if o.Shared != nil {
				s.noise[len(s.distance)] = o.Shared[i][j] * math.Sqrt(o.Noise[i]*o.Noise[j])
			}
			s.distance = append(s.distance, o.Apart[i][j])
		}
	}
	return s
}

// covariance is that of the values, noise included, from the correlations of pairs.
// It is written to data, where that is large enough.
func (s sample) covariance(k Kernel, alike, data []float64) blas64.Symmetric {
	n := len(s.values)
	if len(data) != n*n {
		data = make([]float64, n*n)
	}
	noise := s.noise
	for i := range n {
		row := data[i*n : i*n+i+1]
		for j := range i {
			row[j] = k.of(alike[j]) + noise[j]
		}
		row[i] = k.of(1+jitter) + s.variances[i]
		alike, noise = alike[i:], noise[i:]
	}
	return blas64.Symmetric{N: n, Stride: n, Data: data, Uplo: blas.Lower}
}
