package study

import (
	"slices"

	"soup/results"
)

// proposals are the trials of a strategy that it put forward as soups. Single
// parents that it only asked about, to know which to combine, are not among
// them, unless it found nothing to combine.
func proposals(trials []results.Trial, strategy string) []results.Trial {
	var all, soups []results.Trial
	for _, t := range trials {
		if t.Strategy != strategy {
			continue
		}
		all = append(all, t)
		if parentsUsed(t.Weights) != 1 {
			soups = append(soups, t)
		}
	}
	if len(soups) == 0 || strategy == "greedy" { // a greedy soup may be one parent
		return all
	}
	return soups
}

// bestProposal is the trial that holds the outcomes of a strategy's best
// proposal by search score, the first of equals, and how many proposals there
// are. score knows the search score of a trial, if it has one.
func bestProposal(trials []results.Trial, strategy string, score func(trial int) (float64, bool)) (best, tried int, ok bool) {
	list := proposals(trials, strategy)
	top := 0.0
	for _, t := range list {
		if v, scored := score(t.Of); scored && (!ok || v > top) {
			best, top, ok = t.Of, v, true
		}
	}
	return best, len(list), ok
}

// strategiesIn lists the strategies of trials in the order they began.
func strategiesIn(trials []results.Trial) []string {
	var names []string
	for _, t := range trials {
		if !slices.Contains(names, t.Strategy) {
			names = append(names, t.Strategy)
		}
	}
	return names
}
