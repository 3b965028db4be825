package method

import (
	"context"
	"fmt"
	"slices"
)

// uniform is the plain mean, the uniform soup of Wortsman et al. 2022,
// https://arxiv.org/abs/2203.05482: w_k = 1/n.
type uniform struct{}

// Soup implements Method.
func (uniform) Soup(_ context.Context, in Input) (Soup, error) {
	if err := in.check("uniform", 1); err != nil {
		return Soup{}, err
	}
	return in.soup("uniform", scaled(ones(len(in.Parents)))), nil
}

// linear is a weighted mean: w_k / sum of w, or w_k as it is given. As
// mergekit's linear (mergekit/merge_methods/linear.py at a6e4028), but that one
// rounds weights, products and sums to the tensors' type.
type linear struct{ o Options }

// Soup implements Method.
func (m linear) Soup(_ context.Context, in Input) (Soup, error) {
	if err := in.check("linear", 1); err != nil {
		return Soup{}, err
	}
	row, err := m.o.weights("linear", len(in.Parents))
	if err != nil {
		return Soup{}, err
	}
	label := "linear, weights " + list(row)
	if m.o.AsGiven {
		return in.soup(label+" as given", row), nil
	}
	if sum(row) == 0 {
		return Soup{}, misusef("use the option as-given, or other weights", "method linear: the weights sum to 0 and cannot be scaled to 1")
	}
	return in.soup(label, scaled(row)), nil
}

// weights returns the option, or ones.
func (o Options) weights(method string, parents int) ([]float64, error) {
	switch {
	case o.Weights == nil:
		return ones(parents), nil
	case len(o.Weights) != parents:
		return nil, misusef("give one weight for each parent", "method %s: option weights: %d for %d parents", method, len(o.Weights), parents)
	}
	return slices.Clone(o.Weights), nil
}

// arithmetic is task arithmetic, Ilharco et al. 2023,
// https://arxiv.org/abs/2212.04089: theta_0 + lambda * sum of w_k (theta_k -
// theta_0). The base's weight is therefore 1 - lambda * sum of w_k, negative
// where the task vectors together reach farther than one of them.
type arithmetic struct{ o Options }

// Soup implements Method.
func (m arithmetic) Soup(_ context.Context, in Input) (Soup, error) {
	if err := in.check("task-arithmetic", 1); err != nil {
		return Soup{}, err
	}
	if err := in.needsBase("task-arithmetic"); err != nil {
		return Soup{}, err
	}
	w, err := m.o.weights("task-arithmetic", len(in.Parents))
	if err != nil {
		return Soup{}, err
	}
	lambda := m.o.Lambda
	if lambda == 0 {
		lambda = 0.3
	}
	all := in
	all.Parents, all.Names = in.withBase()
	return all.soup(fmt.Sprintf("task-arithmetic, lambda %v, weights %s", lambda, list(w)), TaskArithmetic(w, lambda)), nil
}

// TaskArithmetic returns the weights of the parents and, last, of the base.
func TaskArithmetic(w []float64, lambda float64) []float64 {
	row := make([]float64, len(w)+1)
	base := 1.0
	for k, x := range w {
		row[k] = lambda * x
		base -= row[k]
	}
	row[len(w)] = base
	return row
}

func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

func sum(row []float64) float64 {
	var s float64
	for _, w := range row {
		s += w
	}
	return s
}

// scaled divides by the sum.
func scaled(row []float64) []float64 {
	s := sum(row)
	out := make([]float64, len(row))
	for k, w := range row {
		out[k] = w / s
	}
	return out
}
