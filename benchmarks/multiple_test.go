package benchmarks

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"soup/eval"
)

func ask(t testing.TB, it eval.Item) eval.Question {
	t.Helper()
	m, err := eval.MetricNamed(it.Metric)
	if err != nil {
		t.Fatal(err)
	}
	return m.Ask(it)
}

const (
	organ  = "Which organ pumps blood?,liver,heart,lung,skin,B\n\"Which of these,\nof two lines?\",a,b,c,d,D\n"
	melts  = `{"id": "x1", "question": {"stem": "What melts?", "choices": [{"text": "ice", "label": "A"}, {"text": "steam", "label": "B"}]}, "answerKey": "B"}` + "\n"
	melts2 = `{"id": "x2", "question": "What melts?", "choices": {"text": ["ice", "steam"], "label": ["1", "2"]}, "answerKey": "1"}` + "\n"
	oven   = `{"ind": 7, "activity_label": "Baking", "ctx_a": "A man opens an oven [step] slowly.", "ctx_b": "he Smiles", "endings": ["takes  out.", " sings [title] loud.", "swims.", "flies."], "source_id": "activitynet~v_1", "label": "1"}` + "\n"
)

func TestMMLU(t *testing.T) {
	dir := put(t, map[string]string{"test/human_body_test.csv": organ, "dev/human_body_dev.csv": organ, "test/law_test.csv": "Q?,1,2,3,4,A\n", "dev/law_dev.csv": organ})
	items := mustLoad(t, Source{Family: "mmlu", Path: dir, Options: map[string]any{"shots": 1}})
	const intro = "The following are multiple choice questions (with answers) about human body.\n\n"
	const first = "Which organ pumps blood?\nA. liver\nB. heart\nC. lung\nD. skin\nAnswer:"
	const second = "Which of these,\nof two lines?\nA. a\nB. b\nC. c\nD. d\nAnswer:"
	if it := items[1]; len(items) != 3 || it.Raw != intro+first+" B\n\n"+second || it.Category != "human_body" || it.Answer != " D" || it.Metric != "letter" {
		t.Errorf("%+v", it)
	}
	if q := ask(t, items[0]); !reflect.DeepEqual(q.Labels, []string{" A", " B", " C", " D"}) {
		t.Errorf("%+v", q)
	}
	choices := mustLoad(t, Source{Family: "mmlu", Path: dir, Options: map[string]any{"shots": 0, "ask": "choices", "subjects": []any{"human_body"}}})
	if q := ask(t, choices[0]); q.Raw != intro+first || !reflect.DeepEqual(q.Continuations, []string{" A", " B", " C", " D"}) || choices[0].Answer != "B" {
		t.Errorf("%+v", q)
	}
	generate := mustLoad(t, Source{Family: "mmlu", Path: dir, Options: map[string]any{"ask": "generate"}})
	if q := ask(t, generate[0]); len(q.Labels) != 0 || q.MaxTokens != 2048 || !strings.HasSuffix(q.Messages[0].Content, "Which organ pumps blood?\n\nA) liver\nB) heart\nC) lung\nD) skin") {
		t.Errorf("%+v", q)
	}
	outcomes := []eval.Outcome{{ID: items[0].ID, State: eval.StateOK, Score: 1}, {ID: items[1].ID, State: eval.StateOK}, {ID: items[2].ID, State: eval.StateFailed}}
	if got := Figures(Source{Family: "mmlu"}, items, outcomes); len(got) != 1 || got[0] != (Figure{"acc", 0.5, ""}) {
		t.Errorf("%v", got)
	}
	if got := Figures(Source{Family: "mmlu"}, items, nil); got != nil {
		t.Errorf("figures of nothing: %v", got)
	}
}

func TestARC(t *testing.T) {
	dir := put(t, map[string]string{"test.jsonl": melts + melts2, "train.jsonl": melts})
	path := filepath.Join(dir, "test.jsonl")
	items := mustLoad(t, Source{Family: "arc", Path: path, Options: map[string]any{"shots": 1, "examples": filepath.Join(dir, "train.jsonl")}})
	q := ask(t, items[0])
	if q.Raw != "Question: What melts?\nAnswer: steam\n\nQuestion: What melts?\nAnswer:" || !reflect.DeepEqual(q.Continuations, []string{" ice", " steam"}) {
		t.Errorf("%+v", q)
	}
	if items[0].Answer != "steam" || items[1].Answer != "ice" || !strings.Contains(string(items[0].Rule), `"chars"`) {
		t.Errorf("%+v", items)
	}
	for way, want := range map[string]string{"labels": "What melts?\n1. ice\n2. steam\nAnswer:", "generate": ""} {
		it := mustLoad(t, Source{Family: "arc", Path: path, Options: map[string]any{"ask": way}})[1]
		if it.Raw != want || way == "generate" && (it.Answer != "A" || !strings.Contains(it.Prompt, "one of AB.") || !strings.HasSuffix(it.Prompt, "A) ice\nB) steam")) {
			t.Errorf("%s: %+v", way, it)
		}
	}
}

func TestHellaSwag(t *testing.T) {
	dir := put(t, map[string]string{"val.jsonl": oven, "other.jsonl": oven})
	path := filepath.Join(dir, "val.jsonl")
	it := mustLoad(t, Source{Family: "hellaswag", Path: path, Options: map[string]any{"score": "acc"}})[0]
	if it.Raw != "Baking: A man opens an oven slowly. He smiles" || it.Cluster != "activitynet~v_1" || it.Answer != "sings. loud." {
		t.Errorf("%+v", it)
	}
	if want := []string{"takes out.", "sings. loud.", "swims.", "flies."}; !reflect.DeepEqual(it.Choices, want) || !strings.Contains(string(it.Rule), `"sum"`) {
		t.Errorf("%q %s", it.Choices, it.Rule)
	}
	shot := mustLoad(t, Source{Family: "hellaswag", Path: path, Options: map[string]any{"shots": 1, "examples": filepath.Join(dir, "other.jsonl")}})[0]
	if shot.Raw != it.Raw+" sings. loud.\n\n"+it.Raw {
		t.Errorf("%q", shot.Raw)
	}
}

func TestMultipleChoiceErrors(t *testing.T) {
	dir := put(t, map[string]string{
		"ok.jsonl": melts, "arc.jsonl": strings.Replace(melts, `"answerKey": "B"`, `"answerKey": "C"`, 1), "arc1.jsonl": `{"id":"a","question":{"stem":"x"},"answerKey":"A"}`, "arc2.jsonl": `{"question":3}`,
		"swag.jsonl": strings.Replace(oven, `"label": "1"`, `"label": ""`, 1), "swag1.jsonl": strings.Replace(oven, `"endings": [`, `"x": [`, 1), "swag2.jsonl": `{"ind":1}`, "good.jsonl": oven,
		"mmlu/test/a_test.csv": "Q?,1,2,3,4,E\n", "mmlu/test/b_test.csv": "Q?,1,2\n", "mmlu/test/c_test.csv": "", "mmlu/test/d_test.csv": organ, "mmlu/dev/d_dev.csv": organ,
	})
	load := func(family, path string, options map[string]any, parts ...string) {
		t.Helper()
		refused(t, Source{Family: family, Path: filepath.Join(dir, path), Options: options}, parts...)
	}
	load("arc", "arc.jsonl", nil, "arc.jsonl:1", `"C" is none of the labels A, B`)
	load("arc", "arc1.jsonl", nil, "0 choices")
	load("arc", "arc2.jsonl", nil, "neither form of ARC")
	load("arc", "none.jsonl", nil, "none.jsonl")
	load("arc", "ok.jsonl", map[string]any{"shots": 1}, "examples")
	load("arc", "ok.jsonl", map[string]any{"shots": 2, "examples": filepath.Join(dir, "ok.jsonl")}, "1 lines for 2 examples")
	load("arc", "ok.jsonl", map[string]any{"shots": 1, "examples": filepath.Join(dir, "none.jsonl")}, "none.jsonl")
	load("arc", "ok.jsonl", map[string]any{"shots": 1, "examples": "x", "ask": "generate"}, "generate")
	load("arc", "ok.jsonl", map[string]any{"max_tokens": 9}, "ask: generate")
	load("arc", "ok.jsonl", map[string]any{"score": "acc", "ask": "labels"}, "ask: choices")
	load("hellaswag", "swag.jsonl", nil, "swag.jsonl:1", "file with labels")
	load("hellaswag", "swag1.jsonl", nil, "0 endings")
	load("hellaswag", "swag2.jsonl", nil, "not a line of HellaSwag")
	load("hellaswag", "none.jsonl", nil, "none.jsonl")
	load("hellaswag", "good.jsonl", map[string]any{"shots": 1}, "examples")
	load("hellaswag", "good.jsonl", map[string]any{"shots": 1, "examples": "x", "ask": "generate"}, "generate")
	load("hellaswag", "good.jsonl", map[string]any{"shots": 1, "examples": filepath.Join(dir, "none.jsonl")}, "none.jsonl")
	load("hellaswag", "good.jsonl", map[string]any{"shots": 2, "examples": filepath.Join(dir, "good.jsonl")}, "1 lines for 2 examples")
	load("mmlu", "mmlu", map[string]any{"subjects": "a", "shots": 0}, "a_test.csv", "question 1", `"E"`)
	load("mmlu", "mmlu", map[string]any{"subjects": "b", "shots": 0}, "b_test.csv")
	load("mmlu", "mmlu", map[string]any{"subjects": "c", "shots": 0}, "no questions")
	load("mmlu", "mmlu", map[string]any{"subjects": "d"}, "2 lines for 5 examples")
	load("mmlu", "mmlu", map[string]any{"subjects": "a"}, "a_dev.csv")
	load("mmlu", "mmlu", map[string]any{"ask": "generate", "shots": 1}, "generate")
	load("mmlu", "mmlu", map[string]any{"ask": "choices", "score": "acc"}, "only acc")
	load("mmlu", ".", nil, "give the folder that has test and dev")
}
