//go:build servers

package serve_test

import (
	"log/slog"
	"math"
	"os"
	"testing"
	"time"

	"soup/benchmarks"
	"soup/eval"
	"soup/internal/serve"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError) // ggml's loader reports its devices
	os.Exit(m.Run())
}

// searchItems are the 900 of the garden.
func searchItems(t *testing.T) []eval.Item {
	t.Helper()
	var items []eval.Item
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		more, err := benchmarks.LoadJSONL(c, garden+"data/"+c+".jsonl")
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

// answered scores a model and says how long that took.
func answered(t *testing.T, s eval.Server, m eval.Model, items []eval.Item) (outcomes []eval.Outcome, swap, took time.Duration) {
	t.Helper()
	begun := time.Now()
	load(t, s, m)
	swap = time.Since(begun)
	begun = time.Now()
	err := eval.Run(t.Context(), s, items, eval.Options{Parallel: 4}, func(some []eval.Outcome) error {
		outcomes = append(outcomes, some...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcomes, swap, time.Since(begun)
}

// Every way to run a model gives the garden's items the scores that the embedded
// engine gives them: 98 of 100 alike, means of categories within 1.5 points.
func TestGardenAgrees(t *testing.T) {
	items := searchItems(t)
	program := llamaServer(t)
	models := map[string]eval.Model{}
	for _, name := range []string{"finetune/arith", "finetune/order", "finetune/quiz", "finetune/hot"} {
		models[name] = eval.Model{Path: asGGUF(t, garden+name)}
	}
	engine := open(t, serve.Options{Kind: "embedded", Threads: 1})
	defer engine.Close()
	want := map[string][]eval.Outcome{}
	for name, m := range models {
		want[name], _, _ = answered(t, engine, m, items)
	}
	url, folder := router(t)
	for kind, o := range map[string]serve.Options{
		"restart": {Kind: "llamaserver", Start: true, Program: program, Threads: 1, Context: 512},
		"router":  {Kind: "llamaserver", URL: url, Models: folder},
		"openai": {
			Kind: "openai", URL: url, Swap: []string{"sh", "-c", routerScript(url, folder)}, Takes: "gguf",
			Request: map[string]any{"cache_prompt": false, "top_k": 1, "repeat_penalty": 1},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			s := open(t, o)
			defer s.Close()
			for name, m := range models {
				got, swap, took := answered(t, s, m, items)
				t.Logf("%s: swap %v, %.0f items/s", name, swap.Round(time.Millisecond), float64(len(items))/took.Seconds())
				alike(t, name, got, want[name])
			}
			if f, ok := s.(interface{ Floored() int64 }); ok {
				t.Logf("%d labels of the last model were not shown", f.Floored())
			}
		})
	}
}

func alike(t *testing.T, name string, got, want []eval.Outcome) {
	t.Helper()
	same := 0
	means := map[string][2]float64{}
	count := map[string]float64{}
	for i, g := range got {
		if g.ID != want[i].ID {
			t.Fatalf("%s: outcome %+v in the place of %s", name, g, want[i].ID)
		}
		if !g.Scored() {
			t.Logf("%s: %s was not answered: %s", name, g.ID, g.Error)
			continue
		}
		if math.Abs(g.Score-want[i].Score) < 1e-9 {
			same++
		}
		m := means[g.Category]
		means[g.Category] = [2]float64{m[0] + g.Score, m[1] + want[i].Score}
		count[g.Category]++
	}
	worst := 0.0
	for category, m := range means {
		worst = math.Max(worst, 100*math.Abs(m[0]-m[1])/count[category])
	}
	t.Logf("%s: %d of %d items alike, category means within %.2f points", name, same, len(got), worst)
	if worst > 1.5 || float64(same) < 0.98*float64(len(got)) {
		t.Errorf("%s: %d of %d items alike, category means within %.2f points", name, same, len(got), worst)
	}
}
