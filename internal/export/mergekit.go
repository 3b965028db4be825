package export

import (
	"context"
	"io"
	"path/filepath"

	"soup/merge"
	"soup/merge/mergekit"
	"soup/results"
)

// mergekit writes the trial as a recipe for mergekit.
func (e *exporting) mergekit(context.Context) error {
	recipe, store, err := e.study.Recipe(e.trial, e.parents[0])
	if err != nil {
		return err
	}
	plan, err := merge.PlanFor(e.parents, store, ".")
	if err != nil {
		return err
	}
	models, recipe, err := weighed(e.study.Parents, recipe)
	if err != nil {
		return err
	}
	if err := atomically(e.Mergekit, func(w io.Writer) error { return mergekit.Write(w, models, recipe, plan.Store) }); err != nil {
		return err
	}
	e.note(e.Mergekit)
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
