package benchmarks

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"soup/eval"
)

// mmlu is MMLU (https://arxiv.org/abs/2009.03300): exam questions of 57 subjects.
// Path is the unpacked data folder, with test/anatomy_test.csv, dev/anatomy_dev.csv
// and so on, a question, four options and the letter a line, without a header:
//
//	Which organ pumps blood?,liver,heart,lung,skin,B
//
// It becomes, after five examples of the subject, the form of
// lm-evaluation-harness 0.4.13 (lm_eval/tasks/mmlu/default):
//
//	The following are multiple choice questions (with answers) about anatomy.
//
//	Which organ pumps blood?
//	A. liver
//	B. heart
//	C. lung
//	D. skin
//	Answer:
//
// and the likeliest letter is the answer. With ask: choices the letters are scored
// as texts after a space, which is lm-eval's way and needs a server with that power;
// with ask: generate the prompt and the reading of the letter are those of
// simple-evals (openai/simple-evals, mmlu_eval.py, commit ee3b031). Chance level is
// 0.25. A subject is a category. lm-eval counts a mean over all questions, which is
// the figure acc.
//
// Options:
//
//	ask         labels (default), choices or generate
//	part        test (default), val or dev
//	subjects    default all whose file is there
//	shots       examples from dev; default 5, none with generate
//	max_tokens  of generate; default 2048
type mmlu struct {
	multiple
	part  string
	shots int
}

func init() { families["mmlu"] = family{load: loadMMLU, figures: meanFigure} }

func loadMMLU(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	m := mmlu{multiple: askOptions(s, o, "labels", "choices", "generate"), part: o.choice("part", "test", "val", "dev")}
	standard := 5
	if m.ask == "generate" {
		standard = 0
	}
	m.shots = o.count("shots", standard, 0)
	if m.ask == "generate" && m.shots > 0 {
		o.fail("shots", "does not go with ask: generate")
	}
	if s.Options["score"] != nil {
		o.fail("score", "every choice is one letter: there is only acc")
	}
	m.by = "sum"
	subjects := o.list("subjects")
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("mmlu: %w", err)
	}
	if len(subjects) == 0 {
		found, _ := filepath.Glob(m.path(m.part, "*"))
		for _, f := range found {
			subjects = append(subjects, strings.TrimSuffix(filepath.Base(f), "_"+m.part+".csv"))
		}
		slices.Sort(subjects)
	}
	if len(subjects) == 0 {
		return nil, fmt.Errorf("mmlu: nothing matches %s: give the folder that has test and dev", m.path(m.part, "*"))
	}
	var items []eval.Item
	for _, subject := range subjects {
		more, err := m.load(subject)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return checked(s.Path, items)
}

func (m mmlu) path(part, subject string) string {
	return filepath.Join(m.source.Path, part, subject+"_"+part+".csv")
}

func (m mmlu) load(subject string) ([]eval.Item, error) {
	shots := ""
	if m.shots > 0 {
		examples, err := m.read("dev", subject)
		if err != nil {
			return nil, err
		}
		if len(examples) < m.shots {
			return nil, fmt.Errorf("%s: %d lines for %d examples", m.path("dev", subject), len(examples), m.shots)
		}
		for _, q := range examples[:m.shots] {
			shots += m.shot(q)
		}
	}
	questions, err := m.read(m.part, subject)
	if err != nil {
		return nil, err
	}
	m.intro = "The following are multiple choice questions (with answers) about " + strings.ReplaceAll(subject, "_", " ") + ".\n\n"
	var items []eval.Item
	for _, q := range questions {
		items = append(items, m.item(q, shots))
	}
	return items, nil
}

// item asks for letters in every way.
func (m mmlu) item(q multipleQuestion, shots string) eval.Item {
	if m.ask == "choices" {
		q.open, q.options = q.lettered(), q.labels
	}
	return m.multiple.item(q, shots)
}

func (m mmlu) shot(q multipleQuestion) string {
	return q.lettered() + " " + q.labels[q.right] + "\n\n"
}

func (m mmlu) read(part, subject string) ([]multipleQuestion, error) {
	path := m.path(part, subject)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mmlu: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.LazyQuotes = 6, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: %w", path, errors.New("no questions"))
	}
	questions := make([]multipleQuestion, len(rows))
	for i, row := range rows {
		q := multipleQuestion{
			id: fmt.Sprintf("%s-%04d", subject, i), category: subject, labels: letters(4),
			text: strings.TrimSpace(row[0]), options: row[1:5], right: strings.Index("ABCD", row[5]),
		}
		if len(row[5]) != 1 || q.right < 0 {
			return nil, fmt.Errorf("%s: question %d: answer %q is none of A, B, C, D", path, i+1, row[5])
		}
		questions[i] = q
	}
	return questions, nil
}

// meanFigure is the mean over all items, whatever their categories.
func meanFigure(items []eval.Item, outcomes []eval.Outcome) []Figure {
	ours := map[string]bool{}
	for _, it := range items {
		ours[it.ID] = true
	}
	sum, n := 0.0, 0.0
	for _, o := range outcomes {
		if ours[o.ID] && o.Scored() {
			sum += o.Score
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []Figure{{Name: "acc", Value: sum / n}}
}
