package gauss

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// sample is some of the observations. Of their pairs it has the lower triangle, row by
// row.
type sample struct {
	seen            []int // their places
	values          []float64
	distance, noise []float64 // of pairs
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
	s := sample{seen: seen}
	var places [][]float64
	for _, i := range seen {
		places, s.values = append(places, o.Places[i]), append(s.values, o.Values[i])
	}
	for k, i := range seen {
		s.distance = append(s.distance, distances(places[k], places[:k+1])...)
		for _, j := range seen[:k+1] {
			s.noise = append(s.noise, o.noise(i, j))
		}
	}
	return s
}

// noise is the covariance of that of two values.
func (o Observations) noise(i, j int) float64 {
	switch {
	case i == j:
		return o.Noise[i]
	case o.Shared == nil:
		return 0
	default:
		return o.Shared.At(i, j) * math.Sqrt(o.Noise[i]*o.Noise[j])
	}
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
		for j := range row {
			row[j] = k.of(alike[j]) + noise[j]
		}
		row[i] += jitter * k.Signal
		alike, noise = alike[len(row):], noise[len(row):]
	}
	return blas64.Symmetric{N: n, Stride: n, Data: data, Uplo: blas.Lower}
}
