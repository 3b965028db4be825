package benchmarks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "items.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const good = `{"id":"a","category":"sum","metric":"number","prompt":"1+1","answer":"2","note":{"not":"ours"}}` + "\n"

func TestLoadJSONL(t *testing.T) {
	path := file(t, good+"\n"+`{"id":"b","metric":"letter","prompt":"?","answer":"B","choices":["x","y"],"split":"test"}`)
	items, err := LoadJSONL("quiz", path)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 2 || items[0].Category != "sum" || items[1].Category != "quiz" || items[1].Benchmark != "quiz" || items[1].Split != eval.InTest {
		t.Errorf("%+v", items)
	}
}

func TestLoadJSONLErrors(t *testing.T) {
	check := func(content string, parts ...string) {
		t.Helper()
		_, err := LoadJSONL("quiz", file(t, content))
		if err == nil {
			t.Errorf("%.80q is no error, want one with %q", content, parts)
			return
		}
		for _, part := range append(parts, "items.jsonl") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not name %q", err, part)
			}
		}
	}
	check("", "no items")
	check("\n\n", "no items")
	check(good+"{\n", ":2:", "broken JSON at byte 1")
	check(good+"not json", ":2:", "not a JSON object")
	check(good+"\n"+good, ":3:", `"a"`, "line 1")
	check(`{"metric":"exact"}`, ":1:", `"id" is missing`)
	check(`{"id":"a","prompt":"?"}`, ":1:", `"a"`, `"metric" is missing`)
	check(`{"id":"a","prompt":"?","metric":"wer"}`, ":1:", `"wer"`, strings.Join(eval.MetricNames(), ", "))
	check(`{"id":"a","prompt":"?","metric":"letter","answer":"A"}`, ":1:", "metric letter", `"choices" is missing`)
	check(`{"id":"a","prompt":"?","metric":"call_ast"}`, ":1:", "metric call_ast", `"ground_truth" is missing`)
	check(`{"id":"a","prompt":"?","metric":"exact","answer":2}`, ":1:", `"answer" is a number, must be a string`)
	check(`{"id":"a","choices":"x"}`, ":1:", `"choices" is a string, must be a list`)
	check(`{"id":"a","messages":["x"]}`, ":1:", `"messages" is a string, must be an object`)
	check(`{"id":"a","max_tokens":"x"}`, ":1:", `"max_tokens" is a string, must be a number`)
	check(`{"id":"a","prompt":"?","metric":"exact","answer":"2","split":"dev"}`, ":1:", `"dev"`)
	check(`{"id":"`+strings.Repeat("x", 16<<20)+`"}`, ":1:", "longer than 16 MB")
	if _, err := LoadJSONL("quiz", "none.jsonl"); err == nil || !strings.Contains(err.Error(), "none.jsonl") {
		t.Errorf("missing file: %v", err)
	}
}

const garden = "../examples/garden/data/"

// loadGarden returns the items of all six files.
func loadGarden(t testing.TB) []eval.Item {
	t.Helper()
	paths, err := filepath.Glob(garden + "*.jsonl")
	if err != nil || len(paths) != 6 {
		t.Fatalf("%d data files, error %v", len(paths), err)
	}
	var items []eval.Item
	for _, path := range paths {
		more, err := LoadJSONL(strings.TrimSuffix(filepath.Base(path), ".jsonl"), path)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, more...)
	}
	return items
}

func TestGardenSplits(t *testing.T) {
	set, err := eval.NewSet(loadGarden(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Search) != 900 || len(set.Selection) != 900 || len(set.Test) != 1800 {
		t.Errorf("splits of %d, %d, %d items", len(set.Search), len(set.Selection), len(set.Test))
	}
	counts := map[string]int{}
	for _, it := range set.Search[:60] {
		counts[it.Category]++
	}
	for category, n := range counts {
		if n != 10 || len(counts) != 6 {
			t.Errorf("%d of the first 60 items are %s", n, category)
		}
	}
}

// Every item's own answer is right by its own metric.
func TestGardenAnswersAreRight(t *testing.T) {
	items := loadGarden(t)
	answers := make([]eval.Recorded, len(items))
	for i := range items {
		answers[i] = eval.Recorded{ID: items[i].ID, Answer: &items[i].Answer}
	}
	outcomes, err := eval.ScoreAnswers(items, answers)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if o.Score != 1 || o.State != eval.StateOK {
			t.Errorf("%s: %s is %v", o.ID, o.Answer, o.Score)
		}
	}
}

// The next item's answer is rarely right: metrics tell answers apart.
func TestGardenWrongAnswersAreWrong(t *testing.T) {
	items := loadGarden(t)
	answers := make([]eval.Recorded, len(items))
	for i, it := range items {
		answers[i] = eval.Recorded{ID: it.ID, Answer: &items[(i+1)%len(items)].Answer}
	}
	outcomes, err := eval.ScoreAnswers(items, answers)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range eval.Summarize(outcomes).Categories {
		if c.Mean > 0.3 {
			t.Errorf("%s: the answers to other items have %v", name, c.Mean)
		}
	}
}

func FuzzLoadJSONL(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"id":"b","metric":"letter","prompt":"?","answer":"B","choices":["x","y"]}`))
	f.Add([]byte(`{"id":"c","metric":"call_ast","raw":"?","ground_truth":[{"f":{"x":["",1]}}],"function":[{"name":"f"}]}`))
	f.Add([]byte(`{"id":"d","metric":"regex","messages":[{"role":"user","content":"?"}],"pattern":"(a|"}`))
	path := filepath.Join(f.TempDir(), "items.jsonl")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		items, err := LoadJSONL("fuzz", path)
		if (err == nil) != (len(items) > 0) {
			t.Errorf("%d items, error %v", len(items), err)
		}
		if set, err := eval.NewSet(items); err == nil && len(set.Hash()) != 64 {
			t.Error("no hash")
		}
	})
}

func BenchmarkLoadGarden(b *testing.B) {
	for b.Loop() {
		loadGarden(b)
	}
}
