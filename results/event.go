package results

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is something that happened during a study: a start, an interruption, a
// winner.
type Event struct {
	Number int // from 1, in order
	Time   time.Time
	Kind   string
	Detail json.RawMessage
}

// Note is what a strategy says about how it chose.
type Note struct {
	Strategy string   `json:"strategy"`
	Lines    []string `json:"lines"`
}

// Winner is the soup that a study chose and exported.
type Winner struct {
	Trial  int
	Path   string          // of the export
	SHA256 string          // of the export
	Reason json.RawMessage // why it won: any JSON, or nil
}

// Event adds an event; detail is anything that encodes to JSON.
func (l *Ledger) Event(kind string, detail any) error {
	return l.write(func(tx *sql.Tx) error { return addEvent(tx, kind, detail) })
}

func addEvent(tx *sql.Tx, kind string, detail any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("event %s: %w", kind, err)
	}
	_, err = tx.Exec(`INSERT INTO events (time, kind, detail) VALUES (?, ?, ?)`, stamp(time.Now()), kind, string(text))
	return err
}

// Events returns the events of a kind, or all if kind is empty, oldest first.
func (l *Ledger) Events(kind string) ([]Event, error) {
	events, err := collect(l.db, scanEvent, `SELECT number, time, kind, detail FROM events WHERE ?1 = '' OR kind = ?1 ORDER BY number`, kind)
	return events, l.wrap(err)
}

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var at, detail string
	err = rows.Scan(&e.Number, &at, &e.Kind, &detail)
	e.Time, e.Detail = unstamp(at), json.RawMessage(detail)
	return e, err
}

// Note records what a strategy has to say, in place of what it said before.
func (l *Ledger) Note(strategy string, lines []string) error {
	return l.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM notes WHERE strategy = ?`, strategy); err != nil {
			return err
		}
		for i, line := range lines {
			if _, err := tx.Exec(`INSERT INTO notes VALUES (?, ?, ?)`, strategy, i, line); err != nil {
				return err
			}
		}
		return nil
	})
}

// Notes returns the strategies' notes by name of strategy.
func (l *Ledger) Notes() ([]Note, error) {
	var notes []Note
	_, err := collect(l.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var strategy, line string
		err = rows.Scan(&strategy, &line)
		if n := len(notes); n == 0 || notes[n-1].Strategy != strategy {
			notes = append(notes, Note{Strategy: strategy})
		}
		last := &notes[len(notes)-1]
		last.Lines = append(last.Lines, line)
		return struct{}{}, err
	}, `SELECT strategy, text FROM notes ORDER BY strategy, line`)
	return notes, l.wrap(err)
}

// SetWinner records the winner, in place of a former one, and adds it to the
// events (kind "winner") where it differs, so that none is forgotten. The
// trial must be complete.
func (l *Ledger) SetWinner(w Winner) error {
	if w.Reason == nil {
		w.Reason = json.RawMessage("null")
	}
	if !json.Valid(w.Reason) {
		return l.wrap(errors.New("winner: the reason is not JSON"))
	}
	return l.write(func(tx *sql.Tx) error {
		t, err := trialAt(tx, w.Trial)
		if errors.Is(err, sql.ErrNoRows) || err == nil && t.State != Complete {
			return fmt.Errorf("trial %d cannot win: it is not complete", w.Trial)
		}
		if err != nil {
			return err
		}
		return replaceWinner(tx, w)
	})
}

func replaceWinner(tx *sql.Tx, w Winner) error {
	was, err := winner(tx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil && was.Trial == w.Trial && was.Path == w.Path && was.SHA256 == w.SHA256 && string(was.Reason) == string(w.Reason) {
		return nil
	}
	_, err = tx.Exec(`INSERT INTO winner VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
		SET trial = excluded.trial, path = excluded.path, sha256 = excluded.sha256, reason = excluded.reason`,
		w.Trial, w.Path, w.SHA256, string(w.Reason))
	if err != nil {
		return err
	}
	return addEvent(tx, "winner", map[string]any{"trial": w.Trial, "path": w.Path, "sha256": w.SHA256, "reason": w.Reason})
}

// Winner returns the winner and whether there is one yet.
func (l *Ledger) Winner() (Winner, bool, error) {
	w, err := winner(l.db)
	if errors.Is(err, sql.ErrNoRows) {
		return Winner{}, false, nil
	}
	return w, err == nil, l.wrap(err)
}

func winner(q querier) (w Winner, err error) {
	var reason string
	err = q.QueryRow(`SELECT trial, path, sha256, reason FROM winner`).Scan(&w.Trial, &w.Path, &w.SHA256, &reason)
	w.Reason = json.RawMessage(reason)
	return w, err
}
