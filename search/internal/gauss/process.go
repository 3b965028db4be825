package gauss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// jitter is added to noise variances, as a part of the signal's: rounding makes
// matrices of near places singular without it.
const jitter = 1e-9

// Observations are values at places, with the covariance of their noise. Places
// have the same number of coordinates.
type Observations struct {
	Places [][]float64
	Values []float64
	Noise  mat.Symmetric // nil: none
}

// Independent is the covariance of noise with these variances.
func Independent(variances []float64) mat.Symmetric {
	return mat.NewDiagDense(len(variances), variances)
}

// Process is a Gaussian process given observations. It is safe for concurrent
// use.
type Process struct {
	Kernel   Kernel
	Mean     float64 // of the values before any observation
	Evidence float64 // logarithm of the observations' density

	xs      [][]float64
	factor  mat.Cholesky
	weights []float64 // of the observations' covariances in a prediction
}

// Condition gives observations to a process with a prior mean. The error says that
// the covariance is not positive definite.
func Condition(k Kernel, mean float64, o Observations) (*Process, error) {
	p := &Process{Kernel: k, Mean: mean, xs: o.Places}
	if len(p.xs) == 0 {
		return p, nil
	}
	distance, product := pairs(p.xs)
	covariance := mat.NewSymDense(len(p.xs), nil)
	p.fill(covariance, correlations(distance, k.Length), product, o.Noise)
	return p, p.condition(covariance, o.Values)
}

func (p *Process) condition(covariance *mat.SymDense, values []float64) error {
	n := len(p.xs)
	if !p.factor.Factorize(covariance) {
		return fmt.Errorf("covariance of %d observations is not positive definite", n)
	}
	rest := make([]float64, n)
	for i, v := range values {
		rest[i] = v - p.Mean
	}
	var weights mat.VecDense
	if err := p.factor.SolveVecTo(&weights, mat.NewVecDense(n, rest)); err != nil {
		return fmt.Errorf("covariance of %d observations: %w", n, err)
	}
	p.weights = weights.RawVector().Data
	p.Evidence = -floats.Dot(rest, p.weights)/2 - p.factor.LogDet()/2 - float64(n)/2*math.Log(2*math.Pi)
	return nil
}

// At is the mean of the value at x, without noise.
func (p *Process) At(x []float64) float64 {
	mean := p.Mean
	for i, w := range p.weights {
		mean += w * p.Kernel.Between(x, p.xs[i])
	}
	return mean
}

// Joint is the mean of the values at places, without noise, and their
// covariance.
func (p *Process) Joint(places [][]float64) (means []float64, covariance *mat.SymDense) {
	n, m := len(p.xs), len(places)
	covariance = mat.NewSymDense(m, nil)
	means = make([]float64, m)
	for i, x := range places {
		means[i] = p.Mean
		for j := range i + 1 {
			covariance.SetSym(i, j, p.Kernel.Between(x, places[j]))
		}
	}
	if n == 0 {
		return means, covariance
	}
	across := mat.NewDense(n, m, nil)
	for i, x := range p.xs {
		row := across.RawRowView(i)
		for j, y := range places {
			row[j] = p.Kernel.Between(x, y)
			means[j] += p.weights[i] * row[j]
		}
	}
	// With the covariance U'U of the observations, what is known of the values is
	// the square of U'^-1 across.
	upper := p.factor.RawU().(mat.RawTriangular).RawTriangular()
	blas64.Trsm(blas.Left, blas.Trans, 1, upper, across.RawMatrix())
	blas64.Syrk(blas.Trans, -1, across.RawMatrix(), 1, covariance.RawSymmetric())
	return means, covariance
}
