package results

import (
	"strings"
	"testing"
)

// Each promise is broken once, behind the ledger's back.
func TestCheck(t *testing.T) {
	check := func(name, statements, want string) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir)
			alter(t, dir, statements)
			l, err := OpenReadOnly(dir)
			must(t, err)
			defer l.Close()
			if err := l.Check(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
	check("outcome without trial", `INSERT INTO outcomes SELECT 99, item, state, score, soft, answer, finish, error, latency, failure FROM outcomes LIMIT 1`,
		"a row of outcomes points to a row of trials that is not there")
	check("outcome without item", `UPDATE outcomes SET item = 99`, "a row of outcomes points to a row of items that is not there")
	check("gap", `UPDATE trials SET number = 5, of = 5 WHERE number = 3`, "trial 5 is missing its forerunner 4")
	check("cached of failed", `UPDATE trials SET of = 3 WHERE number = 2`, "cached trial 2 points to trial 3, which is failed")
	check("cached of itself", `UPDATE trials SET of = 2 WHERE number = 2`, "CHECK constraint failed in trials")
	check("of another", `UPDATE trials SET of = 0 WHERE number = 1`, "CHECK constraint failed in trials")
	check("cached with outcomes", `UPDATE outcomes SET trial = 2`, "cached trial 2 has outcomes of its own")
	check("winner", `UPDATE winner SET trial = 3`, "the winner, trial 3, is failed")
	check("trial state", `UPDATE trials SET state = 'done' WHERE number = 0`, "CHECK constraint failed in trials")
	check("no end", `UPDATE trials SET finished = '' WHERE number = 0`, "trial 0 is complete but has no time of finishing")
	check("seconds", `UPDATE trials SET eval_seconds = 9e999`, "CHECK constraint failed in trials")
	check("outcome state", `UPDATE outcomes SET state = 'fine'`, "CHECK constraint failed in outcomes")
	check("no score", `UPDATE outcomes SET score = NULL`, "CHECK constraint failed in outcomes")
	check("infinite score", `UPDATE outcomes SET score = 9e999`, "CHECK constraint failed in outcomes")
	check("infinite smooth score", `UPDATE outcomes SET soft = -9e999`, "CHECK constraint failed in outcomes")
	check("split", `UPDATE items SET split = 'train'`, "CHECK constraint failed in items")
	check("weights", `UPDATE trials SET weights = '[[NaN]]' WHERE number = 0`, "trial 0: weights \"[[NaN]]\"")
	check("ragged weights", `UPDATE trials SET weights = '[[]]' WHERE number = 0`, "trial 0: rows of weights differ in length or are empty")
	check("groups", `UPDATE trials SET groups = '["a","b"]' WHERE number = 0`, "trial 0: 1 rows of weights for 2 groups")
	check("parents", `DELETE FROM parents WHERE position = 1`, "trial 0: 2 weights for 1 parents")
	check("study", `DELETE FROM study`, "trials exist but no study")
	check("score of fewer items", `UPDATE scores SET current = 1`, "the score of trial 0 on search is of 0 items, not of 1")
	check("no score of outcomes", `DELETE FROM scores`, "the score of trial 0 on search is not there")
	check("index", `PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'study') WHERE name = 'trials_by_key'`,
		"ledger")
}

// fill leaves a complete (0, 1), a cached (2), and a failed trial (3), and a
// winner.
func fill(t *testing.T, dir string) {
	t.Helper()
	l, err := Open(dir)
	must(t, err)
	must(t, l.Begin(someStudy()))
	completed(t, l, 0)
	completed(t, l, 1)
	must(t, l.Record(0, Search, []Outcome{{Item: "i", Category: "c", State: OK, Score: 1, Soft: ptr(-1.0)}}))
	c := candidate(2)
	c.State, c.Of = Cached, 0
	must(t, l.Finish(c))
	f := candidate(3)
	f.State, f.Reason = Failed, "server gone"
	must(t, l.Finish(f))
	must(t, l.SetWinner(Winner{Trial: 1}))
	checkAndClose(t, l)
}

func TestCheckNamesEveryFault(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	alter(t, dir, `UPDATE trials SET of = 3 WHERE number = 2; UPDATE winner SET trial = 3`)
	l, err := OpenReadOnly(dir)
	must(t, err)
	defer l.Close()
	err = l.Check()
	for _, want := range []string{"cached trial 2 points to trial 3", "; ", "the winner, trial 3, is failed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}
