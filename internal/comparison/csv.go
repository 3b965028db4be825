package comparison

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"soup/results"
)

// WriteCSV writes one line a strategy and study: its best candidate, what it cost
// on search, and how it compares with the study's best single checkpoint on test.
// Scores are 0 to 1; a cell is empty where nothing was measured.
func (c *Comparison) WriteCSV(w io.Writer) error {
	records := [][]string{{
		"dir", "study", "seed", "strategy", "label", "winner", "tried", "items", "seconds",
		"search", "selection", "test", "test n", "delta", "low", "high", "p", "n", "verdict",
	}}
	for i, r := range c.reports {
		for _, s := range r.Strategies {
			records = append(records, line(c.Studies[i].Dir, r, s))
		}
	}
	return csv.NewWriter(w).WriteAll(records)
}

func line(dir string, r results.Report, s results.StrategyReport) []string {
	var cost step
	if list := steps(r, s.Strategy); len(list) > 0 {
		cost = list[len(list)-1]
	}
	row := []string{
		dir, r.Study, strconv.FormatUint(r.Seed, 10), s.Strategy, s.Label, strconv.FormatBool(r.Winner != nil && r.Winner.Trial == s.Trial),
		strconv.Itoa(s.Candidates), number(cost.items), number(cost.seconds),
		mean(s.Scores.Search), mean(s.Scores.Selection), mean(s.Scores.Test), "",
	}
	if s.Scores.Test != nil {
		row[len(row)-1] = strconv.Itoa(s.Scores.Test.N)
	}
	if d := s.AgainstBestSingle; d != nil {
		return append(row, number(d.Delta), number(d.Low), number(d.High), number(d.P), fmt.Sprint(d.N), d.Verdict)
	}
	return append(row, "", "", "", "", "", "")
}

func mean(s *results.Score) string {
	if s == nil || s.Mean == nil {
		return ""
	}
	return number(*s.Mean)
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
