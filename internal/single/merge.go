package single

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/olekukonko/tablewriter"

	"soup/internal/progress"
	"soup/merge"
)

// MergeOptions say which checkpoints to average and how.
type MergeOptions struct {
	Out         string
	Paths       []string  // parents; each is named after the last element of its path
	Weights     string    // "NAME=W,..."; "" gives every parent the same
	Recipe      string    // a soup.json instead of weights: the same soup again
	Store       string    // dtype of the soup; "" keeps the parents'
	Shard       string    // most bytes of a weights file, such as "5GB"; "" writes one
	Extrapolate bool      // allow negative weights
	Reading     Reading   // of the parents
	Info        io.Writer // where the plan goes, before work starts, and progress; default nowhere
}

// Merged is what was written.
type Merged struct {
	Names    []string
	Groups   []string    // names of the rows of Weights
	Weights  [][]float64 // effective, [group][parent]
	Stats    merge.Stats
	Recorded string // the recipe's file, where the soup is the one recorded there
}

// blend is a soup that was decided on: what goes in, and what comes out.
type blend struct {
	parents []*merge.Checkpoint
	names   []string
	recipe  merge.Recipe
	options merge.WriteOptions
	sum     string // sha256 of the weights that must come out; "" any
}

// Merge writes one soup as a complete checkpoint. Weights are scaled to sum to
// 1; those of a recipe are used as they are.
func Merge(ctx context.Context, o MergeOptions) (m Merged, err error) {
	if o.Info == nil {
		o.Info = io.Discard
	}
	options, err := o.writing()
	if err != nil {
		return m, err
	}
	given := blend{names: names(o.Paths), options: options}
	if o.Recipe == "" {
		if given.recipe.Weights, err = parseWeights(o, given.names); err != nil {
			return m, err
		}
	}
	given.parents, err = o.Reading.openAll(o.Paths)
	defer closeAll(given.parents)
	if err != nil {
		return m, err
	}
	b := given
	if o.Recipe != "" {
		if b, err = again(ctx, o.Recipe, given); err != nil {
			return m, err
		}
	}
	return b.write(ctx, o)
}

// writing reads the options that say how the soup is stored.
func (o MergeOptions) writing() (w merge.WriteOptions, err error) {
	w.Method, w.Progress = "given weights", tellProgress(o.Info)
	if w.Store, err = parseStore(o.Store); err != nil {
		return w, err
	}
	w.Shard, err = parseShard(o.Shard)
	return w, err
}

// write makes the soup.
func (b blend) write(ctx context.Context, o MergeOptions) (m Merged, err error) {
	if err := tellPlan(o.Info, b.parents, b.options.Store, o.Out); err != nil {
		return m, err
	}
	m.Names, m.Weights, m.Groups = b.names, b.recipe.Weights, b.recipe.Groups.Names
	if m.Stats, err = merge.Write(ctx, o.Out, b.parents, b.names, b.recipe, b.options); err != nil || b.sum == "" {
		return m, err
	}
	if m.Stats.SHA256 != b.sum {
		return m, fmt.Errorf("%s: made, but not the soup of %s: weights sha256 %s, recorded %s", o.Out, o.Recipe, m.Stats.SHA256, b.sum)
	}
	m.Recorded = o.Recipe
	return m, nil
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
	same := ""
	if m.Recorded != "" {
		same = ", identical to the soup of " + m.Recorded
	}
	_, err := fmt.Fprintf(w, "weights file sha256 %s%s\n", m.Stats.SHA256, same)
	return err
}
