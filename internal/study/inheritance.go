package study

import (
	"maps"
	"slices"

	"soup/eval"
	"soup/results"
)

// solved is the score from which an item counts as solved.
const solved = 0.5

// addInheritance compares the winner with every parent on the test items.
func (b *reporter) addInheritance(r *results.Report) error {
	if b.winner == nil {
		return nil
	}
	winner, err := b.outcomes(b.winner.Trial, results.Test)
	if err != nil || len(winner) == 0 {
		return err
	}
	var in results.Inheritance
	byParent := map[string][]eval.Outcome{}
	for i, name := range b.parents {
		trial, ok := b.parentTrial(i)
		if !ok {
			continue
		}
		outcomes, err := b.outcomes(trial, results.Test)
		if err != nil {
			return err
		}
		if len(outcomes) > 0 {
			in.Parents = append(in.Parents, inherited(name, trial, outcomes, winner))
			byParent[name] = outcomes
		}
	}
	if len(in.Parents) < len(b.parents) { // a study of an earlier version, or a parent that failed
		return nil
	}
	countTogether(&in, byParent, winner)
	r.Inheritance = &in
	in.Specialists, err = b.specialists()
	return err
}

// parentTrial is the trial that holds a parent's own outcomes.
func (b *reporter) parentTrial(parent int) (int, bool) {
	for _, t := range b.trials {
		if t.Strategy == singleStrategy && (t.State == results.Complete || t.State == results.Cached) && onlyParent(t.Weights) == parent {
			return t.Of, true
		}
	}
	return 0, false
}

// onlyParent is the parent that a point is, -1 if it is a soup.
func onlyParent(weights [][]float64) int {
	only := -1
	for _, row := range weights {
		for i, w := range row {
			if w == 0 {
				continue
			}
			if only >= 0 && only != i {
				return -1
			}
			only = i
		}
	}
	return only
}

// right says which items of a list are solved; those without a score are absent.
func right(outcomes []eval.Outcome) map[string]bool {
	by := map[string]bool{}
	for _, o := range outcomes {
		if o.Scored() {
			by[o.ID] = o.Score >= solved
		}
	}
	return by
}

func inherited(name string, trial int, parent, winner []eval.Outcome) results.Kept {
	k := results.Kept{Parent: name, Trial: trial}
	his, its := right(parent), right(winner)
	for id, solves := range his {
		wins, scored := its[id]
		switch {
		case !scored:
		case solves:
			k.Solves++
			k.Kept += one(wins)
		default:
			k.Fails++
			k.Gained += one(wins)
		}
	}
	return k
}

// countTogether counts the items that all parents fail and those that one does.
func countTogether(in *results.Inheritance, byParent map[string][]eval.Outcome, winner []eval.Outcome) {
	failures, scores := map[string]int{}, map[string]int{}
	for _, outcomes := range byParent {
		for id, solves := range right(outcomes) {
			scores[id]++
			failures[id] += one(!solves)
		}
	}
	for id, wins := range right(winner) {
		switch {
		case scores[id] < len(byParent): // a parent has no score there
		case failures[id] == len(byParent):
			in.AllFail++
			in.AllFailSolved += one(wins)
		case failures[id] == 1:
			in.OneFails++
			in.OneFailsSolved += one(wins)
		}
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// specialists are the best parents of each category on search, the first of
// equals, with what the winner lost or gained there.
func (b *reporter) specialists() (list []results.Specialist, err error) {
	best, top := map[string]int{}, map[string]float64{}
	for i := range b.parents {
		trial, _ := b.parentTrial(i)
		scores := b.byNumber[trial].Scores.Search
		if scores == nil {
			continue
		}
		for category, c := range scores.Categories {
			if _, known := best[category]; c.Mean != nil && (!known || *c.Mean > top[category]) {
				best[category], top[category] = i, *c.Mean
			}
		}
	}
	for _, category := range slices.Sorted(maps.Keys(best)) {
		trial, _ := b.parentTrial(best[category])
		all, _, err := b.onTest(b.winner.Trial, trial)
		if err != nil {
			return nil, err
		}
		if c, ok := all.Categories[category]; ok {
			list = append(list, results.Specialist{Category: category, Parent: b.parents[best[category]], Difference: difference(c)})
		}
	}
	return list, nil
}
