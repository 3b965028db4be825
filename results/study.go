package results

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Study is what a ledger is about.
type Study struct {
	Name    string
	Seed    uint64
	Created time.Time // of the first Begin; filled in by the ledger if zero
	Config  string    // text of the study file
	// Settings are what the outcomes depend on beside seed and parents: items,
	// metrics, decoding, groups, store dtype, server. What may grow from one run
	// to the next (strategies, budget) is no setting.
	Settings []Setting
}

// Setting is a name and a value that stay as they are during a study.
type Setting struct{ Name, Value string }

// Parent is a checkpoint that goes into the study's soups.
type Parent struct {
	Name string
	Path string // may change: a checkpoint that was moved is the same one
	Hash string // of the content
}

// Change is one difference between the study in the ledger and the one given.
// Was or Is is empty where the setting is new or gone.
type Change struct{ Setting, Was, Is string }

func (c Change) String() string {
	switch {
	case c.Was == "":
		return fmt.Sprintf("%s is new (%s)", c.Setting, c.Is)
	case c.Is == "":
		return fmt.Sprintf("%s is gone (was %s)", c.Setting, c.Was)
	}
	return fmt.Sprintf("%s was %s, is %s", c.Setting, c.Was, c.Is)
}

// ChangedError is returned by Begin for a study that is not the one in the
// ledger: its outcomes would not be comparable with those recorded.
type ChangedError struct {
	Dir     string
	Changes []Change // at least one
}

func (e *ChangedError) Error() string {
	changes := make([]string, len(e.Changes))
	for i, c := range e.Changes {
		changes[i] = c.String()
	}
	return fmt.Sprintf("the study in %s was begun differently: %s", e.Dir, strings.Join(changes, "; "))
}

// Hint returns the remedy, one line.
func (e *ChangedError) Hint() string {
	return "undo the change, or give the new study a directory of its own"
}

// Begin records the study and its parents, in order, if the ledger holds none
// yet. Otherwise it compares: name, seed, settings, and the parents' names,
// order and hashes must be the same, else it returns a *ChangedError that names
// every difference and leaves the ledger alone. Paths and the text of the study
// file are brought up to date; the former text becomes an event of kind
// "config".
func (l *Ledger) Begin(s Study, parents []Parent) error {
	var changed *ChangedError
	err := l.write(func(tx *sql.Tx) error {
		was, before, err := load(tx)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return begin(tx, s, parents)
		case err != nil:
			return err
		}
		if changes := differences(was, s, before, parents); len(changes) > 0 {
			changed = &ChangedError{l.dir, changes}
			return nil
		}
		return resume(tx, was, s, parents)
	})
	if err == nil && changed != nil {
		return changed
	}
	return err
}

// Study returns the study and its parents; it has an error if none was begun.
func (l *Ledger) Study() (Study, []Parent, error) {
	s, parents, err := load(l.db)
	return s, parents, l.wrap(begunYet(err))
}

// begunYet says what it means that load finds nothing.
func begunYet(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return failf("start one with soup run", "holds no study yet")
	}
	return err
}

func begin(tx *sql.Tx, s Study, parents []Parent) error {
	if s.Created.IsZero() {
		s.Created = time.Now()
	}
	_, err := tx.Exec(`INSERT INTO study VALUES (1, ?, ?, ?, ?)`,
		s.Name, strconv.FormatUint(s.Seed, 10), stamp(s.Created), s.Config)
	if err != nil {
		return err
	}
	for i, x := range s.Settings {
		if _, err := tx.Exec(`INSERT INTO settings VALUES (?, ?, ?)`, i, x.Name, x.Value); err != nil {
			return fmt.Errorf("setting %q: %w", x.Name, err)
		}
	}
	for i, p := range parents {
		if _, err := tx.Exec(`INSERT INTO parents VALUES (?, ?, ?, ?)`, i, p.Name, p.Path, p.Hash); err != nil {
			return fmt.Errorf("parent %q: %w", p.Name, err)
		}
	}
	return nil
}

func resume(tx *sql.Tx, was, is Study, parents []Parent) error {
	for _, p := range parents {
		if _, err := tx.Exec(`UPDATE parents SET path = ? WHERE name = ?`, p.Path, p.Name); err != nil {
			return err
		}
	}
	if was.Config == is.Config {
		return nil
	}
	if err := addEvent(tx, "config", was.Config); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE study SET config = ?`, is.Config)
	return err
}

func differences(was, is Study, before, now []Parent) []Change {
	var changes []Change
	note := func(setting, was, is string) {
		if was != is {
			changes = append(changes, Change{setting, was, is})
		}
	}
	note("study", was.Name, is.Name)
	note("seed", strconv.FormatUint(was.Seed, 10), strconv.FormatUint(is.Seed, 10))
	for _, p := range pair(was.Settings, is.Settings, func(s Setting) string { return s.Name }) {
		note(p.name, p.a.Value, p.b.Value)
	}
	known := len(changes)
	for _, p := range pair(before, now, func(p Parent) string { return p.Name }) {
		note("parent "+p.name, p.a.Hash, p.b.Hash)
	}
	if len(changes) == known { // the same parents; the order decides which weight is whose
		note("order of parents", names(before), names(now))
	}
	return changes
}

// paired is what two lists have under one name.
type paired[T any] struct {
	name string
	a, b T
}

// pair joins two lists by name: as in a, then what only b has.
func pair[T any](a, b []T, name func(T) string) []paired[T] {
	at := map[string]int{}
	out := make([]paired[T], 0, len(a))
	for _, x := range a {
		at[name(x)] = len(out)
		out = append(out, paired[T]{name: name(x), a: x})
	}
	for _, x := range b {
		i, both := at[name(x)]
		if !both {
			i = len(out)
			out = append(out, paired[T]{name: name(x)})
		}
		out[i].b = x
	}
	return out
}

func names(parents []Parent) string {
	list := make([]string, len(parents))
	for i, p := range parents {
		list[i] = p.Name
	}
	return strings.Join(list, ", ")
}

// querier is a database or a transaction.
type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

func load(q querier) (s Study, parents []Parent, err error) {
	var seed, created string
	err = q.QueryRow(`SELECT name, seed, created, config FROM study`).Scan(&s.Name, &seed, &created, &s.Config)
	if err != nil {
		return Study{}, nil, err
	}
	s.Created = unstamp(created)
	if s.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
		return Study{}, nil, fmt.Errorf("seed %q is not a number", seed)
	}
	s.Settings, err = collect(q, func(rows *sql.Rows) (x Setting, err error) {
		return x, rows.Scan(&x.Name, &x.Value)
	}, `SELECT name, value FROM settings ORDER BY position`)
	if err != nil {
		return Study{}, nil, err
	}
	parents, err = collect(q, func(rows *sql.Rows) (p Parent, err error) {
		return p, rows.Scan(&p.Name, &p.Path, &p.Hash)
	}, `SELECT name, path, hash FROM parents ORDER BY position`)
	return s, parents, err
}

// collect reads all rows of a query.
func collect[T any](q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		x, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}
