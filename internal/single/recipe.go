package single

import (
	"context"
	"fmt"
	"strings"

	"soup/internal/usage"
	"soup/merge"
)

// again reads a soup.json and makes of it, and of the checkpoints given, the
// soup that was recorded. A parent without a weight in any group need not be
// given, unless it is the first: header and configuration are its.
func (o MergeOptions) again(ctx context.Context, given given) (blend, error) {
	file := o.Recipe
	saved, err := merge.ReadRecipe(file)
	if err != nil {
		return blend{}, err
	}
	if _, err := o.Storing.options(o.Info); err != nil {
		return blend{}, err
	}
	b := blend{recipe: saved.Recipe(), recorded: file, sum: saved.Averaged(), storing: o.Storing}
	b.options = merge.WriteOptions{Store: saved.Store, Shard: saved.Shard, Method: saved.Method, Progress: tellProgress(o.Info)}
	if len(given.all) == 0 {
		return b, &usage.Error{Message: file + ": the paths of its parents are missing: a soup.json records their content, not where they are", Advice: "its parents are " + parentNames(saved)}
	}
	if err := o.Storing.checkOutput(o.Out, given.all, b.options); err != nil {
		return b, err
	}
	byHash := map[string]*merge.Checkpoint{}
	sums, err := merge.HashAll(ctx, given.all, nil)
	if err != nil {
		return b, err
	}
	for i, sum := range sums {
		byHash[sum] = given.all[i]
	}
	var kept []int
	for k, p := range saved.Parents {
		c, ok := byHash[p.SHA256]
		if !ok && (k == 0 || saved.Recipe().Weighs(k)) {
			return blend{}, &usage.Error{Message: fmt.Sprintf("%s: none of the given checkpoints is the parent %s (content %s)", file, p.Name, p.SHA256[:min(12, len(p.SHA256))]), Advice: "give the paths of all parents of the recipe"}
		}
		if ok {
			kept, b.parents, b.names = append(kept, k), append(b.parents, c), append(b.names, p.Name)
		}
	}
	if len(kept) != len(given.all) {
		return blend{}, &usage.Error{Message: fmt.Sprintf("%s: made of %d parents, %d of the given %d are among them", file, len(saved.Parents), len(kept), len(given.all)), Advice: "leave the others out"}
	}
	b.recipe = b.recipe.Keep(kept)
	return b, nil
}

// parentNames lists the parents that are needed to make a soup again.
func parentNames(saved merge.SavedRecipe) string {
	var list []string
	for k, p := range saved.Parents {
		if k == 0 || saved.Recipe().Weighs(k) {
			list = append(list, p.Name)
		}
	}
	return strings.Join(list, ", ")
}
