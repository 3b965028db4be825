package single

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"

	"soup/internal/progress"
	"soup/internal/usage"
	"soup/merge"
)

// MergeOptions say which checkpoints to average and how.
type MergeOptions struct {
	Out         string
	Paths       []string  // parents; each is named after the last element of its path
	Weights     string    // "NAME=W,..."; "" gives every parent the same
	Recipe      string    // a soup.json instead of weights: the same soup again
	Store       string    // dtype of the soup; "" keeps the parents'
	Extrapolate bool      // allow negative weights
	Info        io.Writer // where the plan goes, before work starts, and progress; default nowhere
}

// Merged is what was written.
type Merged struct {
	Names   []string
	Groups  []string    // names of the rows of Weights
	Weights [][]float64 // effective, [group][parent]
	Stats   merge.Stats
}

// Merge writes one soup as a complete checkpoint. Weights are scaled to sum to
// 1; those of a recipe are used as they are.
func Merge(ctx context.Context, o MergeOptions) (m Merged, err error) {
	store, err := parseStore(o.Store)
	if err != nil {
		return m, err
	}
	m.Names = names(o.Paths)
	recipe := merge.Recipe{}
	if o.Recipe == "" {
		if recipe.Weights, err = parseWeights(o, m.Names); err != nil {
			return m, err
		}
	}
	parents, err := openAll(o.Paths)
	defer closeAll(parents)
	if err != nil {
		return m, err
	}
	method, sum := "given weights", ""
	if o.Recipe != "" {
		saved, ordered, err := fromRecipe(ctx, o.Recipe, parents)
		if err != nil {
			return m, err
		}
		recipe, parents, method = saved.Recipe(), ordered, saved.Method
		store, sum = saved.Store, saved.SHA256
		for i, p := range saved.Parents {
			m.Names[i] = p.Name
		}
	}
	if o.Info == nil {
		o.Info = io.Discard
	}
	if err := tellPlan(o.Info, parents, store, o.Out); err != nil {
		return m, err
	}
	m.Weights, m.Groups = recipe.Weights, recipe.Groups.Names
	m.Stats, err = merge.Write(ctx, o.Out, parents, m.Names, recipe, merge.WriteOptions{Store: store, Method: method, Progress: tellProgress(o.Info)})
	if err == nil && sum != "" && m.Stats.SHA256 != sum {
		err = fmt.Errorf("%s: made, but not the soup of %s: weights file sha256 %s, recorded %s", o.Out, o.Recipe, m.Stats.SHA256, sum)
	}
	return m, err
}

// tellPlan says what the merge takes.
func tellPlan(w io.Writer, parents []*merge.Checkpoint, store merge.DType, out string) error {
	if err := merge.Check(parents, nil).Err(); err != nil {
		return err
	}
	p, err := merge.PlanFor(parents, store, filepath.Dir(out))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "soup: %d parents of %d parameters; at most %s of memory beside the mapped files, %s of disk\n",
		p.Parents, p.Parameters, size(p.MemoryBytes), size(p.DiskNeeded))
	return err
}

// tellProgress prints a line each progress.Interval.
func tellProgress(w io.Writer) func(done, total int64) {
	last := time.Now()
	return func(done, total int64) {
		if time.Since(last) >= progress.Interval {
			fmt.Fprintf(w, "soup: merged %s of %s\n", size(done), size(total))
			last = time.Now()
		}
	}
}

// parseStore reads the option --store; "" keeps the parents' dtype.
func parseStore(text string) (merge.DType, error) {
	if text == "" {
		return merge.AsStored, nil
	}
	store, err := merge.ParseDType(text)
	if err != nil {
		return store, usage.Errorf("--store: %s", err)
	}
	return store, nil
}

func names(paths []string) []string {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = filepath.Base(filepath.Clean(p))
	}
	return list
}

func openAll(paths []string) (parents []*merge.Checkpoint, err error) {
	for _, path := range paths {
		c, err := merge.Open(path)
		if err != nil {
			return parents, err
		}
		parents = append(parents, c)
	}
	return parents, nil
}

func closeAll(parents []*merge.Checkpoint) {
	for _, p := range parents {
		_ = p.Close()
	}
}

// parseWeights reads "NAME=W,...": a parent that is not named has weight 0.
func parseWeights(o MergeOptions, names []string) ([][]float64, error) {
	row := make([]float64, len(names))
	if o.Weights == "" {
		for i := range row {
			row[i] = 1 / float64(len(row))
		}
		return [][]float64{row}, nil
	}
	index, err := indexNames(names)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{}
	for _, term := range strings.Split(o.Weights, ",") {
		name, text, ok := strings.Cut(strings.TrimSpace(term), "=")
		w, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: %q is not NAME=NUMBER", term), Advice: "write --weights a=0.7,b=0.3"}
		}
		i, known := index[name]
		if !known || given[name] {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: no parent is named %q, or twice", name), Advice: "parents are " + strings.Join(names, ", ")}
		}
		if w < 0 && !o.Extrapolate {
			return nil, &usage.Error{Message: fmt.Sprintf("--weights: %s is negative", name), Advice: "give --extrapolate if you mean to leave the space between the parents"}
		}
		row[i], given[name] = w, true
	}
	return scale(row)
}

func indexNames(names []string) (map[string]int, error) {
	index := map[string]int{}
	for i, n := range names {
		if _, twice := index[n]; twice {
			return nil, &usage.Error{Message: fmt.Sprintf("two parents are named %q", n), Advice: "weights go by the last element of the path: rename one, or link it under another name"}
		}
		index[n] = i
	}
	return index, nil
}

// scale makes the weights sum to 1.
func scale(row []float64) ([][]float64, error) {
	sum := 0.0
	for _, w := range row {
		sum += w
	}
	if !(sum >= 1e-9) {
		return nil, &usage.Error{Message: fmt.Sprintf("--weights: their sum is %g; it must be above 0", sum), Advice: "give at least one parent a positive weight"}
	}
	for i := range row {
		row[i] /= sum
	}
	return [][]float64{row}, nil
}

// fromRecipe reads a soup.json and brings the parents into its order, by
// content.
func fromRecipe(ctx context.Context, file string, parents []*merge.Checkpoint) (merge.SavedRecipe, []*merge.Checkpoint, error) {
	saved, err := merge.ReadRecipe(file)
	if err != nil {
		return saved, nil, err
	}
	byHash := map[string]*merge.Checkpoint{}
	for _, p := range parents {
		h, err := p.Hash(ctx)
		if err != nil {
			return saved, nil, err
		}
		byHash[h] = p
	}
	var ordered []*merge.Checkpoint
	for _, p := range saved.Parents {
		c, ok := byHash[p.SHA256]
		if !ok {
			return saved, nil, &usage.Error{Message: fmt.Sprintf("%s: none of the given checkpoints is the parent %s (content %s)", file, p.Name, p.SHA256[:min(12, len(p.SHA256))]), Advice: "give the paths of all parents of the recipe"}
		}
		ordered = append(ordered, c)
	}
	if len(ordered) != len(parents) {
		return saved, nil, &usage.Error{Message: fmt.Sprintf("%s: made of %d parents, %d given", file, len(ordered), len(parents)), Advice: ""}
	}
	return saved, ordered, nil
}

// WriteText prints the effective weights and the checksum.
func (m Merged) WriteText(w io.Writer) error {
	table := tablewriter.NewTable(w)
	header := []any{"parent", "weight"}
	if len(m.Groups) > 0 {
		header = header[:1]
		for _, g := range m.Groups {
			header = append(header, g)
		}
	}
	table.Header(header...)
	for i, name := range m.Names {
		line := []any{name}
		for _, row := range m.Weights {
			line = append(line, strconv.FormatFloat(row[i], 'g', 6, 64))
		}
		if err := table.Append(line...); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "weights file sha256 %s\n", m.Stats.SHA256)
	return err
}
