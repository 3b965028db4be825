package analysis

import (
	"fmt"
	"slices"

	"soup/results"
	"soup/search"
)

// Souping is what the outcomes of a study say beside the parents' own scores.
type Souping struct {
	Soups   int      `json:"soups"`   // scored on search
	Before  *float64 `json:"before"`  // mean correlation of two categories over the parents
	After   *float64 `json:"after"`   // over the soups
	Shapley []Share  `json:"shapley"` // empty where a set of parents was not tried
	None    float64  `json:"none"`    // score without any parent: the base's; 0 without a base
	All     float64  `json:"all"`     // score of equal shares of all parents
}

// Share is a parent's Shapley value, in the unit of a score, over the equal-share
// soups of all sets of parents on the search items.
type Share struct {
	Parent     string             `json:"parent"`
	Value      float64            `json:"value"`
	Categories map[string]float64 `json:"categories"`
}

// split sorts the candidates of a study that were scored on search.
func split(report results.Report) (parents, soups []search.Model) {
	for _, t := range report.Trials {
		if t.State != results.Complete || t.Scores.Search == nil {
			continue
		}
		m := search.Model{Name: t.Label, Categories: map[string]search.Category{}}
		for name, c := range t.Scores.Search.Categories {
			if c.Mean != nil {
				m.Categories[name] = search.Category{Mean: *c.Mean}
			}
		}
		switch {
		case t.Strategy == "single":
			parents = append(parents, m)
		case t.Strategy != "base":
			m.Name = fmt.Sprintf("%d %s", t.Number, t.Label)
			soups = append(soups, m)
		}
	}
	return parents, soups
}

// souping compares the parents with the soups.
func souping(report results.Report, categories []string, parents, soups []search.Model) *Souping {
	s := &Souping{Soups: len(soups), Before: meanCorrelation(parents, categories), After: meanCorrelation(soups, categories), Shapley: []Share{}}
	games, ok := newGames(report, categories)
	if !ok {
		return s
	}
	s.None, s.All = games.value("", 0), games.value("", games.everyone())
	for i, name := range report.Parents {
		s.Shapley = append(s.Shapley, Share{Parent: name, Value: games.shares("")[i], Categories: map[string]float64{}})
		for _, c := range categories {
			s.Shapley[i].Categories[c] = games.shares(c)[i]
		}
	}
	return s
}

// meanCorrelation is over all pairs that have one; nil if none has.
func meanCorrelation(models []search.Model, categories []string) *float64 {
	pairs, err := search.Correlations(models, categories, 1, 1)
	if err != nil {
		return nil
	}
	sum, n := 0.0, 0
	for _, p := range pairs {
		if v := number(p.Pearson.Value); v != nil {
			sum, n = sum+*v, n+1
		}
	}
	if n == 0 {
		return nil
	}
	return number(sum / float64(n))
}

// games are the scores of the equal-share soups by set of parents, bit i for
// parent i; set 0 is the base.
type games struct {
	players int
	scores  map[uint]results.Score
	cached  map[string][]float64
}

// mostPlayers keeps 2^n in bounds.
const mostPlayers = 16

// newGames collects the soups; false if a set was not tried.
func newGames(report results.Report, categories []string) (*games, bool) {
	n := len(report.Parents)
	if n < 2 || n > mostPlayers {
		return nil, false
	}
	g := &games{players: n, scores: map[uint]results.Score{}, cached: map[string][]float64{}}
	for _, t := range report.Trials {
		if t.Scores.Search == nil || t.Scores.Search.Mean == nil || !slices.ContainsFunc(categories, func(c string) bool { return t.Scores.Search.Categories[c].Mean != nil }) {
			continue
		}
		if set, ok := setOf(t, report.Parents); ok {
			g.scores[set] = *t.Scores.Search
		}
	}
	for set := uint(1); set <= g.everyone(); set++ {
		if _, ok := g.scores[set]; !ok {
			return nil, false
		}
	}
	return g, true
}

// setOf is the set of parents whose equal-share soup a trial is; 0 for the base.
func setOf(t results.TrialReport, parents []string) (uint, bool) {
	if t.Strategy == "base" {
		return 0, true
	}
	rows := t.Groups
	if rows == nil {
		rows = []results.GroupWeights{{ByParent: t.ByParent}}
	}
	var p search.Point
	for _, row := range rows {
		weights := make([]float64, len(parents))
		for i, name := range parents {
			weights[i] = row.ByParent[name]
		}
		p.Weights = append(p.Weights, weights)
	}
	return search.SetOf(p)
}

func (g *games) everyone() uint { return 1<<g.players - 1 }

// value is the score of a set in a category, or over all where it is "".
func (g *games) value(category string, set uint) float64 {
	s, ok := g.scores[set]
	switch {
	case !ok:
		return 0
	case category == "":
		return *s.Mean
	case s.Categories[category].Mean == nil:
		return 0
	}
	return *s.Categories[category].Mean
}

func (g *games) shares(category string) []float64 {
	if g.cached[category] == nil {
		g.cached[category] = search.Shapley(g.players, func(set uint) float64 { return g.value(category, set) })
	}
	return g.cached[category]
}
