package single

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"soup/internal/format"
	"soup/internal/progress"
	"soup/internal/usage"
	"soup/merge"
)

// MergeOptions say which checkpoints to average and how.
type MergeOptions struct {
	Out         string
	Paths       []string  // parents; each is named after the last element of its path
	Base        string    // what the parents were fine-tuned from: checked, used by methods that need it, and what adapters are baked into; may be empty
	Method      string    // a name of merge/method; "" is linear, recorded as given weights
	Weights     string    // "NAME=W,..."; "" gives every parent the same
	AsGiven     bool      // weights are not scaled to sum to 1
	Lambda, T   string    // options of methods, as merge/method reads them; "" the method's default
	Extrapolate bool      // allow negative weights, and T outside of 0 to 1
	Recipe      string    // instead of a method and weights: a soup.json, or a recipe of mergekit, which names its parents
	EachRank    bool      // of adapters: see adapter.Options
	Storing     Storing   // of the soup
	Reading     Reading   // of the parents
	Info        io.Writer // where the plan goes, before work starts, and progress; default nowhere
}

// blend is a soup that was decided on: what goes in, and what comes out.
type blend struct {
	parents  []*merge.Checkpoint
	names    []string
	recipe   merge.Recipe
	options  merge.WriteOptions
	storing  Storing
	recorded string // file of the recipe that records sum; "" none
	sum      string // sha256 that averaging must give
}

// Merge writes one soup as a complete checkpoint.
func Merge(ctx context.Context, o MergeOptions) (m Merged, err error) {
	if o.Info == nil {
		o.Info = io.Discard
	}
	if err := o.compatible(); err != nil {
		return m, err
	}
	if o.Recipe != "" && isMergekit(o.Recipe) {
		b, err := o.byMergekit(ctx)
		defer closeAll(b.parents)
		if err != nil {
			return m, err
		}
		return b.write(ctx, o.Out, o.Info)
	}
	switch lora, err := allAdapters(o.Paths); {
	case err != nil:
		return m, err
	case lora:
		return mergeAdapters(ctx, o)
	case o.EachRank:
		return m, &usage.Error{Message: "--each-rank goes with LoRA adapters, and these are none", Advice: "leave --each-rank out"}
	}
	given, err := o.open()
	defer given.close()
	if err != nil {
		return m, err
	}
	b, err := o.decide(ctx, given)
	if err != nil {
		return m, err
	}
	return b.write(ctx, o.Out, o.Info)
}

// decide finds the weights, by recipe or by method.
func (o MergeOptions) decide(ctx context.Context, given given) (blend, error) {
	if o.Recipe != "" {
		return o.again(ctx, given)
	}
	return o.byMethod(ctx, given)
}

// given is the checkpoints of the command line, opened.
type given struct {
	parents []*merge.Checkpoint
	names   []string
	base    *merge.Checkpoint // may be one of the parents; nil if not given
	all     []*merge.Checkpoint
}

func (g given) close() { closeAll(g.all) }

// open opens parents and base. What is open after an error is in the result.
func (o MergeOptions) open() (g given, err error) {
	g.names = names(o.Paths)
	g.parents, err = o.Reading.openAll(o.Paths)
	g.all = g.parents
	if err != nil || o.Base == "" {
		return g, err
	}
	if i := sameFile(o.Base, o.Paths); i >= 0 {
		g.base = g.parents[i]
		return g, nil
	}
	if g.base, err = o.Reading.open(o.Base); err == nil {
		g.all = append(g.all[:len(g.all):len(g.all)], g.base)
	}
	return g, err
}

// write makes the soup.
func (b blend) write(ctx context.Context, out string, info io.Writer) (m Merged, err error) {
	if err := tellPlan(info, b.parents, b.options.Store, out); err != nil {
		return m, err
	}
	if m, err = merged(b, out); err != nil {
		return m, err
	}
	written, err := format.Write(ctx, b.storing.target(out), b.parents, b.names, b.recipe, b.options)
	m.Stats = written.Stats
	if err != nil || b.recorded == "" {
		return m, err
	}
	if written.Averaged != b.sum {
		return m, fmt.Errorf("%s: made, but not the soup of %s: weights sha256 %s, recorded %s", out, b.recorded, written.Averaged, b.sum)
	}
	m.Recorded = b.recorded
	return m, nil
}

// tellPlan says what the merge takes.
func tellPlan(w io.Writer, parents []*merge.Checkpoint, store merge.DType, out string) error {
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
