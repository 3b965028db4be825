package single

import (
	"context"
	"fmt"
	"slices"

	"soup/internal/usage"
	"soup/merge"
)

// again reads a soup.json and makes of it, and of the checkpoints given, the
// soup that was recorded. A parent without a weight in any group need not be
// given, unless it is the first: header and configuration are its.
func again(ctx context.Context, file string, given blend) (blend, error) {
	saved, err := merge.ReadRecipe(file)
	if err != nil {
		return blend{}, err
	}
	byHash := map[string]*merge.Checkpoint{}
	for _, p := range given.parents {
		h, err := p.Hash(ctx)
		if err != nil {
			return blend{}, err
		}
		byHash[h] = p
	}
	b := blend{recipe: saved.Recipe(), options: given.options, sum: saved.SHA256}
	b.options.Store, b.options.Shard, b.options.Method = saved.Store, saved.Shard, saved.Method
	var kept []int
	for k, p := range saved.Parents {
		c, ok := byHash[p.SHA256]
		if !ok && (k == 0 || weighs(saved.Weights, k)) {
			return blend{}, &usage.Error{Message: fmt.Sprintf("%s: none of the given checkpoints is the parent %s (content %s)", file, p.Name, p.SHA256[:min(12, len(p.SHA256))]), Advice: "give the paths of all parents of the recipe"}
		}
		if ok {
			kept, b.parents, b.names = append(kept, k), append(b.parents, c), append(b.names, p.Name)
		}
	}
	if len(kept) != len(given.parents) {
		return blend{}, &usage.Error{Message: fmt.Sprintf("%s: made of %d parents, %d of the given %d are among them", file, len(saved.Parents), len(kept), len(given.parents)), Advice: "leave the others out"}
	}
	b.recipe.Weights = columns(saved.Weights, kept)
	return b, nil
}

// weighs says whether a parent has a weight in any group.
func weighs(weights [][]float64, parent int) bool {
	return slices.ContainsFunc(weights, func(row []float64) bool { return row[parent] != 0 })
}

// columns keeps some parents' weights.
func columns(weights [][]float64, kept []int) [][]float64 {
	out := make([][]float64, len(weights))
	for g, row := range weights {
		for _, k := range kept {
			out[g] = append(out[g], row[k])
		}
	}
	return out
}
