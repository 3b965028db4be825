package study

import (
	"math"
	"slices"

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

// categories are means as strategies see them: those of categories of which an
// item was scored.
func categories(means map[string]eval.Category) map[string]search.Category {
	told := map[string]search.Category{}
	for name, c := range means {
		if c.N > 0 {
			told[name] = search.Category{Mean: c.Mean, SE: c.SE, N: c.N}
		}
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

// heed notes the soup that a strategy would deliver. One that models what it was
// told may trust another than the one with the luckiest score; it is among those
// that are scored on selection, where the choice is made.
func (s *session) heed(strategy search.Strategy) error {
	r, ok := strategy.(search.Recommender)
	if !ok {
		return nil
	}
	p, ok := r.Recommended()
	if !ok {
		return nil
	}
	c, err := s.soup(strategy.Name(), p)
	if err != nil {
		return err
	}
	if trial, ok := s.byKey[c.key]; ok && !slices.Contains(s.advised, trial) {
		s.advised = append(s.advised, trial)
	}
	return nil
}
