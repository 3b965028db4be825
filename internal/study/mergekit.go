package study

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/mergekit"
	"soup/results"
)

// handOver writes a trial as a recipe for mergekit, if one is asked for.
func handOver(about results.Study, t results.Trial, parents []*merge.Checkpoint, recorded []results.Parent, o ExportOptions) error {
	if o.Mergekit == "" {
		return nil
	}
	if err := vacant(o.Mergekit, parents[0]); err != nil {
		return err
	}
	if o.Out != "" { // or the recipe would be there and the checkpoint not
		if err := o.target().CheckOutput(parents, merge.WriteOptions{}); err != nil {
			return err
		}
	}
	recipe, store, err := recipeOf(about, t, parents[0])
	if err != nil {
		return err
	}
	plan, err := merge.PlanFor(parents, store, ".")
	if err != nil {
		return err
	}
	models, recipe, err := weighed(recorded, recipe)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := mergekit.Write(&text, models, recipe, plan.Store); err != nil {
		return err
	}
	return renameio.WriteFile(o.Mergekit, text.Bytes(), 0o644)
}

// vacant refuses a file that is there, and parents that mergekit cannot read.
func vacant(file string, like *merge.Checkpoint) error {
	if like.Format() != merge.Safetensors {
		return &usage.Error{Message: "--mergekit: the parents are GGUF files, which mergekit does not read", Advice: "soup.json, which is written with every exported soup, is its recipe too"}
	}
	switch _, err := os.Lstat(file); {
	case err == nil:
		return &usage.Error{Message: file + ": exists already", Advice: "choose another path or remove it"}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// weighed returns the parents' paths without those that have no weight in any
// group, except the first: the soup has its configuration and tokenizer. Paths
// are absolute, for mergekit takes others relative to where it is called.
func weighed(recorded []results.Parent, r merge.Recipe) (paths []string, kept merge.Recipe, err error) {
	var used []int
	for k, p := range recorded {
		if k > 0 && !r.Weighs(k) {
			continue
		}
		path, err := filepath.Abs(p.Path)
		if err != nil {
			return nil, kept, err
		}
		used, paths = append(used, k), append(paths, path)
	}
	return paths, r.Keep(used), nil
}
