package results

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// What a program asks that follows a study while it runs. None of it reads more
// outcomes than one trial has, however large the ledger.

// Version is a number that differs from that of the last call where another
// process or another Ledger has written in between.
func (l *Ledger) Version() (n int64, err error) {
	err = l.db.QueryRow(`PRAGMA data_version`).Scan(&n)
	return n, l.wrap(err)
}

// TrialsAfter returns, by number, the trials above a number and those of the
// numbers given.
func (l *Ledger) TrialsAfter(number int, again ...int) ([]Trial, error) {
	numbers, err := json.Marshal(list(again))
	if err != nil {
		return nil, l.wrap(err)
	}
	trials, err := collect(l.db, scanTrial,
		selectTrial+` WHERE number > ? OR number IN (SELECT value FROM json_each(?)) ORDER BY number`, number, string(numbers))
	return trials, l.wrap(err)
}

// EventsAfter returns the events above a number, oldest first.
func (l *Ledger) EventsAfter(number int) ([]Event, error) {
	events, err := collect(l.db, scanEvent, `SELECT number, time, kind, detail FROM events WHERE number > ? ORDER BY number`, number)
	return events, l.wrap(err)
}

// CategoryMean is what a trial's outcomes on one split and category come to.
type CategoryMean struct {
	Trial           int
	Split, Category string
	Mean            float64 // score of the N items that were scored; 0 if there are none
	Counts
}

// CategoryMeans returns those of trials that have outcomes of their own, in the
// order of trial, split and category. A trial without outcomes has none. Where the
// ledger keeps scores, only outcomes that came since are read.
func (l *Ledger) CategoryMeans(trials ...int) ([]CategoryMean, error) {
	numbers, err := json.Marshal(list(trials))
	if err != nil {
		return nil, l.wrap(err)
	}
	means, err := collect(l.db, func(rows *sql.Rows) (m CategoryMean, err error) {
		err = rows.Scan(&m.Trial, &m.Split, &m.Category, &m.Mean, &m.N, &m.Failed, &m.Timeout, &m.Missing, &m.Truncated)
		return m, err
	}, l.meansQuery(), string(numbers))
	return means, l.wrap(err)
}

func (l *Ledger) meansQuery() string {
	const order = ` ORDER BY 1, 2, 3`
	if l.format < scoresFormat {
		return fmt.Sprintf(sumOutcomes, "") + order
	}
	return `SELECT trial, split, category, coalesce(c.mean, 0.0), c.n, c.failed, c.timeout, c.missing, c.truncated
		FROM scores s JOIN category_scores c USING (trial, split) WHERE s.current = 1 AND trial IN (SELECT value FROM json_each(?1))
		UNION ALL ` + fmt.Sprintf(sumOutcomes, `JOIN scores s ON s.trial = o.trial AND s.split = i.split AND s.current = 0`) + order
}

// sumOutcomes adds up outcomes by category, of those splits that a join leaves.
const sumOutcomes = `SELECT o.trial, i.split, i.category, coalesce(avg(o.score), 0.0), count(o.score),
			sum(o.state = 'failed'), sum(o.state = 'timeout'), sum(o.state = 'missing'), sum(o.state = 'truncated')
		FROM outcomes o JOIN items i ON i.number = o.item %s
		WHERE o.trial IN (SELECT value FROM json_each(?1)) GROUP BY o.trial, i.split, i.category`

// Size is the bytes that the ledger takes on disk, its log included.
func (l *Ledger) Size() (int64, error) {
	var total int64
	for _, name := range []string{File, File + "-wal"} {
		info, err := os.Stat(filepath.Join(l.dir, name))
		if errors.Is(err, os.ErrNotExist) && name != File {
			continue // the log comes and goes
		}
		if err != nil {
			return 0, fmt.Errorf("ledger %s: %w", l.dir, bare(err))
		}
		total += info.Size()
	}
	return total, nil
}
