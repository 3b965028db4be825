package results

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// invariants are what the schema cannot say. Each query returns one row of text
// a violation.
var invariants = []string{
	`SELECT 'trial ' || number || ' is missing its forerunner ' || (number - 1) FROM trials
		WHERE number > 0 AND number - 1 NOT IN (SELECT number FROM trials)`,
	`SELECT 'cached trial ' || t.number || ' points to trial ' || o.number || ', which is ' || o.state
		FROM trials t JOIN trials o ON o.number = t.of WHERE t.state = 'cached' AND o.state NOT IN ('complete', 'pruned')`,
	`SELECT 'cached trial ' || number || ' has outcomes of its own' FROM trials
		WHERE state = 'cached' AND number IN (SELECT trial FROM outcomes)`,
	`SELECT 'trial ' || number || ' is ' || state || ' but has no time of finishing' FROM trials
		WHERE (state = 'running') <> (finished = '')`,
	`SELECT 'the winner, trial ' || t.number || ', is ' || t.state
		FROM winner w JOIN trials t ON t.number = w.trial WHERE t.state <> 'complete'`,
	`SELECT 'trials exist but no study' FROM trials WHERE number = 0 AND NOT EXISTS (SELECT 1 FROM study)`,
}

// scoreInvariants hold from scoresFormat on.
var scoreInvariants = []string{
	`SELECT 'the score of trial ' || s.trial || ' on ' || s.split || ' is of ' || s.n || ' items, not of ' || count(o.score)
		FROM scores s CROSS JOIN outcomes o ON o.trial = s.trial JOIN items i ON i.number = o.item AND i.split = s.split
		WHERE s.current = 1 GROUP BY s.trial, s.split HAVING s.n <> count(o.score)`,
	`SELECT 'the score of trial ' || trial || ' on ' || split || ' is not there' FROM (
		SELECT DISTINCT o.trial, i.split FROM outcomes o JOIN items i ON i.number = o.item
		EXCEPT SELECT trial, split FROM scores)`,
}

// Check returns an error that names every broken promise of the file: damage,
// rows that point nowhere, numbers that are not dense, weights that are not
// numbers or do not fit the parents, cached trials that point to such as
// were not scored, and what else the schema forbids (unknown states, an outcome with a
// state and a score that contradict, an unknown split). It reads the whole
// ledger. In a directory that may not be written SQLite does not verify the last
// kind.
func (l *Ledger) Check() error {
	var faults []string
	broken := func(q querier) ([]string, error) { return broken(q, l.format) }
	for _, find := range []func(querier) ([]string, error){integrity, references, broken, weights} {
		found, err := find(l.db)
		if err != nil {
			return l.wrap(err)
		}
		faults = append(faults, found...)
	}
	if len(faults) == 0 {
		return nil
	}
	return l.wrap(errors.New(strings.Join(faults, "; ")))
}

// integrity checks pages, indexes, types and CHECK constraints.
func integrity(q querier) ([]string, error) {
	found, err := texts(q, `PRAGMA integrity_check`)
	if len(found) == 1 && found[0] == "ok" {
		return nil, err
	}
	return found, err
}

func references(q querier) ([]string, error) {
	return texts(q, `SELECT 'a row of ' || "table" || ' points to a row of ' || parent || ' that is not there'
		FROM pragma_foreign_key_check`)
}

func broken(q querier, format int) ([]string, error) {
	promised := invariants
	if format >= scoresFormat {
		promised = slices.Concat(invariants, scoreInvariants)
	}
	var faults []string
	for _, query := range promised {
		found, err := texts(q, query)
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

func weights(q querier) ([]string, error) {
	var parents int
	if err := q.QueryRow(`SELECT count(*) FROM parents`).Scan(&parents); err != nil {
		return nil, err
	}
	trials, err := collect(q, scanTrial, selectTrial+` ORDER BY number`)
	if err != nil {
		return []string{err.Error()}, nil
	}
	var faults []string
	for _, t := range trials {
		if err := t.shape(); err != nil {
			faults = append(faults, fmt.Sprintf("trial %d: %v", t.Number, err))
		} else if len(t.Weights[0]) != parents {
			faults = append(faults, fmt.Sprintf("trial %d: %d weights for %d parents", t.Number, len(t.Weights[0]), parents))
		}
	}
	return faults, nil
}

func texts(q querier, query string) ([]string, error) {
	return collect(q, func(rows *sql.Rows) (s string, err error) { return s, rows.Scan(&s) }, query)
}
