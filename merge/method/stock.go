package method

import (
	"context"
	"math"
	"slices"
)

// stock is Model Stock, Jang et al. 2024, https://arxiv.org/abs/2403.19522:
// tensor by tensor, from the base towards the mean of the parents, the nearer
// to the mean the more the parents agree in direction.
type stock struct{ o Options }

// Soup implements Method.
func (m stock) Soup(ctx context.Context, in Input) (Soup, error) {
	if err := in.check("model-stock", 2); err != nil {
		return Soup{}, err
	}
	if err := in.needsBase("model-stock"); err != nil {
		return Soup{}, err
	}
	s := Soup{Method: "model-stock"}
	s.Parents, s.Names = in.withBase()
	names := tensorNames(in.Base)
	families := make([]Family, len(names))
	for i, name := range names {
		families[i] = Family{name, in.Parents, in.Base}
	}
	products, err := Products(ctx, families, m.o.Workers)
	if err != nil {
		return Soup{}, err
	}
	rows := make([][]float64, len(names))
	for i := range rows {
		rows[i] = StockWeights(products[i], len(in.Parents))
	}
	s.Recipe = Rows(names, rows)
	return s, nil
}

// StockWeights returns the weights of n parents and, last, of the base, from
// the [Products] of the parents' differences from the base. A tensor that is
// not averaged is the base's.
func StockWeights(products [][]float64, n int) []float64 {
	t := 0.0
	if products != nil {
		t = StockRatio(products)
	}
	return append(slices.Repeat([]float64{t / float64(n)}, n), 1-t)
}

// StockRatio returns how far to go from the base (0) to the mean of n parents
// (1): with the cosine c between two differences, n c / (1 + (n-1) c). The paper
// has one angle; for n > 2, c is the mean over all pairs, as in
// mergekit/merge_methods/model_stock.py (a6e4028, and release 0.1.5), along
// with that file's clamps and, from 0.1.5, the base where the differences
// cancel out. A negative c gives a negative ratio: away from the parents.
func StockRatio(products [][]float64) float64 {
	n := len(products)
	var c float64
	for i := range n {
		for j := i + 1; j < n; j++ {
			lengths := max(math.Sqrt(products[i][i])*math.Sqrt(products[j][j]), 1e-6)
			c += max(-1, min(1, products[i][j]/lengths))
		}
	}
	c /= float64(n*(n-1)) / 2
	below := 1 + float64(n-1)*c
	if math.Abs(below) < 1e-6 {
		return 0
	}
	return float64(n) * c / below
}
