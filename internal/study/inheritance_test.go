package study

import (
	"testing"

	"soup/eval"
	"soup/results"
)

// Every number is counted again from the ledger, the other way round: item by
// item over all parents.
func TestInheritance(t *testing.T) {
	file := finishedStudy(t)
	dir := DefaultDir(file)
	report, err := BuildReport(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	in := report.Inheritance
	if in == nil || len(in.Parents) != len(report.Parents) || len(in.Specialists) != 3 {
		t.Fatalf("%+v", in)
	}
	rights := map[string]map[string]bool{} // by item and parent; the winner is ""
	ledger, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	note := func(name string, trial int) {
		outcomes, err := ledger.Outcomes(trial, results.Test)
		if err != nil || len(outcomes) != 36 {
			t.Fatalf("%s: %d outcomes, %v", name, len(outcomes), err)
		}
		for _, o := range outcomes {
			if rights[o.Item] == nil {
				rights[o.Item] = map[string]bool{}
			}
			rights[o.Item][name] = o.Score >= 0.5
		}
	}
	note("", report.Winner.Trial)
	for _, k := range in.Parents {
		note(k.Parent, k.Trial)
	}
	var allFail, allFailSolved, oneFails, oneFailsSolved int
	solves, kept := map[string]int{}, map[string]int{}
	for _, by := range rights {
		failures := 0
		for _, k := range in.Parents {
			switch {
			case !by[k.Parent]:
				failures++
			case by[""]:
				kept[k.Parent]++
				fallthrough
			default:
				solves[k.Parent]++
			}
		}
		if failures == len(in.Parents) {
			allFail++
			allFailSolved += one(by[""])
		}
		if failures == 1 {
			oneFails++
			oneFailsSolved += one(by[""])
		}
	}
	if in.AllFail != allFail || in.AllFailSolved != allFailSolved || in.OneFails != oneFails || in.OneFailsSolved != oneFailsSolved {
		t.Errorf("%+v, want %d %d %d %d", in, allFail, allFailSolved, oneFails, oneFailsSolved)
	}
	for _, k := range in.Parents {
		if k.Solves != solves[k.Parent] || k.Kept != kept[k.Parent] || k.Solves+k.Fails != 36 {
			t.Errorf("%+v, want %d kept of %d", k, kept[k.Parent], solves[k.Parent])
		}
	}
}

// Items without a score on either side count for nobody.
func TestInheritedLeavesOutWhatHasNoScore(t *testing.T) {
	scored := func(id string, score float64) eval.Outcome {
		return eval.Outcome{ID: id, State: eval.StateOK, Score: score}
	}
	failed := eval.Outcome{ID: "c", State: eval.StateFailed}
	parent := []eval.Outcome{scored("a", 1), scored("b", 0.4), failed, scored("d", 0.5)}
	winner := []eval.Outcome{scored("a", 0), scored("b", 1), scored("c", 1)}
	got := inherited("ox", 3, parent, winner)
	if got != (results.Kept{Parent: "ox", Trial: 3, Solves: 1, Fails: 1, Gained: 1}) {
		t.Errorf("%+v", got)
	}
	var in results.Inheritance
	countTogether(&in, map[string][]eval.Outcome{"ox": parent, "elk": {scored("a", 0), scored("b", 0), scored("c", 0)}}, winner)
	if in.AllFail != 1 || in.AllFailSolved != 1 || in.OneFails != 1 || in.OneFailsSolved != 0 {
		t.Errorf("%+v", in)
	}
}

func TestOnlyParent(t *testing.T) {
	for _, test := range []struct {
		weights [][]float64
		want    int
	}{{[][]float64{{0, 1}}, 1}, {[][]float64{{1, 0}, {1, 0}}, 0}, {[][]float64{{1, 0}, {0, 1}}, -1}, {[][]float64{{0.5, 0.5}}, -1}, {[][]float64{{0, 0}}, -1}} {
		if got := onlyParent(test.weights); got != test.want {
			t.Errorf("%v: %d, want %d", test.weights, got, test.want)
		}
	}
}
