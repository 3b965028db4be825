package results

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// File is the name of the ledger in a study's directory.
const File = "study.db"

// Ledger is the lasting memory of one study. Its methods may be called from
// many goroutines; each write is one transaction, on disk when it returns.
type Ledger struct {
	dir    string
	db     *sql.DB
	format int      // version of the file; only a reader can have an older one
	lock   *os.File // nil if read-only
	close  sync.Once
}

// Open opens the ledger of dir for writing; it creates both where they do not
// exist. It refuses a directory that another process writes to, and a file that
// is not a ledger, is damaged, or was written by a newer soup.
func Open(dir string) (*Ledger, error) {
	if err := createDir(dir); err != nil {
		return nil, fmt.Errorf("study directory %s: %w", dir, bare(err))
	}
	held, err := lock(dir)
	if err != nil {
		return nil, err
	}
	db, err := openWriter(filepath.Join(dir, File))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ledger %s: %w", filepath.Join(dir, File), err), held.Close())
	}
	l := &Ledger{dir: dir, db: db, lock: held}
	return l, l.readFormat()
}

// OpenReadOnly opens the ledger of dir, which must hold a study, for reading,
// also while a run is writing it.
func OpenReadOnly(dir string) (*Ledger, error) {
	path := filepath.Join(dir, File)
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil, failf("start one with soup run", "no study in %s", dir)
	} else if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", path, bare(err))
	}
	db, err := openReader(path)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	l := &Ledger{dir: dir, db: db}
	return l, l.readFormat()
}

func (l *Ledger) readFormat() error {
	return l.wrap(l.db.QueryRow(`PRAGMA user_version`).Scan(&l.format))
}

// Dir returns the directory that Open was given.
func (l *Ledger) Dir() string { return l.dir }

// Close folds the write-ahead log into the file and lets go of the lock. A
// second Close does nothing.
func (l *Ledger) Close() (err error) {
	l.close.Do(func() {
		if l.lock == nil {
			err = l.db.Close()
			return
		}
		// A busy reader keeps the log alive: the next Open goes on with it.
		_, folded := l.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		err = errors.Join(folded, l.db.Close(), l.lock.Close())
	})
	return l.wrap(err)
}

func openWriter(path string) (*sql.DB, error) {
	db, err := connect(path, "_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	steps, err := migrations(schema)
	if err == nil {
		err = migrate(db, steps)
	}
	if err != nil {
		return nil, errors.Join(explain(err), db.Close())
	}
	return db, nil
}

// openReader opens for writing and then forbids it: SQLite skips the CHECK
// constraints of databases opened read-only, so Check would miss them. It falls
// back to an immutable view where SQLite cannot make its shared-memory file: a
// directory that the reader may not write to. That view is right as long as
// nobody writes, which is when there is no log.
func openReader(path string) (*sql.DB, error) {
	db, err := openAt(path, "mode=rw&_busy_timeout=5000&_query_only=1")
	if isCode(err, sqlite3.SQLITE_CANTOPEN) || isCode(err, sqlite3.SQLITE_READONLY) {
		if _, gone := os.Stat(path + "-wal"); errors.Is(gone, fs.ErrNotExist) {
			db, err = openAt(path, "mode=ro&immutable=1")
		}
	}
	return db, explain(err)
}

func openAt(path, query string) (*sql.DB, error) {
	db, err := connect(path, query)
	if err != nil {
		return nil, err
	}
	if err := readable(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// The formats that change what a reader, who cannot migrate, does.
const (
	oldestFormat = 2 // that has all it reads
	scoresFormat = 3 // that keeps scores; before, they are computed anew
	labelsFormat = 4 // that keeps log-probabilities of labels
)

// readable refuses what a reader cannot read.
func readable(db *sql.DB) error {
	steps, err := migrations(schema)
	if err != nil {
		return err
	}
	version, err := identify(db, len(steps))
	if err == nil && version < oldestFormat {
		return failf("continue it once with soup run", "has format %d, which is older than %d", version, oldestFormat)
	}
	return err
}

// connect opens one connection: a ledger has one writer, and writes are short.
func connect(path, query string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: query}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// write runs f in one transaction.
func (l *Ledger) write(f func(*sql.Tx) error) error {
	if l.lock == nil {
		return l.wrap(errors.New("opened for reading only"))
	}
	return l.wrap(transact(l.db, f))
}

// wrap names the ledger in an error.
func (l *Ledger) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ledger %s: %w", l.dir, explain(err))
}

// explain says in our words what SQLite says in its own, where users meet it.
func explain(err error) error {
	switch {
	case isCode(err, sqlite3.SQLITE_NOTADB):
		return failf("name another directory", "not a soup ledger, nor any SQLite file")
	case isCode(err, sqlite3.SQLITE_CORRUPT):
		return failf("bring back a copy, or start again in another directory", "the file is damaged (%v)", err)
	case isCode(err, sqlite3.SQLITE_FULL):
		return failf("make room and run again: nothing that was recorded is lost", "the disk is full")
	}
	return err
}

// isCode compares primary result codes, the low byte (https://www.sqlite.org/rescode.html).
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

// createDir makes dir and sees to it that its name is on disk.
func createDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(filepath.Clean(dir)))
	if errors.Is(err, fs.ErrPermission) {
		return nil // we may write in it but not read it: dir exists all the same
	}
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// bare drops the path from an error of package os: the caller names it.
func bare(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// stamp is a time as the ledger writes it.
func stamp(t time.Time) string {
	return t.UTC().Format(time.RFC3339Nano)
}

// unstamp reads stamp's text; the empty text is no time. Times serve display
// only, so one that another program broke is no time either, not an error.
func unstamp(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
