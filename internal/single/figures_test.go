package single

import (
	"bytes"
	"testing"

	"soup/benchmarks"
	"soup/eval"
)

// A benchmark's figures come from its own items, whatever else is scored.
func TestFiguresOfTheirOwnItems(t *testing.T) {
	items := []eval.Item{
		{ID: "a", Benchmark: "bfcl", Category: "multiple", Metric: "bfcl_ast"},
		{ID: "b", Benchmark: "other", Category: "multiple", Metric: "bfcl_ast"},
	}
	outcomes := []eval.Outcome{{ID: "a", State: eval.StateOK, Score: 1}, {ID: "b", State: eval.StateOK}}
	all := figures([]benchmarks.Source{{Name: "bfcl", Family: "bfcl", Path: "data"}, {Name: "other", Path: "other.jsonl"}}, items, outcomes)
	if len(all) == 0 || all[1].Name != "v4 Non-Live AST Acc" || all[1].Value != 25 || all[1].Benchmark != "bfcl" {
		t.Errorf("%+v", all)
	}
	var text bytes.Buffer
	if err := writeFigures(&text, nil); err != nil || text.Len() > 0 {
		t.Errorf("no figures are printed as %q, error %v", &text, err)
	}
}
