package single

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/adapter"
	"soup/merge/method"
)

// allAdapters says whether the paths are LoRA adapters. Adapters and other
// checkpoints together are a mistake.
func allAdapters(paths []string) (bool, error) {
	first := slices.IndexFunc(paths, adapter.IsAdapter)
	other := slices.IndexFunc(paths, func(path string) bool { return !adapter.IsAdapter(path) })
	if first >= 0 && other >= 0 {
		return false, &usage.Error{
			Message: fmt.Sprintf("%s is a LoRA adapter, %s is not", paths[first], paths[other]),
			Advice:  "bake each adapter into its base first (soup merge -o FULL --base BASE ADAPTER) and average the full checkpoints; or give the base as --base",
		}
	}
	return first >= 0, nil
}

func openAdapters(paths []string) (opened []*adapter.Adapter, err error) {
	for _, path := range paths {
		a, err := adapter.Open(path)
		if err != nil {
			return opened, err
		}
		opened = append(opened, a)
	}
	return opened, nil
}

func closeAdapters(opened []*adapter.Adapter) {
	for _, a := range opened {
		_ = a.Close()
	}
}

// openBase opens what adapters are baked into: never mapped, as Bake wants it.
func openBase(path string) (*merge.Checkpoint, error) {
	return merge.OpenWith(path, merge.OpenOptions{Unmapped: true})
}

// checkAdapters refuses options that mean nothing for adapters.
func (o MergeOptions) checkAdapters() error {
	switch {
	case !slices.Contains([]string{"", "uniform", "linear"}, o.Method):
		return &usage.Error{Message: "--method " + o.Method + " does not go with LoRA adapters", Advice: "give weights, or bake each adapter into its base first"}
	case o.Storing.Shard != "":
		return &usage.Error{Message: "--shard-size does not go with LoRA adapters", Advice: "leave it out: one weights file is written"}
	case o.Storing.Format != "" || o.Storing.Config != "":
		return &usage.Error{Message: "--format and --config do not go with LoRA adapters", Advice: "write the full checkpoint first (--base), then soup merge --format gguf"}
	case o.Reading.Dequantise:
		return &usage.Error{Message: "--dequantize does not go with LoRA adapters", Advice: "give the base as safetensors that are not quantised"}
	case o.EachRank && o.Base != "":
		return &usage.Error{Message: "--each-rank is about an adapter as output and does not go with --base"}
	}
	return nil
}

// basting is a soup of adapters that was decided on.
type basting struct {
	adapters []*adapter.Adapter
	base     *merge.Checkpoint // nil: an adapter comes out
	names    []string
	weights  []float64
	options  adapter.Options
	sum      string // sha256 of the weights that must come out; "" any
}

// mergeAdapters is Merge for LoRA adapters.
func mergeAdapters(ctx context.Context, o MergeOptions) (m Merged, err error) {
	if err := o.checkAdapters(); err != nil {
		return m, err
	}
	b := basting{names: names(o.Paths), options: adapter.Options{EachRank: o.EachRank, Progress: tellProgress(o.Info)}}
	if b.options.Store, err = parseStore(o.Storing.Store); err != nil {
		return m, err
	}
	if o.Recipe == "" {
		if b.weights, err = o.adapterWeights(ctx, b.names); err != nil {
			return m, err
		}
	}
	b.adapters, err = openAdapters(o.Paths)
	defer closeAdapters(b.adapters)
	if err != nil {
		return m, err
	}
	if o.Base != "" {
		if b.base, err = openBase(o.Base); err != nil {
			return m, err
		}
		defer b.base.Close()
	}
	if o.Recipe != "" {
		if b, err = adaptersAgain(ctx, o.Recipe, b); err != nil {
			return m, err
		}
	}
	return b.write(ctx, o)
}

// adapterWeights are those of full checkpoints: the methods that adapters may
// be merged by look at nothing but their number.
func (o MergeOptions) adapterWeights(ctx context.Context, names []string) ([]float64, error) {
	m, err := o.method(names)
	if err != nil {
		return nil, err
	}
	s, err := m.Soup(ctx, method.Input{Parents: make([]*merge.Checkpoint, len(names)), Names: names})
	if err != nil {
		return nil, asUsage(err)
	}
	return s.Recipe.Weights[0], nil
}

// write makes the soup.
func (b basting) write(ctx context.Context, o MergeOptions) (m Merged, err error) {
	if err := b.tellPlan(o.Info, o.Out); err != nil {
		return m, err
	}
	m.Names, m.Weights = b.names, [][]float64{b.weights}
	if b.base == nil {
		m.Stats, err = adapter.Stack(ctx, o.Out, b.adapters, b.names, b.weights, b.options)
	} else {
		m.Stats, err = adapter.Bake(ctx, o.Out, b.base, b.adapters, b.names, b.weights, b.options)
	}
	switch {
	case err != nil || b.sum == "":
		return m, err
	case m.Stats.SHA256 != b.sum:
		return m, fmt.Errorf("%s: made, but not the soup of %s: weights sha256 %s, recorded %s", o.Out, o.Recipe, m.Stats.SHA256, b.sum)
	}
	m.Recorded = o.Recipe
	return m, nil
}

// plan says what the soup takes.
func (b basting) plan(dir string) (merge.Plan, adapter.Size, error) {
	size := adapter.StackSize(b.adapters, b.options)
	store := b.options.Store
	if b.base != nil {
		size = adapter.BakeSize(b.base, b.adapters, b.options)
	} else if store == merge.AsStored {
		store = merge.F32
	}
	p := merge.Plan{
		Parents: len(b.adapters), Tensors: size.Tensors, Parameters: size.Parameters, SoupBytes: size.Bytes,
		Store: store, MemoryBytes: size.Memory, DiskNeeded: size.Bytes + diskBeside,
	}
	for _, a := range b.adapters {
		p.ParentBytes = append(p.ParentBytes, a.Bytes())
	}
	var err error
	p.DiskFree, err = merge.FreeSpace(dir)
	return p, size, err
}

// diskBeside is what is kept free beside tensors: headers, configuration,
// tokenizer.
const diskBeside = 16 << 20

// tellPlan says what the merge takes.
func (b basting) tellPlan(w io.Writer, out string) error {
	p, s, err := b.plan(filepath.Dir(out))
	if err != nil {
		return err
	}
	into := "one adapter"
	if b.base != nil {
		into = "their base"
	}
	_, err = fmt.Fprintf(w, "soup: %d adapters of %d modules into %s, rank %d; at most %s of memory, %s of disk\n",
		p.Parents, s.Modules, into, s.Rank, size(p.MemoryBytes), size(p.DiskNeeded))
	return err
}
