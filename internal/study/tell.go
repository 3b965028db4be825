package study

import (
	"math"

	"soup/eval"
	"soup/search"
)

// items are the outcomes as strategies see them: those that were scored, in
// the ledger's order, which is the study's. They always come from the ledger,
// so that a study that goes on tells its strategies the same bits again.
func items(outcomes []eval.Outcome) []search.Item {
	told := make([]search.Item, 0, len(outcomes))
	for _, o := range outcomes {
		if !o.Scored() {
			continue
		}
		item := search.Item{ID: o.ID, Category: o.Category, Cluster: o.Cluster, Score: o.Score, Soft: math.NaN()}
		if o.Soft != nil {
			item.Soft = *o.Soft
		}
		told = append(told, item)
	}
	return told
}

// aggregate spells out the objective: the weight of every category of the
// search items, 1 unless the study file gives another.
func aggregate(set eval.Search, given map[string]float64) map[string]float64 {
	weights := map[string]float64{}
	for _, it := range set {
		weights[it.Category] = 1
		if w, ok := given[it.Category]; ok {
			weights[it.Category] = w
		}
	}
	return weights
}
