package search

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// tie is how far scores may be apart to count as equal: the rounding of a mean.
const tie = 1e-9

// huge is where squares overflow: no score is so large.
const huge = 1e100

// fewest models that a correlation says anything about: that of two is always 1
// or -1.
const fewest = 3

// Model is a row of a table of scores.
type Model struct {
	Name       string
	Categories map[string]Category
}

// Criteria say how Analyze chooses.
type Criteria struct {
	Tau   float64  // keep a category if |correlation| with another is below this; above 0
	MinN  int      // leave out categories with fewer items; those of unknown number stay
	Among []string // the models that may be experts; default all
}

// Expert is the best model of a category.
type Expert struct {
	Category  string
	Model     string
	Mean, SE  float64
	Tied      []string // others with the same mean, in order
	Next      string   // best of those that are worse; empty if there is none
	NextScore float64
}

// Analysis is what Analyze found.
type Analysis struct {
	Models      int               // how many the correlations are over
	Tau         float64           // of the criteria
	Categories  []string          // those looked at, by name
	Skipped     map[string]string // why each of the others was left out
	Correlation [][]float64       // Pearson's, of Categories; nil if there are fewer than three models
	Kept        []string          // of Categories
	Experts     []Expert          // one for each of Kept
}

// Analyze is the first half of SoCE: steps 1 and 2 of Algorithm 1 of Souper-Model
// (https://arxiv.org/abs/2511.13254). It keeps each category whose correlation
// over the models is weak, |rho| < tau, with at least one other, and names the best
// model of each.
//
// The paper leaves open what follows. A strong negative correlation is strong. A
// category with fewer than MinN items in some model, not measured for some model
// or with the same score for all has no correlation: it is left out, neither kept
// itself nor a reason to keep another. With fewer than three models or one category
// the filter means nothing: all are kept. Of models with the same score the one
// that is alone at the top of more kept categories is the expert, then the first.
func Analyze(models []Model, c Criteria) (Analysis, error) {
	if !(c.Tau > 0) {
		return Analysis{}, fmt.Errorf("tau is %v; it must be above 0", c.Tau)
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	if err := distinct("model", names); err != nil {
		return Analysis{}, err
	}
	candidates, err := pick(models, c.Among)
	if err != nil {
		return Analysis{}, err
	}
	a := Analysis{Models: len(models), Tau: c.Tau, Skipped: map[string]string{}}
	a.choose(models, c.MinN)
	a.correlate(models)
	a.keep()
	a.nameExperts(candidates)
	return a, nil
}

func pick(models []Model, among []string) ([]Model, error) {
	if len(among) == 0 {
		return models, nil
	}
	if err := distinct("candidate", among); err != nil {
		return nil, err
	}
	var picked []Model
	for _, name := range among {
		i := slices.IndexFunc(models, func(m Model) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("candidate %s is none of the %d models", name, len(models))
		}
		picked = append(picked, models[i])
	}
	return picked, nil
}

// choose sorts the categories into those to look at and those skipped.
func (a *Analysis) choose(models []Model, minN int) {
	all := map[string]bool{}
	for _, m := range models {
		for name := range m.Categories {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if reason := unfit(models, name, minN); reason != "" {
			a.Skipped[name] = reason
			continue
		}
		a.Categories = append(a.Categories, name)
	}
}

// unfit says why a category cannot be used; nothing if it can.
func unfit(models []Model, category string, minN int) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, m := range models {
		c, ok := m.Categories[category]
		switch {
		case !ok || !(math.Abs(c.Mean) < huge):
			return "not measured for " + m.Name
		case c.N > 0 && c.N < minN:
			return fmt.Sprintf("%d items for %s, fewer than %d", c.N, m.Name, minN)
		}
		low, high = min(low, c.Mean), max(high, c.Mean)
	}
	if len(models) > 1 && high-low <= tie {
		return fmt.Sprintf("all models score %.4g", low)
	}
	return ""
}

func (a *Analysis) correlate(models []Model) {
	if len(models) < fewest {
		return
	}
	var columns [][]float64
	for _, name := range a.Categories {
		var column []float64
		for _, m := range models {
			column = append(column, m.Categories[name].Mean)
		}
		columns = append(columns, column)
	}
	a.Correlation = make([][]float64, len(columns))
	for i := range columns {
		a.Correlation[i] = make([]float64, len(columns))
		a.Correlation[i][i] = 1
		for j := range i {
			rho := max(-1, min(1, stat.Correlation(columns[i], columns[j], nil)))
			a.Correlation[i][j], a.Correlation[j][i] = rho, rho
		}
	}
}

func (a *Analysis) keep() {
	for i, name := range a.Categories {
		j := a.weakest(i)
		if j < 0 || math.Abs(a.Correlation[i][j]) < a.Tau {
			a.Kept = append(a.Kept, name)
		}
	}
}

// weakest is the category that another correlates with least; -1 if there is none.
func (a *Analysis) weakest(i int) int {
	least := -1
	if a.Correlation == nil {
		return least
	}
	for j, rho := range a.Correlation[i] {
		if j != i && (least < 0 || math.Abs(rho) < math.Abs(a.Correlation[i][least])) {
			least = j
		}
	}
	return least
}

func (a *Analysis) nameExperts(candidates []Model) {
	wins := map[string]int{}
	for _, category := range a.Kept {
		if top := leaders(candidates, category); len(top) == 1 {
			wins[top[0].Name]++
		}
	}
	for _, category := range a.Kept {
		a.Experts = append(a.Experts, expert(candidates, category, wins))
	}
}

// leaders are the models with the highest mean, in order.
func leaders(models []Model, category string) []Model {
	high := math.Inf(-1)
	for _, m := range models {
		high = max(high, m.Categories[category].Mean)
	}
	var top []Model
	for _, m := range models {
		if m.Categories[category].Mean >= high-tie {
			top = append(top, m)
		}
	}
	return top
}

func expert(candidates []Model, category string, wins map[string]int) Expert {
	top := leaders(candidates, category)
	chosen := top[0]
	for _, m := range top {
		if wins[m.Name] > wins[chosen.Name] {
			chosen = m
		}
	}
	e := Expert{Category: category, Model: chosen.Name}
	e.Mean, e.SE = chosen.Categories[category].Mean, chosen.Categories[category].SE
	var rest []Model
	for _, m := range candidates {
		switch tied := m.Categories[category].Mean >= e.Mean-tie; {
		case !tied:
			rest = append(rest, m)
		case m.Name != e.Model:
			e.Tied = append(e.Tied, m.Name)
		}
	}
	if next := leaders(rest, category); len(next) > 0 {
		e.Next, e.NextScore = next[0].Name, next[0].Categories[category].Mean
	}
	return e
}

// Distinct are the experts, each once, in the order of the categories.
func (a Analysis) Distinct() []string {
	var names []string
	for _, e := range a.Experts {
		if !slices.Contains(names, e.Model) {
			names = append(names, e.Model)
		}
	}
	return names
}
