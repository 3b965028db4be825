package gauss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// jitter is added to noise variances, as a part of the signal's: rounding makes
// matrices of near places singular without it.
const jitter = 1e-9

// Observations are values at some of many places, with what is known of their noise.
type Observations struct {
	Apart  Pairs     // distances of the places
	Values []float64 // NaN: not observed
	Noise  []float64 // variances
	Shared Pairs     // correlations of noise; nil: none
}

// Pairs are what is between each of some places and those before it: row i has i
// values.
type Pairs [][]float64

// Process is a Gaussian process given observations. It is safe for concurrent
// use.
type Process struct {
	Kernel   Kernel
	Mean     float64 // of the values before any observation
	Evidence float64 // logarithm of the observations' density

	seen    []int             // the places that were observed
	factor  blas64.Triangular // lower; the covariance of the observations is LL'
	weights []float64         // of the observations' covariances in a prediction
}

// Condition gives observations to a process with a prior mean. The error says that
// the covariance is not positive definite.
func Condition(k Kernel, mean float64, o Observations) (*Process, error) {
	s := o.sample(o.seen())
	p := &Process{Mean: mean}
	return p, p.condition(k, s, correlations(s.distance, k.Length))
}

// condition gives the process another kernel and other observations, whose pairs have
// these correlations.
func (p *Process) condition(k Kernel, s sample, alike []float64) error {
	p.Kernel, p.seen = k, s.seen
	if len(s.seen) == 0 {
		return nil
	}
	factor, ok := lapack64.Potrf(s.covariance(k, alike, p.factor.Data))
	if !ok {
		return fmt.Errorf("covariance of %d observations is not positive definite", factor.N)
	}
	p.factor, p.weights = factor, append(p.weights[:0], s.values...)
	floats.AddConst(-p.Mean, p.weights)
	p.solve(p.weights)
	p.Evidence = -floats.Dot(p.weights, p.weights)/2 - float64(factor.N)/2*math.Log(2*math.Pi)
	for i := range factor.N {
		p.Evidence -= math.Log(factor.Data[i*factor.Stride+i])
	}
	blas64.Trsv(blas.Trans, factor, blas64.Vector{N: factor.N, Data: p.weights, Inc: 1})
	return nil
}

// solve makes L^-1 x of x. As a row, because gonum's Trsm is faster than its Trsv.
func (p *Process) solve(x []float64) {
	blas64.Trsm(blas.Right, blas.Trans, 1, p.factor, blas64.General{Rows: 1, Cols: len(x), Stride: len(x), Data: x})
}

// At is the mean of the value at a place, without noise.
func (p *Process) At(v *View) float64 {
	mean, alike := p.Mean, v.correlations(p.Kernel.Length)
	for k, i := range p.seen {
		mean += p.weights[k] * p.Kernel.of(alike[i])
	}
	return mean
}

// Known is what the observations say about the value at a place, without noise: the
// covariance of the values at two places is Kernel.Between less the inner product of
// what is known of them (Rasmussen and Williams 2006, algorithm 2.1).
func (p *Process) Known(v *View) []float64 {
	alike := v.correlations(p.Kernel.Length)
	known := make([]float64, len(p.seen))
	for k, i := range p.seen {
		known[k] = p.Kernel.of(alike[i])
	}
	if len(known) > 0 {
		p.solve(known)
	}
	return known
}
