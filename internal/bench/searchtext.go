package bench

import (
	"fmt"
	"io"
	"slices"

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
	for rows := r.Rows; len(rows) > 0; {
		n := slices.IndexFunc(rows, func(s SearchResult) bool { return s.Problem != rows[0].Problem })
		if n < 0 {
			n = len(rows)
		}
		if err := writeProblem(w, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// writeProblem prints a line a strategy and a column a number of evaluations.
func writeProblem(w io.Writer, rows []SearchResult) error {
	header := []any{rows[0].Problem}
	for _, r := range rows {
		if r.Strategy == rows[0].Strategy {
			header = append(header, fmt.Sprint(r.Evaluations))
		}
	}
	table := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off))
	table.Header(header...)
	for line := range slices.Chunk(rows, len(header)-1) {
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
