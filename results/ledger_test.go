package results

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOpenSettings(t *testing.T) {
	l := open(t, t.TempDir())
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
		"user_version": "4", "application_id": "1936684400",
	} {
		var got string
		must(t, l.db.QueryRow("PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func TestTablesAreStrict(t *testing.T) {
	l := open(t, t.TempDir())
	loose, err := texts(l.db, `SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'`)
	must(t, err)
	if len(loose) > 0 {
		t.Errorf("not STRICT: %v", loose)
	}
}

func TestOpenAnyName(t *testing.T) {
	for _, name := range []string{"plain", "a b", "100%", "what?mode=ro", "#1", "ärger", "deep/er/still", "a&b=c"} {
		dir := filepath.Join(t.TempDir(), filepath.FromSlash(name))
		must(t, open(t, dir).Begin(someStudy()))
		if _, err := os.Stat(filepath.Join(dir, File)); err != nil {
			t.Error(err)
		}
		r, err := OpenReadOnly(dir)
		must(t, err)
		checkAndClose(t, r)
	}
}

func TestOpenRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, "build/demo")
	if _, err := os.Stat("build/demo/study.db"); err != nil {
		t.Error(err)
	}
}

func TestSecondWriterRefused(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	must(t, err)
	_, err = Open(dir)
	if err == nil || !strings.Contains(err.Error(), dir+" is in use by another soup (process ") {
		t.Errorf("second Open: %v", err)
	}
	if hint(err) == "" {
		t.Error("no hint")
	}
	checkAndClose(t, l)
	again, err := Open(dir)
	must(t, err)
	checkAndClose(t, again)
}

func TestCloseTwice(t *testing.T) {
	l, err := Open(t.TempDir())
	must(t, err)
	must(t, l.Close())
	must(t, l.Close())
	if _, err := l.Trials(); err == nil {
		t.Error("reads after Close")
	}
	if l.Start(candidate(0)) == nil {
		t.Error("writes after Close")
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(names) != 2 { // study.db and lock
		t.Errorf("left behind: %v", names)
	}
}

func TestReadOnly(t *testing.T) {
	l := begun(t)
	r, err := OpenReadOnly(l.Dir()) // while the writer has it open
	must(t, err)
	defer func() { checkAndClose(t, r) }()
	completed(t, l, 0)
	trials, err := r.Trials()
	must(t, err)
	if len(trials) != 1 {
		t.Errorf("reader sees %d trials, want 1", len(trials))
	}
	refuses(t, r, r.Start(candidate(1)), "opened for reading only")
	if _, err := r.db.Exec(`DELETE FROM study`); err == nil {
		t.Error("a reader's connection can write")
	}
}

func TestReadOnlyNothingThere(t *testing.T) {
	empty := t.TempDir()
	must(t, os.WriteFile(filepath.Join(empty, File), nil, 0o644))
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing"), empty} {
		_, err := OpenReadOnly(dir)
		if err == nil || err.Error() != "no study in "+dir || hint(err) == "" {
			t.Errorf("%v, hint %q", err, hint(err))
		}
		if names, _ := os.ReadDir(dir); len(names) > 1 {
			t.Errorf("left behind: %v", names)
		}
	}
}

func TestOpenUnusable(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"directory is a file": {func(t *testing.T, dir string) {
			must(t, os.Remove(dir))
			must(t, os.WriteFile(dir, []byte("x"), 0o644))
		}, "study directory DIR: not a directory"},
		"no SQLite": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, File), []byte(strings.Repeat("not a database ", 100)), 0o644))
		}, "ledger DIR/study.db: not a soup ledger, nor any SQLite file"},
		"another program's": {func(t *testing.T, dir string) {
			alter(t, dir, `CREATE TABLE t (x)`)
		}, "ledger DIR/study.db: not a soup ledger, but some other program's SQLite file"},
		"newer": {func(t *testing.T, dir string) {
			create(t, dir)
			alter(t, dir, `PRAGMA user_version = 9`)
		}, "ledger DIR/study.db: has format 9, this soup reads formats up to 4"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			want := strings.ReplaceAll(c.want, "DIR", dir)
			_, err := Open(dir)
			if err == nil || err.Error() != want {
				t.Errorf("Open: %v, want %q", err, want)
			}
			if name == "directory is a file" {
				return
			}
			if hint(err) == "" {
				t.Error("no hint")
			}
			if _, err := OpenReadOnly(dir); err == nil || err.Error() != want {
				t.Errorf("OpenReadOnly: %v, want %q", err, want)
			}
			held, err := lock(dir) // the refusal let go of it
			must(t, err)
			must(t, held.Close())
		})
	}
}

func TestDamagedFile(t *testing.T) {
	l, err := Open(t.TempDir())
	must(t, err)
	must(t, l.Begin(someStudy()))
	completed(t, l, 0)
	checkAndClose(t, l)
	path := filepath.Join(l.Dir(), File)
	info, err := os.Stat(path)
	must(t, err)
	noise := []byte(strings.Repeat("\xa5", int(info.Size())-4096))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(noise, 4096) // all but the first page
	must(t, errors.Join(err, f.Close()))
	r, err := OpenReadOnly(l.Dir())
	if err == nil {
		_, err = r.Trials()
		must(t, r.Close())
	}
	if err == nil || !strings.Contains(err.Error(), "the file is damaged") || hint(err) == "" {
		t.Errorf("damage: %v, hint %q", err, hint(err))
	}
}

func TestDiskFull(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	_, err := l.db.Exec(`PRAGMA max_page_count = 1`)
	must(t, err)
	big := Outcome{Item: "i", Category: "c", State: OK, Answer: strings.Repeat("x", 1<<20)}
	err = l.Record(0, Search, []Outcome{big})
	refuses(t, l, err, "the disk is full")
	if hint(err) == "" {
		t.Error("no hint")
	}
}

func TestMigrate(t *testing.T) {
	step := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	first := fstest.MapFS{"schema/0001.sql": step(`CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);`)}
	second := fstest.MapFS{"schema/0001.sql": first["schema/0001.sql"], "schema/0002.sql": step(`ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'new'`)}
	broken := fstest.MapFS{"schema/0001.sql": first["schema/0001.sql"], "schema/0002.sql": step(`DROP TABLE a; CREATE TABLE a (`)}
	db, err := connect(filepath.Join(t.TempDir(), "x.db"), "_txlock=immediate")
	must(t, err)
	defer db.Close()

	must(t, migrateTo(db, first))
	must(t, migrateTo(db, first))
	if err := migrateTo(db, broken); err == nil || !strings.HasPrefix(err.Error(), "migration to format 2: ") {
		t.Errorf("broken step: %v", err)
	}
	if row(t, db, `SELECT x FROM a`) != "7" || row(t, db, `PRAGMA user_version`) != "1" {
		t.Error("a broken step left traces")
	}
	must(t, migrateTo(db, second))
	if row(t, db, `SELECT x || y FROM a`) != "7new" || row(t, db, `PRAGMA user_version`) != "2" {
		t.Error("the second step was not applied")
	}
	if err := migrateTo(db, first); err == nil || err.Error() != "has format 2, this soup reads formats up to 1" {
		t.Errorf("newer file: %v", err)
	}
}

func TestMigrationsAreNumbered(t *testing.T) {
	for _, name := range []string{"schema/0002.sql", "schema/first.sql"} {
		if _, err := migrations(fstest.MapFS{name: {}}); err == nil || !strings.Contains(err.Error(), name+" should have number 0001") {
			t.Errorf("%s: %v", name, err)
		}
	}
	steps, err := migrations(schema)
	if err != nil || len(steps) == 0 {
		t.Errorf("own schema: %d steps, error %v", len(steps), err)
	}
}

// A reader cannot bring an old file up to date.
func TestReaderOfOldFormat(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	alter(t, dir, `PRAGMA user_version = 1`)
	_, err := OpenReadOnly(dir)
	if err == nil || !strings.Contains(err.Error(), "has format 1, which is older than 2") {
		t.Errorf("old format: %v", err)
	}
	alter(t, dir, `PRAGMA user_version = 3`)
}

// A ledger of the first format keeps what it has.
func TestOldLedgerIsBroughtUpToDate(t *testing.T) {
	db, err := connect(filepath.Join(t.TempDir(), "x.db"), "_txlock=immediate")
	must(t, err)
	defer db.Close()
	steps, err := migrations(schema)
	must(t, err)
	must(t, migrate(db, steps[:1]))
	_, err = db.Exec(`INSERT INTO trials VALUES (0, 's', 'l', 'k', '[[1]]', 'null', 'failed', 0, 'gone', 1, 2, 3, 1, 'then', 'now');
		INSERT INTO items VALUES (1, 'i', 'c', '', 'search');
		INSERT INTO outcomes VALUES (0, 1, 'failed', NULL, NULL, '', 'error', 'gone', 5)`)
	must(t, err)
	must(t, migrate(db, steps))
	trial, err := trialAt(db, 0)
	must(t, err)
	if trial.Reason != "gone" || trial.Eval != 3 || trial.First != 0 || trial.Failure != "" {
		t.Errorf("%+v", trial)
	}
	if got := row(t, db, `SELECT error || failure || latency FROM outcomes`); got != "gone5" {
		t.Errorf("outcome %s", got)
	}
}

// create leaves a ledger in dir that holds a study.
func create(t *testing.T, dir string) {
	t.Helper()
	l, err := Open(dir)
	must(t, err)
	must(t, l.Begin(someStudy()))
	checkAndClose(t, l)
}

func migrateTo(db *sql.DB, fsys fs.FS) error {
	steps, err := migrations(fsys)
	if err != nil {
		return err
	}
	return migrate(db, steps)
}

func row(t *testing.T, db *sql.DB, query string) (s string) {
	t.Helper()
	must(t, db.QueryRow(query).Scan(&s))
	return s
}

// alter does to a file what soup never would.
func alter(t *testing.T, dir, statements string) {
	t.Helper()
	db, err := connect(filepath.Join(dir, File), "_pragma=foreign_keys(0)&_pragma=ignore_check_constraints(1)")
	must(t, err)
	_, err = db.Exec(statements)
	must(t, errors.Join(err, db.Close()))
}

func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
