package benchmarks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"soup/eval"
)

// Figure is a number that the benchmark's authors report and that is not the
// mean of the items, such as a leaderboard's overall score.
type Figure struct {
	Name  string  // as the authors call it
	Value float64 // in the unit that the authors use
	Note  string  // what to know about it, such as what is missing; mostly ""
}

// family is a kind of official files.
type family struct {
	// load reads the items, those of one file in its order.
	load func(Source) ([]eval.Item, error)
	// figures are computed from outcomes of its items; nil if the mean of the
	// items is all there is.
	figures func(items []eval.Item, outcomes []eval.Outcome) []Figure
}

var families = map[string]family{
	"bfcl": bfclFamily,
}

// Families returns the names of the official benchmarks that Load knows, sorted.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

// Load reads the items of a benchmark. Its name becomes eval.Item.Benchmark, and
// the category of items that have none. Errors name the file and the line, or
// the option.
func Load(s Source) ([]eval.Item, error) {
	if s.Family == "" {
		return loadPlain(s)
	}
	f, ok := families[s.Family]
	if !ok {
		return nil, fmt.Errorf("unknown benchmark %q: use one of %s", s.Family, strings.Join(Families(), ", "))
	}
	if s.Name == "" {
		s.Name = s.Family
	}
	return f.load(s)
}

// Figures returns what the benchmark's authors report, if that is more than the
// mean of the items. Outcomes of other items are passed over.
func Figures(s Source, items []eval.Item, outcomes []eval.Outcome) []Figure {
	if f, ok := families[s.Family]; ok && f.figures != nil {
		return f.figures(items, outcomes)
	}
	return nil
}
