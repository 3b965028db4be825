package benchmarks

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"soup/eval"
)

// hellaswag is HellaSwag (https://arxiv.org/abs/1905.07830): which of four endings
// a description goes on with. Path is hellaswag_val.jsonl or another file with
// labels. A line of the form
//
//	{"ind": 7, "activity_label": "Baking", "ctx_a": "A man opens an oven [step] slowly.", "ctx_b": "he", "split": "val",
//	 "endings": ["takes out bread.", "sings.", "swims.", "flies."], "source_id": "activitynet~v_1", "label": 0}
//
// becomes, as lm-evaluation-harness 0.4.13 prepares it
// (lm_eval/tasks/hellaswag/utils.py), what each ending goes on from:
//
//	Baking: A man opens an oven slowly. He
//
// lm-eval reports acc and acc_norm; which one an item is scored by is an option.
// There are no examples unless they are asked for. Chance level is 0.25. Endings of
// one video or article are one cluster.
//
// Options:
//
//	ask         choices (default), labels or generate
//	score       of choices: acc_norm (default) or acc
//	shots       default 0; the first of examples
//	examples    file with them, such as hellaswag_train.jsonl
//	max_tokens  of generate; default 2048
type hellaswagLine struct {
	Ind      *int     `json:"ind"`
	Activity string   `json:"activity_label"`
	A        string   `json:"ctx_a"`
	B        string   `json:"ctx_b"`
	Endings  []string `json:"endings"`
	Source   string   `json:"source_id"`
	Label    any      `json:"label"` // a number, or in exported files its text
}

func init() { families["hellaswag"] = family{load: loadHellaSwag} }

func loadHellaSwag(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	m := askOptions(s, o, "choices", "labels", "generate")
	shots, examples := o.count("shots", 0, 0), o.path("examples")
	if shots > 0 && examples == "" {
		o.fail("shots", "needs the option examples, a file")
	}
	if shots > 0 && m.ask == "generate" {
		o.fail("shots", "does not go with ask: generate")
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("hellaswag: %w", err)
	}
	before := ""
	if shots > 0 {
		questions, err := readHellaSwag(examples, s.Name)
		if err != nil {
			return nil, err
		}
		if len(questions) < shots {
			return nil, fmt.Errorf("%s: %d lines for %d examples", examples, len(questions), shots)
		}
		for _, q := range questions[:shots] {
			before += m.shot(q)
		}
	}
	questions, err := readHellaSwag(s.Path, s.Name)
	if err != nil {
		return nil, err
	}
	var items []eval.Item
	for _, q := range questions {
		items = append(items, m.item(q, before))
	}
	return checked(s.Path, items)
}

func readHellaSwag(path, name string) ([]multipleQuestion, error) {
	var questions []multipleQuestion
	err := eval.ReadJSONL(path, func(_ int, line hellaswagLine) error {
		q, err := line.question()
		q.category = name
		questions = append(questions, q)
		return err
	})
	return questions, err
}

func (l hellaswagLine) question() (multipleQuestion, error) {
	right := -1
	_, _ = fmt.Sscan(fmt.Sprint(l.Label), &right)
	switch {
	case l.Ind == nil || l.Activity == "" || l.A+l.B == "":
		return multipleQuestion{}, errors.New("no ind, activity_label or ctx_a: not a line of HellaSwag")
	case len(l.Endings) < 2:
		return multipleQuestion{}, fmt.Errorf("%d endings", len(l.Endings))
	case right < 0 || right >= len(l.Endings):
		return multipleQuestion{}, errors.New("no label: give a file with labels, such as hellaswag_val.jsonl")
	}
	q := multipleQuestion{
		id: fmt.Sprint(*l.Ind), cluster: l.Source, right: right, labels: letters(len(l.Endings)),
		open: withoutMarks(l.Activity + ": " + l.A + " " + capitalized(l.B)),
	}
	for _, ending := range l.Endings {
		q.options = append(q.options, withoutMarks(ending))
	}
	q.text = q.open
	return q, nil
}

// marks are left over from the articles of WikiHow.
var marks = regexp.MustCompile(`\[.*?\]`)

func withoutMarks(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), " [title]", ". ")
	return strings.ReplaceAll(marks.ReplaceAllString(text, ""), "  ", " ")
}

// capitalized is Python's str.capitalize: the rest becomes lower case.
func capitalized(text string) string {
	for i, r := range text {
		rest := text[i+len(string(r)):]
		return string(unicode.ToTitle(r)) + cases.Lower(language.Und).String(rest)
	}
	return text
}
