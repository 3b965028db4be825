package search

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Correlation says how two categories go together over a table of models.
// Numbers that cannot be computed are NaN.
type Correlation struct {
	A, B     string
	Pearson  Estimate
	Spearman Estimate // of the ranks, equal scores with their mean rank
	// Better is Pearson's over the better half of the models, by the mean of all
	// categories. A table that was cut off at the top, as leaderboards are, shows
	// that and not the whole: restricting the range bends correlations towards -1.
	Better float64
}

// Estimate is a number with its percentile-bootstrap interval.
type Estimate struct {
	Value, Low, High float64
}

// Correlations returns every pair of the categories, each of which every model
// must have, with 95 % intervals from resampling the models with replacement
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
// Resamples in which a category is constant are left out. It needs three models
// and one resample.
func Correlations(models []Model, categories []string, seed uint64, resamples int) ([]Correlation, error) {
	if len(models) < fewest {
		return nil, fmt.Errorf("%d models are too few to correlate; it takes %d", len(models), fewest)
	}
	if resamples < 1 {
		return nil, fmt.Errorf("%d resamples; it takes one at least", resamples)
	}
	columns, err := columnsOf(models, categories)
	if err != nil {
		return nil, err
	}
	whole, better := correlateAll(columns), correlateAll(betterHalf(columns))
	draws := resample(columns, Rand(seed, "correlations", 0), resamples)
	var list []Correlation
	for k, p := range pairs(len(categories)) {
		c := Correlation{A: categories[p.i], B: categories[p.j], Better: better[k].pearson}
		c.Pearson = interval95(whole[k].pearson, draws, func(r []rho) float64 { return r[k].pearson })
		c.Spearman = interval95(whole[k].spearman, draws, func(r []rho) float64 { return r[k].spearman })
		list = append(list, c)
	}
	return list, nil
}

// columnsOf are the scores by category and model.
func columnsOf(models []Model, categories []string) ([][]float64, error) {
	columns := make([][]float64, len(categories))
	for i, name := range categories {
		for _, m := range models {
			c, ok := m.Categories[name]
			if !ok || math.IsNaN(c.Mean) {
				return nil, fmt.Errorf("category %s: not measured for %s", name, m.Name)
			}
			columns[i] = append(columns[i], c.Mean)
		}
	}
	return columns, nil
}

// rho are the correlations of one pair.
type rho struct{ pearson, spearman float64 }

type pair struct{ i, j int }

// pairs are all pairs of n, the first before the second.
func pairs(n int) (list []pair) {
	for i := range n {
		for j := i + 1; j < n; j++ {
			list = append(list, pair{i, j})
		}
	}
	return list
}

// correlateAll correlates every pair of columns.
func correlateAll(columns [][]float64) (list []rho) {
	ranked := make([][]float64, len(columns))
	for i, c := range columns {
		ranked[i] = ranks(c)
	}
	for _, p := range pairs(len(columns)) {
		list = append(list, rho{pearson(columns[p.i], columns[p.j]), pearson(ranked[p.i], ranked[p.j])})
	}
	return list
}

// pearson is NaN where a column is constant, whatever rounding makes of it.
func pearson(x, y []float64) float64 {
	if len(x) < fewest || slices.Max(x)-slices.Min(x) <= tie || slices.Max(y)-slices.Min(y) <= tie {
		return math.NaN()
	}
	return max(-1, min(1, stat.Correlation(x, y, nil)))
}

// ranks are 1 for the smallest; equal values get their mean rank.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(x[a], x[b])
	})
	ranked := make([]float64, len(x))
	for from := 0; from < len(x); {
		to := from
		for to < len(x) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranked[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return ranked
}

// betterHalf are the models above the median of the mean over columns.
func betterHalf(columns [][]float64) [][]float64 {
	n := len(columns[0])
	mean := make([]float64, n)
	for _, c := range columns {
		for m, v := range c {
			mean[m] += v
		}
	}
	order := ranks(mean)
	half := make([][]float64, len(columns))
	for i, c := range columns {
		for m, v := range c {
			if order[m] > float64(n+1)/2 {
				half[i] = append(half[i], v)
			}
		}
	}
	return half
}

// resample draws models with replacement and correlates every pair, each time.
func resample(columns [][]float64, r *rand.Rand, times int) [][]rho {
	n := len(columns[0])
	draws := make([][]rho, times)
	drawn := make([][]float64, len(columns))
	for i := range drawn {
		drawn[i] = make([]float64, n)
	}
	for t := range draws {
		for m := range n {
			from := r.IntN(n)
			for i, c := range columns {
				drawn[i][m] = c[from]
			}
		}
		draws[t] = correlateAll(drawn)
	}
	return draws
}

// interval95 is the 2.5th to the 97.5th percentile of one pair's draws.
func interval95(value float64, draws [][]rho, of func([]rho) float64) Estimate {
	var values []float64
	for _, d := range draws {
		if v := of(d); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Estimate{value, math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	return Estimate{value, stat.Quantile(0.025, stat.Empirical, values, nil), stat.Quantile(0.975, stat.Empirical, values, nil)}
}
