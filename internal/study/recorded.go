package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/eval"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// Recorded is a study as its ledger has it, running or finished, for what hands
// parts of it on.
type Recorded struct {
	Dir     string
	Ledger  *results.Ledger
	About   results.Study
	Parents []results.Parent
	Config  *Config // of the study file's text; paths are as written there
}

// OpenRecorded opens the ledger of a study's folder for reading.
func OpenRecorded(dir string) (*Recorded, error) {
	ledger, err := openForReading(dir)
	if err != nil {
		return nil, err
	}
	r, err := recorded(dir, ledger)
	if err != nil {
		_ = ledger.Close()
		return nil, err
	}
	return r, nil
}

func recorded(dir string, ledger *results.Ledger) (r *Recorded, err error) {
	r = &Recorded{Dir: dir, Ledger: ledger, Config: &Config{File: "the ledger's study file"}}
	if r.About, r.Parents, err = ledger.Study(); err != nil {
		return nil, err
	}
	r.Config.Text = r.About.Config
	return r, parseInto(r.Config, r.About.Config)
}

// Close closes the ledger.
func (r *Recorded) Close() error { return r.Ledger.Close() }

// openForReading opens the ledger of a study's folder.
func openForReading(dir string) (*results.Ledger, error) {
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		return nil, &usage.Error{Message: dir + ": a file, not the folder of a study", Advice: "the folder of a study file is its name without .yaml: " + DefaultDir(dir)}
	}
	return results.OpenReadOnly(dir)
}

// Report is what [BuildReport] computes.
func (r *Recorded) Report(ctx context.Context) (results.Report, error) {
	b, err := newReporter(r.Dir, r.Ledger)
	if err != nil {
		return results.Report{}, err
	}
	return b.build(ctx)
}

// Soup returns a trial by number; a negative number is the winner. The base and
// a trial that is not there are errors.
func (r *Recorded) Soup(number int) (results.Trial, error) {
	if number < 0 {
		w, ok, err := r.Ledger.Winner()
		if err != nil {
			return results.Trial{}, err
		}
		if !ok {
			return results.Trial{}, &usage.Error{Message: fmt.Sprintf("%s: the study has no winner yet", r.Dir), Advice: "let soup run finish it, or name a candidate with --trial"}
		}
		number = w.Trial
	}
	t, err := r.Ledger.Trial(number)
	if err == nil && t.Strategy == baseStrategy {
		err = usage.Errorf("trial %d is the base itself, not a soup", number)
	}
	return t, err
}

// Recipe returns the recipe of a trial for parents like the one given, and the
// dtype that it is stored in, as the study file says.
func (r *Recorded) Recipe(t results.Trial, like *merge.Checkpoint) (recipe merge.Recipe, store merge.DType, err error) {
	recipe.Weights = t.Weights
	if recipe.Groups, err = r.Config.grouping(like); err != nil {
		return recipe, store, err
	}
	store, err = r.Config.store()
	return recipe, store, err
}

// Items loads the benchmarks that the study was scored on. file is the study file;
// "" looks where its last run found it, where the parents' paths point, and beside
// the study's folder. Items other than those that were answered are
// an error.
func (r *Recorded) Items(file string) (eval.Set, error) {
	files := r.files()
	if file != "" {
		files = []string{file}
	}
	var first error
	for _, f := range files {
		set, err := r.itemsOf(f)
		if err == nil {
			return set, nil
		}
		if first == nil {
			first = err
		}
	}
	return eval.Set{}, &usage.Error{Message: fmt.Sprintf("%s: the items of the study cannot be read: %s", r.Dir, first), Advice: "name the study file with --study, whose benchmarks lie where they were"}
}

// itemsOf loads the items as if the study file were this one.
func (r *Recorded) itemsOf(file string) (eval.Set, error) {
	c := &Config{File: file}
	if err := parseInto(c, r.About.Config); err != nil {
		return eval.Set{}, err
	}
	if err := c.checkBenchmarks(); err != nil {
		return eval.Set{}, err
	}
	set, err := loadItems(c)
	if err != nil {
		return set, err
	}
	for _, s := range r.About.Settings {
		if s.Name == itemsSetting && s.Value != short(set.Hash()) {
			return set, fmt.Errorf("%s: its items are not those that were answered", file)
		}
	}
	return set, nil
}

// files are where the study file may lie: as its last run noted (early ledgers have
// no such note), where the parents' paths, which the ledger has in full, are what
// the file says, and beside the study's folder.
func (r *Recorded) files() []string {
	const name = "study.yaml" // only its folder matters
	var list []string
	if noted, err := r.Ledger.Events(fileEvent); err == nil && len(noted) > 0 {
		var path string
		if json.Unmarshal(noted[len(noted)-1].Detail, &path) == nil {
			list = append(list, path)
		}
	}
	written := r.Config.Parents.List
	if r.Config.Parents.Glob != "" {
		written = []Parent{{Path: r.Config.Parents.Glob}}
	}
	for i, p := range written {
		rel := filepath.Clean(p.Path)
		if !filepath.IsLocal(rel) || i >= len(r.Parents) {
			continue
		}
		folder := r.Parents[i].Path
		for range strings.Split(rel, string(filepath.Separator)) {
			folder = filepath.Dir(folder)
		}
		list = append(list, filepath.Join(folder, name))
		break
	}
	return append(list, filepath.Join(filepath.Dir(filepath.Clean(r.Dir)), name))
}
