//go:build cgo

package embedded

import (
	"os"
	"testing"

	"soup/benchmarks"
	"soup/eval"
	"soup/merge/convert/picotest"
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

// everyNth is a share of the items of every category.
func everyNth(items []eval.Item, n int) (some []eval.Item) {
	for i := 0; i < len(items); i += n {
		some = append(some, items[i])
	}
	return some
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

// copyCheckpoint copies a garden checkpoint with config.json changed.
func copyCheckpoint(t *testing.T, name string, change func(map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(garden+name)); err != nil {
		t.Fatal(err)
	}
	picotest.Edit(t, dir, "config.json", change)
	return dir
}
