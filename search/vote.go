package search

import (
	"maps"
	"math"
	"slices"
)

// keen is how strongly a vote prefers the better parent: one with nine tenths of the
// best mean has about a third of the best one's share. A ratio, because where all
// means are low a difference of some points is much.
const keen = 10

// vote is a first guess at a good soup from the parents' own scores: every category
// gives its part of the aggregate to the parents that are good at it, in shares of
// mean to the power of keen, and weights are rounded to tenths. A parent that is good at
// nothing gets nothing. The experts of SoCE (https://arxiv.org/abs/2511.13254), but
// soft, so that the noise of a few items decides nothing. False if parents have no
// categories.
func (s Space) vote(singles []Trial) (Point, bool) {
	row, total := make([]float64, len(s.Parents)), 0.0
	for _, name := range categoriesOf(singles) {
		shares, sum := s.votes(singles, name), 0.0
		for _, share := range shares {
			sum += share
		}
		if sum == 0 { // nobody is right in anything
			continue
		}
		for i, share := range shares {
			row[i] += s.weight(name) * share / sum
		}
		total += s.weight(name)
	}
	if !(total > 0) {
		return Point{}, false
	}
	for i := range row {
		row[i] *= s.Sum / total
	}
	rows := make([][]float64, len(s.Groups))
	for g := range rows {
		rows[g] = s.project(row)
	}
	return s.round(rows, grains[0]), true
}

// votes are what a category gives to each parent.
func (s Space) votes(singles []Trial, category string) []float64 {
	top := 1e-9
	for _, t := range singles {
		if c, ok := t.Categories[category]; ok && finite(c.Mean) {
			top = max(top, c.Mean)
		}
	}
	shares := make([]float64, len(singles))
	for i, t := range singles {
		if c, ok := t.Categories[category]; ok && finite(c.Mean) {
			shares[i] = math.Pow(max(0, c.Mean)/top, keen)
		}
	}
	return shares
}

// categoriesOf are the categories that some trial has a mean of, by name.
func categoriesOf(trials []Trial) []string {
	names := map[string]bool{}
	for _, t := range trials {
		for name, c := range t.Categories {
			if finite(c.Mean) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
