package benchmarks

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"soup/eval"
)

// bfclOutcomes are outcomes of so many right of so many items a category.
func bfclOutcomes(scores map[string][2]int) (items []eval.Item, outcomes []eval.Outcome) {
	for category, s := range scores {
		for i := range s[1] {
			id := fmt.Sprintf("%s_%d", category, i)
			items = append(items, eval.Item{ID: id, Category: category, Metric: bfclMetric(category)})
			o := eval.Outcome{ID: id, Category: category, State: eval.StateOK}
			if i < s[0] {
				o.Score = 1
			}
			outcomes = append(outcomes, o)
		}
	}
	return items, outcomes
}

// By hand from the leaderboard's rules.
func TestBFCLFigures(t *testing.T) {
	items, outcomes := bfclOutcomes(map[string][2]int{
		"simple_python": {3, 4}, "simple_java": {1, 2}, "multiple": {1, 1}, "parallel": {1, 4}, "parallel_multiple": {2, 4},
		"irrelevance": {4, 5}, "live_simple": {1, 2}, "live_multiple": {3, 4},
	})
	outcomes = append(outcomes, eval.Outcome{ID: "stray", State: eval.StateOK, Score: 1})
	for i := range outcomes {
		if outcomes[i].ID == "irrelevance_4" { // one item failed: it is not counted
			outcomes[i].State = eval.StateFailed
		}
	}
	simple := (0.75 + 0.5 + 0) / 3
	nonLive := (simple + 1 + 0.25 + 0.5) / 4
	live := 4.0 / (2 + 4 + 16 + 24)
	want := map[string]float64{
		"v4 Non-Live Simple AST": simple, "v4 Non-Live AST Acc": nonLive, "v4 Live Acc": live, "v4 Irrelevance Detection": 0.5, "v4 Relevance Detection": 0,
		"v4 Overall Acc": (nonLive + live + 0.5) / 10, "v3 Non-Live Acc": (simple + 1 + 0.25 + 0.5 + 1) / 5, "v3 Live Acc": 4.0 / (2 + 4 + 16 + 24 + 882 + 18),
	}
	want["v3 Overall Acc"] = (want["v3 Non-Live Acc"] + want["v3 Live Acc"]) / 3
	figures := Figures(Source{Family: "bfcl"}, items, outcomes)
	for _, f := range figures {
		if math.Abs(f.Value-100*want[f.Name]) > 1e-9 {
			t.Errorf("%s is %v, want %v", f.Name, f.Value, 100*want[f.Name])
		}
	}
	if len(figures) != len(want) {
		t.Errorf("%d figures", len(figures))
	}
	if note := figures[0].Note; !strings.Contains(note, "simple_javascript, live_parallel, live_parallel_multiple, live_irrelevance, multi_turn, agentic") {
		t.Errorf("the note is %q", note)
	}
	if f := Figures(Source{Family: "bfcl"}, items, nil); f != nil {
		t.Errorf("figures of nothing: %v", f)
	}
}
