package benchmarks

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"soup/eval"
)

// arc is the AI2 Reasoning Challenge (https://arxiv.org/abs/1803.05457): science
// questions of school exams. Path is a file such as ARC-Challenge-Test.jsonl, or
// one that was exported from the data set allenai/ai2_arc. A line of either form
//
//	{"id": "x1", "question": {"stem": "What melts?", "choices": [{"text": "ice", "label": "A"}, {"text": "steam", "label": "B"}]}, "answerKey": "A"}
//	{"id": "x1", "question": "What melts?", "choices": {"text": ["ice", "steam"], "label": ["A", "B"]}, "answerKey": "A"}
//
// becomes the form of lm-evaluation-harness 0.4.13 (lm_eval/tasks/arc), which each
// choice's text goes on from:
//
//	Question: What melts?
//	Answer:
//
// lm-eval reports acc and acc_norm; which one an item is scored by is an option.
// There are no examples unless they are asked for. Chance level is 0.25: nearly all
// questions have four choices.
//
// Options:
//
//	ask         choices (default), labels or generate
//	score       of choices: acc_norm (default) or acc
//	shots       default 0; the first of examples
//	examples    file with them, such as ARC-Challenge-Train.jsonl
//	max_tokens  of generate; default 2048
type arc struct {
	multiple
	shots string
}

// arcLine is a line of either form.
type arcLine struct {
	ID        string          `json:"id"`
	Question  json.RawMessage `json:"question"`
	Choices   json.RawMessage `json:"choices"`
	AnswerKey string          `json:"answerKey"`
}

func init() { families["arc"] = family{load: loadARC} }

func loadARC(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	a := arc{multiple: askOptions(s, o, "choices", "labels", "generate")}
	shots, examples := o.count("shots", 0, 0), o.path("examples")
	if shots > 0 && examples == "" {
		o.fail("shots", "needs the option examples, a file")
	}
	if shots > 0 && a.ask == "generate" {
		o.fail("shots", "does not go with ask: generate")
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("arc: %w", err)
	}
	if shots > 0 {
		questions, err := a.read(examples)
		if err != nil {
			return nil, err
		}
		if len(questions) < shots {
			return nil, fmt.Errorf("%s: %d lines for %d examples", examples, len(questions), shots)
		}
		for _, q := range questions[:shots] {
			a.shots += a.shot(q)
		}
	}
	questions, err := a.read(s.Path)
	if err != nil {
		return nil, err
	}
	var items []eval.Item
	for _, q := range questions {
		items = append(items, a.item(q, a.shots))
	}
	return checked(s.Path, items)
}

func (a arc) read(path string) ([]multipleQuestion, error) {
	var questions []multipleQuestion
	err := eval.ReadJSONL(path, func(_ int, line arcLine) error {
		q, err := line.question()
		q.category = a.source.Name
		questions = append(questions, q)
		return err
	})
	return questions, err
}

func (l arcLine) question() (multipleQuestion, error) {
	q := multipleQuestion{id: l.ID}
	var official struct {
		Stem    string
		Choices []struct{ Text, Label string }
	}
	var exported struct{ Text, Label []string }
	switch {
	case json.Unmarshal(l.Question, &q.text) == nil && json.Unmarshal(l.Choices, &exported) == nil:
		q.options, q.labels = exported.Text, exported.Label
	case json.Unmarshal(l.Question, &official) == nil:
		q.text = official.Stem
		for _, c := range official.Choices {
			q.options, q.labels = append(q.options, c.Text), append(q.labels, c.Label)
		}
	}
	q.right = slices.Index(q.labels, l.AnswerKey)
	switch {
	case q.id == "" || strings.TrimSpace(q.text) == "":
		return q, errors.New("no id or no question, in neither form of ARC")
	case len(q.options) < 2 || len(q.options) != len(q.labels):
		return q, fmt.Errorf("%d choices with %d labels", len(q.options), len(q.labels))
	case q.right < 0:
		return q, fmt.Errorf("answerKey %q is none of the labels %s", l.AnswerKey, strings.Join(q.labels, ", "))
	}
	q.open = "Question: " + q.text + "\nAnswer:"
	return q, nil
}
