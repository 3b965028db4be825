//go:build servers

package agreement

import (
	"path/filepath"
	"testing"
	"time"

	"soup/benchmarks"
	"soup/eval"
	"soup/eval/server/embedded"
	driver "soup/eval/server/ollama"
)

// gardenItems are those that choose candidates in studies of the garden.
func gardenItems(t *testing.T) []eval.Item {
	t.Helper()
	var items []eval.Item
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		more, err := benchmarks.LoadJSONL(c, filepath.Join(root, "examples/garden/data", c+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, more...)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		t.Fatal(err)
	}
	return set.Search
}

// outcomes loads a checkpoint and asks it all items.
func outcomes(t *testing.T, s eval.Server, model string, items []eval.Item) []eval.Outcome {
	t.Helper()
	if _, err := s.Load(t.Context(), eval.Model{Path: model}); err != nil {
		t.Fatal(err)
	}
	var all []eval.Outcome
	started := time.Now()
	err := eval.Run(t.Context(), s, items, eval.Options{Parallel: 4}, func(some []eval.Outcome) error {
		all = append(all, some...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%T: %d items, %.0f a second", s, len(items), float64(len(items))/time.Since(started).Seconds())
	return all
}

// Item by item, scores through a real Ollama are those of the embedded engine.
func TestOllamaItems(t *testing.T) {
	items := gardenItems(t)
	p := startOllama(t)
	there := newDriver(t, driver.Options{URL: p.URL, Models: modelsOf(p), Threads: 1})
	here, err := embedded.New(embedded.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	for _, name := range []string{"finetune/arith", "finetune/order", "finetune/lingua", "base"} {
		path := gguf(t, name)
		want, got := outcomes(t, here, path, items), outcomes(t, there, path, items)
		alike := 0
		for i := range items {
			if want[i].Answer == got[i].Answer && want[i].Score == got[i].Score && want[i].State == got[i].State {
				alike++
			} else {
				t.Logf("%s: %q %s %s here, %q %s %s there", items[i].ID, want[i].Answer, want[i].State, want[i].Error, got[i].Answer, got[i].State, got[i].Error)
			}
		}
		t.Logf("%s: %d of %d items alike; %d labels were not shown", name, alike, len(items), there.Floored())
		if 100*alike < 98*len(items) {
			t.Errorf("%s: only %d of %d items are alike", name, alike, len(items))
		}
	}
}
