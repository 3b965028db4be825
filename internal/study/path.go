package study

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"soup/eval"
	"soup/results"
)

// addPath shows, for a study of two or three parents one of which is to be kept up
// with, the soups of them.
func (b *reporter) addPath(r *results.Report) error {
	from := b.keptParent()
	if n := len(b.parents); n != 2 && n != 3 || from < 0 {
		return nil
	}
	p := &results.Path{From: b.parents[from]}
	for _, c := range b.keeper.constraints {
		p.Keep = append(p.Keep, c.Category)
	}
	to, third, ok := b.otherEnds(p, from)
	if !ok {
		return nil
	}
	p.To = b.parents[to]
	if third >= 0 {
		p.Third = b.parents[third]
	}
	seen := map[int]bool{}
	for _, t := range b.trials {
		score := b.byNumber[t.Of].Scores.Search
		if t.Strategy == baseStrategy || score == nil || seen[t.Of] || !alike(t.Weights) {
			continue
		}
		seen[t.Of] = true
		x := results.PathPoint{At: t.Weights[0][to], Trial: t.Of, Target: meanOver(score.Categories, p.Target, b.weights), Keep: meanOver(score.Categories, p.Keep, nil)}
		if third >= 0 {
			x.Third = t.Weights[0][third]
		}
		p.Points = append(p.Points, x)
	}
	if len(p.Line()) < 3 {
		return nil
	}
	slices.SortStableFunc(p.Points, func(a, b results.PathPoint) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Third, b.Third))
	})
	r.Path = p
	return b.addShare(p, from, to)
}

// otherEnds are the parent with the most in the target, by search, of those that are
// not to be kept up with, and the third one, -1 if there is none. It sets the target;
// not ok where there is none, or a parent has no score.
func (b *reporter) otherEnds(p *results.Path, from int) (to, third int, ok bool) {
	to, third = -1, -1
	top := 0.0
	for i := range b.parents {
		trial, known := b.parentTrial(i)
		if i == from {
			continue
		}
		if !known || b.byNumber[trial].Scores.Search == nil {
			return to, third, false
		}
		score := b.byNumber[trial].Scores.Search.Categories
		p.Target = b.targets(score, p.Keep)
		if mean := meanOver(score, p.Target, b.weights).Mean; to < 0 || mean > top {
			to, third, top = i, to, mean
		} else {
			third = i
		}
	}
	return to, third, len(p.Target) > 0
}

// keptParent is the parent that all constraints name, -1 if there is none.
func (b *reporter) keptParent() int {
	if b.keeper == nil {
		return -1
	}
	name := b.keeper.constraints[0].Parent
	for _, c := range b.keeper.constraints {
		if c.Parent != name {
			return -1
		}
	}
	return slices.Index(b.parents, name)
}

// alike says whether all groups have the same weights.
func alike(weights [][]float64) bool {
	return !slices.ContainsFunc(weights, func(row []float64) bool { return !slices.Equal(row, weights[0]) })
}

// targets are the categories that the objective counts and that need not be kept.
func (b *reporter) targets(scores map[string]results.CategoryScore, keep []string) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(scores)) {
		if eval.WeightOf(b.weights, name) > 0 && !slices.Contains(keep, name) {
			list = append(list, name)
		}
	}
	return list
}

// meanOver is the weighted mean of some categories.
func meanOver(scores map[string]results.CategoryScore, categories []string, weights map[string]float64) (s results.PathScore) {
	sum, total, variance, known := 0.0, 0.0, 0.0, true
	for _, name := range categories {
		c, w := scores[name], eval.WeightOf(weights, name)
		if c.Mean == nil {
			continue
		}
		sum, total = sum+w**c.Mean, total+w
		if known = known && c.SE != nil; known {
			variance += w * w * *c.SE * *c.SE
		}
	}
	if total == 0 {
		return s
	}
	s.Mean = sum / total
	if known {
		se := math.Sqrt(variance) / total
		s.SE = &se
	}
	return s
}

// addShare measures on test what the far parent gains in the target, and how much
// of that the winner has.
func (b *reporter) addShare(p *results.Path, from, to int) error {
	weights := map[string]float64{}
	for _, name := range p.Keep {
		weights[name] = 0
	}
	for name, w := range b.weights {
		if !slices.Contains(p.Keep, name) {
			weights[name] = w
		}
	}
	near, ok := b.parentTrial(from)
	far, also := b.parentTrial(to)
	if !ok || !also {
		return nil
	}
	var lists [][]eval.Outcome
	for _, trial := range []int{near, far} {
		o, err := b.outcomes(trial, results.Test)
		if err != nil || len(o) == 0 {
			return err
		}
		lists = append(lists, o)
	}
	gain := difference(eval.CompareWeighted(lists[1], lists[0], weights))
	p.Gain = &gain
	if b.winner == nil {
		return nil
	}
	winner, err := b.outcomes(b.winner.Trial, results.Test)
	if err != nil {
		return err
	}
	if s, ok := eval.ShareKept(winner, lists[0], lists[1], weights); ok {
		p.Share = &results.Estimate{Delta: s.Share, Low: s.Low, High: s.High}
	}
	return nil
}
