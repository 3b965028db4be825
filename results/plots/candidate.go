package plots

import (
	"slices"
	"strconv"

	"soup/results"
)

// z95 is the half width of a 95 % interval in standard errors.
const z95 = 1.96

// candidate is a trial with a search score of its own, in points.
type candidate struct {
	results.TrialReport
	score  float64
	se     float64     // 0 if unknown
	rows   [][]float64 // weights, one row a group, in the order of the report's parents; as shares of their sum
	single bool        // a parent
}

// candidates are the trials that a report has a search score of, each soup once,
// in the order in which they were tried. The base, which has no weights, is not
// among them.
func candidates(r results.Report) []candidate {
	var list []candidate
	for _, t := range r.Trials {
		if t.State != results.Complete || t.Scores.Search == nil || t.Scores.Search.Mean == nil {
			continue
		}
		rows := weightRows(r.Parents, t.Weights)
		if rows == nil {
			continue
		}
		score, se := inPoints(t.Scores.Search)
		list = append(list, candidate{t, score, se, rows, only(rows) >= 0})
	}
	return list
}

// name is what a candidate is called in data.
func (c candidate) name() string { return strconv.Itoa(c.Number) }

// inPoints is a score with its standard error, 0 if that is unknown.
func inPoints(s *results.Score) (score, se float64) {
	if s.SE != nil {
		se = 100 * *s.SE
	}
	return 100 * *s.Mean, se
}

// weightRows are a soup's weights, nil for what is no soup: they sum to 0.
func weightRows(parents []string, w results.Weights) [][]float64 {
	groups := w.Groups
	if len(groups) == 0 {
		groups = []results.GroupWeights{{ByParent: w.ByParent}}
	}
	var rows [][]float64
	for _, g := range groups {
		row, sum := make([]float64, len(parents)), 0.0
		for i, name := range parents {
			row[i] = g.ByParent[name]
			sum += row[i]
		}
		if sum == 0 {
			return nil
		}
		for i := range row {
			row[i] /= sum
		}
		rows = append(rows, row)
	}
	return rows
}

// only is the parent that a candidate is, -1 if it is a soup.
func only(rows [][]float64) int {
	found := -1
	for _, row := range rows {
		for i, w := range row {
			if w == 0 || i == found {
				continue
			}
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// mean is the mean of the groups' weights.
func (c candidate) mean() []float64 {
	out := make([]float64, len(c.rows[0]))
	for _, row := range c.rows {
		for i, w := range row {
			out[i] += w / float64(len(c.rows))
		}
	}
	return out
}

// noted returns words about intervals where there are any: the noise of a
// weighted objective is not known.
func noted(list []candidate, words string) string {
	if slices.ContainsFunc(list, func(c candidate) bool { return c.se > 0 }) {
		return words
	}
	return ""
}

func grouped(list []candidate) bool {
	return slices.ContainsFunc(list, func(c candidate) bool { return len(c.rows) > 1 })
}

// isWinner says whether a trial is the one that was exported.
func isWinner(r results.Report, trial int) bool { return r.Winner != nil && r.Winner.Trial == trial }

// strategies are the names of those that proposed something, in the order of the
// report's table, then of the trials.
func strategies(r results.Report) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range r.Strategies {
		if s.Strategy != results.OfWinner {
			add(s.Strategy)
		}
	}
	for _, t := range r.Trials {
		add(t.Strategy)
	}
	return names
}

// strategyTitle is what a strategy is called in pictures.
func strategyTitle(name string) string {
	if name == "single" {
		return "single checkpoints"
	}
	return name
}
