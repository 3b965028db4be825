package results

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// WriteCSV writes one line a trial under one line of names: number, strategy,
// label, state, of; "weight PARENT" or "weight GROUP/PARENT"; for each split
// "SPLIT mean", "SPLIT se", "SPLIT n", "SPLIT unmeasured", "SPLIT truncated" and
// "SPLIT/CATEGORY" (a mean); and seconds. Means are 0 to 1 with every digit;
// a cell is empty where nothing was measured. Where candidates were pruned, the
// last columns are "partial n" and "partial mean", of these alone. Parents are in the study's order,
// groups in that of their first appearance, categories by name.
func WriteCSV(w io.Writer, r Report) error {
	cells := sheet(r)
	out := csv.NewWriter(w)
	header := make([]string, len(cells))
	for i, c := range cells {
		header[i] = c.name
	}
	records := [][]string{header}
	for _, t := range r.Trials {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = c.of(t)
		}
		records = append(records, row)
	}
	return out.WriteAll(records)
}

// column is a name and what a trial has under it.
type column struct {
	name string
	of   func(TrialReport) string
}

func sheet(r Report) []column {
	cells := []column{
		{"number", func(t TrialReport) string { return strconv.Itoa(t.Number) }},
		{"strategy", func(t TrialReport) string { return t.Strategy }},
		{"label", func(t TrialReport) string { return t.Label }},
		{"state", func(t TrialReport) string { return t.State }},
		{"of", func(t TrialReport) string { return strconv.Itoa(t.Of) }},
	}
	cells = append(cells, weightColumns(r)...)
	cells = append(cells, scoreColumns(r, Search, func(s Scores) *Score { return s.Search })...)
	cells = append(cells, scoreColumns(r, Selection, func(s Scores) *Score { return s.Selection })...)
	cells = append(cells, scoreColumns(r, Test, func(s Scores) *Score { return s.Test })...)
	cells = append(cells,
		column{"merge seconds", func(t TrialReport) string { return number(t.Seconds.Merge) }},
		column{"swap seconds", func(t TrialReport) string { return number(t.Seconds.Swap) }},
		column{"first token seconds", func(t TrialReport) string { return number(t.Seconds.FirstToken) }},
		column{"eval seconds", func(t TrialReport) string { return number(t.Seconds.Eval) }})
	if !slices.ContainsFunc(r.Trials, func(t TrialReport) bool { return t.Partial != nil }) {
		return cells
	}
	return append(cells, partialColumns()...)
}

func partialColumns() []column {
	get := func(f func(Partial) string) func(TrialReport) string {
		return func(t TrialReport) string {
			if t.Partial == nil {
				return ""
			}
			return f(*t.Partial)
		}
	}
	return []column{
		{"partial n", get(func(p Partial) string { return strconv.Itoa(p.N) })},
		{"partial mean", get(func(p Partial) string { return optional(p.Mean) })},
	}
}

func weightColumns(r Report) []column {
	var cells []column
	if slices.ContainsFunc(r.Trials, func(t TrialReport) bool { return t.Groups == nil }) {
		for _, p := range r.Parents {
			cells = append(cells, column{"weight " + p, func(t TrialReport) string { return weight(t.ByParent, p) }})
		}
	}
	for _, group := range groupNames(r.Trials) {
		for _, p := range r.Parents {
			cells = append(cells, column{"weight " + group + "/" + p, func(t TrialReport) string {
				return weight(t.group(group), p)
			}})
		}
	}
	return cells
}

func groupNames(trials []TrialReport) []string {
	var names []string
	for _, t := range trials {
		for _, g := range t.Groups {
			if !slices.Contains(names, g.Name) {
				names = append(names, g.Name)
			}
		}
	}
	return names
}

// group returns the weights of a group, nil if the soup has none of that name.
func (w Weights) group(name string) map[string]float64 {
	for _, g := range w.Groups {
		if g.Name == name {
			return g.ByParent
		}
	}
	return nil
}

// weight is 0 for a parent that the soup leaves out, empty without weights.
func weight(byParent map[string]float64, parent string) string {
	if byParent == nil {
		return ""
	}
	return number(byParent[parent])
}

func scoreColumns(r Report, split string, of func(Scores) *Score) []column {
	get := func(f func(*Score) string) func(TrialReport) string {
		return func(t TrialReport) string {
			if s := of(t.Scores); s != nil {
				return f(s)
			}
			return ""
		}
	}
	cells := []column{
		{split + " mean", get(func(s *Score) string { return optional(s.Mean) })},
		{split + " se", get(func(s *Score) string { return optional(s.SE) })},
		{split + " n", get(func(s *Score) string { return strconv.Itoa(s.N) })},
		{split + " unmeasured", get(func(s *Score) string { return strconv.Itoa(s.unmeasured()) })},
		{split + " truncated", get(func(s *Score) string { return strconv.Itoa(s.Truncated) })},
	}
	for _, name := range categoryNames(r.Trials, of) {
		cells = append(cells, column{fmt.Sprintf("%s/%s", split, name), get(func(s *Score) string {
			return optional(s.Categories[name].Mean)
		})})
	}
	return cells
}

func categoryNames(trials []TrialReport, of func(Scores) *Score) []string {
	names := map[string]bool{}
	for _, t := range trials {
		if s := of(t.Scores); s != nil {
			for name := range s.Categories {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return number(*x)
}

// number has as many digits as reading it back takes.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
