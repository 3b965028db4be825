package benchmarks

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"soup/eval"
)

// The files of testdata that are named here are written by tools/extraction.py,
// which runs the official code: `make golden-extraction` writes them anew. The
// build tag anchors compares many more answers.

// scoredAnswer is an answer with what the official code makes of it.
type scoredAnswer struct {
	Family, Variant, Filter, Language string
	Filters                           []eval.Filter
	Match                             json.RawMessage
	Choices                           []string
	Gold, Answer, Result, Prompt      string
	Score                             float64
}

// item is the question as the family asks it.
func (a scoredAnswer) item(t testing.TB) eval.Item {
	t.Helper()
	var it eval.Item
	switch a.Family + " " + a.Variant {
	case "gsm8k flexible-extract", "gsm8k strict-match":
		it = gsm8k{filter: a.Variant}.item(0, gsm8kProblem{Question: "?", Answer: a.Gold}, "")
	case "mgsm native-cot":
		it = mgsm{rule: a.Variant, filter: a.Filter}.item(a.Language, 0, "?", a.Gold)
	case "mgsm simple-evals":
		it = mgsm{rule: a.Variant}.item(a.Language, 0, "1+1?", a.Gold)
	case "letter simple-evals":
		q := multipleQuestion{id: "x", text: "Which?", options: []string{"x", "y", "z", "w"}, labels: letters(4), right: int(a.Gold[0] - 'A')}
		it = multiple{ask: "generate"}.item(q, "")
	case "filters ":
		var rule eval.Extraction
		if err := json.Unmarshal(a.Match, &rule); err != nil {
			t.Fatal(err)
		}
		rule.Filters = a.Filters
		it = eval.Item{Raw: "?", Metric: "extract", Rule: ruleOf(rule), Answer: a.Gold, Choices: a.Choices}
	default:
		t.Fatalf("unknown kind %s %s", a.Family, a.Variant)
	}
	it.ID = "x"
	if err := it.Validate(); err != nil {
		t.Fatalf("%+v: %v", a, err)
	}
	return it
}

// compareAnswers returns how many answers of each kind are right and wrong.
func compareAnswers(t testing.TB, path string) map[string][2]int {
	t.Helper()
	counts, wrong := map[string][2]int{}, 0
	err := eval.ReadJSONL(path, func(line int, a scoredAnswer) error {
		it := a.item(t)
		metric, err := eval.MetricNamed(it.Metric)
		if err != nil {
			t.Fatal(err)
		}
		result, score := a.Result, metric.Score(it, a.Answer)
		if it.Metric == "extract" {
			var rule eval.Extraction
			if err := json.Unmarshal(it.Rule, &rule); err != nil {
				t.Fatal(err)
			}
			result, _ = rule.Result(it, a.Answer)
		}
		if result != a.Result || score != a.Score || a.Prompt != "" && it.Prompt != a.Prompt {
			if wrong++; wrong <= 20 {
				t.Errorf("line %d, %s %s: result %q, score %v; officially %q and %v\nanswer %q\nrule %s\nprompt %q\nofficially %q",
					line, a.Family, a.Variant+a.Filter, result, score, a.Result, a.Score, a.Answer, it.Rule, it.Prompt, a.Prompt)
			}
		}
		kind := a.Family + " " + a.Variant + " " + a.Filter
		c := counts[kind]
		c[int(a.Score)]++
		counts[kind] = c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if wrong > 0 {
		t.Errorf("%d answers differ", wrong)
	}
	for kind, c := range counts {
		if c[0] == 0 || c[1] == 0 {
			t.Errorf("%s: %d wrong and %d right answers prove little", kind, c[0], c[1])
		}
	}
	return counts
}

func TestAnswersGolden(t *testing.T) {
	if kinds := len(compareAnswers(t, "testdata/answers.jsonl")); kinds != 7 {
		t.Errorf("%d kinds of answers, want 7", kinds)
	}
}

func TestPythonRandomGolden(t *testing.T) {
	err := eval.ReadJSONL("testdata/sample.jsonl", func(line int, want struct {
		Seed  uint32
		N, K  int
		Drawn []int
	},
	) error {
		if got := newPythonRandom(want.Seed).sample(want.N, want.K); !slices.Equal(got, want.Drawn) {
			t.Errorf("line %d: %d of %d after seed %d: %v, Python has %v", line, want.K, want.N, want.Seed, got, want.Drawn)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// lmRequest is a request that lm-eval builds of one of tools/lm_eval/*.yaml.
type lmRequest struct {
	Task         string
	Doc, Index   int
	Context      string
	Continuation *string
	Right        []int
	Until        []string
	MaxTokens    int `json:"max_tokens"`
	Gold         []string
}

// comparePrompts returns how many tasks and requests there are.
func comparePrompts(t testing.TB, path string) (tasks, requests int) {
	t.Helper()
	loaded := map[string][]eval.Item{}
	err := eval.ReadJSONL(path, func(_ int, want lmRequest) error {
		if loaded[want.Task] == nil {
			loaded[want.Task] = mustLoad(t, Source{Family: "lm_eval", Path: "../tools/lm_eval/" + want.Task})
		}
		requests++
		it := loaded[want.Task][want.Doc]
		q := ask(t, it)
		if q.Raw != want.Context {
			t.Errorf("%s, document %d: prompt\n%q, lm-eval has\n%q", want.Task, want.Doc, q.Raw, want.Context)
		}
		if want.Continuation == nil {
			if gold := append([]string{it.Answer}, it.Answers...); !slices.Equal(gold, want.Gold) || !slices.Equal(q.Stop, want.Until) || q.MaxTokens != want.MaxTokens {
				t.Errorf("%s, document %d: %q, stop %q, %d tokens, want %+v", want.Task, want.Doc, gold, q.Stop, q.MaxTokens, want)
			}
			return nil
		}
		var rule struct{ Right []int }
		if err := json.Unmarshal(it.Rule, &rule); err != nil {
			t.Fatal(err)
		}
		if q.Continuations[want.Index] != *want.Continuation || !slices.Equal(rule.Right, want.Right) {
			t.Errorf("%s, document %d: %q, right %v, want %q, right %v", want.Task, want.Doc, q.Continuations[want.Index], rule.Right, *want.Continuation, want.Right)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(loaded), requests
}

func TestPromptsGolden(t *testing.T) {
	files, err := filepath.Glob("../tools/lm_eval/[a-z]*.yaml")
	tasks, _ := comparePrompts(t, "testdata/prompts.jsonl")
	if err != nil || tasks != len(files) {
		t.Errorf("%d of %d tasks, %v", tasks, len(files), err)
	}
}
