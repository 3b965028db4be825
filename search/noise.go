package search

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"soup/search/internal/gauss"
)

// noise is the variance of a category's mean, NaN if it is unknown. That of an item
// is shrunk, since a few items that are all right have an SE of 0.
func (c Category) noise() float64 {
	n := float64(c.N)
	if c.N <= 0 {
		if c.SE > 0 && finite(c.SE) {
			return c.SE * c.SE
		}
		return math.NaN()
	}
	item := mixed(c.Mean*n, n)
	if c.SE > 0 && finite(c.SE) {
		item = shrunk(n*n*c.SE*c.SE, item, n)
	}
	return max(item/n, 1e-8)
}

// mixed is the variance of right and wrong answers to n items with this sum of scores,
// by a share of right ones that is never 0 or 1.
func mixed(sum, n float64) float64 {
	share := min(1, max(0, (sum+1)/(n+2)))
	return share * (1 - share)
}

// shrunk is the variance of n scores with this sum of squares about their mean, as if
// four more had the variance of right and wrong answers.
func shrunk(squares, mixed, n float64) float64 { return (squares + 4*mixed) / (n + 4) }

// answers are the items of trials, laid out in a table for each category: a row for
// each trial, a column for each item.
type answers struct {
	trials  []Trial
	cells   []map[string][]cell // of each trial, by category
	columns map[[2]string]int   // by category and ID
	width   map[string]int      // of the tables
}

// cell is where an item of a trial stands in its row.
type cell struct{ item, column int }

// layOut gives every item a column. Trials mostly have the same items in the same
// order, or the first of them, and then share the cells.
func layOut(trials []Trial) *answers {
	a := &answers{trials, make([]map[string][]cell, len(trials)), map[[2]string]int{}, map[string]int{}}
	longest := slices.MaxFunc(trials, func(a, b Trial) int { return cmp.Compare(len(a.Items), len(b.Items)) }).Items
	cells := a.row(longest)
	each(len(trials), func(i int) {
		if isStart(trials[i].Items, longest) {
			a.cells[i] = cells
		}
	})
	for i, t := range trials {
		if a.cells[i] == nil {
			a.cells[i] = a.row(t.Items)
		}
	}
	return a
}

// row are the cells of a trial with these items.
func (a *answers) row(items []Item) map[string][]cell {
	cells := map[string][]cell{}
	for i, it := range items {
		key := [2]string{it.Category, it.ID}
		if _, known := a.columns[key]; !known {
			a.columns[key] = a.width[it.Category]
			a.width[it.Category]++
		}
		cells[it.Category] = append(cells[it.Category], cell{i, a.columns[key]})
	}
	return cells
}

// isStart says whether items are the first of others.
func isStart(items, others []Item) bool {
	if len(items) > len(others) {
		return false
	}
	for i := range items {
		if items[i].ID != others[i].ID || items[i].Category != others[i].Category {
			return false
		}
	}
	return true
}

// alike is the part of the correlation of errors that is believed.
const alike = 0.95

// correlation is that of the errors of a category's means; nil if it has no items.
// Soups are asked the same items, and what is hard about these is hard for all: the
// errors of two means correlate as the scores of their items do.
func (a *answers) correlation(category string) gauss.Pairs {
	width := a.width[category]
	if width == 0 {
		return nil
	}
	table, shared := make([][]float64, len(a.trials)), make(gauss.Pairs, len(a.trials))
	for i, t := range a.trials {
		table[i], shared[i] = make([]float64, width), make([]float64, i)
		standardise(table[i], t.Items, a.cells[i][category])
		for j := range i {
			shared[i][j] = alike * floats.Dot(table[i], table[j])
		}
	}
	return shared
}

// standardise writes the scores of a category's items less their mean, scaled to
// length 1, into a row: inner products of rows are then correlations, where both
// have the same items.
func standardise(row []float64, items []Item, cells []cell) {
	n, _ := slices.BinarySearchFunc(cells, len(items), func(c cell, item int) int { return cmp.Compare(c.item, item) })
	cells = cells[:n]
	mean, squares := 0.0, 0.0
	for _, c := range cells {
		mean += items[c.item].Score / float64(n)
	}
	for _, c := range cells {
		row[c.column] = items[c.item].Score - mean
		squares += row[c.column] * row[c.column]
	}
	for _, c := range cells {
		row[c.column] /= math.Sqrt(max(squares, 1e-12))
	}
}
