package results

import (
	"fmt"
	"slices"
	"strings"

	"soup/results/table"
)

// baselinesBeside stand in the table of categories beside the best single
// checkpoint, where the winner was compared with them.
var baselinesBeside = []string{"uniform", "base"}

// writeCategories prints, for each category, winner, best single checkpoint and
// baselines, and how the winner compares; then in a sentence what got worse.
func writeCategories(p *table.Page, r Report) {
	c, single := r.test(), r.single()
	if c == nil || single == nil || r.Winner == nil || len(c.Categories) == 0 {
		return
	}
	header := []string{"category", "n", "winner", "single"}
	var columns []func(category string) string
	for _, name := range baselinesBeside {
		if cells := r.beside(name); cells != nil {
			header, columns = append(header, name), append(columns, cells)
		}
	}
	g := table.Grid{Header: append(header, "delta", "95 % interval", "p", "verdict"), LastText: true, Spare: []int{len(header) + 2}}
	winner, before := r.categories(r.Winner.Trial), r.categories(single.Trial)
	for _, x := range c.Categories {
		row := []string{x.Category, fmt.Sprint(x.N), winner[x.Category].String(), before[x.Category].String()}
		for _, cell := range columns {
			row = append(row, cell(x.Category))
		}
		g.Add(append(row, signed(x.Delta), x.interval(), Probability(x.P), x.Verdict)...)
	}
	p.Blank()
	p.Table(g)
	p.Item(gainsAndLosses(c.Categories))
}

// beside returns the cells of a baseline, nil if the winner was not compared with
// it: its score, and a sign that says where it lies.
func (r Report) beside(name string) func(category string) string {
	i := slices.IndexFunc(r.Comparisons, func(c Comparison) bool {
		return c.Of == OfWinner && c.Against == name && c.Split == Test && len(c.Categories) > 0
	})
	k := slices.IndexFunc(r.Strategies, func(s StrategyReport) bool { return s.Strategy == name })
	if i < 0 || k < 0 {
		return nil
	}
	sign := map[string]string{}
	for _, x := range r.Comparisons[i].Categories {
		sign[x.Category] = " " + map[string]string{Better: "<", Worse: ">", Noise: Noise}[x.Verdict]
	}
	scores := r.categories(r.Strategies[k].Trial)
	return func(category string) string { return scores[category].String() + sign[category] }
}

// baselines says whether the table of categories has signs to explain.
func (r Report) baselines() bool {
	return r.Winner != nil && r.test() != nil && slices.ContainsFunc(baselinesBeside, func(name string) bool { return r.beside(name) != nil })
}

// gainsAndLosses counts the categories by verdict and names those that got worse
// than the best single checkpoint's.
func gainsAndLosses(categories []CategoryDifference) string {
	better, noise := 0, 0
	var worse []string
	for _, x := range categories {
		switch x.Verdict {
		case Better:
			better++
		case Worse:
			worse = append(worse, fmt.Sprintf("%s %s %s", x.Category, signed(x.Delta), x.interval()))
		default:
			noise++
		}
	}
	lost := "none is worse"
	if len(worse) > 0 {
		lost = fmt.Sprintf("%d worse: %s", len(worse), strings.Join(worse, ", "))
	}
	return fmt.Sprintf("of %d categories on test, %d better than the best single checkpoint, %d may be noise, %s", len(categories), better, noise, lost)
}

// categories returns a trial's scores on test by category.
func (r Report) categories(trial int) map[string]CategoryScore {
	if t := r.trial(trial); t != nil && t.Scores.Test != nil {
		return t.Scores.Test.Categories
	}
	return nil
}
