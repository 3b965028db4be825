package benchmarks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

var infiniteBenchFiles = map[string]string{
	"passkey.jsonl":             `{"id":0,"context":"Grass. The key is 71432. Grass.","input":"What is the key?","answer":"71432","options":[]}`,
	"number_string.jsonl":       `{"id":0,"context":"x 1122 y","input":"Which digits?","answer":["1122"],"options":[]}`,
	"kv_retrieval.jsonl":        `{"id":0,"content":"{\"a\": \"b-1\"}","input":"Key: \"a\"","answer":"b-1","options":[]}`,
	"longbook_choice_eng.jsonl": `{"id":0,"context":"Book.","input":"Where?","answer":["Hill"],"options":["Sea","Hill","Inn","Mill"]}` + "\n" + `{"id":1,"context":"Book.","input":"Who?","answer":["Ann","C"],"options":["Bo","Cy","Ann","Di"]}`,
	"math_find.jsonl":           `{"id":0,"context":"[3, 5, 9]","input":"What is it? The second largest number of the list:","answer":5,"options":[]}`,
	"code_debug.jsonl":          `{"id":0,"context":"def f(): pass","input":"","answer":["g"],"options":["f","g","h","i"]}`,
	"longbook_qa_eng.jsonl":     `{"id":0,"context":"Book.","input":"Which colour?","answer":["red","dark red"],"options":[]}`,
	"longdialogue_qa_eng.jsonl": `{"id":0,"context":"$$MASK$$: hello","input":"","answer":["ANN","ANN LEE"],"options":[]}`,
	"longbook_qa_chn.jsonl":     `{"id":0,"context":"书","input":"谁","answer":["甲"],"options":[]}`,
	"math_calc.jsonl":           `{"id":0,"context":"1 + 2 + 3","input":"","answer":[[3, 6]],"options":[]}`,
	"code_run.jsonl":            `{"id":0,"context":"def func_1(x): return x","input":"Return value of func_1(-4).","answer":[-4],"options":[]}`,
}

func loadAllTasks(t *testing.T, options map[string]any) map[string]eval.Item {
	t.Helper()
	if options["tasks"] == nil {
		var tasks []any
		for _, task := range eval.InfiniteBenchTasks() {
			tasks = append(tasks, task)
		}
		options["tasks"] = tasks
	}
	loaded, err := Load(Source{Family: "infinitebench", Path: folder(t, infiniteBenchFiles), Options: options})
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]eval.Item{}
	for _, it := range loaded {
		items[it.ID] = it
	}
	return items
}

// The right answer to every task, as a model may word it, scores 1.
func TestInfiniteBench(t *testing.T) {
	items := loadAllTasks(t, map[string]any{})
	right := map[string]string{
		"passkey/0000": "It is 71432.", "number_string/0000": "1122", "kv_retrieval/0000": `"b-1"`, "longbook_choice_eng/0000": "B. Hill",
		"longbook_choice_eng/0001": "C", "math_find/0000": "5", "code_debug/0000": "B.", "longbook_qa_eng/0000": "dark red",
		"longdialogue_qa_eng/0000": "Ann", "longbook_qa_chn/0000": "甲。", "math_calc/0000": "[3, 6]", "code_run/0000": "It is -4",
	}
	if len(items) != len(right) {
		t.Fatalf("%d items", len(items))
	}
	metric, _ := eval.MetricNamed("infinitebench")
	for id, answer := range right {
		it, ok := items["infinitebench/"+id]
		if !ok {
			t.Errorf("no item %s", id)
			continue
		}
		if s := metric.Score(it, answer); s != 1 {
			t.Errorf("%s: %q scores %v", id, answer, s)
		}
		if s := metric.Score(it, "D: 9 丁 9"); s != 0 {
			t.Errorf("%s: a wrong answer scores %v", id, s)
		}
		if it.System == "" || strings.Contains(it.Prompt, "{") && it.Category != "kv_retrieval" || it.MaxTokens == 0 {
			t.Errorf("%s: %+v", id, it)
		}
	}
	if a, b := items["infinitebench/longbook_choice_eng/0000"], items["infinitebench/longbook_choice_eng/0001"]; a.Cluster != b.Cluster || a.Cluster == items["infinitebench/passkey/0000"].Cluster {
		t.Errorf("clusters %q, %q", a.Cluster, b.Cluster)
	}
	if p := items["infinitebench/math_find/0000"].Prompt; !strings.HasPrefix(p, "What is the second largest number in the following list?\n\n[3, 5, 9]\n\n") {
		t.Errorf("prompt %q", p)
	}
	if p := items["infinitebench/code_run/0000"].Prompt; !strings.Contains(p, "func_1(-4)") {
		t.Errorf("prompt %q", p)
	}
}

func TestInfiniteBenchOptions(t *testing.T) {
	items := loadAllTasks(t, map[string]any{"tasks": []any{"longbook_choice_eng"}, "limit": 1, "max_chars": 3, "prompt": "raw"})
	it := items["infinitebench/longbook_choice_eng/0000"]
	if len(items) != 1 || it.Prompt != "" || !strings.Contains(it.Raw, "\n\nBk.\n\n") || !strings.HasSuffix(it.Raw, "D. Mill\n\nReply with the letter of the right option alone.\n\nThe right letter is") {
		t.Errorf("%d items, %q", len(items), it.Raw)
	}
	if got := cutMiddle("áéíóúý", 4); got != "áéúý" {
		t.Errorf("cut to %q", got)
	}
	if got := cutMiddle("áéí", 3); got != "áéí" {
		t.Errorf("cut to %q", got)
	}
	if items, err := Load(Source{Family: "infinitebench", Path: folder(t, infiniteBenchFiles)}); err != nil || len(items) != 9 {
		t.Errorf("%d items by default, %v", len(items), err)
	}
}

// prompts writes a file in the form of the authors' prompt.py.
func prompts(t *testing.T, body string) string {
	return filepath.Join(folder(t, map[string]string{"prompt.py": "other_templates = {}\n\ngpt4_templates = {\n" + body + "}\n\nclaude2_templates = {\n\"passkey\": \"x\"}\n"}), "prompt.py")
}

func TestInfiniteBenchPrompts(t *testing.T) {
	var body strings.Builder
	for _, task := range eval.InfiniteBenchTasks() {
		body.WriteString(`    # "` + task + `": "old",` + "\n")
		body.WriteString(`    "` + task + `": "Task \"` + task + `\": \u00e9 é\n{context}" + '\' {input}',  # noqa` + "\n")
	}
	items := loadAllTasks(t, map[string]any{"prompts": prompts(t, body.String()), "wording": "gpt4"})
	if p := items["infinitebench/passkey/0000"].Prompt; p != "Task \"passkey\": é é\nGrass. The key is 71432. Grass.' What is the key?" {
		t.Errorf("prompt %q", p)
	}
}

func TestInfiniteBenchErrors(t *testing.T) {
	dir := folder(t, infiniteBenchFiles)
	check := func(options map[string]any, parts ...string) {
		t.Helper()
		wantLoadError(t, Source{Family: "infinitebench", Path: dir, Options: options}, append(parts, "infinitebench")...)
	}
	check(map[string]any{"tasks": []any{"longbook_sum_eng"}}, `no task "longbook_sum_eng"`, "passkey")
	check(map[string]any{"max_chars": -1}, `"max_chars"`)
	check(map[string]any{"prompts": filepath.Join(dir, "none.py")}, `"prompts"`, "none.py")
	check(map[string]any{"prompts": prompts(t, ""), "wording": "yarn_mistral"}, `has no "yarn_mistral_templates = {"`)
	check(map[string]any{"prompts": prompts(t, "")}, `has no "code_debug"`)
	check(map[string]any{"prompts": prompts(t, `"passkey": call(),`)}, "no dictionary of texts")
	check(map[string]any{"prompts": prompts(t, `"passkey": "x`)}, "no closing quote")
	check(map[string]any{"prompts": prompts(t, `"passkey": "\q",`)}, "escape")
	broken := func(task, line string, parts ...string) {
		t.Helper()
		dir := folder(t, map[string]string{task + ".jsonl": line + "\n"})
		wantLoadError(t, Source{Family: "infinitebench", Path: dir, Options: map[string]any{"tasks": task}}, append(parts, task+".jsonl")...)
	}
	broken("passkey", "")
	broken("passkey", "{", ":1:")
	broken("passkey", `{"context":"x","input":"?"}`, ":1:", `"answer" must be`)
	broken("passkey", `{"context":"x","input":"?","answer":[]}`, `"answer" is empty`)
	broken("passkey", `{"context":"x","input":"?","answer":[{}]}`, `"answer" must be`)
	broken("code_debug", `{"context":"x","answer":["q"],"options":["f","g","h","i"]}`, `"q" is none of four options`)
	broken("code_debug", `{"context":"x","answer":["f"],"options":["f"]}`, "four options")
	broken("math_find", `{"context":"x","input":"?","answer":5}`, "The .. of")
	broken("math_find", `{"context":"x","input":"The a of b","answer":"five"}`, "must be a number")
	broken("math_calc", `{"context":"x","answer":[1.5]}`, "whole numbers")
	broken("code_run", `{"context":"x","input":"f(1)","answer":1}`, "func_N(N)")
	broken("code_run", `{"context":"x","input":"func_1(1)","answer":1.5}`, "whole number")
	file := prompts(t, strings.ReplaceAll(allTemplates("{context}"), `"passkey": "{context}"`, `"passkey": "{file:{context}}"`))
	check(map[string]any{"prompts": file}, "{file:{context}}")
	if err := os.Remove(filepath.Join(dir, "passkey.jsonl")); err != nil {
		t.Fatal(err)
	}
	check(nil, "passkey.jsonl")
}

func allTemplates(text string) string {
	var body strings.Builder
	for _, task := range eval.InfiniteBenchTasks() {
		body.WriteString(`"` + task + `": "` + text + "\",\n")
	}
	return body.String()
}
