package single

import (
	"fmt"
	"io"
	"strconv"

	"github.com/olekukonko/tablewriter"

	"soup/benchmarks"
	"soup/eval"
)

// Figure is a number as the benchmark's authors report it.
type Figure struct {
	Benchmark string  `json:"benchmark"`
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Note      string  `json:"note,omitempty"`
}

// figures are those of the benchmarks that were scored, each from its own items.
func figures(sources []benchmarks.Source, items []eval.Item, outcomes []eval.Outcome) []Figure {
	var all []Figure
	for _, source := range sources {
		var own []eval.Item
		for _, it := range items {
			if it.Benchmark == source.Name {
				own = append(own, it)
			}
		}
		for _, f := range benchmarks.Figures(source, own, outcomes) {
			all = append(all, Figure{Benchmark: source.Name, Name: f.Name, Value: f.Value, Note: f.Note})
		}
	}
	return all
}

// writeFigures prints them below the scores, if there are any.
func writeFigures(w io.Writer, all []Figure) error {
	if len(all) == 0 {
		return nil
	}
	table := tablewriter.NewTable(w)
	table.Header("official figure", "value", "note")
	for _, f := range all {
		if err := table.Append(fmt.Sprintf("%s: %s", f.Benchmark, f.Name), strconv.FormatFloat(f.Value, 'f', 2, 64), f.Note); err != nil {
			return err
		}
	}
	return table.Render()
}
