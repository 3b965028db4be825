package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// WriteJSON prints the report as JSON.
func (r MergeReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText prints tables.
func (r MergeReport) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d parents of %.3g GB in %s, %d cores, best of up to %d runs\nmemcpy %.1f GB/s, read and write counted\n",
		r.Parents, float64(r.ParentBytes)/1e9, r.Dir, r.Cores, r.Runs, r.MemcpyRate/1e9)
	if err != nil {
		return err
	}
	table := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off))
	table.Header("dtype", "what", "ms a candidate", "GB/s", "of read", "of memcpy")
	for _, d := range r.DTypes {
		if err := table.Append(d.DType.Torch(), "read", "", gb(d.ReadRate), "1.00", share(d.ReadRate/r.MemcpyRate)); err != nil {
			return err
		}
		for _, way := range d.Results {
			if err := table.Append(d.DType.Torch(), strings.ReplaceAll(way.Name, "_", " "), fmt.Sprintf("%.4g", 1e3*way.Seconds), gb(way.Rate), share(way.OfRead), share(way.OfMemcpy)); err != nil {
				return err
			}
		}
	}
	if err := table.Render(); err != nil || len(r.Memory) == 0 {
		return err
	}
	return r.writeMemory(w)
}

func (r MergeReport) writeMemory(w io.Writer) error {
	table := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off))
	table.Header("parents", "MB beside mapped files", "of these before")
	for _, a := range r.Memory {
		if err := table.Append(a.Parents, fmt.Sprintf("%.1f", float64(a.Most)/1e6), fmt.Sprintf("%.1f", float64(a.Before)/1e6)); err != nil {
			return err
		}
	}
	return table.Render()
}

func gb(rate float64) string { return fmt.Sprintf("%.1f", rate/1e9) }

func share(x float64) string { return fmt.Sprintf("%.2f", x) }

func writeJSON(w io.Writer, report any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(report)
}
