package benchmarks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

// invented is an item of an invented benchmark, as eval/bfcl/testdata has it.
type invented struct {
	Item        string          `json:"item"`
	Function    json.RawMessage `json:"function"`
	GroundTruth json.RawMessage `json:"ground_truth"`
}

// bfclFolder writes a folder like the benchmark's: each category has the invented
// items that are named, as CATEGORY_0 and so on.
func bfclFolder(t testing.TB, version int, categories map[string][]string) string {
	t.Helper()
	raw, err := os.ReadFile("../eval/bfcl/testdata/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]invented{}
	for l := range strings.Lines(string(raw)) {
		var i invented
		if err := json.Unmarshal([]byte(l), &i); err != nil {
			t.Fatal(err)
		}
		items[i.Item] = i
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "possible_answer"), 0o700); err != nil {
		t.Fatal(err)
	}
	for c, names := range categories {
		var questions, truth strings.Builder
		for n, name := range names {
			question := `[[{"role": "user", "content": "Do it."}]]`
			if n == 1 {
				question = `[[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Do it."}]]`
			}
			fmt.Fprintf(&questions, `{"id": "%s_%d", "question": %s, "function": %s}`+"\n", c, n, question, items[name].Function)
			fmt.Fprintf(&truth, `{"id": "%s_%d", "ground_truth": %s}`+"\n", c, n, items[name].GroundTruth)
		}
		file := fmt.Sprintf("BFCL_v%d_%s.json", version, c)
		write(t, filepath.Join(dir, file), questions.String())
		if !strings.HasSuffix(c, "relevance") {
			write(t, filepath.Join(dir, "possible_answer", file), truth.String())
		}
	}
	return dir
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

var inventedCategories = map[string][]string{
	"simple_python": {"invented-kettle", "invented-route", "invented-kettle-int"}, "simple_java": {"invented-orchard"}, "simple_javascript": {"invented-kite"},
	"multiple": {"invented-bed"}, "parallel": {"invented-beds"}, "parallel_multiple": {"invented-mixed"},
	"irrelevance": {"invented-lamp"}, "live_relevance": {"invented-bed"},
}

func loadInvented(t *testing.T, options map[string]any) map[string]eval.Item {
	t.Helper()
	items, err := Load(Source{Family: "bfcl", Path: bfclFolder(t, 4, inventedCategories), Options: options})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]eval.Item{}
	for _, it := range items {
		byID[it.ID] = it
	}
	return byID
}

// The right answer of each category has 1, another one 0.
func TestBFCLPrompting(t *testing.T) {
	items := loadInvented(t, nil)
	if len(items) != 10 {
		t.Fatalf("%d items", len(items))
	}
	for id, answers := range map[string][2]string{
		"simple_python_0":     {`[kettle.boil(litres=2, cups=3)]`, `[kettle.boil(litres=2)]`},
		"simple_java_0":       {`[Orchard.pick(basket="wicker", count=12, weight=1.5f, ratio=0.25, serial=9000000000L, ripe=true, grade='A', note="by hand")]`, `[Orchard.pick(basket="wicker")]`},
		"simple_javascript_0": {`[drawKite(canvas=mainCanvas, title="red kite", tails=3, span=2, id=12345678901234567890n, closed=true, style={"stroke": "black"})]`, `drawKite()`},
		"multiple_0":          {`[water_bed(bed="north", seconds=30)]`, `[lamp.set(colour="red")]`},
		"parallel_0":          {`[water_bed(bed="South bed", seconds=60), water_bed(bed="north", seconds=30), water_bed(bed="north", seconds=90, dry=True)]`, `[water_bed(bed="north", seconds=30)]`},
		"parallel_multiple_0": {`[lamp.set(colour="blue"), lamp.set(colour="red"), kettle.boil(litres=0.5, cups=1)]`, `[]`},
		"irrelevance_0":       {`None of the functions can be used.`, `[lamp.set(colour="red")]`},
		"live_relevance_0":    {`[f()]`, `I cannot do that.`},
	} {
		it := items[id]
		metric, err := eval.MetricNamed(it.Metric)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if right, wrong := metric.Score(it, answers[0]), metric.Score(it, answers[1]); right != 1 || wrong != 0 {
			t.Errorf("%s: %q has %v, %q has %v", id, answers[0], right, answers[1], wrong)
		}
	}
	first := items["simple_python_0"]
	if len(first.Messages) != 2 || first.Messages[0].Role != "system" || first.MaxTokens != 4096 || first.Category != "simple_python" || first.Benchmark != "bfcl" {
		t.Errorf("%+v", first)
	}
	if m := items["simple_python_1"].Messages; len(m) != 2 || !strings.HasSuffix(m[0].Content, "\n\n\nBe brief.") || !strings.Contains(m[0].Content, "plan_route") {
		t.Errorf("a system prompt of its own: %+v", m)
	}
	if items["simple_python_0"].Cluster != "kettle.boil" || items["simple_python_2"].Cluster != "kettle.boil" || items["irrelevance_0"].Cluster != "water_bed" {
		t.Error("clusters are not the functions")
	}
}

func TestBFCLCalling(t *testing.T) {
	items := loadInvented(t, map[string]any{"mode": "fc", "max_tokens": uint64(200), "categories": []any{"simple", "irrelevance", "live_relevance"}})
	it := items["simple_python_0"]
	if len(items) != 5 || it.MaxTokens != 200 || len(it.Messages) != 1 || !strings.Contains(string(it.Tools), `"kettle_boil"`) {
		t.Fatalf("%d items, %+v", len(items), it)
	}
	metric, err := eval.MetricNamed(it.Metric)
	if err != nil {
		t.Fatal(err)
	}
	if got := metric.Score(it, `[{"name": "kettle_boil", "arguments": {"litres": 2, "cups": 3}}]`); got != 1 {
		t.Errorf("the right call has %v", got)
	}
	if got := metric.Score(it, `[kettle.boil(litres=2, cups=3)]`); got != 0 {
		t.Errorf("text has %v", got)
	}
}

func TestBFCLThird(t *testing.T) {
	dir := bfclFolder(t, 3, map[string][]string{"simple": {"invented-kettle"}, "java": {"invented-orchard"}})
	items, err := Load(Source{Name: "old", Family: "bfcl", Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 2 || items[0].ID != "old/simple_0" || items[1].Category != "simple_java" || !strings.Contains(items[0].Messages[0].Content, `[{'name': 'kettle.boil'`) {
		t.Errorf("%+v", items)
	}
}

func TestBFCLErrors(t *testing.T) {
	dir := bfclFolder(t, 4, inventedCategories)
	both := bfclFolder(t, 4, inventedCategories)
	write(t, filepath.Join(both, "BFCL_v3_simple.json"), "")
	check := func(path string, options map[string]any, parts ...string) {
		t.Helper()
		_, err := Load(Source{Family: "bfcl", Path: path, Options: options})
		if err == nil {
			t.Errorf("%v is no error, want one with %q", options, parts)
			return
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not name %q", err, part)
			}
		}
	}
	list := func(names ...any) map[string]any { return map[string]any{"categories": names} }
	check(dir, list("multi_turn_base"), "categories", "multi_turn_base", "single-turn")
	check(dir, list("memory_kv"), "memory_kv", "single-turn")
	check(dir, list("web_search_base"), "web_search_base", "single-turn")
	check(dir, list("simpel"), `"simpel"`, "simple_python", "live")
	check(dir, list("live_simple"), "BFCL_v4_live_simple.json")
	check(dir, map[string]any{"categories": 1}, "categories", "list")
	check(dir, map[string]any{"mode": "chat"}, "mode", "chat", "prompting")
	check(dir, map[string]any{"max_tokens": 0}, "max_tokens", "0")
	check(dir, map[string]any{"version": 2}, "version", "2")
	check(dir, map[string]any{"version": 3}, dir, "version 3")
	check(dir, map[string]any{"shots": 2}, `"shots"`, "max_tokens")
	check(both, nil, both, "option version")
	check(t.TempDir(), nil, "BFCL_v4_")
	broken := func(question, truth string, parts ...string) {
		t.Helper()
		dir := bfclFolder(t, 4, map[string][]string{"multiple": {"invented-bed"}})
		write(t, filepath.Join(dir, "BFCL_v4_multiple.json"), question)
		write(t, filepath.Join(dir, "possible_answer", "BFCL_v4_multiple.json"), truth)
		check(dir, nil, append(parts, "BFCL_v4_multiple.json")...)
	}
	const question = `{"id":"a","question":[[{"role":"user","content":"?"}]],"function":[{"name":"f","description":"d","parameters":{"type":"dict","properties":{},"required":[]}}]}`
	broken("", "", "no items")
	broken(question, "", ":1:", `"a"`, "no ground truth")
	broken(`{"id":"a","question":[[],[]],"function":[]}`, "", `"a"`, "2 turns")
	broken(question, `{"id":"a","ground_truth":{}}`, "ground truth")
	broken(question, `{"id":"a","ground_truth":[{"f":{"x":1}}]}`, "ground_truth", "values of", "not a list")
	broken(`{"id":"a","question":[[{"role":"user","content":"?"}]],"function":[{"name":"f"}]}`, `{"id":"a","ground_truth":[{"f":{}}]}`, `"a"`, "description")
}
