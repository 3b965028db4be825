package single

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"

	"soup/merge"
)

// WriteText prints one line a finding, its remedy below, and the plan.
func (c Checked) WriteText(w io.Writer) error {
	var text strings.Builder
	for _, f := range c.Findings {
		fmt.Fprintf(&text, "%s: %s: %s\n", f.Severity, f.Code, f)
		if f.Remedy != "" {
			fmt.Fprintf(&text, "  remedy: %s\n", f.Remedy)
		}
	}
	for _, s := range c.LeaveOut {
		fmt.Fprintf(&text, "leave out: %s (%s)\n", s.Parent, s.Code)
	}
	if c.Geometry != nil {
		fmt.Fprintln(&text, "how far each parent moved, and the cosines of the task vectors:")
		if err := writeGeometry(&text, *c.Geometry); err != nil {
			return err
		}
	}
	switch {
	case c.Adapters != nil:
		c.writeAdapters(&text)
	case c.Plan != nil:
		c.writePlan(&text)
	}
	if _, err := io.WriteString(w, text.String()); err != nil || len(c.Groups) == 0 {
		return err
	}
	return writeGroups(w, c.Groups)
}

func (c Checked) writePlan(w io.Writer) {
	p := c.Plan
	store := p.Store.Torch()
	if store == "" {
		store = "as the first parent, tensor by tensor"
	}
	fmt.Fprintf(w, `these %d checkpoints can be averaged
tensors    %d, %d parameters
soup       %s, stored as %s
memory     at most %s beside the mapped files
disk       %s needed, %s free here%s
`, p.Parents, p.Tensors, p.Parameters, size(p.SoupBytes), store, size(p.MemoryBytes), size(p.DiskNeeded), size(p.DiskFree), enough(p))
	e := c.Expected
	fmt.Fprintf(w, "read       %s a candidate%s\n", size(e.BytesToRead), e.reading())
	if e.HashSeconds != nil {
		fmt.Fprintf(w, "hash       once, %s\n", about(*e.HashSeconds))
	}
}

// enough says where a soup would not fit.
func enough(p *merge.Plan) string {
	if p.DiskFree >= 0 && p.DiskFree < p.DiskNeeded {
		return ": too little, write it to another disk"
	}
	return ""
}

// reading says how long, and what that was concluded from.
func (e *Expected) reading() string {
	if e.ReadSeconds == nil {
		return "; how long was not measured: " + e.where()
	}
	return fmt.Sprintf(", %s: %s/s, measured on %s, %s", about(*e.ReadSeconds),
		size(int64(float64(e.BytesToRead)/max(*e.ReadSeconds, 1e-9))), size(e.Probe.Bytes), e.where())
}

// where says in words where the probe's bytes were.
func (e *Expected) where() string {
	p := e.Probe
	switch e.Source {
	case "sparse":
		return fmt.Sprintf("%.0f %% of the sample are holes of sparse files", 100*p.Holes)
	case "cached":
		return "all in memory already"
	case "disk":
		return "from disk"
	case "mixed":
		return fmt.Sprintf("%.0f %% in memory already, the rest from disk", 100*p.Cached)
	}
	return "from memory or disk, the system does not say"
}

// writeGroups prints the groups with their share of the soup.
func writeGroups(w io.Writer, groups []merge.GroupSize) error {
	table := tablewriter.NewTable(w)
	table.Header("group", "tensors", "parameters", "size")
	for _, g := range groups {
		if err := table.Append(g.Name, g.Tensors, g.Parameters, size(g.Bytes)); err != nil {
			return err
		}
	}
	return table.Render()
}

// about prints a time in the unit that fits.
func about(seconds float64) string {
	if seconds < 0.1 {
		return "less than 0.1 s"
	}
	if seconds < 60 {
		return fmt.Sprintf("about %.2g s", seconds)
	}
	if seconds > 1e7 {
		return fmt.Sprintf("about %.0f days", seconds/86400)
	}
	return "about " + time.Duration(seconds*float64(time.Second)).Round(time.Second).String()
}

// size prints bytes in the unit that fits.
func size(n int64) string {
	if n < 0 {
		return "unknown"
	}
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for ; v >= 1000 && u < len(units)-1; u++ {
		v /= 1000
	}
	return fmt.Sprintf("%.3g %s", v, units[u])
}
