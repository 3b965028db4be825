package study

import (
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// The probe runs before any search, whatever the budget and the racing, warns of
// the bad parent, and scores nothing twice.
func TestProbe(t *testing.T) {
	file := smallStudy(t, "probe: midpoints\nstrategies: [midpoints, {random: {budget: 2}}]\nracing: {first: 10, eta: 2}\nbudget: {trials: 1}\n")
	warned, err := tryRun(t, file, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(warned, "soup: warning: adds-nothing: hot: ") {
		t.Errorf("warnings: %s", warned)
	}
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, trial := range r.Trials {
		if !slices.Contains(order, trial.Strategy) {
			order = append(order, trial.Strategy)
		}
		if trial.Strategy == midpointProbe && (trial.State == results.Cached) != (len(trial.Weights.ByParent) == 1) {
			t.Errorf("%s is %s", trial.Label, trial.State)
		}
	}
	if !slices.Equal(order, []string{"base", "single", "midpoints", "uniform", "greedy"}) {
		t.Errorf("order %v", order)
	}
	if r.Midpoints == nil || len(r.Midpoints.Barriers) != 6 {
		t.Fatalf("%+v", r.Midpoints)
	}
	for _, b := range r.Midpoints.Barriers {
		// call has as little of these skills as hot: there is no height to lose.
		hot := b.Second == "hot" && b.First != "call"
		if (b.Verdict == results.Better) != hot || b.N != 36 {
			t.Errorf("%s and %s: %v", b.First, b.Second, b.Difference)
		}
	}
	if !slices.ContainsFunc(r.Findings, func(f results.Finding) bool { return f.Code == results.NeedlessCode && f.Parent == "hot" }) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestProbeIsRefused(t *testing.T) {
	if err := readable(t, plainStudy+"probe: edges\n"); err == nil || !strings.Contains(err.Error(), `unknown probe "edges"; there is midpoints`) {
		t.Errorf("%v", err)
	}
}
