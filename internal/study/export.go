package study

import (
	"context"
	"fmt"
	"os"

	"soup/internal/format"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// ExportOptions say what to write where.
type ExportOptions struct {
	Out      string // the checkpoint; must not exist; "" writes none
	Mergekit string // a recipe for mergekit; must not exist; "" writes none
	Trial    int    // negative: the winner
	Format   string // "safetensors", "gguf" or "" for that of soups of the parents
	Config   string // see merge: for GGUF parents that become safetensors
}

// target is the checkpoint to write.
func (o ExportOptions) target() format.Target {
	return format.Target{Out: o.Out, Format: o.Format, Config: o.Config}
}

// Export writes a candidate of a study as a complete checkpoint, as a recipe
// for mergekit, or both, and returns which. The parents must still be where they
// were, with the content they had.
func Export(ctx context.Context, dir string, o ExportOptions) (results.Trial, error) {
	ledger, err := openForReading(dir)
	if err != nil {
		return results.Trial{}, err
	}
	defer ledger.Close()
	about, recorded, err := ledger.Study()
	if err != nil {
		return results.Trial{}, err
	}
	trial, err := exportedTrial(ledger, dir, o.Trial)
	if err != nil {
		return trial, err
	}
	parents, names, err := openRecorded(ctx, recorded)
	defer func() {
		for _, p := range parents {
			_ = p.Close()
		}
	}()
	if err != nil {
		return trial, err
	}
	if err := handOver(about, trial, parents, recorded, o); err != nil || o.Out == "" {
		return trial, err
	}
	return trial, writeTrial(ctx, about, trial, parents, names, o)
}

// writeTrial averages the parents as the trial and the study file say.
func writeTrial(ctx context.Context, about results.Study, t results.Trial, parents []*merge.Checkpoint, names []string, o ExportOptions) error {
	recipe, store, err := recipeOf(about, t, parents[0])
	if err != nil {
		return err
	}
	_, err = format.Write(ctx, o.target(), parents, names, recipe, merge.WriteOptions{Store: store, Method: t.Strategy})
	return err
}

// recipeOf returns the recipe of a trial, and the dtype that it is stored in,
// as the study file says.
func recipeOf(about results.Study, t results.Trial, like *merge.Checkpoint) (r merge.Recipe, store merge.DType, err error) {
	c := &Config{File: "the ledger's study file"}
	if err := parseInto(c, about.Config); err != nil {
		return r, store, err
	}
	r.Weights = t.Weights
	if r.Groups, err = c.grouping(like); err != nil {
		return r, store, err
	}
	store, err = c.store()
	return r, store, err
}

// openForReading opens the ledger of a study's folder.
func openForReading(dir string) (*results.Ledger, error) {
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		return nil, &usage.Error{Message: dir + ": a file, not the folder of a study", Advice: "the folder of a study file is its name without .yaml: " + DefaultDir(dir)}
	}
	return results.OpenReadOnly(dir)
}

func exportedTrial(ledger *results.Ledger, dir string, number int) (results.Trial, error) {
	if number < 0 {
		w, ok, err := ledger.Winner()
		if err != nil {
			return results.Trial{}, err
		}
		if !ok {
			return results.Trial{}, &usage.Error{Message: fmt.Sprintf("%s: the study has no winner yet", dir), Advice: "let soup run finish it, or name a candidate with --trial"}
		}
		number = w.Trial
	}
	t, err := ledger.Trial(number)
	if err == nil && t.Strategy == baseStrategy {
		err = usage.Errorf("trial %d is the base itself, not a soup", number)
	}
	return t, err
}

// openRecorded opens the parents of a ledger and checks that they are still
// the ones it knows.
func openRecorded(ctx context.Context, recorded []results.Parent) (parents []*merge.Checkpoint, names []string, err error) {
	for _, p := range recorded {
		c, err := merge.Open(p.Path)
		if err != nil {
			return parents, nil, err
		}
		parents, names = append(parents, c), append(names, p.Name)
	}
	hashes, err := merge.HashAll(ctx, parents, nil)
	if err != nil {
		return parents, nil, err
	}
	for i, p := range recorded {
		if hashes[i] != p.Hash {
			return parents, nil, fmt.Errorf("%s: the parent %s is no longer the one that was scored", p.Path, p.Name)
		}
	}
	return parents, names, nil
}
