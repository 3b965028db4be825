package comparison

import (
	"math"
	"strings"
	"testing"

	"soup/results"
)

// row is a strategy with a test score, and what came of comparing it.
func row(name string, test float64, delta float64, verdict string) results.StrategyReport {
	s := results.StrategyReport{Strategy: name, Candidates: 10, Scores: results.Scores{Test: &results.Score{Mean: &test}}}
	if verdict != "" {
		s.AgainstBestSingle = &results.Comparison{Difference: results.Difference{Delta: delta, Verdict: verdict}}
	}
	return s
}

func TestStrategies(t *testing.T) {
	reports := []results.Report{
		{Strategies: []results.StrategyReport{row("single", 0.6, 0, ""), row("uniform", 0.5, -0.1, results.Worse), row("greedy", 0.8, 0.2, results.Better), row("soce", 0.9, 0.3, results.Better)}},
		{Strategies: []results.StrategyReport{row("single", 0.7, 0, ""), row("uniform", 0.7, 0, results.Noise), row("greedy", 0.8, 0.1, results.Better)}},
	}
	var c Comparison
	c.addStrategies(reports)
	got := map[string]Strategy{}
	var order []string
	for _, s := range c.Strategies {
		got[s.Name] = s
		order = append(order, s.Name)
	}
	if strings.Join(order, " ") != "greedy single uniform soce" {
		t.Errorf("order %v", order)
	}
	// Ranks are among the three that ran in both: single is second, then second and third at once.
	for name, want := range map[string]float64{"greedy": 1, "single": 2.25, "uniform": 2.75} {
		if rank := got[name].MeanRank; rank == nil || math.Abs(*rank-want) > 1e-12 {
			t.Errorf("%s: rank %v, want %v", name, rank, want)
		}
	}
	u := got["uniform"]
	if u.Worse != 1 || u.Noise != 1 || u.Better != 0 || math.Abs(u.Test-0.6) > 1e-12 || math.Abs(*u.Gain+0.05) > 1e-12 || math.Abs(*u.Spread-0.1*math.Sqrt2) > 1e-12 {
		t.Errorf("%+v", u)
	}
	if s := got["soce"]; s.MeanRank != nil || s.Studies != 1 || s.Spread != nil {
		t.Errorf("%+v", s)
	}
}
