package search

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// noise is the variance of a category's mean, NaN if it is unknown. The variance
// of an item is shrunk to that of right and wrong answers with a share that is
// never 0 or 1, as if four more items had it: a few items that are all right have
// an SE of 0.
func (c Category) noise() float64 {
	n := float64(c.N)
	if c.N <= 0 {
		if c.SE > 0 && finite(c.SE) {
			return c.SE * c.SE
		}
		return math.NaN()
	}
	share := min(1, max(0, (c.Mean*n+1)/(n+2)))
	item := share * (1 - share)
	if c.SE > 0 && finite(c.SE) {
		item = (n*n*c.SE*c.SE + 4*item) / (n + 4)
	}
	return max(item/n, 1e-8)
}

// answers are the items of trials, laid out in a table for each category: a row for
// each trial, a column for each item.
type answers struct {
	trials []Trial
	cells  []map[string][]cell // of each trial, by category
	width  map[string]int      // of the tables
}

// cell is where an item of a trial stands in its row.
type cell struct{ item, column int }

// layOut gives every item a column. Trials mostly have the same items in the same
// order, or the first of them, and then share the cells.
func layOut(trials []Trial) answers {
	a := answers{trials: trials, width: map[string]int{}}
	columns := map[[2]string]int{}
	var laid []Item
	var cells map[string][]cell
	for _, t := range trials {
		if !isStart(t.Items, laid) {
			laid, cells = t.Items, map[string][]cell{}
			for i, it := range laid {
				key := [2]string{it.Category, it.ID}
				if _, known := columns[key]; !known {
					columns[key] = a.width[it.Category]
					a.width[it.Category]++
				}
				cells[it.Category] = append(cells[it.Category], cell{i, columns[key]})
			}
		}
		a.cells = append(a.cells, cells)
	}
	return a
}

// isStart says whether items are the first of others.
func isStart(items, others []Item) bool {
	return len(items) <= len(others) && slices.EqualFunc(items, others[:len(items)], func(a, b Item) bool {
		return a.ID == b.ID && a.Category == b.Category
	})
}

// believed is the part of the correlation of errors that is believed.
const believed = 0.95

// correlation is that of the errors of a category's means, the diagonal aside; nil
// if it has no items. Soups are asked the same items, and what is hard about these is
// hard for all: the errors of two means correlate as the scores of their items do.
func (a answers) correlation(category string) mat.Symmetric {
	if a.width[category] == 0 {
		return nil
	}
	table := mat.NewDense(len(a.trials), a.width[category], nil)
	for i, t := range a.trials {
		standardise(table.RawRowView(i), t.Items, a.cells[i][category])
	}
	correlation := mat.NewSymDense(len(a.trials), nil)
	correlation.SymOuterK(believed, table)
	return correlation
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
