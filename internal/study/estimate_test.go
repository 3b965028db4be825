package study

import (
	"slices"
	"testing"

	"soup/results"
)

// The report of a finished study judges the choice by the finalists that the
// ledger notes, once.
func TestStudyReportsTheChoice(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 10}}]\n")
	calmly(t, file)
	calmly(t, file)
	ledger, err := results.Open(DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	events, err := ledger.Events(choiceEvent)
	if err != nil || len(events) != 1 {
		t.Errorf("%d choices %v", len(events), err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	isWinner := func(f results.Finalist) bool { return f.Trial == r.Winner.Trial && f.Label != "" }
	if r.Choice == nil || r.Choice.N == 0 || !slices.ContainsFunc(r.Choice.Finalists, isWinner) {
		t.Fatalf("%+v", r.Choice)
	}
	if c := r.Choice; c.Gain == nil || c.Gain.Observed.N != c.N {
		t.Errorf("%+v", c.Gain)
	}
	compared := slices.ContainsFunc(r.Comparisons, func(c results.Comparison) bool { return c.Against == results.OfBestSingle })
	if (r.Exchanges != nil) != compared {
		t.Errorf("%+v, comparisons %+v", r.Exchanges, r.Comparisons)
	}
}
