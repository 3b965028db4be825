package plots

import (
	"fmt"
	"math/rand/v2"

	"soup/results"
)

// made is a report of a study that never ran: so many parents, and soups of
// them, in groups or not, whose scores follow from their weights and some noise.
func made(parents, soups int, groups ...string) results.Report {
	m := maker{rng: rand.New(rand.NewPCG(1, uint64(parents*1000+soups))), r: results.Report{Study: "made", Seed: 1}}
	for i := range parents {
		m.r.Parents = append(m.r.Parents, fmt.Sprintf("parent-%c", 'a'+i))
	}
	for i, name := range m.r.Parents {
		row := make([]float64, parents)
		row[i] = 1
		m.add("single", name, [][]float64{row}, nil)
	}
	for i := range soups {
		var rows [][]float64
		for range max(len(groups), 1) {
			rows = append(rows, m.row(i))
		}
		m.add([]string{"greedy", "random", "cmaes"}[i%3], fmt.Sprintf("soup %d", i), rows, groups)
	}
	m.finish()
	return m.r
}

type maker struct {
	r   results.Report
	rng *rand.Rand
}

// row is on the line between two parents for every second soup.
func (m *maker) row(i int) []float64 {
	row, sum := make([]float64, len(m.r.Parents)), 0.0
	for k := range row {
		if i%2 == 0 && k > 1 {
			continue
		}
		row[k] = m.rng.ExpFloat64()
		sum += row[k]
	}
	for k := range row {
		row[k] /= sum
	}
	return row
}

func (m *maker) add(strategy, label string, rows [][]float64, groups []string) {
	t := results.TrialReport{Number: len(m.r.Trials), Strategy: strategy, Label: label, State: results.Complete, Of: len(m.r.Trials), Answered: 900}
	named := func(row []float64) map[string]float64 {
		by := map[string]float64{}
		for k, w := range row {
			by[m.r.Parents[k]] = w
		}
		return by
	}
	value := 0.3
	for g, row := range rows {
		for k, w := range row {
			value += (0.35*w*(1-w) + w*float64(k)/50) / float64(len(rows))
		}
		if groups == nil {
			t.ByParent = named(row)
		} else {
			t.Groups = append(t.Groups, results.GroupWeights{Name: groups[g], ByParent: named(row)})
		}
	}
	t.Scores.Search = m.score(value, 0.015, 900)
	t.Seconds = results.Seconds{Merge: 0.1, Swap: 0.3, FirstToken: 0.2, Eval: 2 + m.rng.Float64()}
	m.r.Trials = append(m.r.Trials, t)
	m.r.ItemsAnswered += 900
}

func (m *maker) score(value, se float64, n int) *results.Score {
	s := &results.Score{SE: &se, Counts: results.Counts{N: n}, Categories: map[string]results.CategoryScore{}}
	mean := value + se*m.rng.NormFloat64()
	s.Mean = &mean
	for i, name := range []string{"arith", "call", "choice", "sort"} {
		x := mean + 0.05*m.rng.NormFloat64() + float64(i)/20
		s.Categories[name] = results.CategoryScore{Mean: &x, Counts: results.Counts{N: n / 4}}
	}
	return s
}

// finish scores the best eight on selection and test and makes the best of them
// the winner.
func (m *maker) finish() {
	best, single := 0, 0
	for i, t := range m.r.Trials {
		if *t.Scores.Search.Mean > *m.r.Trials[best].Scores.Search.Mean {
			best = i
		}
		if t.Strategy == "single" && *t.Scores.Search.Mean > *m.r.Trials[single].Scores.Search.Mean {
			single = i
		}
		if i%max(1, len(m.r.Trials)/8) == 0 || i == best {
			value := *t.Scores.Search.Mean - 0.01
			m.r.Trials[i].Scores.Selection, m.r.Trials[i].Scores.Test = m.score(value, 0.015, 900), m.score(value, 0.01, 1800)
		}
	}
	w := m.r.Trials[best]
	m.r.Winner = &results.WinnerReport{Trial: w.Number, Strategy: w.Strategy, Label: w.Label, Weights: w.Weights}
	m.r.Strategies = []results.StrategyReport{{Strategy: "single", Label: m.r.Trials[single].Label, Trial: single}, {Strategy: w.Strategy, Label: w.Label, Trial: best}}
	m.r.Comparisons = []results.Comparison{{
		Of: results.OfWinner, Against: results.OfBestSingle, Split: results.Test,
		Difference: results.Difference{Delta: 0.06, Low: 0.04, High: 0.08, P: 0.0001, N: 1800, Verdict: results.Better},
		Categories: []results.CategoryDifference{
			{Category: "arith", Difference: results.Difference{Delta: 0.2, Low: 0.15, High: 0.25, N: 450, Verdict: results.Better}},
			{Category: "call", Difference: results.Difference{Delta: -0.07, Low: -0.1, High: -0.04, N: 450, Verdict: results.Worse}},
			{Category: "choice", Difference: results.Difference{Delta: 0.01, Low: -0.03, High: 0.05, N: 450, Verdict: results.Noise}},
			{Category: "sort", Difference: results.Difference{Delta: 0.1, Low: 0.06, High: 0.14, N: 449, Verdict: results.Better}},
		},
	}}
}
