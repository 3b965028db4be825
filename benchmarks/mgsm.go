package benchmarks

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"soup/eval"
)

// mgsm is MGSM (https://arxiv.org/abs/2210.03057): 250 problems of GSM8K in eleven
// languages. Path is the folder with mgsm_en.tsv and so on, as simple-evals and
// google-research/url-nlp have them: a problem and its result a line, with a tab
// between, such as
//
//	Ann has 3 boxes of 4 pens and gives away 2. How many are left?	10
//
// By the rule simple-evals (openai/simple-evals, mgsm_eval.py, commit ee3b031) the
// problem is a user turn behind an instruction in its language, and the result is
// the last number behind the last "Answer", in that language. By the rule
// native-cot (lm-evaluation-harness 0.4.13, lm_eval/tasks/mgsm/native_cot) it is a
// raw prompt of the form
//
//	Question: Ann has 3 boxes of 4 pens and gives away 2. How many are left?
//	Step-by-Step Answer:
//
// without examples, in the language's own words, and the result is the last number
// (filter flexible-extract), or what stands behind the language's phrase for "The
// answer is" (strict-match). Numbers of the two rules cannot be compared. Chance
// level is 0. The same problem in several languages is one cluster, a language is
// a category: mgsm_en.
//
// Figures of simple-evals are its score, the mean over all items, and those of the
// languages that are written in Latin letters and of the others; figures of
// native-cot are both filters.
//
// Options:
//
//	rule        simple-evals (default) or native-cot
//	languages   default all whose file is there
//	filter      of native-cot: flexible-extract (default) or strict-match
//	max_tokens  default 2048 by simple-evals, 256 by native-cot
type mgsm struct {
	source       Source
	rule, filter string
	maxTokens    int
}

var mgsmLatin = []string{"de", "en", "es", "fr", "sw"}

func init() { families["mgsm"] = family{load: loadMGSM, figures: mgsmFigures} }

func loadMGSM(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	m := mgsm{source: s, rule: o.choice("rule", "simple-evals", "native-cot"), filter: o.choice("filter", "flexible-extract", "strict-match")}
	standard := map[string]int{"simple-evals": 2048, "native-cot": 256}[m.rule]
	languages := o.list("languages")
	m.maxTokens = o.count("max_tokens", standard, 1)
	if m.rule == "simple-evals" && s.Options["filter"] != nil {
		o.fail("filter", "goes with the rule native-cot")
	}
	for _, l := range languages {
		if _, known := mgsmLanguages[l]; !known {
			o.fail("languages", "%s is none of %s", l, strings.Join(slices.Sorted(maps.Keys(mgsmLanguages)), ", "))
		}
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("mgsm: %w", err)
	}
	if len(languages) == 0 {
		for _, l := range slices.Sorted(maps.Keys(mgsmLanguages)) {
			if _, err := os.Stat(m.path(l)); err == nil {
				languages = append(languages, l)
			}
		}
	}
	if len(languages) == 0 {
		return nil, fmt.Errorf("mgsm: no mgsm_en.tsv or another language in %s", s.Path)
	}
	var items []eval.Item
	for _, l := range languages {
		more, err := m.load(l)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return checked(s.Path, items)
}

func (m mgsm) path(language string) string {
	return filepath.Join(m.source.Path, "mgsm_"+language+".tsv")
}

// wholeNumber is what results are: digits, with commas in some languages' files.
var wholeNumber = regexp.MustCompile(`^-?[0-9][0-9,]*$`)

func (m mgsm) load(language string) ([]eval.Item, error) {
	f, err := os.Open(m.path(language))
	if err != nil {
		return nil, fmt.Errorf("mgsm: %w", err)
	}
	defer f.Close()
	var items []eval.Item
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		question, result, ok := strings.Cut(strings.TrimSpace(lines.Text()), "\t")
		if !ok || question == "" || !wholeNumber.MatchString(result) {
			return nil, fmt.Errorf("%s:%d: not a problem, a tab and its result, a whole number", m.path(language), len(items)+1)
		}
		items = append(items, m.item(language, len(items), question, result))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.path(language), err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: %w", m.path(language), errors.New("no problems"))
	}
	return items, nil
}

func (m mgsm) item(language string, i int, question, result string) eval.Item {
	l := mgsmLanguages[language]
	it := eval.Item{
		ID: fmt.Sprintf("%s-%s-%03d", m.source.Name, language, i), Benchmark: m.source.Name, Category: m.source.Name + "_" + language,
		Cluster: fmt.Sprintf("problem-%03d", i), Answer: result, MaxTokens: m.maxTokens,
	}
	if m.rule == "simple-evals" {
		it.Metric, it.Rule = "mgsm", ruleOf(map[string]string{"prefix": l.prefix})
		it.Prompt = l.instruction + "\n\n" + question
		return it
	}
	it.Answer = strings.ReplaceAll(result, ",", "") // the data set that lm-eval loads has numbers
	it.Metric, it.Rule = "extract", ruleOf(mgsmFilters(language)[m.filter])
	it.Raw = l.question + question + "\n" + l.steps
	it.Stop = []string{strings.TrimSuffix(l.question, " "), "</s>", "<|im_end|>"}
	return it
}

// mgsmFilters are filter_list and exact_match of lm-eval's mgsm_native_cot.
func mgsmFilters(language string) map[string]eval.Extraction {
	match := func(f eval.Filter) eval.Extraction {
		return eval.Extraction{Filters: []eval.Filter{f, {Function: "take_first"}}, IgnoreCase: true, IgnorePunctuation: true, Delimiter: " "}
	}
	return map[string]eval.Extraction{
		"flexible-extract": match(eval.Filter{Function: "regex", Pattern: numberPattern, GroupSelect: -1}),
		"strict-match":     match(eval.Filter{Function: "regex", Pattern: mgsmLanguages[language].strict}),
	}
}

// mgsmFigures tells the rule by the items' metric.
func mgsmFigures(items []eval.Item, outcomes []eval.Outcome) []Figure {
	if len(items) > 0 && items[0].Metric == "extract" {
		return filterFigures(items, outcomes, func(it eval.Item) map[string]eval.Extraction {
			return mgsmFilters(it.Category[strings.LastIndex(it.Category, "_")+1:])
		})
	}
	group := map[string]string{}
	for _, it := range items {
		group[it.ID] = "group_non_latin"
		if slices.Contains(mgsmLatin, it.Category[strings.LastIndex(it.Category, "_")+1:]) {
			group[it.ID] = "group_latin"
		}
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, o := range outcomes {
		if g := group[o.ID]; g != "" && o.Scored() {
			for _, name := range []string{"score", g} {
				sums[name] += o.Score
				counts[name]++
			}
		}
	}
	var figures []Figure
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		figures = append(figures, Figure{Name: name, Value: sums[name] / counts[name]})
	}
	return figures
}
