package single

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"soup/internal/usage"
	"soup/merge"
)

// parseWeights reads "NAME=W,..." for parents of these names: one that is not
// named has weight 0.
func parseWeights(text string, names []string) ([]float64, error) {
	index, err := indexNames(names)
	if err != nil {
		return nil, err
	}
	row, given := make([]float64, len(names)), map[string]bool{}
	for _, term := range strings.Split(text, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(term), "=")
		w, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: %q is not NAME=NUMBER", term), Advice: "write --weights a=0.7,b=0.3"}
		}
		i, known := index[name]
		if !known || given[name] {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: no parent is named %q, or twice", name), Advice: "parents are " + strings.Join(names, ", ")}
		}
		row[i], given[name] = w, true
	}
	return row, nil
}

func indexNames(names []string) (map[string]int, error) {
	index := map[string]int{}
	for i, n := range names {
		if _, twice := index[n]; twice {
			return nil, &usage.Error{Message: fmt.Sprintf("two parents are named %q", n), Advice: "weights go by the last element of the path: rename one, or link it under another name"}
		}
		index[n] = i
	}
	return index, nil
}

// parseStore reads the option --store; "" keeps the parents' dtype.
func parseStore(text string) (merge.DType, error) {
	if text == "" {
		return merge.AsStored, nil
	}
	store, err := merge.ParseDType(text)
	if err != nil {
		return store, usage.Errorf("--store: %s", err)
	}
	return store, nil
}

// parseShard reads the option --shard-size, in the units of transformers: "5GB"
// is 5 * 10^9 bytes, "5GiB" 5 * 2^30. "" is 0: one file.
func parseShard(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n < 1 || n > math.MaxInt64 {
		return 0, &usage.Error{Message: fmt.Sprintf("--shard-size: %q is not a size", text), Advice: "write --shard-size 5GB"}
	}
	return int64(n), nil
}
