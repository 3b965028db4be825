package analysis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
)

// WriteJSON prints everything.
func (a *Analysis) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(a)
}

// String is "0.53 (95% 0.41 to 0.65)", "-" if there is none.
func (e Estimate) String() string {
	if e.Value == nil {
		return "-"
	}
	text := decimals(*e.Value)
	if e.Low != nil && e.High != nil {
		text += fmt.Sprintf(" (95%% %s to %s)", decimals(*e.Low), decimals(*e.High))
	}
	return text
}

// decimals has two, and no -0.00.
func decimals(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	if text == "-0.00" {
		return "0.00"
	}
	return text
}

func orDash(v *float64) string {
	if v == nil {
		return "-"
	}
	return decimals(*v)
}

// WriteText prints what a reader decides by: the matrix, the weakest pairs, the
// thresholds, the experts, and published numbers.
func (a *Analysis) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d models, %d categories\n", a.Table, a.Models, len(a.Categories))
	for _, name := range slices.Sorted(maps.Keys(a.Skipped)) {
		fmt.Fprintf(w, "left out: %s, %s\n", name, a.Skipped[name])
	}
	for _, part := range []func(io.Writer) error{a.writeMatrix, a.writePairs, a.writeThresholds, a.writeExperts, a.writePublished, a.writeSouping, a.writeFront} {
		if err := part(w); err != nil {
			return err
		}
	}
	for _, warning := range a.Warnings {
		fmt.Fprintln(w, "note: "+warning)
	}
	return nil
}

// widest is how many categories a matrix in text may have.
const widest = 24

// writeMatrix prints Pearson's correlations, times 100, with a number for each
// category.
func (a *Analysis) writeMatrix(w io.Writer) error {
	if len(a.Categories) > widest {
		_, err := fmt.Fprintf(w, "\nthe matrix of %d categories is too wide for text: see --svg and --json\n", len(a.Categories))
		return err
	}
	fmt.Fprintln(w, "\nPearson correlation x 100")
	width := 0
	for _, name := range a.Categories {
		width = max(width, len(name))
	}
	for i, name := range a.Categories {
		fmt.Fprintf(w, "%3d %-*s", i+1, width, name)
		for _, other := range a.Categories[:i] {
			cell := "-"
			if c, _ := a.pair(name, other); c.Pearson.Value != nil {
				cell = fmt.Sprintf("%.0f", 100**c.Pearson.Value)
			}
			fmt.Fprintf(w, "%5s", strings.TrimPrefix(cell, "-0"))
		}
		fmt.Fprintln(w, "    .")
	}
	fmt.Fprintf(w, "%*s", width+4, "")
	for i := range a.Categories {
		fmt.Fprintf(w, "%5d", i+1)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// shown is how many pairs stand in the text.
const shown = 6

func (a *Analysis) writePairs(w io.Writer) error {
	var known []Correlation
	for _, c := range a.Correlations {
		if c.Pearson.Value != nil {
			known = append(known, c)
		}
	}
	slices.SortStableFunc(known, func(x, y Correlation) int {
		return cmp.Compare(*x.Pearson.Value, *y.Pearson.Value)
	})
	fmt.Fprintln(w, "\nLowest correlations")
	table := tablewriter.NewTable(w)
	table.Header("categories", "Pearson", "Spearman", "better half")
	for _, c := range known[:min(shown, len(known))] {
		if err := table.Append(c.A+" ~ "+c.B, c.Pearson.String(), c.Spearman.String(), orDash(c.BetterHalf)); err != nil {
			return err
		}
	}
	return table.Render()
}

func (a *Analysis) writeThresholds(w io.Writer) error {
	fmt.Fprintln(w, "\nSoCE")
	table := tablewriter.NewTable(w)
	table.Header("tau", "categories kept", "experts", "soups to try")
	for _, t := range a.Thresholds {
		if err := table.Append(fmt.Sprintf("%g", t.Tau), fmt.Sprintf("%d of %d", len(t.Kept), len(a.Categories)), strings.Join(t.Mix, " + "), fmt.Sprint(t.Soups)); err != nil {
			return err
		}
	}
	return table.Render()
}

// writeExperts lists those of the highest threshold, which has them all.
func (a *Analysis) writeExperts(w io.Writer) error {
	last := a.Thresholds[0]
	for _, t := range a.Thresholds {
		if t.Tau > last.Tau {
			last = t
		}
	}
	fmt.Fprintf(w, "\nExperts at tau %g\n", last.Tau)
	table := tablewriter.NewTable(w)
	table.Header("category", "expert", "score", "margin", "tied with")
	for _, e := range last.Experts {
		margin := "-"
		if e.Next != "" {
			margin = fmt.Sprintf("%.4g above %s", e.Margin, e.Next)
		}
		if err := table.Append(e.Category, e.Model, fmt.Sprintf("%.4g", e.Score), margin, strings.Join(e.Tied, ", ")); err != nil {
			return err
		}
	}
	return table.Render()
}

func (a *Analysis) writePublished(w io.Writer) error {
	if len(a.Published) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nPublished, and computed here")
	table := tablewriter.NewTable(w)
	table.Header("what", "published", "here", "")
	for _, c := range a.Published {
		if err := table.Append(c.What, c.Published, c.Here, c.Verdict); err != nil {
			return err
		}
	}
	return table.Render()
}

func (a *Analysis) writeSouping(w io.Writer) error {
	s := a.Souping
	if s == nil {
		return nil
	}
	fmt.Fprintf(w, "\nMean correlation of two categories: %s over the parents, %s over %d soups\n", orDash(s.Before), orDash(s.After), s.Soups)
	if len(s.Shapley) == 0 {
		_, err := fmt.Fprintln(w, "No Shapley values: they take every set of parents with equal shares, which the strategy subsets tries")
		return err
	}
	fmt.Fprintf(w, "\nShapley values, points: shares of %.1f (all parents, equal shares) less %.1f (none)\n", 100*s.All, 100*s.None)
	table := tablewriter.NewTable(w)
	header := []any{"parent", "all"}
	for _, c := range a.Categories {
		header = append(header, c)
	}
	table.Header(header...)
	for _, share := range s.Shapley {
		row := []any{share.Parent, fmt.Sprintf("%.1f", 100*share.Value)}
		for _, c := range a.Categories {
			row = append(row, fmt.Sprintf("%.1f", 100*share.Categories[c]))
		}
		if err := table.Append(row...); err != nil {
			return err
		}
	}
	return table.Render()
}

func (a *Analysis) writeFront(w io.Writer) error {
	f := a.Front
	if f == nil {
		return nil
	}
	fmt.Fprintf(w, "\nCandidates that no other dominates in %s, on search\n", strings.Join(f.Objectives, ", "))
	table := tablewriter.NewTable(w)
	header := []any{"trial", "candidate"}
	for _, c := range f.Objectives {
		header = append(header, c)
	}
	table.Header(header...)
	var open []string
	for _, p := range f.Points {
		if p.Open {
			open = append(open, fmt.Sprint(p.Trial))
			continue
		}
		row := []any{fmt.Sprint(p.Trial), p.Label}
		for _, v := range p.Scores {
			row = append(row, fmt.Sprintf("%.1f", 100*v))
		}
		if err := table.Append(row...); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	if f.Near > 0 {
		fmt.Fprintf(w, "%d more are below these by no more than noise: trials %s\n", f.Near, strings.Join(open, ", "))
	}
	_, err := fmt.Fprintf(w, "Hypervolume %.4f, of the parents alone %.4f\n", f.Hypervolume, f.OfParents)
	return err
}
