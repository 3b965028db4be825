package plots

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"soup/results"
)

// correlations are Pearson's, of every two categories over the candidates with a
// search score in both; NaN where fewer than three have one, or all are equal.
func correlations(list []candidate) (names []string, matrix [][]float64) {
	known := map[string]bool{}
	for _, c := range list {
		for name := range c.Scores.Search.Categories {
			known[name] = true
		}
	}
	names = slices.Sorted(maps.Keys(known))
	matrix = make([][]float64, len(names))
	for i := range names {
		matrix[i] = make([]float64, len(names))
		for j := range names {
			matrix[i][j] = correlation(list, names[i], names[j])
		}
	}
	return names, matrix
}

func correlation(list []candidate, a, b string) float64 {
	if a == b {
		return 1
	}
	var x, y []float64
	for _, c := range list {
		s := c.Scores.Search.Categories
		if s[a].Mean != nil && s[b].Mean != nil {
			x, y = append(x, *s[a].Mean), append(y, *s[b].Mean)
		}
	}
	if len(x) < 3 {
		return math.NaN()
	}
	return stat.Correlation(x, y, nil)
}

func drawCorrelation(r results.Report) (*Figure, string) {
	list := candidates(r)
	names, matrix := correlations(list)
	switch {
	case len(names) < 2:
		return nil, "it takes two categories"
	case len(list) < 3:
		return nil, "fewer than three candidates were scored on search"
	}
	f := heatmap("Do categories rise together?",
		fmt.Sprintf("Pearson correlation of scores on search over n = %s; white: unknown", plural(len(list), "candidate")), names, matrix)
	data := f.series("category", names...)
	for i, name := range names {
		data.add(name, matrix[i]...)
	}
	return f, ""
}
