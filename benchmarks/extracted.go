package benchmarks

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"soup/eval"
)

// ruleOf writes the settings of a metric; they are structs of strings and numbers.
func ruleOf(settings any) json.RawMessage {
	raw, err := json.Marshal(settings)
	if err != nil {
		panic(err)
	}
	return raw
}

// checked returns the items if every one is valid, and there are some.
func checked(path string, items []eval.Item) ([]eval.Item, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: no items", path)
	}
	for _, it := range items {
		if err := it.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return items, nil
}

// filterFigures are the shares of right answers by each filter of the items,
// over the items that were answered.
func filterFigures(items []eval.Item, outcomes []eval.Outcome, filters func(eval.Item) map[string]eval.Extraction) []Figure {
	byID := map[string]eval.Item{}
	for _, it := range items {
		byID[it.ID] = it
	}
	sums, n := map[string]float64{}, 0
	for _, o := range outcomes {
		it, ours := byID[o.ID]
		if !ours || !o.Scored() {
			continue
		}
		n++
		for name, x := range filters(it) {
			sums[name] += x.Score(it, o.Answer)
		}
	}
	var figures []Figure
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		figures = append(figures, Figure{Name: name, Value: sums[name] / float64(n)})
	}
	return figures
}
