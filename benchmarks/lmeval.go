package benchmarks

import (
	"fmt"
	"slices"
	"strings"

	"soup/eval"
)

// lmTask is a task of lm-evaluation-harness, in the YAML of release 0.4.13
// (docs/task_guide.md there): generate_until and multiple_choice over local JSON,
// JSON Lines and CSV files, with templates, examples, filters and metrics. Path is
// the YAML file. For example
//
//	task: pens
//	dataset_path: json
//	dataset_kwargs: {data_files: {test: pens.jsonl}}
//	test_split: test
//	output_type: multiple_choice
//	doc_to_text: "Question: {{question}}\nAnswer:"
//	doc_to_choice: "{{[right, wrong]}}"
//	doc_to_target: 0
//	metric_list: [{metric: acc_norm}]
//
// Prompts, examples, stop texts and scores are those of lm-eval with its default
// seed. Whatever it has that soup cannot do is refused with the line in the YAML:
// Python functions, groups, data from a hub, other output types and metrics. All
// documents are one category; the chance level is the task's own matter.
//
// Options:
//
//	prompt      raw (default), or chat: the description as the system turn and the rest as one user
//	            turn, as with --apply_chat_template
//	shots       examples; default the task's num_fewshot
//	seed        of the examples; default 1234, as in lm-eval
//	filter      the name of the filter that scores items; default the first of filter_list
//	metric      which one of metric_list scores items; default the first
//	max_tokens  default the task's max_gen_toks, or 256
type lmTask struct {
	*taskFile
	source                            Source
	name, output, prompt              string
	test, training, validation, shots string // splits
	description, gen                  field
	question                          asks // of the document that is asked about
	example                           asks // of examples
	targetDelimiter                   string
	exampleTarget, exampleEnd         string // delimiters
	exampleGen                        field
	count, seed, maxTokens            int
	until                             []string
	sampler                           string
	samples                           []document // examples that stand in the YAML
	metrics                           []lmMetric
	filters                           []lmFilter
	metric                            lmMetric
	filter                            lmFilter
}

func init() { families["lm_eval"] = family{load: loadLMEval} }

func loadLMEval(s Source) ([]eval.Item, error) {
	file, err := readTask(s.Path)
	if err != nil {
		return nil, err
	}
	t := &lmTask{taskFile: file, source: s}
	for _, read := range []func() error{t.readTexts, t.readTemplates, t.readExamples, t.readGeneration, t.readMetrics, t.readFilters, t.readOptions} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	splits, err := t.data()
	if err != nil {
		return nil, err
	}
	docs, err := t.docs(splits)
	if err != nil {
		return nil, err
	}
	pool, err := t.pool(splits)
	if err != nil {
		return nil, err
	}
	return t.items(docs, newExamples(t, pool))
}

// docs are those of the test split, or the validation split where there is none.
func (t *lmTask) docs(splits map[string][]document) ([]document, error) {
	split := t.test
	if split == "" {
		split = t.validation
	}
	if split == "" {
		return nil, t.fail("test_split", "neither this nor validation_split says which documents to ask about")
	}
	docs, ok := splits[split]
	if !ok {
		return nil, t.fail("dataset_kwargs", "data_files has no split %s", split)
	}
	for _, f := range []field{t.description, t.gen, t.question.text, t.question.target, t.question.choice} {
		if err := t.checkColumns(f, docs[0]); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// checkColumns refuses a template that reads what no document has.
func (t *lmTask) checkColumns(f field, columns document) error {
	if _, named := columns[f.name]; named || f.compiled == nil {
		return nil
	}
	for _, name := range f.compiled.names {
		if _, ok := columns[name]; !ok {
			return t.fail(f.key, "the data has no column %q", name)
		}
	}
	return nil
}

// pool are the documents that examples come from.
func (t *lmTask) pool(splits map[string][]document) ([]document, error) {
	if t.count == 0 {
		return nil, nil
	}
	if t.shots == "" && t.samples != nil {
		return t.samples, nil
	}
	for _, split := range []string{t.shots, t.training, t.validation, t.test} {
		if split == "" {
			continue
		}
		docs, ok := splits[split]
		if !ok {
			return nil, t.fail("dataset_kwargs", "data_files has no split %s, where examples come from", split)
		}
		return docs, nil
	}
	return nil, t.fail("num_fewshot", "%d examples, but no split to take them from", t.count)
}

func (t *lmTask) items(docs []document, x *examples) ([]eval.Item, error) {
	var items []eval.Item
	for i, doc := range docs {
		it, err := t.item(doc, x)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", t.path, i, err)
		}
		it.ID = fmt.Sprintf("%s-%05d", t.name, i)
		it.Benchmark, it.Category = t.name, t.name
		if err := it.Validate(); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", t.path, i, err)
		}
		items = append(items, it)
	}
	return items, nil
}

// item renders one document.
func (t *lmTask) item(doc document, x *examples) (eval.Item, error) {
	var it eval.Item
	system, err := t.description.textOr(doc)
	if err != nil {
		return it, err
	}
	shots, err := x.before(doc)
	if err != nil {
		return it, err
	}
	gen, err := t.gen.textOr(doc)
	if err != nil {
		return it, err
	}
	text, err := t.question.textOf(doc)
	if err != nil {
		return it, err
	}
	if gen != "" {
		if needsDelimiter(text, gen) {
			text += t.targetDelimiter
		}
		text += gen
	}
	if t.prompt == "chat" {
		it.System, it.Prompt = system, shots+text
	} else {
		it.Raw = system + shots + text
	}
	if t.output == "multiple_choice" {
		return it, t.addChoices(&it, doc)
	}
	return it, t.addTarget(&it, doc)
}

// addChoices makes the item one of metric choice.
func (t *lmTask) addChoices(it *eval.Item, doc document) (err error) {
	if it.Choices, err = t.question.choicesOf(doc); err != nil {
		return err
	}
	target, err := t.question.targetOf(doc)
	if err != nil {
		return err
	}
	right, err := indices(target, it.Choices)
	if err != nil {
		return err
	}
	delimiter := t.targetDelimiter
	if t.prompt == "chat" {
		delimiter = "" // the template ends the prompt
	}
	it.Metric, it.Answer = "choice", it.Choices[right[0]]
	it.Rule = ruleOf(map[string]any{"by": lmMetricBy[t.metric.name], "delimiter": delimiter, "right": right})
	return nil
}

// addTarget makes the item one of metric extract.
func (t *lmTask) addTarget(it *eval.Item, doc document) error {
	target, err := t.question.targetOf(doc)
	if err != nil {
		return err
	}
	if t.question.hasChoices() {
		if it.Choices, err = t.question.choicesOf(doc); err != nil {
			return err
		}
		right, err := indices(target, it.Choices)
		if err != nil {
			return err
		}
		target = it.Choices[right[0]]
	} else if choices, ok := doc["choices"].([]any); ok { // what multi_choice_regex looks at
		for _, c := range choices {
			it.Choices = append(it.Choices, pythonStr(c))
		}
	}
	golds, isList := target.([]any)
	if !isList {
		golds = []any{target}
	}
	for _, g := range golds {
		it.Answers = append(it.Answers, pythonStr(g))
	}
	if len(it.Answers) == 0 {
		return fmt.Errorf("doc_to_target gives an empty list")
	}
	it.Answer, it.Answers = it.Answers[0], it.Answers[1:]
	it.Metric, it.Rule = "extract", ruleOf(t.extraction(t.filter))
	it.Stop, it.MaxTokens = slices.DeleteFunc(slices.Clone(t.until), func(s string) bool { return s == "" }), t.maxTokens
	return nil
}

func (t *lmTask) extraction(f lmFilter) eval.Extraction {
	x := t.metric.match
	x.Filters, x.Delimiter = f.steps, t.targetDelimiter
	return x
}

// indices finds the right choices: a number, several, or the text of one.
func indices(target any, choices []string) ([]int, error) {
	list, isList := target.([]any)
	if !isList {
		list = []any{target}
	}
	var right []int
	for _, v := range list {
		i, isNumber := wholeOf(v)
		if text, isText := v.(string); isText {
			i, isNumber = slices.Index(choices, text), true
		}
		if !isNumber || i < 0 || i >= len(choices) {
			return nil, fmt.Errorf("doc_to_target gives %s, which is none of the %d choices %s", pythonRepr(v), len(choices), strings.Join(choices, " / "))
		}
		right = append(right, i)
	}
	if len(right) == 0 {
		return nil, fmt.Errorf("doc_to_target gives an empty list")
	}
	return right, nil
}
