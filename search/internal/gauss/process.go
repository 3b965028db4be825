package gauss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// jitter is added to noise variances, as a part of the signal's: rounding makes
// matrices of near places singular without it.
const jitter = 1e-9

// Observations are values at places, with what is known of their noise. Places
// have the same number of coordinates.
type Observations struct {
	Places [][]float64
	Values []float64     // NaN: not observed
	Noise  []float64     // variances
	Shared mat.Symmetric // correlations of noise, the diagonal aside; nil: none
}

// Process is a Gaussian process given observations. It is safe for concurrent
// use.
type Process struct {
	Kernel   Kernel
	Mean     float64 // of the values before any observation
	Evidence float64 // logarithm of the observations' density

	seen    []int             // the places that were observed
	factor  blas64.Triangular // upper; the covariance of the observations is U'U
	weights []float64         // of the observations' covariances in a prediction
}

// Condition gives observations to a process with a prior mean. The error says that
// the covariance is not positive definite.
func Condition(k Kernel, mean float64, o Observations) (*Process, error) {
	s := o.sample(o.seen())
	p := &Process{Mean: mean}
	return p, p.condition(k, s, correlations(s.distance, k.Length))
}

// condition gives the process another kernel and other observations, whose
// correlations are given as in sample.
func (p *Process) condition(k Kernel, s sample, alike []float64) error {
	n := len(s.seen)
	p.Kernel, p.seen = k, s.seen
	if n == 0 {
		return nil
	}
	factor, ok := lapack64.Potrf(s.covariance(k, alike, p.factor.Data))
	if !ok {
		return fmt.Errorf("covariance of %d observations is not positive definite", n)
	}
	p.factor, p.weights = factor, append(p.weights[:0], s.values...)
	rest := blas64.Vector{N: n, Data: p.weights, Inc: 1}
	floats.AddConst(-p.Mean, p.weights)
	blas64.Trsv(blas.Trans, factor, rest)
	p.Evidence = -blas64.Dot(rest, rest)/2 - float64(n)/2*math.Log(2*math.Pi)
	for i := range n {
		p.Evidence -= math.Log(factor.Data[i*n+i])
	}
	blas64.Trsv(blas.NoTrans, factor, rest)
	return nil
}

// Means are the means of the values, without noise, at places with these
// correlations with those of the observations.
func (p *Process) Means(across Correlations) []float64 {
	alike := across[p.Kernel.Length]
	means := make([]float64, len(alike))
	for i, row := range alike {
		means[i] = p.Mean
		for k, at := range p.seen {
			means[i] += p.weights[k] * p.Kernel.of(row[at])
		}
	}
	return means
}

// Covariance is that of the values, without noise, at places with these
// correlations with those of the observations and with each other.
func (p *Process) Covariance(across, within Correlations) *mat.SymDense {
	alike := within[p.Kernel.Length]
	n, m := len(p.seen), len(alike)
	covariance := mat.NewSymDense(m, nil)
	for i, row := range alike {
		for j := range i + 1 {
			covariance.SetSym(i, j, p.Kernel.of(row[j]))
		}
	}
	if n == 0 {
		return covariance
	}
	known := blas64.General{Rows: m, Cols: n, Stride: n, Data: make([]float64, 0, m*n)}
	for _, row := range across[p.Kernel.Length] {
		for _, at := range p.seen {
			known.Data = append(known.Data, p.Kernel.of(row[at]))
		}
	}
	// What is known of the values is K C^-1 K', the square of K U^-1.
	blas64.Trsm(blas.Right, blas.NoTrans, 1, p.factor, known)
	blas64.Syrk(blas.NoTrans, -1, known, 1, covariance.RawSymmetric())
	return covariance
}
