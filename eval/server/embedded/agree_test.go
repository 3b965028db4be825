//go:build cgo

package embedded

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

var agreeAll = flag.Bool("all", false, "TestAgree: compare every checkpoint of the garden on all test items, not two on every third")

// TestAgree compares the engine with PyTorch, item by item: what was recorded
// in examples/garden/results/items by the recipe that trained the checkpoints.
func TestAgree(t *testing.T) {
	names := []string{"finetune_order", "uneven_mixed-far"}
	set := gardenSet(t)
	items := everyNth(set.Test, 3)
	if *agreeAll {
		names, items = nil, set.Test
		files, err := filepath.Glob(garden + "results/items/*.jsonl.gz")
		if err != nil || len(files) != 25 {
			t.Fatalf("%d reference files, %v", len(files), err)
		}
		for _, f := range files {
			names = append(names, strings.TrimSuffix(filepath.Base(f), ".jsonl.gz"))
		}
	}
	e := newEngine(t, Options{})
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			mustLoad(t, e, garden+strings.Replace(name, "_", "/", 1))
			agree(t, e, items, referenceScores(t, name))
		})
	}
}

type scored struct {
	ID    string
	Score float64
	Soft  float64
}

func referenceScores(tb testing.TB, name string) map[string]scored {
	tb.Helper()
	f, err := os.Open(garden + "results/items/" + name + ".jsonl.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	scores := map[string]scored{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		var s scored
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			tb.Fatal(err)
		}
		scores[s.ID] = s
	}
	return scores
}

// agree: category means within 1.0 point, at least 99 % of the items alike.
func agree(t *testing.T, e *Engine, items []eval.Item, want map[string]scored) {
	t.Helper()
	var got []eval.Outcome
	err := eval.Run(t.Context(), e, items, eval.Options{}, func(o []eval.Outcome) error {
		got = append(got, o...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	alike, soft := 0, 0.0
	means, n := map[string]float64{}, map[string]float64{}
	for _, o := range got {
		ref, ok := want[o.ID]
		if !ok || !o.Scored() || o.Soft == nil {
			t.Fatalf("%s: reference %v, outcome %+v", o.ID, ok, o)
		}
		if math.Abs(o.Score-ref.Score) < 1e-3 {
			alike++
		}
		soft = max(soft, math.Abs(*o.Soft-ref.Soft))
		means[o.Category] += o.Score - ref.Score
		n[o.Category]++
	}
	if len(got) != len(items) || alike < len(got)*99/100 {
		t.Errorf("%d of %d items are scored alike", alike, len(got))
	}
	for c := range means {
		if d := 100 * means[c] / n[c]; math.Abs(d) > 1 {
			t.Errorf("%s: mean differs by %.2f points", c, d)
		}
	}
	t.Logf("%d of %d items alike, smooth scores differ by at most %.4f", alike, len(got), soft)
}
