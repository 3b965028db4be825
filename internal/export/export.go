package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"soup/internal/format"
	"soup/internal/study"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// Options say what to write where. No path may exist; "" writes none.
type Options struct {
	Out       string // the checkpoint, with its card
	Mergekit  string // a recipe for mergekit
	Modelfile string // a Modelfile of Ollama
	LMEval    string // a directory in the layout of lm-evaluation-harness
	Optuna    string // a journal of Optuna, of all trials
	JSONL     string // the ledger as JSON Lines

	Trial   int    // of the first four; negative: the winner
	Format  string // of Out: "safetensors", "gguf" or "" for that of soups of the parents
	Config  string // see merge: for GGUF parents that become safetensors
	Study   string // the study file, whose benchmarks LMEval reads; "" finds it
	Version string // of soup, for cards and files that name it
}

// Written is one thing that was written.
type Written struct{ Path, What string }

// target is the checkpoint to write.
func (o Options) target() format.Target {
	return format.Target{Out: o.Out, Format: o.Format, Config: o.Config}
}

// files are the targets that are not the checkpoint.
func (o Options) files() []string {
	return slices.DeleteFunc([]string{o.Mergekit, o.Modelfile, o.LMEval, o.Optuna, o.JSONL}, func(s string) bool { return s == "" })
}

// ofTrial says whether something is to be written that is of one trial.
func (o Options) ofTrial() bool { return cmp.Or(o.Out, o.Mergekit, o.Modelfile, o.LMEval) != "" }

// Check refuses options that ask for nothing or contradict each other, and files
// that exist already.
func (o Options) Check() error {
	files := o.files()
	switch {
	case o.Out == "" && len(files) == 0:
		return &usage.Error{Message: "export needs -o OUT, or one of --mergekit, --modelfile, --optuna, --jsonl FILE and --lm-eval DIR"}
	case o.Trial >= 0 && !o.ofTrial():
		return usage.Errorf("--trial %d: --optuna and --jsonl write all trials", o.Trial)
	case o.Study != "" && o.LMEval == "":
		return usage.Errorf("--study is for --lm-eval, which reads the study's items")
	case o.Out == "" && (o.Format != "" || o.Config != ""):
		return usage.Errorf("--format and --config are of the checkpoint: give -o OUT")
	}
	if filepath.Ext(o.Out) == ".gguf" {
		files = append(files, merge.CardPath(o.Out))
	}
	for i, file := range files {
		if slices.Contains(files[:i], file) || o.Out != "" && filepath.Clean(file) == filepath.Clean(o.Out) {
			return usage.Errorf("%s: two things cannot be written to one path", file)
		}
		if err := vacant(file); err != nil {
			return err
		}
	}
	return nil
}

// vacant refuses a path that is taken.
func vacant(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return &usage.Error{Message: path + ": exists already", Advice: "choose another path or remove it"}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// Export writes parts of a study and returns what. What can be refused is
// refused before anything is written. For the checkpoint and mergekit the
// parents must still be where they were, with the content they had.
func Export(ctx context.Context, dir string, o Options) ([]Written, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s, err := study.OpenRecorded(dir)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	e := &exporting{Options: o, study: s}
	defer e.close()
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		path  string
		write func(context.Context) error
	}{
		{o.Mergekit, e.mergekit},
		{o.Out, e.checkpoint},
		{o.Modelfile, e.modelfile},
		{o.LMEval, e.lmEval},
		{o.Optuna, e.optuna},
		{o.JSONL, e.jsonl},
	} {
		if step.path == "" {
			continue
		}
		if err := step.write(ctx); err != nil {
			return e.written, err
		}
	}
	return e.written, nil
}

// exporting is one Export under way.
type exporting struct {
	Options
	study   *study.Recorded
	trial   results.Trial
	report  results.Report
	parents []*merge.Checkpoint
	names   []string
	written []Written
}

func (e *exporting) close() {
	for _, p := range e.parents {
		_ = p.Close()
	}
}

// note says that the trial was written to a path.
func (e *exporting) note(path string) {
	e.written = append(e.written, Written{path, fmt.Sprintf("trial %d, %s", e.trial.Number, e.trial.Label)})
}

// prepare reads what is written from, and refuses what cannot be.
func (e *exporting) prepare(ctx context.Context) (err error) {
	if e.ofTrial() {
		if e.trial, err = e.study.Soup(e.Trial); err != nil {
			return err
		}
	}
	if e.Out != "" || e.Mergekit != "" {
		if err := e.openParents(ctx); err != nil {
			return err
		}
	}
	if e.Mergekit != "" && e.parents[0].Format() != merge.Safetensors {
		return &usage.Error{Message: fmt.Sprintf("--mergekit: the parents are %s files, not safetensors", e.parents[0].Format()), Advice: "soup.json, which is written with every exported soup, is its recipe too"}
	}
	if e.Out != "" {
		if err := e.target().CheckOutput(e.parents, merge.WriteOptions{}); err != nil {
			return err
		}
	}
	if e.Modelfile != "" {
		if _, err := e.from(); err != nil {
			return err
		}
	}
	if e.Out != "" || e.LMEval != "" || e.Optuna != "" {
		e.report, err = e.study.Report(ctx)
	}
	return err
}

// openParents opens the parents of the ledger and checks that they are still
// the ones it knows.
func (e *exporting) openParents(ctx context.Context) error {
	for _, p := range e.study.Parents {
		c, err := merge.Open(p.Path)
		if err != nil {
			return err
		}
		e.parents, e.names = append(e.parents, c), append(e.names, p.Name)
	}
	hashes, err := merge.HashAll(ctx, e.parents, nil)
	if err != nil {
		return err
	}
	for i, p := range e.study.Parents {
		if hashes[i] != p.Hash {
			return fmt.Errorf("%s: the parent %s is no longer the one that was scored", p.Path, p.Name)
		}
	}
	return nil
}

// checkpoint averages the parents as the trial and the study file say.
func (e *exporting) checkpoint(ctx context.Context) error {
	recipe, store, err := e.study.Recipe(e.trial, e.parents[0])
	if err != nil {
		return err
	}
	card, err := e.card(store)
	if err != nil {
		return err
	}
	if _, err := format.Write(ctx, e.target(), e.parents, e.names, recipe, merge.WriteOptions{Store: store, Method: e.trial.Strategy, Card: card}); err != nil {
		return err
	}
	e.note(e.Out)
	return nil
}

// optuna writes the journal.
func (e *exporting) optuna(ctx context.Context) error {
	err := atomically(e.Optuna, func(w io.Writer) error { return e.study.Ledger.WriteOptuna(ctx, w, e.report, nil) })
	if err == nil {
		e.written = append(e.written, Written{e.Optuna, fmt.Sprintf("%d trials for Optuna", len(e.report.Trials))})
	}
	return err
}

// jsonl writes the ledger.
func (e *exporting) jsonl(ctx context.Context) error {
	err := atomically(e.JSONL, func(w io.Writer) error { return e.study.Ledger.WriteJSONLines(ctx, w) })
	if err == nil {
		e.written = append(e.written, Written{e.JSONL, "the ledger as JSON Lines"})
	}
	return err
}

// atomically writes a file that is whole or not there.
func atomically(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }() // does nothing once it is in place
	if err := write(f); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return merge.SyncDir(filepath.Dir(path))
}
