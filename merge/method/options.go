package method

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Options of all methods; each takes some of them. The zero value of a field
// is its default.
type Options struct {
	// Weights has one weight a parent. Default: the same for all, in linear 1/n
	// and in task-arithmetic 1.
	Weights []float64
	// AsGiven uses Weights as they are. Default: scaled to sum to 1.
	AsGiven bool
	// Extrapolate allows negative Weights, and a T outside of 0 to 1.
	Extrapolate bool
	// Lambda scales all task vectors. Default: 0.3, the value that comparisons
	// of methods use (https://github.com/tanganke/fusion_bench).
	Lambda float64
	// T is how far slerp goes from the first parent to the second: one number,
	// or several that are spread over the layers (see [Gradient]). Default: 0.5.
	T []float64
	// HalfLife is after how many checkpoints ema's weights halve. Default: 3,
	// near the factor 0.2 of https://arxiv.org/abs/2505.12082.
	HalfLife float64
	// Last is how many checkpoints at the end of a run are averaged. Default: all.
	Last int
	// Workers is the number of goroutines that read tensors. Default: GOMAXPROCS.
	Workers int
}

// OptionNames returns the names that [Options.Set] knows.
func OptionNames() []string {
	return []string{"weights", "as-given", "extrapolate", "lambda", "t", "half-life", "last", "workers"}
}

// Set reads one option as it stands on a command line: numbers in Go's syntax,
// lists with commas between. Unknown names and unreadable values are errors.
func (o *Options) Set(name, value string) (err error) {
	switch name {
	case "weights":
		o.Weights, err = numbers(value)
	case "as-given":
		o.AsGiven, err = strconv.ParseBool(value)
	case "extrapolate":
		o.Extrapolate, err = strconv.ParseBool(value)
	case "lambda":
		o.Lambda, err = number(value)
	case "t":
		o.T, err = numbers(value)
	case "half-life":
		o.HalfLife, err = number(value)
	case "last":
		o.Last, err = strconv.Atoi(value)
	case "workers":
		o.Workers, err = strconv.Atoi(value)
	default:
		return misusef("use "+strings.Join(OptionNames(), ", "), "method: option %q is not known", name)
	}
	if err == nil && !slices.Contains(o.given(), name) && value != "false" {
		err = fmt.Errorf("it must not be 0")
	}
	if err != nil {
		return misusef("", "method: option %s: %q cannot be used: %s", name, value, plain(err))
	}
	return nil
}

// plain takes the function's name out of strconv's errors.
func plain(err error) error {
	if e, ok := err.(*strconv.NumError); ok { //nolint:errorlint // strconv does not wrap it
		return e.Err
	}
	return err
}

func number(s string) (float64, error) { return strconv.ParseFloat(strings.TrimSpace(s), 64) }

func numbers(s string) ([]float64, error) {
	var list []float64
	for _, part := range strings.Split(s, ",") {
		x, err := number(part)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// given returns the names of the options that are not at their zero value.
func (o Options) given() []string {
	var names []string
	for i, is := range []bool{
		o.Weights != nil, o.AsGiven, o.Extrapolate, o.Lambda != 0, o.T != nil, o.HalfLife != 0, o.Last != 0, o.Workers != 0,
	} {
		if is {
			names = append(names, OptionNames()[i])
		}
	}
	return names
}

// check refuses options that a method does not take, and senseless values.
func (o Options) check(method string, takes []string) error {
	for _, name := range o.given() {
		if !slices.Contains(takes, name) {
			return misusef(takesHint(method, takes), "method %s: it takes no option %s", method, name)
		}
	}
	if slices.ContainsFunc(slices.Concat(o.Weights, o.T, []float64{o.Lambda, o.HalfLife}), notFinite) {
		return misusef("", "method %s: options must be finite numbers", method)
	}
	return o.checkRanges(method)
}

func (o Options) checkRanges(method string) error {
	outside := func(x float64) bool { return x < 0 || x > 1 }
	negative := func(x float64) bool { return x < 0 }
	const allow = "allow it with the option extrapolate"
	switch {
	case !o.Extrapolate && slices.ContainsFunc(o.Weights, negative):
		return misusef(allow, "method %s: option weights: a weight is negative", method)
	case !o.Extrapolate && slices.ContainsFunc(o.T, outside):
		return misusef(allow, "method %s: option t: not from 0 to 1", method)
	case o.T != nil && len(o.T) == 0:
		return misusef("", "method %s: option t: no number", method)
	case o.HalfLife < 0:
		return misusef("", "method %s: option half-life: %v checkpoints", method, o.HalfLife)
	case o.Last < 0:
		return misusef("", "method %s: option last: %d checkpoints", method, o.Last)
	case o.Workers < 0:
		return misusef("", "method %s: option workers: %d", method, o.Workers)
	}
	return nil
}

// takesHint leaves workers out, which changes no result.
func takesHint(method string, takes []string) string {
	takes = slices.DeleteFunc(slices.Clone(takes), func(name string) bool { return name == "workers" })
	if len(takes) == 0 {
		return method + " takes no options"
	}
	return method + " takes " + strings.Join(takes, ", ")
}

func notFinite(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// list writes numbers as [Options.Set] reads them.
func list(numbers []float64) string {
	parts := make([]string, len(numbers))
	for i, x := range numbers {
		parts[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strings.Join(parts, ",")
}
