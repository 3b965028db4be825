package results

import (
	"context"
	"database/sql"
	"fmt"
)

// scored is a trial on one split: what a Score belongs to.
type scored struct {
	trial int
	split string
}

// UpdateScores computes the scores whose outcomes have changed since, each in
// a transaction of its own, so that Scores finds them. It has nothing to do
// where it has just been called.
func (l *Ledger) UpdateScores(ctx context.Context, compute func([]Outcome) Score) error {
	outdated, err := outdated(l.db)
	if err != nil {
		return l.wrap(err)
	}
	for _, s := range outdated {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := l.write(func(tx *sql.Tx) error {
			outcomes, err := outcomesOf(tx, s.trial, s.split)
			if err != nil {
				return err
			}
			return keepScore(tx, s, compute(outcomes))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Scores returns the scores of every trial with outcomes of its own, also of
// trials that were cut off: from what UpdateScores kept, else computed now.
func (l *Ledger) Scores(ctx context.Context, compute func([]Outcome) Score) (map[int]Scores, error) {
	kept, missing, err := l.keptScores()
	if err != nil {
		return nil, l.wrap(err)
	}
	for _, s := range missing {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		outcomes, err := outcomesOf(l.db, s.trial, s.split)
		if err != nil {
			return nil, l.wrap(err)
		}
		score := compute(outcomes)
		kept[s] = &score
	}
	all := map[int]Scores{}
	for s, score := range kept {
		of := all[s.trial]
		*of.on(s.split) = score
		all[s.trial] = of
	}
	return all, nil
}

// on is the place of a split's score.
func (s *Scores) on(split string) **Score {
	switch split {
	case Search:
		return &s.Search
	case Selection:
		return &s.Selection
	}
	return &s.Test
}

// keptScores returns the scores that are up to date, and those that are not.
func (l *Ledger) keptScores() (kept map[scored]*Score, missing []scored, err error) {
	kept = map[scored]*Score{}
	if l.format < scoresFormat {
		missing, err = collect(l.db, scanScored, `SELECT DISTINCT o.trial, i.split FROM outcomes o JOIN items i ON i.number = o.item`)
		return kept, missing, err
	}
	_, err = collect(l.db, func(rows *sql.Rows) (_ struct{}, err error) {
		s, score := scored{}, Score{Categories: map[string]CategoryScore{}}
		err = rows.Scan(append([]any{&s.trial, &s.split, &score.Mean, &score.SE}, score.Counts.fields()...)...)
		kept[s] = &score
		return struct{}{}, err
	}, `SELECT trial, split, mean, se, n, failed, timeout, missing, truncated FROM scores WHERE current = 1`)
	if err != nil {
		return nil, nil, err
	}
	_, err = collect(l.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var s scored
		var name string
		var c CategoryScore
		err = rows.Scan(append([]any{&s.trial, &s.split, &name, &c.Mean, &c.SE}, c.Counts.fields()...)...)
		if of := kept[s]; of != nil {
			of.Categories[name] = c
		}
		return struct{}{}, err
	}, `SELECT trial, split, category, mean, se, n, failed, timeout, missing, truncated FROM category_scores`)
	if err != nil {
		return nil, nil, err
	}
	missing, err = outdated(l.db)
	return kept, missing, err
}

func outdated(q querier) ([]scored, error) {
	return collect(q, scanScored, `SELECT trial, split FROM scores WHERE current = 0`)
}

func scanScored(rows *sql.Rows) (s scored, err error) {
	return s, rows.Scan(&s.trial, &s.split)
}

// fields are the counts in the order of the ledger's columns.
func (c *Counts) fields() []any {
	return []any{&c.N, &c.Failed, &c.Timeout, &c.Missing, &c.Truncated}
}

func keepScore(tx *sql.Tx, s scored, score Score) error {
	_, err := tx.Exec(`UPDATE scores SET current = 1, mean = ?, se = ?, n = ?, failed = ?, timeout = ?, missing = ?, truncated = ?
		WHERE trial = ? AND split = ?`, append(append([]any{score.Mean, score.SE}, score.values()...), s.trial, s.split)...)
	if err != nil {
		return s.wrap(err)
	}
	if _, err := tx.Exec(`DELETE FROM category_scores WHERE trial = ? AND split = ?`, s.trial, s.split); err != nil {
		return s.wrap(err)
	}
	for name, c := range score.Categories {
		_, err := tx.Exec(`INSERT INTO category_scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			append([]any{s.trial, s.split, name, c.Mean, c.SE}, c.values()...)...)
		if err != nil {
			return s.wrap(err)
		}
	}
	return nil
}

func (c Counts) values() []any {
	return []any{c.N, c.Failed, c.Timeout, c.Missing, c.Truncated}
}

func (s scored) wrap(err error) error {
	return fmt.Errorf("score of trial %d on %s: %w", s.trial, s.split, err)
}

// outdate says that outcomes came that the score does not know.
func outdate(tx *sql.Tx, s scored) error {
	_, err := tx.Exec(`INSERT INTO scores (trial, split, current) VALUES (?, ?, 0) ON CONFLICT (trial, split) DO UPDATE SET current = 0`, s.trial, s.split)
	return err
}
