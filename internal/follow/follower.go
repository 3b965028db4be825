package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"soup/internal/study"
	"soup/results"
)

const (
	// budget is how long a poll may read means of trials that finished before.
	budget = 500 * time.Millisecond
	// bite is how long one query of them should take, so that others come between.
	bite = 20 * time.Millisecond
)

// Follower reads a study's ledger while it grows.
type Follower struct {
	dir     string
	wait    bool        // for the study to begin
	file    os.FileInfo // of the ledger that is open
	ledger  *results.Ledger
	version int64
	read    reading
}

// Open follows the study in dir. Where wait is set there need not be one yet,
// as before a run has begun it.
func Open(dir string, wait bool) (*Follower, error) {
	f := &Follower{dir: dir, wait: wait}
	if err := f.reopen(); err != nil && !wait {
		return nil, err
	}
	return f, nil
}

// Close closes the ledger.
func (f *Follower) Close() error {
	if f.ledger == nil {
		return nil
	}
	err := f.ledger.Close()
	f.ledger, f.file = nil, nil
	return err
}

// Study is what the last poll knew. It changes with the next one.
func (f *Follower) Study() *Study { return &f.read.study }

// Poll reads what is new and reports whether anything is. Where the ledger has
// been replaced by another, it begins anew. An error may pass: poll again.
func (f *Follower) Poll(ctx context.Context) (changed bool, err error) {
	if err := f.current(); err != nil {
		return false, err
	}
	if f.ledger == nil {
		return false, nil // not yet
	}
	was := f.read.study.Running
	if f.read.study.Running, err = results.Writing(f.dir); err != nil {
		return false, err
	}
	version, err := f.ledger.Version()
	if err != nil {
		return false, err
	}
	if version != f.version {
		if err := f.read.news(f.ledger); err != nil {
			return false, err
		}
		if f.version != 0 && !f.read.beat {
			f.read.study.moved = time.Now()
		}
		changed, f.version = true, version
	}
	summed, err := f.read.backlog(ctx, f.ledger, budget)
	return changed || summed || was != f.read.study.Running, err
}

// current opens the ledger that is there now. One that a run is just making may
// be in any state.
func (f *Follower) current() error {
	info, err := os.Stat(filepath.Join(f.dir, results.File))
	switch {
	case f.ledger != nil && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: the study is gone", f.dir)
	case f.ledger != nil && (err != nil || os.SameFile(info, f.file)):
		return err
	}
	if err := f.reopen(); err != nil && !f.wait {
		return err
	}
	return nil
}

// reopen opens the ledger anew; what was read of another is forgotten.
func (f *Follower) reopen() error {
	if err := f.Close(); err != nil {
		return err
	}
	info, unknown := os.Stat(filepath.Join(f.dir, results.File))
	l, err := study.OpenForReading(f.dir)
	if err != nil {
		return err
	}
	read, err := begin(l)
	if err = errors.Join(err, unknown); err != nil {
		return errors.Join(err, l.Close())
	}
	f.ledger, f.file, f.version, f.read, f.wait = l, info, 0, read, false
	return nil
}
