package single

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"soup/merge"
)

// CheckOptions say what to look at.
type CheckOptions struct {
	Paths []string
	Base  string // what the parents were fine-tuned from; may be empty
	Deep  bool   // read the weights too
	Store string // dtype of the soup that is planned
}

// Checked is what soup check prints. The JSON keys are fixed.
type Checked struct {
	OK       bool           `json:"ok"` // nothing refuses
	Findings merge.Findings `json:"findings"`
	Plan     *merge.Plan    `json:"plan"` // null if something refuses
}

// Check finds everything that speaks against averaging checkpoints, and plans
// the soup.
func Check(ctx context.Context, o CheckOptions) (c Checked, err error) {
	store, err := parseStore(o.Store)
	if err != nil {
		return c, err
	}
	parents, err := openAll(o.Paths)
	defer closeAll(parents)
	if err != nil {
		return c, err
	}
	var base *merge.Checkpoint
	if o.Base != "" {
		if base, err = merge.Open(o.Base); err != nil {
			return c, err
		}
		defer base.Close()
	}
	c.Findings = merge.Check(parents, base)
	if c.Findings == nil {
		c.Findings = merge.Findings{}
	}
	if o.Deep {
		for _, p := range parents {
			found, err := merge.Scan(ctx, p)
			if err != nil {
				return c, err
			}
			c.Findings = append(c.Findings, found...)
		}
	}
	c.OK = c.Findings.Err() == nil
	if c.OK {
		plan, err := merge.PlanFor(parents, store, ".")
		if err != nil {
			return c, err
		}
		c.Plan = &plan
	}
	return c, nil
}

// WriteJSON prints the result as JSON.
func (c Checked) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// WriteText prints one line a finding, its remedy below, and the plan.
func (c Checked) WriteText(w io.Writer) error {
	for _, f := range c.Findings {
		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", f.Severity, f.Code, f); err != nil {
			return err
		}
		if f.Remedy != "" {
			if _, err := fmt.Fprintf(w, "  remedy: %s\n", f.Remedy); err != nil {
				return err
			}
		}
	}
	if c.Plan == nil {
		return nil
	}
	p := c.Plan
	store := p.Store.Torch()
	if store == "" {
		store = "as the first parent, tensor by tensor"
	}
	_, err := fmt.Fprintf(w, `these %d checkpoints can be averaged
tensors    %d, %d parameters
soup       %s, stored as %s
memory     at most %s beside the mapped files
disk       %s needed, %s free here
`, p.Parents, p.Tensors, p.Parameters, size(p.SoupBytes), store, size(p.MemoryBytes), size(p.DiskNeeded), size(p.DiskFree))
	return err
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
