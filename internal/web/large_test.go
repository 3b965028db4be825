package web

import (
	"database/sql"
	"testing"

	_ "modernc.org/sqlite" // to write rows faster than a ledger does
)

// fill writes complete trials of one item each into a ledger.
func fill(t *testing.T, file string, trials int) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		`INSERT INTO items VALUES (1, 'one', 'arith', '', 'search')`,
		`WITH RECURSIVE n (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < ?1 - 1)
			INSERT INTO trials (number, strategy, label, key, weights, groups, state, of, reason, merge_seconds, swap_seconds, eval_seconds, attempt, started, finished)
			SELECT x, 'random', 'random ' || x, x, '[[1]]', 'null', 'complete', x, '', 0, 0, 1, 1, '', '2026-11-30T00:00:00Z' FROM n`,
		`INSERT INTO outcomes (trial, item, state, score, answer, finish, error, latency)
			SELECT number, 1, 'ok', (number * 7919 % 10007) / 10007.0, '', 'stop', '', 1 FROM trials WHERE number < ?1`,
		`INSERT INTO scores (trial, split, current) SELECT number, 'search', 0 FROM trials WHERE number < ?1`,
	} {
		_, err := db.Exec(statement, trials)
		must(t, err)
	}
}
