package single

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/method"
)

// Methods returns what MergeOptions.Method may be.
func Methods() []string { return method.Names() }

// compatible refuses options that contradict a recipe.
func (o MergeOptions) compatible() error {
	if o.Recipe == "" {
		return nil
	}
	set := map[string]bool{
		"method": o.Method != "", "weights": o.Weights != "", "as-given": o.AsGiven, "lambda": o.Lambda != "",
		"t": o.T != "", "extrapolate": o.Extrapolate, "store": o.Storing.Store != "",
		"shard-size": o.Storing.Shard != "" && !isMergekit(o.Recipe),
		"base":       o.Base != "" && isMergekit(o.Recipe),
	}
	for _, name := range []string{"method", "weights", "as-given", "lambda", "t", "extrapolate", "store", "shard-size", "base"} {
		if set[name] {
			return &usage.Error{Message: fmt.Sprintf("--recipe decides about --%s: %s", name, o.Recipe), Advice: "leave --" + name + " out, or the recipe"}
		}
	}
	return nil
}

// byMethod finds the weights by a method.
func (o MergeOptions) byMethod(ctx context.Context, given given) (b blend, err error) {
	if len(given.parents) == 0 {
		return b, &usage.Error{Message: "no checkpoints to average", Advice: "give their paths, or a recipe of mergekit, which names them"}
	}
	if b.options, err = o.Storing.options(o.Info); err != nil {
		return b, err
	}
	m, err := o.method(given.names)
	if err != nil {
		return b, err
	}
	if err := merge.Check(given.parents, given.base).Err(); err != nil {
		return b, err
	}
	if err := o.Storing.checkOutput(o.Out, given.parents, b.options); err != nil {
		return b, err
	}
	if method.Reads(o.Method) {
		fmt.Fprintf(o.Info, "soup: %s reads all tensors once to find the weights\n", o.Method)
	}
	in := method.Input{Parents: given.parents, Names: given.names, Base: given.base}
	if given.base != nil {
		in.BaseName = baseName(o.Base, given.names)
	}
	s, err := m.Soup(ctx, in)
	if err != nil {
		return b, asUsage(err)
	}
	b.parents, b.names, b.recipe, b.options.Method, b.storing = s.Parents, s.Names, s.Recipe, s.Method, o.Storing
	if o.Method == "" {
		b.options.Method = "given weights"
	}
	return b, nil
}

// method reads the options of the method.
func (o MergeOptions) method(names []string) (method.Method, error) {
	name := o.Method
	if name == "" {
		name = "linear"
	}
	options := method.Options{AsGiven: o.AsGiven, Extrapolate: o.Extrapolate}
	if o.Weights != "" {
		var err error
		if options.Weights, err = parseWeights(o.Weights, names); err != nil {
			return nil, err
		}
	}
	if err := set(&options, "lambda", o.Lambda, "t", o.T); err != nil {
		return nil, err
	}
	m, err := method.New(name, options)
	if err == nil && name == "linear" && o.Weights != "" {
		return m, checkSum(options.Weights, o.AsGiven)
	}
	return m, asUsage(err)
}

// set reads options of methods, given as names and texts in turn.
func set(o *method.Options, options ...string) error {
	for pair := range slices.Chunk(options, 2) {
		if pair[1] == "" {
			continue
		}
		if err := o.Set(pair[0], pair[1]); err != nil {
			return asUsage(err)
		}
	}
	return nil
}

// checkSum refuses weights that cannot be scaled to 1, or that have
// no sum.
func checkSum(row []float64, asGiven bool) error {
	sum := 0.0
	for _, w := range row {
		sum += w
	}
	if sum >= 1e-9 || asGiven && sum != 0 {
		return nil
	}
	return &usage.Error{Message: fmt.Sprintf("--weights: their sum is %g; it must be above 0", sum), Advice: "give at least one parent a positive weight"}
}

// asUsage makes mistakes in what a method was asked for mistakes of the command
// line, and names the options as they are called there.
func asUsage(err error) error {
	var misuse *method.InputError
	if !errors.As(err, &misuse) {
		return err
	}
	advice := misuse.Hint()
	switch {
	case strings.HasPrefix(advice, "allow it"):
		advice = "give --extrapolate if you mean to leave the space between the parents"
	case strings.HasPrefix(advice, "give the checkpoint that"):
		advice += ": --base PATH"
	}
	return &usage.Error{Message: misuse.Error(), Advice: advice}
}

// baseName returns the last element of the base's path, marked where a parent
// has the same.
func baseName(path string, parents []string) string {
	name := names([]string{path})[0]
	if slices.Contains(parents, name) {
		name += " (base)"
	}
	return name
}
