package method

import (
	"context"
	"math"

	"soup/merge"
)

// slerp goes from the first parent to the second along the arc between them,
// tensor by tensor: Shoemake 1985, https://doi.org/10.1145/325165.325242. With a
// base, the arc is that between the task vectors, the parents' differences from it,
// as in WARP (Ramé et al. 2024, https://arxiv.org/abs/2406.16768, section 3.2).
type slerp struct{ o Options }

// Soup implements Method.
func (m slerp) Soup(ctx context.Context, in Input) (Soup, error) {
	if err := in.check("slerp", 2); err != nil {
		return Soup{}, err
	}
	if n := len(in.Parents); n != 2 {
		return Soup{}, misusef("choose two, or use linear", "method slerp: %d parents, it takes 2", n)
	}
	if in.Base != nil {
		if err := in.needsBase("slerp"); err != nil {
			return Soup{}, err
		}
	}
	t := m.o.T
	if t == nil {
		t = []float64{0.5}
	}
	names := tensorNames(in.Parents[0])
	layers := LayersOf(names)
	if len(t) > 1 && len(layers.Stacks) > 1 {
		return Soup{}, misusef("give one number", "method slerp: option t: %s and %s have layers of their own, numbers cannot be spread over both", layers.Stacks[0], layers.Stacks[1])
	}
	families := make([]Family, len(names))
	for i, name := range names {
		families[i] = Family{Tensor: name, Of: in.Parents, Origin: in.Base}
	}
	products, err := Products(ctx, families, m.o.Workers)
	if err != nil {
		return Soup{}, err
	}
	rows := make([][]float64, len(names))
	for i, name := range names {
		rows[i] = SlerpWeights(products[i], layers.at(t, name))
	}
	s := Soup{in.Parents, in.Names, merge.Recipe{}, "slerp, t " + list(t)}
	if in.Base != nil {
		s.Parents, s.Names = in.withBase()
		s.Method = "slerp of task vectors, t " + list(t)
		for i := range rows {
			rows[i] = append(rows[i], 1-sum(rows[i]))
		}
	}
	s.Recipe = Rows(names, rows)
	return s, nil
}

// colinear is the cosine from which the arc is a line.
const colinear = 0.9995

// SlerpWeights returns the weights of two tensors at t on the arc between them,
// from their [Products]. With the angle theta between them those are
// sin((1-t) theta) / sin(theta) and sin(t theta) / sin(theta); where they are
// nearly parallel or opposite, or are not averaged, 1-t and t. Not the
// directions but the tensors themselves are weighted. As slerp in
// mergekit/merge_methods/slerp.py (a6e4028, and release 0.1.5), which sums in
// float32 and may see a cosine near the threshold on its other side.
func SlerpWeights(products [][]float64, t float64) []float64 {
	if products == nil {
		return []float64{1 - t, t}
	}
	cos := products[0][1] / (length(products[0][0]) * length(products[1][1]))
	if math.Abs(cos) > colinear {
		return []float64{1 - t, t}
	}
	theta := math.Acos(cos)
	return []float64{math.Sin((1-t)*theta) / math.Sin(theta), math.Sin(t*theta) / math.Sin(theta)}
}

// length is 1 for tensors of no length, so that they have a cosine of 0.
func length(square float64) float64 {
	if l := math.Sqrt(square); l > 1e-8 {
		return l
	}
	return 1
}
