package single

import (
	"strings"
	"testing"

	"soup/eval"
)

// Means over draws are only said where every draw has them.
func TestPerturbationSummary(t *testing.T) {
	soft := func(x float64) *float64 { return &x }
	draw := func(score, smooth float64) eval.Summary {
		return eval.Summarize([]eval.Outcome{{ID: "a", Category: "x", State: eval.StateOK, Score: score, Soft: soft(smooth)}})
	}
	p := summarized(0.1, []eval.Summary{draw(1, -1), draw(0, -3)})
	if p.Draws != 2 || *p.Mean != 0.5 || *p.Soft != -2 || *p.SD < 0.7 || *p.SD > 0.71 {
		t.Errorf("%+v", p)
	}
	failed := eval.Summarize([]eval.Outcome{{ID: "a", Category: "x", State: eval.StateFailed}})
	if p := summarized(0.1, []eval.Summary{draw(1, -1), failed}); p.Mean != nil || p.Soft != nil || p.SD != nil {
		t.Errorf("%+v", p)
	}
	var out strings.Builder
	whole := summarized(0, []eval.Summary{draw(1, -1)})
	if err := writePerturbations(&out, []Perturbation{whole, p, summarized(0.2, []eval.Summary{failed})}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"│ 0     │ 100.00           │ -     │ -1.000 │ -     │ 1", "│ 0.1   │ 50.00 (sd 70.71) │ 50.00 │ -2.000 │ 1.000 │ 2", "│ 0.2   │ -                │ -     │ -      │ -     │ 1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if got := fallen(soft(0.1), soft(0.1000001), 1, 3); got[1] != "0.000" {
		t.Errorf("%q", got)
	}
}
