package results

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// The states of a trial.
const (
	Running  = "running"  // begun, or cut off
	Complete = "complete" // every search item has an outcome
	Pruned   = "pruned"   // stopped early: it could no longer win
	Failed   = "failed"   // the candidate could not be scored: Reason says why
	Cached   = "cached"   // an earlier trial has the outcomes
)

// Trial is one candidate and what became of it. Its outcomes are recorded
// beside it.
type Trial struct {
	Number   int // dense, from 0, in the order of Start
	Strategy string
	Label    string      // short name for people
	Key      string      // what the outcomes depend on: equal keys, equal outcomes
	Weights  [][]float64 // one row a group, one number a parent, finite
	Groups   []string    // names of the rows; nil if there is one row for all tensors
	State    string      // Running, Complete, Pruned, Failed or Cached
	Of       int         // the trial that holds the outcomes: Number unless cached
	Reason   string      // why pruned or failed; else empty
	Failure  string      // kind of failure, where it is a known one
	Merge    float64     // seconds
	Swap     float64     // seconds
	Eval     float64     // seconds
	First    float64     // seconds of Eval until the first answer came
	Attempt  int         // from 1; see Start
	Started  time.Time   // for display; filled in by the ledger if zero
	Finished time.Time   // for display; filled in by the ledger if zero; zero while running
}

// Start records that a candidate is being tried. Of a trial it needs Number,
// the next one, and Strategy, Label, Key, Weights and Groups.
//
// A number that exists must be the same candidate, else Start returns an error:
// a study that continues must ask what an unbroken run would have asked. Then
// Start changes nothing, unless Attempt is higher than recorded: this reopens a
// trial that is running (it was cut off) or failed.
func (l *Ledger) Start(t Trial) error {
	return l.write(func(tx *sql.Tx) error { return start(tx, t) })
}

// Finish records a trial's end: State, Reason, Of if cached, and the seconds.
// It starts the trial where that was not done, as for cached ones. Finishing a
// trial again as it was changes nothing; in another state it is an error.
func (l *Ledger) Finish(t Trial) error {
	if t.State == Cached && t.Of == t.Number || t.State == Running {
		return l.wrap(fmt.Errorf("trial %d cannot finish as %s", t.Number, t.State))
	}
	return l.write(func(tx *sql.Tx) error {
		if err := start(tx, t); err != nil {
			return err
		}
		return finish(tx, t)
	})
}

func start(tx *sql.Tx, t Trial) error {
	weights, groups, err := t.encode()
	if err != nil {
		return err
	}
	was, err := trialAt(tx, t.Number)
	if errors.Is(err, sql.ErrNoRows) {
		return insert(tx, t, weights, groups)
	}
	if err != nil {
		return err
	}
	if err := was.same(t, weights, groups); err != nil {
		return err
	}
	if t.Attempt <= was.Attempt || was.State != Running && was.State != Failed {
		return nil
	}
	_, err = tx.Exec(`UPDATE trials SET state = ?, reason = '', failure = '', attempt = ?, started = ?, finished = '' WHERE number = ?`,
		Running, t.Attempt, stamp(orNow(t.Started)), t.Number)
	return err
}

func insert(tx *sql.Tx, t Trial, weights, groups string) error {
	var next, parents int
	err := tx.QueryRow(`SELECT (SELECT count(*) FROM trials), (SELECT count(*) FROM parents)`).Scan(&next, &parents)
	switch {
	case err != nil:
		return err
	case t.Number != next:
		return fmt.Errorf("trial %d cannot start: trial %d is next", t.Number, next)
	case len(t.Weights[0]) != parents:
		return fmt.Errorf("trial %d: %d weights for %d parents", t.Number, len(t.Weights[0]), parents)
	}
	_, err = tx.Exec(`INSERT INTO trials (number, strategy, label, key, weights, groups, state, of, reason,
			merge_seconds, swap_seconds, eval_seconds, attempt, started, finished)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, ?, ?, '')`,
		t.Number, t.Strategy, t.Label, t.Key, weights, groups, Running, t.Number, max(t.Attempt, 1), stamp(orNow(t.Started)))
	return err
}

func finish(tx *sql.Tx, t Trial) error {
	was, err := trialAt(tx, t.Number)
	if err != nil {
		return err
	}
	of := t.Number
	if t.State == Cached {
		of = t.Of
		if err := holdsOutcomes(tx, t); err != nil {
			return err
		}
	}
	if was.State != Running {
		if was.State != t.State || was.Of != of {
			return fmt.Errorf("trial %d cannot finish as %s: it is %s", t.Number, t.State, was.State)
		}
		return nil
	}
	_, err = tx.Exec(`UPDATE trials SET state = ?, of = ?, reason = ?, failure = ?, merge_seconds = ?, swap_seconds = ?, eval_seconds = ?,
		first_token_seconds = ?, finished = ? WHERE number = ?`,
		t.State, of, t.Reason, t.Failure, t.Merge, t.Swap, t.Eval, t.First, stamp(orNow(t.Finished)), t.Number)
	if err != nil {
		return fmt.Errorf("trial %d: %w", t.Number, err)
	}
	return nil
}

// holdsOutcomes checks what a cached trial points to and that it has no
// outcomes of its own.
func holdsOutcomes(tx *sql.Tx, t Trial) error {
	of, err := trialAt(tx, t.Of)
	if errors.Is(err, sql.ErrNoRows) || err == nil && of.State != Complete && of.State != Pruned {
		return fmt.Errorf("trial %d cannot be cached: trial %d is neither complete nor pruned", t.Number, t.Of)
	}
	if err != nil {
		return err
	}
	var own int
	if err := tx.QueryRow(`SELECT count(*) FROM outcomes WHERE trial = ?`, t.Number).Scan(&own); err != nil {
		return err
	}
	if own > 0 {
		return fmt.Errorf("trial %d cannot be cached: it has outcomes of its own", t.Number)
	}
	return nil
}

// same reports, as an error, that two trials of one number are two candidates.
func (t Trial) same(other Trial, weights, groups string) error {
	w, g, err := t.encode()
	if err != nil {
		return err
	}
	if t.Strategy == other.Strategy && t.Key == other.Key && w == weights && g == groups {
		return nil
	}
	return fmt.Errorf("trial %d is %s's %q, not %s's %q", t.Number, t.Strategy, t.Label, other.Strategy, other.Label)
}

// encode gives weights and groups as JSON. Numbers keep every bit: encoding/json
// writes the shortest text that reads back the same.
func (t Trial) encode() (weights, groups string, err error) {
	if err := t.shape(); err != nil {
		return "", "", fmt.Errorf("trial %d: %w", t.Number, err)
	}
	w, err := json.Marshal(t.Weights)
	if err != nil {
		return "", "", err
	}
	g, err := json.Marshal(t.Groups)
	return string(w), string(g), err
}

func (t Trial) shape() error {
	switch {
	case len(t.Weights) == 0:
		return errors.New("no weights")
	case t.Groups == nil && len(t.Weights) > 1, t.Groups != nil && len(t.Groups) != len(t.Weights):
		return fmt.Errorf("%d rows of weights for %d groups", len(t.Weights), len(t.Groups))
	}
	for _, row := range t.Weights {
		if len(row) == 0 || len(row) != len(t.Weights[0]) {
			return errors.New("rows of weights differ in length or are empty")
		}
		for _, w := range row {
			if math.IsNaN(w) || math.IsInf(w, 0) {
				return fmt.Errorf("weight %v", w)
			}
		}
	}
	return nil
}

// Trials returns all trials by number.
func (l *Ledger) Trials() ([]Trial, error) {
	trials, err := collect(l.db, scanTrial, selectTrial+` ORDER BY number`)
	return trials, l.wrap(err)
}

// Trial returns the trial of a number; an unknown one is an error.
func (l *Ledger) Trial(number int) (Trial, error) {
	t, err := trialAt(l.db, number)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("no trial %d", number)
	}
	return t, l.wrap(err)
}

// ByKey returns the first complete trial with the key and whether there is one.
func (l *Ledger) ByKey(key string) (Trial, bool, error) {
	t, err := one(l.db, selectTrial+` WHERE key = ? AND state = ? ORDER BY number LIMIT 1`, key, Complete)
	if errors.Is(err, sql.ErrNoRows) {
		return Trial{}, false, nil
	}
	return t, err == nil, l.wrap(err)
}

const selectTrial = `SELECT number, strategy, label, key, weights, groups, state, of, reason,
	merge_seconds, swap_seconds, eval_seconds, attempt, started, finished, first_token_seconds, failure FROM trials`

func trialAt(q querier, number int) (Trial, error) {
	return one(q, selectTrial+` WHERE number = ?`, number)
}

// one reads a query's first row; without one its error is sql.ErrNoRows.
func one(q querier, query string, args ...any) (Trial, error) {
	trials, err := collect(q, scanTrial, query, args...)
	if err != nil {
		return Trial{}, err
	}
	if len(trials) == 0 {
		return Trial{}, sql.ErrNoRows
	}
	return trials[0], nil
}

func scanTrial(rows *sql.Rows) (t Trial, err error) {
	var weights, groups, started, finished string
	err = rows.Scan(&t.Number, &t.Strategy, &t.Label, &t.Key, &weights, &groups, &t.State, &t.Of, &t.Reason,
		&t.Merge, &t.Swap, &t.Eval, &t.Attempt, &started, &finished, &t.First, &t.Failure)
	if err != nil {
		return Trial{}, err
	}
	t.Started, t.Finished = unstamp(started), unstamp(finished)
	if err := json.Unmarshal([]byte(weights), &t.Weights); err != nil {
		return Trial{}, fmt.Errorf("trial %d: weights %q: %w", t.Number, weights, err)
	}
	if err := json.Unmarshal([]byte(groups), &t.Groups); err != nil {
		return Trial{}, fmt.Errorf("trial %d: groups %q: %w", t.Number, groups, err)
	}
	return t, nil
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}
