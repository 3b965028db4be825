package results

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
)

// LabelScores are the log-probabilities of a question's labels, in nats.
type LabelScores struct {
	LogProbs []float64 // finite
	Right    int       // place of the right label
}

func (s LabelScores) check() error {
	if s.Right < 0 || s.Right >= len(s.LogProbs) || slices.ContainsFunc(s.LogProbs, func(x float64) bool { return !finite(x) }) {
		return fmt.Errorf("labels %v, right is %d", s.LogProbs, s.Right)
	}
	return nil
}

// insertLabel puts the labels of an outcome in place of those of one that gave way to it.
const insertLabel = `INSERT INTO labels (trial, item, "right", logprobs) SELECT ?, number, ?, ? FROM items WHERE item = ?
	ON CONFLICT (trial, item) DO UPDATE SET "right" = excluded."right", logprobs = excluded.logprobs`

func insertLabels(insert *sql.Stmt, trial int, o Outcome) error {
	if o.Labels == nil {
		return nil
	}
	text, err := json.Marshal(o.Labels.LogProbs)
	if err != nil {
		return err
	}
	_, err = insert.Exec(trial, o.Labels.Right, string(text), o.Item)
	return err
}

// Labels returns the log-probabilities of a trial's labels on a split by item; none
// for studies of versions that did not keep them.
func (l *Ledger) Labels(trial int, split string) (map[string]LabelScores, error) {
	of := map[string]LabelScores{}
	if l.format < labelsFormat {
		return of, nil
	}
	t, err := l.Trial(trial)
	if err != nil {
		return nil, err
	}
	_, err = collect(l.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var item, text string
		var s LabelScores
		if err = rows.Scan(&item, &s.Right, &text); err == nil {
			err = json.Unmarshal([]byte(text), &s.LogProbs)
		}
		of[item] = s
		return struct{}{}, err
	}, `SELECT i.item, b."right", b.logprobs FROM labels b JOIN items i ON i.number = b.item WHERE b.trial = ? AND i.split = ?`, t.Of, split)
	return of, l.wrap(err)
}
