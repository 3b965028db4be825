//go:build cgo

package embedded

import (
	"testing"

	"soup/benchmarks"
	"soup/eval"
)

const garden = "../../../examples/garden/"

// gardenSet reads the garden's items.
func gardenSet(tb testing.TB) eval.Set {
	tb.Helper()
	var items []eval.Item
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		more, err := benchmarks.LoadJSONL(c, garden+"data/"+c+".jsonl")
		if err != nil {
			tb.Fatal(err)
		}
		items = append(items, more...)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// questions is what the items' metrics ask.
func questions(tb testing.TB, items []eval.Item) []eval.Question {
	tb.Helper()
	qs := make([]eval.Question, len(items))
	for i, it := range items {
		metric, err := eval.MetricNamed(it.Metric)
		if err != nil {
			tb.Fatal(err)
		}
		qs[i] = metric.Ask(it)
	}
	return qs
}
