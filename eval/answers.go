package eval

import (
	"context"
	"errors"
	"fmt"
)

// Recorded is an answer that was given elsewhere: one line of a file.
type Recorded struct {
	ID     string  `json:"id"`
	Answer *string `json:"answer"`           // nil (null or absent) if there is none: the item is missing, not wrong
	Finish Finish  `json:"finish,omitempty"` // default FinishStop
	Where  string  `json:"-"`                // "path:line", for messages
}

// LoadAnswers reads a JSON Lines file of recorded answers, {"id":..,"answer":..}
// a line. Unknown keys are passed over; an id must not come twice.
func LoadAnswers(path string) ([]Recorded, error) {
	var answers []Recorded
	seen := map[string]int{}
	err := ReadJSONL(path, func(line int, r Recorded) error {
		if err := r.validate(); err != nil {
			return err
		}
		if first, twice := seen[r.ID]; twice {
			return fmt.Errorf("id %q has an answer on line %d already", r.ID, first)
		}
		seen[r.ID] = line
		r.Where = fmt.Sprintf("%s:%d", path, line)
		answers = append(answers, r)
		return nil
	})
	if err == nil && len(answers) == 0 {
		err = fmt.Errorf("%s: no answers", path)
	}
	return answers, err
}

func (r Recorded) validate() error {
	if r.ID == "" {
		return missing("id")
	}
	switch r.Finish {
	case "", FinishStop, FinishLength, FinishError:
		return nil
	}
	return fmt.Errorf("finish %q is none of stop, length, error", r.Finish)
}

// ScoreAnswers scores recorded answers: one outcome an item, in the order of the
// items. An item without an answer is StateMissing, not wrong. It is an error if
// an answer's id is not among the items, if an id comes twice or if an item is
// not valid.
func ScoreAnswers(items []Item, answers []Recorded) ([]Outcome, error) {
	if err := checkItems(items); err != nil {
		return nil, err
	}
	open := make(map[string]bool, len(items))
	for _, it := range items {
		open[it.ID] = true
	}
	given := make(map[string]Recorded, len(answers))
	for _, r := range answers {
		if !open[r.ID] {
			return nil, r.stray(given)
		}
		delete(open, r.ID)
		given[r.ID] = r
	}
	return judgeAll(len(items), func(i int) Metric { return metrics[items[i].Metric] }, func(i int) Outcome {
		return given[items[i].ID].judge(items[i])
	}), nil
}

// stray says why an answer belongs to no open item.
func (r Recorded) stray(given map[string]Recorded) error {
	err := fmt.Errorf("no item has the id %q", r.ID)
	if first, twice := given[r.ID]; twice {
		err = fmt.Errorf("id %q has two answers", r.ID)
		if first.Where != "" {
			err = fmt.Errorf("id %q has an answer in %s already", r.ID, first.Where)
		}
	}
	if r.Where != "" {
		err = fmt.Errorf("%s: %w", r.Where, err)
	}
	return err
}

func (r Recorded) judge(it Item) Outcome {
	if r.Finish == FinishError {
		return unscored(it, StateFailed).fail(errors.New("the server had failed when the answers were recorded"))
	}
	if r.Answer == nil {
		return unscored(it, StateMissing)
	}
	a := Answer{Reply: Reply{Text: *r.Answer, Finish: FinishStop}}
	if r.Finish != "" {
		a.Finish = r.Finish
	}
	return judge(context.Background(), it, metrics[it.Metric], Question{}, a)
}
