package benchmarks

import (
	"math"
	"path/filepath"
	"testing"

	"soup/eval"
)

const ifevalLines = `{"key":1,"prompt":"Describe a harbour without commas.","instruction_id_list":["punctuation:no_comma","length_constraints:number_words"],"kwargs":[{},{"relation":"at least","num_words":3,"language":null}]}
{"key":2,"prompt":"Say it in quotes.","instruction_id_list":["startend:quotation"],"kwargs":[{}]}
`

func TestIFEval(t *testing.T) {
	dir := folder(t, map[string]string{"input_data.jsonl": ifevalLines})
	for _, path := range []string{dir, filepath.Join(dir, "input_data.jsonl")} {
		items, err := Load(Source{Family: "ifeval", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if len(items) != 2 || items[0].Prompt != "Describe a harbour without commas." || items[0].MaxTokens != 1280 || items[1].ID != "ifeval/0002" || items[1].Category != "ifeval" {
			t.Errorf("%+v", items)
		}
	}
	score := func(answer string, want float64, options map[string]any) {
		t.Helper()
		items, err := Load(Source{Family: "ifeval", Path: dir, Options: options})
		if err != nil {
			t.Fatal(err)
		}
		metric, _ := eval.MetricNamed(items[0].Metric)
		if got := metric.Score(items[0], answer); got != want {
			t.Errorf("%q with %v scores %v, want %v", answer, options, got, want)
		}
	}
	score("A grey harbour", 1, nil)
	score("Sure, here:\nA grey harbour", 0, nil)
	score("Sure, here:\nA grey harbour", 1, map[string]any{"scoring": "loose"})
	score("Sure, here:\nA grey harbour", 0.5, map[string]any{"score": "instruction"})
	score("", 0, map[string]any{"score": "instruction"})
	items, err := Load(Source{Family: "ifeval", Path: dir, Options: map[string]any{"prompt": "raw", "max_tokens": 5}})
	if err != nil || items[1].Raw != "Say it in quotes." || items[1].Prompt != "" || items[1].MaxTokens != 5 {
		t.Errorf("%+v, %v", items, err)
	}
}

func TestIFEvalFigures(t *testing.T) {
	items, err := Load(Source{Family: "ifeval", Path: folder(t, map[string]string{"input_data.jsonl": ifevalLines})})
	if err != nil {
		t.Fatal(err)
	}
	s := Source{Family: "ifeval"}
	outcomes := []eval.Outcome{
		{ID: items[0].ID, State: eval.StateOK, Answer: "Sure, here:\nA grey harbour"},
		{ID: items[1].ID, State: eval.StateOK, Answer: "it"},
	}
	want := []float64{0, 100.0 / 3, 50, 200.0 / 3}
	for i, f := range Figures(s, items, outcomes) {
		if math.Abs(f.Value-want[i]) > 1e-12 {
			t.Errorf("%s is %v, want %v", f.Name, f.Value, want[i])
		}
	}
	outcomes[0].State = eval.StateMissing
	if figures := Figures(s, items, outcomes); len(figures) != 4 || figures[2].Value != 0 {
		t.Errorf("%+v", figures)
	}
	if figures := Figures(s, items, nil); figures != nil {
		t.Errorf("%+v", figures)
	}
}

func TestIFEvalErrors(t *testing.T) {
	check := func(lines string, options map[string]any, parts ...string) {
		t.Helper()
		dir := folder(t, map[string]string{"input_data.jsonl": lines})
		wantLoadError(t, Source{Family: "ifeval", Path: dir, Options: options}, append(parts, "ifeval")...)
	}
	one := func(id, kwargs string) string {
		return `{"key":1,"prompt":"?","instruction_id_list":["` + id + `"],"kwargs":[` + kwargs + `]}`
	}
	check("", nil, "input_data.jsonl", "no items")
	check("{", nil, "input_data.jsonl:1:")
	check(one("punctuation:no_comma", ""), nil, ":1:", "1 instructions with 0 kwargs")
	check(`{"prompt":"?"}`, nil, "0 instructions")
	check(one("punctuation:no_dash", "{}"), nil, "punctuation:no_dash", "unknown", "punctuation:no_comma")
	check(one("length_constraints:number_words", `{"relation":"at least"}`), nil, "num_words is missing")
	check(one("length_constraints:number_words", `{"num_words":5,"relation":"at most"}`), nil, `"at most"`, "less than")
	check(ifevalLines, map[string]any{"scoring": "lax"}, `"scoring"`)
	wantLoadError(t, Source{Family: "ifeval", Path: "none"}, "ifeval", "none")
}
