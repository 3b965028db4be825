package bench

import (
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// WriteJSON prints the report as JSON.
func (r SearchReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText prints a table a problem.
func (r SearchReport) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "regret in points after so many evaluations, median (quartiles) of %d seeds, %d search items a category\n", r.Seeds, r.Items)
	if err != nil {
		return err
	}
	for _, rows := range r.byProblem() {
		if err := writeProblem(w, rows); err != nil {
			return err
		}
	}
	return nil
}

// writeProblem prints a line a strategy and a column a number of evaluations.
func writeProblem(w io.Writer, rows []SearchResult) error {
	lines := byStrategy(rows)
	header := []any{rows[0].Problem}
	for _, r := range lines[0] {
		header = append(header, fmt.Sprint(r.Evaluations))
	}
	table := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off))
	table.Header(header...)
	for _, line := range lines {
		cells := []any{line[0].Strategy}
		for _, r := range line {
			cells = append(cells, fmt.Sprintf("%.2f (%.2f-%.2f)", r.Median, r.Low, r.High))
		}
		if err := table.Append(cells...); err != nil {
			return err
		}
	}
	return table.Render()
}
