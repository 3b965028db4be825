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

// parseWeights reads "NAME=W,...": a parent that is not named has weight 0.
func parseWeights(o MergeOptions, names []string) ([][]float64, error) {
	row := make([]float64, len(names))
	if o.Weights == "" {
		for i := range row {
			row[i] = 1 / float64(len(row))
		}
		return [][]float64{row}, nil
	}
	index, err := indexNames(names)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{}
	for _, term := range strings.Split(o.Weights, ",") {
		name, text, ok := strings.Cut(strings.TrimSpace(term), "=")
		w, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: %q is not NAME=NUMBER", term), Advice: "write --weights a=0.7,b=0.3"}
		}
		i, known := index[name]
		if !known || given[name] {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: no parent is named %q, or twice", name), Advice: "parents are " + strings.Join(names, ", ")}
		}
		if w < 0 && !o.Extrapolate {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: %s is negative", name), Advice: "give --extrapolate if you mean to leave the space between the parents"}
		}
		row[i], given[name] = w, true
	}
	return scale(row)
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

// scale makes the weights sum to 1.
func scale(row []float64) ([][]float64, error) {
	sum := 0.0
	for _, w := range row {
		sum += w
	}
	if !(sum >= 1e-9) {
		return nil, &usage.Error{Message: fmt.Sprintf("--weights: their sum is %g; it must be above 0", sum), Advice: "give at least one parent a positive weight"}
	}
	for i := range row {
		row[i] /= sum
	}
	return [][]float64{row}, nil
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
