package results

import (
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// applicationID marks a ledger among SQLite files: "soup" in ASCII.
const applicationID = 0x736f7570

//go:embed schema/*.sql
var schema embed.FS

// migrations returns the schema files of fsys in order; the version of the
// format is their number. A gap in the numbers is an error.
func migrations(fsys fs.FS) ([]string, error) {
	names, err := fs.Glob(fsys, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	steps := make([]string, len(names))
	for i, name := range names {
		number, err := strconv.Atoi(strings.TrimSuffix(path.Base(name), ".sql"))
		if err != nil || number != i+1 {
			return nil, fmt.Errorf("schema file %s should have number %04d", name, i+1)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		steps[i] = string(text)
	}
	return steps, nil
}

// identify returns the file's format version, 0 if it is empty, and refuses
// files that are no ledger or come from a newer soup.
func identify(db *sql.DB, latest int) (int, error) {
	var id, version, tables int
	err := db.QueryRow(`SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id a, pragma_user_version v`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID:
		return 0, failf("name another directory", "not a soup ledger, but some other program's SQLite file")
	case version > latest:
		return 0, failf("use a newer soup", "has format %d, this soup reads formats up to %d", version, latest)
	}
	return version, nil
}

// migrate brings the file from its version to the last step, each step whole
// or not at all.
func migrate(db *sql.DB, steps []string) error {
	version, err := identify(db, len(steps))
	if err != nil {
		return err
	}
	for i := version; i < len(steps); i++ {
		if err := transact(db, func(tx *sql.Tx) error { return apply(tx, steps[i], i+1) }); err != nil {
			return fmt.Errorf("migration to format %d: %w", i+1, err)
		}
	}
	return nil
}

func apply(tx *sql.Tx, step string, version int) error {
	// PRAGMA takes no bound parameters; both numbers are our own.
	for _, statement := range []string{
		step,
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", version),
	} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// transact runs f in one immediate transaction and commits if f has no error.
func transact(db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error is the one that tells
		return err
	}
	return tx.Commit()
}
