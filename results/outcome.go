package results

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// The states of an outcome, beside Failed: the server gave no answer. Only OK
// and Truncated ones have a score.
const (
	OK        = "ok"
	Truncated = "truncated" // scored, but cut off at the token limit
	Timeout   = "timeout"   // the server gave no answer in time
	Missing   = "missing"   // the file of recorded answers has none
)

// The splits of a study's items.
const (
	Search    = "search"
	Selection = "selection"
	Test      = "test"
)

// Outcome is what became of one item in one trial.
type Outcome struct {
	Item     string // id, unique in the study
	Category string
	Cluster  string        // items that are not independent share it; or empty
	Split    string        // filled in by Outcomes; Record has it as an argument
	State    string        // OK, Truncated, Failed, Timeout or Missing
	Score    float64       // finite; means nothing unless Scored
	Soft     *float64      // finite; nil if there is none
	Answer   string        // text
	Finish   string        // stop, length or error
	Error    string        // one line; empty if all went well
	Failure  string        // kind of failure, such as "out of memory"; empty where it is none of the known ones
	Latency  time.Duration // whole call, not negative
	Labels   *LabelScores  // of a question with labels that the server scored, else nil; Outcomes leaves it nil, see Ledger.Labels
}

// Scored reports whether the item was measured.
func (o Outcome) Scored() bool { return o.State == OK || o.State == Truncated }

// Record writes a batch of a trial's outcomes on one split, all or none. What
// is there already stays, so a batch may be recorded again; only an outcome
// without a score gives way to one that has a score. An item keeps the split,
// category and cluster it was first recorded with; others are an error, as are
// an unknown trial and a cached one.
func (l *Ledger) Record(trial int, split string, outcomes []Outcome) error {
	for _, o := range outcomes {
		if err := o.check(); err != nil {
			return l.wrap(fmt.Errorf("trial %d: item %q: %w", trial, o.Item, err))
		}
	}
	return l.write(func(tx *sql.Tx) error {
		if err := mayRecord(tx, trial, split); err != nil {
			return err
		}
		return record(tx, trial, split, outcomes)
	})
}

// check finds what SQLite would store as something else (NaN as NULL), and
// names it.
func (o Outcome) check() error {
	switch {
	case o.Item == "":
		return errors.New("no id")
	case !o.Scored() && o.State != Failed && o.State != Timeout && o.State != Missing:
		return fmt.Errorf("unknown state %q", o.State)
	case o.Scored() && !finite(o.Score):
		return fmt.Errorf("score %v", o.Score)
	case o.Soft != nil && !finite(*o.Soft):
		return fmt.Errorf("smooth score %v", *o.Soft)
	case o.Latency < 0:
		return fmt.Errorf("latency %v", o.Latency)
	case o.Labels != nil:
		return o.Labels.check()
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func mayRecord(tx *sql.Tx, trial int, split string) error {
	if split != Search && split != Selection && split != Test {
		return fmt.Errorf("unknown split %q", split)
	}
	t, err := trialAt(tx, trial)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("no trial %d", trial)
	case err == nil && t.State == Cached:
		return fmt.Errorf("trial %d is cached: trial %d holds its outcomes", trial, t.Of)
	}
	return err
}

// Register gives the items of a split their places in the order of [Ledger.Outcomes],
// where their answers may be recorded in another. Of an item that has one, it stands.
// Only item, category and cluster of each are read.
func (l *Ledger) Register(split string, items []Outcome) error {
	return l.write(func(tx *sql.Tx) error {
		insert, err := tx.Prepare(registerItem)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, it := range items {
			if _, err := it.register(insert, split); err != nil {
				return fmt.Errorf("item %q: %w", it.Item, err)
			}
		}
		return nil
	})
}

const registerItem = `INSERT INTO items (item, category, cluster, split) VALUES (?1, ?2, ?3, ?4)
	ON CONFLICT (item) DO UPDATE SET split = split RETURNING number, category, cluster, split`

func record(tx *sql.Tx, trial int, split string, outcomes []Outcome) error {
	item, err := tx.Prepare(registerItem)
	if err != nil {
		return err
	}
	defer item.Close()
	outcome, err := tx.Prepare(`INSERT INTO outcomes (trial, item, state, score, soft, answer, finish, error, latency, failure)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (trial, item) DO UPDATE SET state = excluded.state, score = excluded.score, soft = excluded.soft,
			answer = excluded.answer, finish = excluded.finish, error = excluded.error, latency = excluded.latency, failure = excluded.failure
		WHERE outcomes.score IS NULL AND excluded.score IS NOT NULL`)
	if err != nil {
		return err
	}
	defer outcome.Close()
	label, err := tx.Prepare(insertLabel)
	if err != nil {
		return err
	}
	defer label.Close()
	changed := int64(0)
	for _, o := range outcomes {
		n, err := o.insert(item, outcome, trial, split)
		if err != nil {
			return fmt.Errorf("trial %d: item %q: %w", trial, o.Item, err)
		}
		if n > 0 {
			if err := insertLabels(label, trial, o); err != nil {
				return fmt.Errorf("trial %d: item %q: %w", trial, o.Item, err)
			}
		}
		changed += n
	}
	if changed == 0 {
		return nil
	}
	return outdate(tx, scored{trial, split})
}

// insert returns how many rows it changed: 0 where the outcome was there.
func (o Outcome) insert(item, outcome *sql.Stmt, trial int, split string) (int64, error) {
	number, err := o.register(item, split)
	if err != nil {
		return 0, err
	}
	done, err := outcome.Exec(trial, number, o.State, o.nullableScore(), o.Soft, o.Answer, o.Finish, o.Error, int64(o.Latency), o.Failure)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// register returns the item's number, having checked that it is the same item.
func (o Outcome) register(insert *sql.Stmt, split string) (number int64, err error) {
	var was Outcome
	err = insert.QueryRow(o.Item, o.Category, o.Cluster, split).Scan(&number, &was.Category, &was.Cluster, &was.Split)
	switch {
	case err != nil:
		return 0, err
	case was.Split != split:
		return 0, fmt.Errorf("is in split %s, not %s", was.Split, split)
	case was.Category != o.Category:
		return 0, fmt.Errorf("is in category %q, not %q", was.Category, o.Category)
	case was.Cluster != o.Cluster:
		return 0, fmt.Errorf("is in cluster %q, not %q", was.Cluster, o.Cluster)
	}
	return number, nil
}

func (o Outcome) nullableScore() *float64 {
	if !o.Scored() {
		return nil
	}
	return &o.Score
}

// Outcomes returns a trial's outcomes on a split, or on all splits if split is
// empty, in the order in which the items were first recorded in the study: the
// same for every trial. A cached trial has the outcomes of the trial it points
// to.
func (l *Ledger) Outcomes(trial int, split string) ([]Outcome, error) {
	t, err := l.Trial(trial)
	if err != nil {
		return nil, err
	}
	outcomes, err := outcomesOf(l.db, t.Of, split)
	return outcomes, l.wrap(err)
}

func outcomesOf(q querier, trial int, split string) ([]Outcome, error) {
	return collect(q, scanOutcome, `SELECT i.item, i.category, i.cluster, i.split,
			o.state, o.score, o.soft, o.answer, o.finish, o.error, o.latency, o.failure
		FROM outcomes o JOIN items i ON i.number = o.item
		WHERE o.trial = ?1 AND (?2 = '' OR i.split = ?2) ORDER BY o.item`, trial, split)
}

func scanOutcome(rows *sql.Rows) (o Outcome, err error) {
	var score *float64
	err = rows.Scan(&o.Item, &o.Category, &o.Cluster, &o.Split,
		&o.State, &score, &o.Soft, &o.Answer, &o.Finish, &o.Error, &o.Latency, &o.Failure)
	if score != nil {
		o.Score = *score
	}
	return o, err
}

// ItemScores calls visit for each outcome of a trial of its own, in the order of
// Outcomes, with little else than its score: a third of the time. A score means
// nothing where the state has none.
func (l *Ledger) ItemScores(trial int, visit func(item, state string, score float64)) error {
	_, err := collect(l.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var item, state string
		var score float64
		err = rows.Scan(&item, &state, &score)
		visit(item, state, score)
		return struct{}{}, err
	}, `SELECT i.item, o.state, coalesce(o.score, 0.0) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? ORDER BY o.item`, trial)
	return l.wrap(err)
}

// Answered returns how many items were measured, over all trials and splits.
func (l *Ledger) Answered() (int, error) {
	query := `SELECT count(score) FROM outcomes`
	if l.format >= scoresFormat { // then few outcomes are read
		query = `SELECT (SELECT coalesce(sum(n), 0) FROM scores WHERE current = 1) +
			(SELECT count(o.score) FROM scores s CROSS JOIN outcomes o ON o.trial = s.trial JOIN items i ON i.number = o.item AND i.split = s.split
			WHERE s.current = 0)`
	}
	var n int
	err := l.db.QueryRow(query).Scan(&n)
	return n, l.wrap(err)
}

// AnsweredBy returns how many outcomes a trial has of its own on a split, scored or
// not.
func (l *Ledger) AnsweredBy(trial int, split string) (int, error) {
	var n int
	err := l.db.QueryRow(`SELECT count(*) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = ?`, trial, split).Scan(&n)
	return n, l.wrap(err)
}
