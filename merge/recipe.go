package merge

import (
	"fmt"
	"math"
	"slices"

	"soup/merge/internal/remedy"
)

// Recipe says what to average: which weight each parent has in each group.
type Recipe struct {
	// Groups splits the tensors; the zero value is one group.
	Groups Grouping
	// Weights has a row for each group and in it a weight for each parent, used
	// as it is, as a float32: nothing is normalised. A parent whose weight is 0
	// is not read.
	Weights [][]float64
	// Round, if set, gives a dtype that a tensor's values are rounded to before
	// they are stored in a wider one; AsStored for none. GGUF files hold some
	// tensors of a BF16 model as F32: with Round the candidate that is measured
	// there has the very values of the BF16 soup that is exported.
	Round func(tensor string) DType
	// Workers is the number of goroutines; 0 means GOMAXPROCS. The bytes of
	// the soup do not depend on it.
	Workers int
}

// Weighs says whether a parent, by its place in the rows of weights, has a
// weight in any group.
func (r Recipe) Weighs(parent int) bool {
	return slices.ContainsFunc(r.Weights, func(row []float64) bool { return row[parent] != 0 })
}

// Keep returns the recipe for some of the parents, in the order given.
func (r Recipe) Keep(parents []int) Recipe {
	rows := make([][]float64, len(r.Weights))
	for g, row := range r.Weights {
		for _, k := range parents {
			rows[g] = append(rows[g], row[k])
		}
	}
	r.Weights = rows
	return r
}

// narrowed returns the weights as float32 after checking them.
func (r Recipe) narrowed(parents int) ([][]float32, error) {
	if len(r.Weights) != r.Groups.Len() {
		return nil, fmt.Errorf("weights: %d rows for %d groups", len(r.Weights), r.Groups.Len())
	}
	out := make([][]float32, len(r.Weights))
	for g, row := range r.Weights {
		if len(row) != parents {
			return nil, fmt.Errorf("weights of group %s: %d for %d parents", r.Groups.Name(g), len(row), parents)
		}
		out[g] = make([]float32, parents)
		var sum float64
		for k, w := range row {
			out[g][k] = float32(w)
			if math.IsNaN(w) || math.IsInf(float64(out[g][k]), 0) {
				return nil, fmt.Errorf("weights of group %s: %v is not a finite float32", r.Groups.Name(g), w)
			}
			sum += float64(out[g][k])
		}
		if sum == 0 {
			return nil, remedy.Errorf("give at least one parent a weight", "weights of group %s: their sum is 0", r.Groups.Name(g))
		}
	}
	return out, nil
}

// round returns the dtype to round a tensor to on the way.
func (r Recipe) round(tensor string) DType {
	if r.Round == nil {
		return AsStored
	}
	return r.Round(tensor)
}
