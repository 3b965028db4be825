package benchmarks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"soup/eval"
)

// infiniteBench is InfiniteBench (https://github.com/OpenBMB/InfiniteBench,
// commit 88b3daa): questions about texts of 100,000 tokens and more. Path is the
// folder of the official files, passkey.jsonl and so on. A line has the form
//
//	{"id": 0, "context": "The grass is green. ... The pass key is 71432. ...",
//	 "input": "What is the pass key?", "answer": "71432", "options": []}
//
// with a list of answers, or four options, in other tasks. Scores are those of
// compute_scores.py, see metric infinitebench; the benchmark's score is the mean
// of its tasks, which are the categories. Chance level is 25 % where there are
// options (longbook_choice_eng, code_debug) and 0 elsewhere. Items about one
// text share a cluster. The benchmark's longbook_sum_eng is not here, for it needs
// ROUGE-Lsum.
//
// Contexts are cut in the middle, as the authors do it at 127,000 tokens of the
// whole prompt; here the limit is in characters of the context, for every
// tokenizer counts otherwise.
//
// The authors word the prompts for each model in src/prompt.py of their
// repository. Give that file as option prompts to have them; unless it is given
// the prompts are soup's own and scores not quite comparable with published ones.
//
// Options:
//
//	tasks      default passkey, number_string, kv_retrieval, longbook_choice_eng, math_find, code_debug,
//	           longbook_qa_eng and longdialogue_qa_eng; also longbook_qa_chn, math_calc and code_run
//	prompts    path of the authors' prompt.py
//	wording    whose prompts those are: gpt4 (default), claude2, yarn_mistral
//	prompt     chat (default), with the authors' system turn, or raw
//	max_chars  of the context; default 0: all of it
//	limit      the first items of each task; default 0: all of them
type infiniteBench struct {
	source          Source
	chat            bool
	maxChars, limit int
	templates       map[string]string
}

// infiniteBenchTokens are the most tokens of an answer (src/eval_utils.py).
var infiniteBenchTokens = map[string]int{
	"passkey": 6, "number_string": 12, "kv_retrieval": 50, "longbook_choice_eng": 40, "longbook_qa_eng": 40,
	"longbook_qa_chn": 40, "longdialogue_qa_eng": 40, "math_find": 3, "math_calc": 30000, "code_run": 5, "code_debug": 5,
}

var infiniteBenchUsual = []string{
	"passkey", "number_string", "kv_retrieval", "longbook_choice_eng", "math_find", "code_debug", "longbook_qa_eng", "longdialogue_qa_eng",
}

func init() { families["infinitebench"] = family{load: loadInfiniteBench} }

func loadInfiniteBench(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	b := &infiniteBench{source: s}
	tasks := o.list("tasks")
	file, wording := o.path("prompts"), o.choice("wording", "gpt4", "claude2", "yarn_mistral")
	b.chat = o.choice("prompt", "chat", "raw") == "chat"
	b.maxChars, b.limit = o.count("max_chars", 0, 0), o.count("limit", 0, 0)
	if tasks == nil {
		tasks = infiniteBenchUsual
	}
	for _, task := range tasks {
		if !slices.Contains(eval.InfiniteBenchTasks(), task) {
			o.fail("tasks", "no task %q: use %s", task, strings.Join(eval.InfiniteBenchTasks(), ", "))
		}
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("infinitebench: %w", err)
	}
	b.templates = plainTemplates(b.chat)
	if file != "" {
		var err error
		if b.templates, err = readTemplates(file, wording); err != nil {
			return nil, err
		}
	}
	var items []eval.Item
	for _, task := range tasks {
		more, err := b.load(task)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

// infiniteBenchLine is a line of an official file.
type infiniteBenchLine struct {
	Context string          `json:"context"`
	Content string          `json:"content"` // what some files call it
	Input   string          `json:"input"`
	Answer  json.RawMessage `json:"answer"`
	Options []string        `json:"options"`
}

func (b *infiniteBench) load(task string) ([]eval.Item, error) {
	path := filepath.Join(b.source.Path, task+".jsonl")
	var items []eval.Item
	err := eval.ReadJSONL(path, func(_ int, l infiniteBenchLine) error {
		if b.limit > 0 && len(items) == b.limit {
			return nil
		}
		it, err := b.item(task, len(items), l)
		if err == nil {
			err = it.Validate()
		}
		items = append(items, it)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("infinitebench: %w", err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("infinitebench: %s: no items", path)
	}
	return items, nil
}

func (b *infiniteBench) item(task string, index int, l infiniteBenchLine) (eval.Item, error) {
	if l.Context == "" {
		l.Context = l.Content
	}
	sum := sha256.Sum256([]byte(l.Context))
	it := eval.Item{
		ID: fmt.Sprintf("%s/%s/%04d", b.source.Name, task, index), Benchmark: b.source.Name, Category: task,
		Cluster: hex.EncodeToString(sum[:8]), Metric: "infinitebench", MaxTokens: infiniteBenchTokens[task],
	}
	var err error
	if it.Rule, err = json.Marshal(map[string]string{"task": task}); err != nil {
		return it, err
	}
	if err := l.answers(task, &it); err != nil {
		return it, err
	}
	l.Context = cutMiddle(l.Context, b.maxChars)
	prompt, err := l.prompt(task, b.templates[task])
	if err != nil {
		return it, err
	}
	if !b.chat {
		it.Raw = prompt
		return it, nil
	}
	it.Prompt, it.System = prompt, "You are a helpful assistant"
	return it, nil
}

// answers are the labels as the metric wants them.
func (l infiniteBenchLine) answers(task string, it *eval.Item) error {
	texts, err := textsOf(l.Answer)
	if err != nil {
		return err
	}
	it.Answer, it.Answers = texts[0], texts[1:]
	switch task {
	case "longbook_choice_eng", "code_debug":
		at := slices.Index(l.Options, texts[0])
		if len(l.Options) != 4 || at < 0 {
			return fmt.Errorf("answer %q is none of four options", texts[0])
		}
		it.Answer, it.Answers = "ABCD"[at:at+1], texts[:1]
		if len(texts) == 2 { // the letter is there already
			it.Answer = texts[1]
		}
	case "math_calc":
		it.Answer, it.Answers = "["+strings.Join(texts, ", ")+"]", nil
	case "longbook_qa_eng", "longbook_qa_chn":
	default:
		it.Answers = nil // the official function looks at the first only
	}
	return nil
}

// textsOf is a text or number, a list of them, or a list of one such list.
func textsOf(raw json.RawMessage) ([]string, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	} else if len(list) == 1 && strings.HasPrefix(string(list[0]), "[") {
		return textsOf(list[0])
	}
	var texts []string
	for _, element := range list {
		var text string
		var number json.Number
		if json.Unmarshal(element, &text) == nil && text != "" {
			texts = append(texts, text)
		} else if json.Unmarshal(element, &number) == nil && number != "" {
			texts = append(texts, number.String())
		} else {
			return nil, fmt.Errorf("field %q must be a text, a number or a list of them", "answer")
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("field %q is empty", "answer")
	}
	return texts, nil
}

// cutMiddle keeps the first and the last half of so many characters; 0 keeps all.
func cutMiddle(text string, most int) string {
	if most == 0 || len(text) <= most {
		return text
	}
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most/2]) + string(runes[len(runes)-(most+1)/2:])
}

var (
	calledFunction = regexp.MustCompile(`func_[0-9]+\(-?[0-9]+\)`)
	targetNumber   = regexp.MustCompile(`The .+ of`)
	templateField  = regexp.MustCompile(`\{[A-Za-z_:{}]*\}`)
)

// prompt fills in a template. Its fields are those of the authors' templates.
func (l infiniteBenchLine) prompt(task, template string) (string, error) {
	values := map[string]string{"{context}": l.Context, "{input}": l.Input, "{question}": l.Input}
	switch task {
	case "longbook_choice_eng", "code_debug":
		for i, option := range l.Options {
			values["{OPTION_"+"ABCD"[i:i+1]+"}"] = option
		}
	case "code_run":
		call := calledFunction.FindString(l.Input)
		if call == "" {
			return "", fmt.Errorf("field %q calls no function func_N(N)", "input")
		}
		values["{func_call}"] = call
		values["{func}"], _, _ = strings.Cut(call, "(")
	case "math_find":
		target := targetNumber.FindString(l.Input)
		if target == "" {
			return "", fmt.Errorf("field %q does not say what to find (The .. of)", "input")
		}
		values["{prefix}"] = "What is " + strings.ToLower(strings.TrimSuffix(target, " of")) + " in the following list?"
	}
	unknown := ""
	prompt := templateField.ReplaceAllStringFunc(template, func(field string) string {
		value, ok := values[field]
		if !ok {
			unknown = field
		}
		return value
	})
	if unknown != "" {
		return "", fmt.Errorf("the prompt has the field %s, which the task does not", unknown)
	}
	return prompt, nil
}
