package method

import (
	"context"
	"slices"
	"strings"

	"soup/merge"
)

// Soup is what a method found: parents, in the order of the weights, and a
// recipe. The first parent gives the soup its configuration and tokenizer.
type Soup struct {
	Parents []*merge.Checkpoint // with the base, last, where it has a weight
	Names   []string
	Recipe  merge.Recipe
	Method  string // what it was called and with which options, for the record
}

// Input is what a method starts from. The checkpoints must pass [merge.Check].
type Input struct {
	Parents  []*merge.Checkpoint
	Names    []string
	Base     *merge.Checkpoint // what the parents were fine-tuned from; nil if not given
	BaseName string
}

// Method finds the weights of a soup. Errors name the option, or the file and
// the tensor, that are wrong; mistakes in the input are [InputError]s.
type Method interface {
	Soup(ctx context.Context, in Input) (Soup, error)
}

// entry is a registered method.
type entry struct {
	name  string
	takes []string // options
	reads bool     // looks at the tensors
	make  func(o Options) Method
}

var entries = []entry{
	{"uniform", nil, false, func(Options) Method { return uniform{} }},
	{"linear", []string{"weights", "as-given", "extrapolate"}, false, func(o Options) Method { return linear{o} }},
	{"task-arithmetic", []string{"weights", "lambda", "extrapolate"}, false, func(o Options) Method { return arithmetic{o} }},
	{"slerp", []string{"t", "extrapolate", "workers"}, true, func(o Options) Method { return slerp{o} }},
	{"model-stock", []string{"workers"}, true, func(o Options) Method { return stock{o} }},
}

// Names returns the names that [New] knows.
func Names() []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return names
}

// Reads says whether a method reads all tensors of its parents to find the
// weights, which takes as long as making the soup.
func Reads(name string) bool {
	return slices.ContainsFunc(entries, func(e entry) bool { return e.name == name && e.reads })
}

// New returns a method by name. A name that is not known, an option that the
// method does not take and a value that it cannot use are [InputError]s.
func New(name string, o Options) (Method, error) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
	if i < 0 {
		return nil, misusef("use "+strings.Join(Names(), ", "), "method: %q is not known", name)
	}
	if err := o.check(name, entries[i].takes); err != nil {
		return nil, err
	}
	return entries[i].make(o), nil
}

// check refuses inputs that no method can use.
func (in Input) check(name string, atLeast int) error {
	switch {
	case len(in.Parents) < atLeast:
		return misusef("give more parents", "method %s: %d parents, it takes %d or more", name, len(in.Parents), atLeast)
	case len(in.Names) != len(in.Parents):
		return misusef("", "method %s: %d names for %d parents", name, len(in.Names), len(in.Parents))
	}
	return nil
}

// needsBase refuses inputs without a base, or with the base among the parents.
func (in Input) needsBase(name string) error {
	switch {
	case in.Base == nil:
		return misusef("give the checkpoint that the parents were fine-tuned from", "method %s: no base", name)
	case slices.Contains(in.Parents, in.Base):
		return misusef("give it as the base only", "method %s: the base %s is among the parents", name, in.Base.Path())
	}
	return nil
}

// soup returns a soup with one row of weights for all tensors.
func (in Input) soup(method string, row []float64) Soup {
	return Soup{in.Parents, in.Names, merge.Recipe{Weights: [][]float64{row}}, method}
}

// withBase returns the parents and, behind them, the base.
func (in Input) withBase() ([]*merge.Checkpoint, []string) {
	return append(slices.Clone(in.Parents), in.Base), append(slices.Clone(in.Names), in.BaseName)
}
