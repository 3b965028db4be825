package benchmarks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/eval"
)

// gsm8k is GSM8K (https://github.com/openai/grade-school-math): grade school
// problems with a worked solution that ends in the result. Path is the folder with
// test.jsonl and, for the examples, train.jsonl, or the file with the problems. A
// line of the form
//
//	{"question": "Ann has 3 boxes of 4 pens and gives away 2. How many are left?",
//	 "answer": "There are 3*4=<<3*4=12>>12 pens.\n12-2=<<12-2=10>>10 are left.\n#### 10"}
//
// becomes, after five examples, the form of lm-evaluation-harness 0.4.13
// (lm_eval/tasks/gsm8k/gsm8k.yaml), the same examples drawn by the same generator:
//
//	Question: Ann has 3 boxes of 4 pens and gives away 2. How many are left?
//	Answer:
//
// The score is exact_match after one of the task's two filters: flexible-extract
// takes the last number of the answer, strict-match the first behind "####". Both
// are figures. Chance level is 0.
//
// Options:
//
//	filter      flexible-extract (default) or strict-match: what scores an item
//	shots       examples from train.jsonl; default 5
//	seed        of the examples; default 1234, as in lm-eval
//	prompt      raw (default), or chat: all of it as one user turn
//	max_tokens  default 256
type gsm8k struct {
	source           Source
	filter, prompt   string
	shots, maxTokens int
	seed             int
}

type gsm8kProblem struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

func init() { families["gsm8k"] = family{load: loadGSM8K, figures: gsm8kFigures} }

// numberPattern is what flexible-extract of gsm8k and mgsm looks for.
const numberPattern = `(-?[$0-9.,]{2,})|(-?[0-9]+)`

// gsm8kFilters are filter_list and exact_match of lm-eval's gsm8k.
var gsm8kFilters = map[string]eval.Extraction{
	"flexible-extract": gsm8kMatch(eval.Filter{Function: "regex", Pattern: numberPattern, GroupSelect: -1}),
	"strict-match":     gsm8kMatch(eval.Filter{Function: "regex", Pattern: `#### (\-?[0-9\.\,]+)`}),
}

func gsm8kMatch(f eval.Filter) eval.Extraction {
	return eval.Extraction{
		Filters: []eval.Filter{f, {Function: "take_first"}}, IgnoreCase: true,
		RegexesToIgnore: []string{",", `\$`, `(?s).*#### `, `\.$`}, Delimiter: " ",
	}
}

func loadGSM8K(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	g := gsm8k{
		source: s, filter: o.choice("filter", "flexible-extract", "strict-match"), prompt: o.choice("prompt", "raw", "chat"),
		shots: o.count("shots", 5, 0), maxTokens: o.count("max_tokens", 256, 1), seed: o.count("seed", 1234, 0),
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("gsm8k: %w", err)
	}
	file, train := s.Path, filepath.Join(filepath.Dir(s.Path), "train.jsonl")
	if info, err := os.Stat(s.Path); err == nil && info.IsDir() {
		file, train = filepath.Join(s.Path, "test.jsonl"), filepath.Join(s.Path, "train.jsonl")
	}
	problems, err := readProblems(file)
	if err != nil {
		return nil, err
	}
	examples, err := g.examples(train)
	if err != nil {
		return nil, err
	}
	var items []eval.Item
	random := newPythonRandom(uint32(g.seed))
	for i, p := range problems {
		var shots strings.Builder
		if g.shots > 0 {
			for _, k := range random.sample(len(examples), g.shots) {
				shots.WriteString(examples[k].text() + " " + examples[k].Answer + "\n\n")
			}
		}
		items = append(items, g.item(i, p, shots.String()))
	}
	return checked(file, items)
}

func readProblems(path string) ([]gsm8kProblem, error) {
	var problems []gsm8kProblem
	err := eval.ReadJSONL(path, func(_ int, p gsm8kProblem) error {
		switch {
		case p.Question == "":
			return errors.New(`field "question" is missing`)
		case !strings.Contains(p.Answer, "#### "):
			return errors.New(`field "answer" has no result behind "#### "`)
		}
		problems = append(problems, p)
		return nil
	})
	return problems, err
}

func (g gsm8k) examples(path string) ([]gsm8kProblem, error) {
	if g.shots == 0 {
		return nil, nil
	}
	examples, err := readProblems(path)
	if err != nil {
		return nil, fmt.Errorf("gsm8k: %d examples: %w; put the file there or set shots to 0", g.shots, err)
	}
	if len(examples) < g.shots {
		return nil, fmt.Errorf("%s: %d lines for %d examples", path, len(examples), g.shots)
	}
	return examples, nil
}

func (p gsm8kProblem) text() string { return "Question: " + p.Question + "\nAnswer:" }

func (g gsm8k) item(i int, p gsm8kProblem, shots string) eval.Item {
	it := eval.Item{
		ID: fmt.Sprintf("%s-%04d", g.source.Name, i), Benchmark: g.source.Name, Category: g.source.Name,
		Metric: "extract", Rule: ruleOf(gsm8kFilters[g.filter]), Answer: p.Answer,
		MaxTokens: g.maxTokens, Stop: []string{"Question:", "</s>", "<|im_end|>"},
	}
	if g.prompt == "chat" {
		it.Prompt = shots + p.text()
	} else {
		it.Raw = shots + p.text()
	}
	return it
}

// gsm8kFigures are the shares of both filters, whichever scored the items.
func gsm8kFigures(items []eval.Item, outcomes []eval.Outcome) []Figure {
	return filterFigures(items, outcomes, func(eval.Item) map[string]eval.Extraction { return gsm8kFilters })
}
