package benchmarks

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const lmDocs = `{"q":"What melts?","c":["ice","steam"],"a":0,"n":2.5}
{"q":"What flies?","c":["stone","bird"],"a":1}
{"q":"What sinks?","c":["stone","bird"],"a":0}
`

// lmHead is a task without prompts.
const lmHead = "task: t\ndataset_path: json\ndataset_kwargs: {data_files: {test: d.jsonl}}\ntest_split: test\n"

const lmChoice = lmHead + "output_type: multiple_choice\ndoc_to_text: \"{{q}}\"\ndoc_to_choice: c\ndoc_to_target: a\n"

func lmSource(t testing.TB, yaml string, options map[string]any) Source {
	t.Helper()
	return Source{Family: "lm_eval", Path: filepath.Join(put(t, map[string]string{"t.yaml": yaml, "d.jsonl": lmDocs}), "t.yaml"), Options: options}
}

func TestLMEvalOptions(t *testing.T) {
	items := mustLoad(t, lmSource(t, lmChoice+"description: \"Say it.\"\nmetric_list: [{metric: acc}, {metric: acc_norm}, {metric: acc_mutual_info}]\n",
		map[string]any{"metric": "acc_norm", "prompt": "chat", "shots": 1}))
	it := items[0]
	if it.System != "Say it." || !strings.HasSuffix(it.Prompt, "What melts?") || !strings.Contains(it.Prompt, "\n\n") || string(it.Rule) != `{"by":"chars","delimiter":"","right":[0]}` {
		t.Errorf("%+v %s", it, it.Rule)
	}
	if it.ID != "t-00000" || it.Category != "t" {
		t.Errorf("%+v", it)
	}
	steps := "filter_list:\n- {name: a, filter: [{function: regex, regex_pattern: x}, {function: take_first}]}\n- {name: b, filter: [{function: map, mapping_dict: {y: 1}, default_value: 0}, {function: take_first}]}\n"
	generated := mustLoad(t, lmSource(t, lmHead+"doc_to_text: q\ndoc_to_target: \"{{n}}\"\nmetric_list: [{metric: exact_match, ignore_case: true}]\n"+steps, map[string]any{"filter": "b", "max_tokens": 3}))
	it = generated[0]
	if it.Answer != "2.5" || generated[1].Answer != "None" || it.MaxTokens != 3 || !reflect.DeepEqual(it.Stop, []string{"\n\n"}) {
		t.Errorf("%+v", it)
	}
	if want := `"mapping_dict":{"y":"1"},"default_value":"0"`; !strings.Contains(string(it.Rule), want) || !strings.Contains(string(it.Rule), `"ignore_case":true`) {
		t.Errorf("%s", it.Rule)
	}
}

// Everything that soup cannot do is refused with the file, the line and the name.
func TestLMEvalRefuses(t *testing.T) {
	check := func(yaml string, options map[string]any, parts ...string) {
		t.Helper()
		refused(t, lmSource(t, yaml, options), append(parts, "t.yaml")...)
	}
	generate := lmHead + "doc_to_text: \"{{q}}\"\ndoc_to_target: \"{{a}}\"\n"
	for line, part := range map[string]string{
		"process_docs: !function utils.process_docs": "t.yaml:7: !function utils.process_docs",
		"process_results: x":                         "t.yaml:7: process_results: Python code",
		"group: x":                                   "t.yaml:7: group: a group names",
		"use_prompt: x":                              "use_prompt: prompts of promptsource",
		"doc_to_image: x":                            "doc_to_image: there are no images",
		"custom_dataset: x":                          "custom_dataset: Python code",
		"unsafe_code: true":                          "unsafe_code: answers are not run",
		"colour: red":                                "t.yaml:7: colour: this key is not understood",
		"repeats: 8":                                 "repeats: soup asks each item once",
		"output_type: loglikelihood":                 "output_type: loglikelihood is not understood",
		"output_type: multiple_choice":               "doc_to_choice: want",
		"generation_kwargs: {do_sample: true}":       "do_sample: soup decodes greedily",
		"generation_kwargs: {temperature: 0.7}":      "temperature: soup decodes greedily",
		"generation_kwargs: {top_p: 1}":              "top_p is not understood",
		"generation_kwargs: {max_gen_toks: 0}":       "max_gen_toks: want",
		"generation_kwargs: 3":                       "want a mapping",
		"metric_list: [{metric: bleu}]":              "metric bleu is not understood for generate_until; choose one of exact_match",
		"metric_list: [{metric: exact_match, aggregation: median}]":     "aggregation median is not understood",
		"metric_list: [{metric: exact_match, higher_is_better: false}]": "higher_is_better",
		"metric_list: [{metric: exact_match, hf_evaluate: true}]":       "hf_evaluate",
		"metric_list: [{metric: exact_match, ignore_case: 1}]":          "ignore_case: want true or false",
		"metric_list: [{metric: exact_match, colour: red}]":             "colour is not understood",
		"metric_list: [{name: exact_match}]":                            "want entries with the key metric",
		"metric_list: {}":                                               "want a list",
		"filter_list: {}":                                               "want a list",
		"filter_list: [{name: x}]":                                      "want entries with name and filter",
		"filter_list: [{name: x, filter: [{function: majority_vote}]}]": `filter "majority_vote" is not understood`,
		"filter_list: [{name: x, filter: [regex]}]":                     "want filters with the key function",
		"filter_list: [{name: x, filter: [{function: regex}]}]":         "the last filter is not take_first",
		"filter_list: [{name: x, filter: [{function: regex, k: 1}]}]":   `"k"`,

		"num_fewshot: -1":                                "num_fewshot: want a whole number",
		"num_fewshot: 4":                                 "4 examples of 3 documents",
		"num_fewshot: 1\ntraining_split: train":          "no split train, where examples come from",
		"fewshot_config: {sampler: balanced}":            "sampler balanced is not understood",
		"fewshot_config: {fewshot_indices: [1]}":         "fewshot_indices is not understood",
		"fewshot_config: {samples: [1]}":                 "samples: want a list of documents",
		"fewshot_config: {samples: x}":                   "samples: want a list of documents",
		"fewshot_config: {split: 1}":                     "split: want text",
		"description: \"{{colour}}\"":                    `description: the data has no column "colour"`,
		"description: \"{% if colour %}x{% endif %}\"":   `no column "colour"`,
		"description: \"{{q\"":                           "no }}",
		"description: \"{% macro x() %}{% endmacro %}\"": "{% macro %} is not understood",
		"description: \"{{q|rot13}}\"":                   "rot13",
		"description: \"{{c[7]}}\"":                      "undefined: c[7]",
		"description: 3\ngen_prefix: {a: b}":             "want a template",
		"target_delimiter: 3":                            "target_delimiter: want text",
		"include: none.yaml":                             "t.yaml:7: include:",
		"include: t.yaml":                                "includes itself",
		"doc_to_choice: [x, y]\nnum_fewshot: 0":          "",
	} {
		if part != "" {
			check(generate+line+"\n", nil, part)
		}
	}
	check(strings.Replace(generate, "task: t", "task: [a, b]", 1), nil, "t.yaml:1: task: a list of tasks")
	check(strings.Replace(generate, "path: json", "path: openai/gsm8k", 1), nil, "t.yaml:2", `"openai/gsm8k" is fetched from a hub`, "JSON Lines")
	check(strings.Replace(generate, "path: json", "path: parquet", 1), nil, "parquet files are not read")
	check(strings.Replace(generate, "{test: d.jsonl}", "{test: d.jsonl}, field: x", 1), nil, "field is not understood")
	check(strings.Replace(generate, "{test: d.jsonl}", "{test: []}", 1), nil, "no files of split test")
	check(strings.Replace(generate, "test_split: test", "test_split: dev", 1), nil, "no split dev")
	check(strings.Replace(generate, "test_split: test", "tag: x", 1), nil, "test_split: neither")
	check(strings.Replace(generate, "doc_to_text", "description", 1), nil, "doc_to_text: want a template")
	check(strings.Replace(generate, "doc_to_target", "description", 1), nil, "doc_to_target: want a template")
	check(lmHead+"doc_to_text: 3\ndoc_to_target: x\n", nil, "doc_to_text: want a template")
	check("- a\n", nil, "not a YAML mapping")
	check("", nil, "not a YAML mapping")
	check("a: [\n", nil, "t.yaml")
	check(generate, map[string]any{"filter": "x"}, `option "filter"`)
	check(generate, map[string]any{"colour": "x"}, `unknown option "colour"`)
	check(generate+"gen_prefix: x\n", map[string]any{"prompt": "chat"}, "gen_prefix")
	check(lmChoice+"filter_list: [{name: x}]\n", nil, "filter_list: is for")
	check(lmChoice+"metric_list: [{metric: f1}]\n", map[string]any{"metric": "acc"}, "names none of them")
}

func TestLMEvalDocuments(t *testing.T) {
	check := func(yaml string, parts ...string) {
		t.Helper()
		refused(t, lmSource(t, yaml, nil), append(parts, "t.yaml: document")...)
	}
	check(strings.Replace(lmChoice, "doc_to_target: a", "doc_to_target: 2", 1), "document 0", "gives 2, which is none of the 2 choices")
	check(strings.Replace(lmChoice, "doc_to_target: a", "doc_to_target: \"steam\"", 1), "document 1", "'steam'")
	check(strings.Replace(lmChoice, "doc_to_target: a", "doc_to_target: \"[]\"", 1), "empty list")
	check(strings.Replace(lmChoice, "doc_to_choice: c", "doc_to_choice: q", 1), "not a list")
	check(strings.Replace(lmChoice, "doc_to_choice: c", "doc_to_choice: \"{{q}}\"", 1), "not a list")
	check(strings.Replace(lmChoice, "doc_to_choice: c", "doc_to_choice: \"{{[a, n]}}\"", 1), "not a text")
	check(strings.Replace(lmChoice, `"{{q}}"`, `"{{a}}"`, 1), "prompts that differ by choice")
	check(strings.Replace(lmChoice, `"{{q}}"`, "n", 1), "doc_to_text gives 2.5")
	check(lmHead+"doc_to_text: q\ndoc_to_target: \"[]\"\n", "empty list")
	check(lmHead+"doc_to_text: q\ndoc_to_target: a\nnum_fewshot: 1\n", "no example can show as text")
	check(lmHead+"doc_to_text: \"{{c.index(q)}}\"\ndoc_to_target: a\n", "not in the list")
	check(lmHead+"doc_to_text: \"{{q.index(q)}}{{', '.join(q)}}\"\ndoc_to_target: a\n", "want a list")
	check(lmHead+"doc_to_text: \"{{', '.join([a])}}\"\ndoc_to_target: a\n", "is no text")
	dir := put(t, map[string]string{
		"t.yaml":     strings.Replace(lmChoice, "d.jsonl", "bad.jsonl", 1),
		"array.yaml": strings.Replace(lmChoice, "d.jsonl", "bad.json", 1), "broken.yaml": strings.Replace(lmChoice, "d.jsonl", "broken.json", 1),
		"none.yaml": strings.Replace(lmChoice, "d.jsonl", "none.jsonl", 1), "empty.yaml": strings.Replace(lmChoice, "d.jsonl", "empty.jsonl", 1),
		"csv.yaml": strings.NewReplacer("d.jsonl", "d.csv", "path: json", "path: csv").Replace(lmChoice), "csv2.yaml": strings.NewReplacer("d.jsonl", "e.csv", "path: json", "path: csv").Replace(lmChoice),
		"bad.jsonl": "3\n", "bad.json": "[3]", "broken.json": "[3", "empty.jsonl": "", "d.csv": "a,b\n1\n", "e.csv": "",
	})
	for name, part := range map[string]string{"t": "bad.jsonl:1", "array": "element 1", "broken": "broken.json", "none": "none.jsonl", "empty": "no documents", "csv": "d.csv", "csv2": "no header"} {
		refused(t, Source{Family: "lm_eval", Path: filepath.Join(dir, name+".yaml")}, part)
	}
	refused(t, Source{Family: "lm_eval", Path: filepath.Join(dir, "no.yaml")}, "no.yaml")
}

func TestPythonValues(t *testing.T) {
	for text, want := range map[string]any{
		`['a', "it's", 'x\'y', '\n\u00e9\x41']`: []any{"a", "it's", "x'y", "\né" + "A"},
		`(1, -2.5e3, None, True)`:               []any{json.Number("1"), json.Number("-2.5e3"), nil, true},
		`[[], [1,],]`:                           []any{[]any{}, []any{json.Number("1")}},
	} {
		if got, err := parsePython(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v", text, got, err)
		}
	}
	for _, text := range []string{"[1", "['a", "[1 2]", "x", "1 2", `['\q']`, ""} {
		if v, err := parsePython(text); err == nil {
			t.Errorf("%s: %v", text, v)
		}
	}
	for _, v := range []any{"it's", `say "x'`, "tab\t\r\n\\", "\x01\u200b\U0001f600\U000e0001", []any{nil, true, false, json.Number("3")}} {
		if got, err := parsePython(pythonRepr(v)); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v is %s and read back %#v, %v", v, pythonRepr(v), got, err)
		}
	}
	for n, want := range map[string]string{"1": "1", "1.0": "1.0", "1e3": "1000.0", "1e-7": "1e-07", "1e16": "1e+16", "0.1": "0.1"} {
		if got := pythonNumber(json.Number(n)); got != want {
			t.Errorf("%s is %s, want %s", n, got, want)
		}
	}
	if got := pythonRepr(document{"b": "x", "a": 1}); got != "{'a': 1, 'b': 'x'}" {
		t.Error(got)
	}
	if got := column([]string{"1", "", "x"}); !reflect.DeepEqual(got, []any{"1", nil, "x"}) {
		t.Error(got)
	}
	if got := column([]string{"True", "False"}); !reflect.DeepEqual(got, []any{true, false}) {
		t.Error(got)
	}
}
