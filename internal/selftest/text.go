package selftest

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
)

// WriteJSON prints the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText prints a line a check, and the verdict.
func (r *Report) WriteText(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("check", "", "what was found")
	for _, c := range r.Checks {
		if err := table.Append(c.Name, string(c.State), c.Says); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	verdict := "is fit for a study"
	if !r.OK {
		verdict = "is not fit for a study"
	}
	where := r.Server
	if r.URL != "" {
		where += " at " + r.URL
	}
	_, err := fmt.Fprintf(w, "%s %s; tried in %.1f s with %s\n", where, verdict, r.Seconds, r.Model)
	return err
}
