package comparison

import (
	"math"

	"soup/results"
)

// Pace says how good a strategy's best candidate was after equal costs, on the
// search items.
type Pace struct {
	Strategy string     `json:"strategy"`   // Whole for all of a study
	Items    []*float64 `json:"by_items"`   // median over studies, for each of Budgets.Items; nil where a study has no score by then
	Seconds  []*float64 `json:"by_seconds"` // likewise, for each of Budgets.Seconds
	Studies  int        `json:"studies"`    // that ran it
}

// Whole is in place of a strategy's name where all of a study is meant.
const Whole = "whole study"

// Budgets are the costs at which strategies are compared: an eighth, a quarter,
// half and all of what the cheapest study spent on search.
type Budgets struct {
	Items   []float64 `json:"items"`
	Seconds []float64 `json:"seconds"`
}

// step is a candidate: what had been spent when it was scored, and its score.
type step struct{ items, seconds, score float64 }

// steps are a strategy's candidates in the order of their numbers. A candidate
// that an earlier strategy had tried is charged to both, so that the order of
// strategies does not matter; for the whole study it is charged once.
func steps(r results.Report, strategy string) []step {
	byNumber := map[int]results.TrialReport{}
	for _, t := range r.Trials {
		byNumber[t.Number] = t
	}
	var list []step
	var at step
	for _, t := range r.Trials {
		if strategy == Whole && t.State == results.Cached || strategy != Whole && t.Strategy != strategy {
			continue
		}
		paid := byNumber[t.Of]
		at.items += float64(paid.Answered)
		at.seconds += paid.Seconds.Total()
		if s := t.Scores.Search; s != nil && s.Mean != nil {
			at.score = *s.Mean
			list = append(list, at)
		}
	}
	return list
}

// bestWithin is the best score within a budget; false where there is none.
func bestWithin(list []step, budget float64, cost func(step) float64) (best float64, ok bool) {
	best = math.Inf(-1)
	for _, s := range list {
		if cost(s) <= budget {
			best = max(best, s.score)
		}
	}
	return best, !math.IsInf(best, -1)
}

func byItems(s step) float64   { return s.items }
func bySeconds(s step) float64 { return s.seconds }

// addPaces compares the strategies that were gathered at equal cost.
func (c *Comparison) addPaces(reports []results.Report) {
	items, seconds := math.Inf(1), math.Inf(1)
	for _, r := range reports {
		list := steps(r, Whole)
		if len(list) == 0 {
			return
		}
		items, seconds = min(items, list[len(list)-1].items), min(seconds, list[len(list)-1].seconds)
	}
	for _, share := range []float64{0.125, 0.25, 0.5, 1} {
		c.Budgets.Items = append(c.Budgets.Items, math.Round(share*items))
		c.Budgets.Seconds = append(c.Budgets.Seconds, share*seconds)
	}
	names := []string{}
	for _, s := range c.Strategies {
		names = append(names, s.Name)
	}
	for _, name := range append(names, Whole) {
		if p := c.pace(reports, name); p.Studies > 0 {
			c.Paces = append(c.Paces, p)
		}
	}
}

func (c *Comparison) pace(reports []results.Report, strategy string) Pace {
	p := Pace{Strategy: strategy}
	var lists [][]step
	for _, r := range reports {
		if list := steps(r, strategy); len(list) > 0 {
			lists = append(lists, list)
		}
	}
	p.Studies = len(lists)
	at := func(budgets []float64, cost func(step) float64) []*float64 {
		out := make([]*float64, len(budgets))
		for i, budget := range budgets {
			var best []float64
			for _, list := range lists {
				if score, ok := bestWithin(list, budget, cost); ok {
					best = append(best, score)
				}
			}
			if len(best) == len(lists) && len(best) > 0 {
				out[i] = &quartiles(best).Median
			}
		}
		return out
	}
	p.Items, p.Seconds = at(c.Budgets.Items, byItems), at(c.Budgets.Seconds, bySeconds)
	return p
}
