package single

import (
	"context"
	"encoding/json"
	"io"
	"slices"

	"soup/internal/origin"
	"soup/merge"
	"soup/merge/adapter"
)

// CheckOptions say what to look at.
type CheckOptions struct {
	Paths  []string
	Base   string // what the parents were fine-tuned from; may be empty
	Deep   bool   // read the weights too
	Advise bool   // say which parents to leave out; reads the weights
	Store  string // dtype of the soup that is planned
	Groups string // how tensors are grouped, see parseGroups; "" is one group

	Reading Reading
}

// Checked is what soup check prints. The JSON keys are fixed.
type Checked struct {
	OK       bool              `json:"ok"` // nothing refuses
	Findings merge.Findings    `json:"findings"`
	Plan     *merge.Plan       `json:"plan"`               // null if something refuses
	Groups   []merge.GroupSize `json:"groups,omitempty"`   // only where they were asked for
	Expected *Expected         `json:"expected"`           // null if something refuses, and for adapters
	Geometry *merge.Geometry   `json:"geometry,omitempty"` // only where the weights were read and are finite
	LeaveOut []Suggestion      `json:"leave_out,omitzero"` // only where it was asked for
	Adapters *adapter.Size     `json:"adapters,omitempty"`
}

// Expected is how long the parents take, as a short probe has it.
type Expected struct {
	BytesToRead int64       `json:"bytes_to_read"` // of all parents, once: a candidate in which all have weight
	ReadSeconds *float64    `json:"read_seconds"`  // for these bytes; null: the probe could not tell
	HashSeconds *float64    `json:"hash_seconds"`  // for the sha256 of all parents, which a merge and a study take once; null likewise
	Source      string      `json:"source"`        // where the probe's bytes were: cached, disk, mixed, unknown or sparse
	Probe       merge.Probe `json:"probe"`
}

// Check finds everything that speaks against averaging checkpoints, and plans
// the soup.
func Check(ctx context.Context, o CheckOptions) (c Checked, err error) {
	store, err := parseStore(o.Store)
	if err != nil {
		return c, err
	}
	spec, err := parseGroups(o.Groups)
	if err != nil {
		return c, err
	}
	if lora, err := allAdapters(o.Paths); lora || err != nil {
		if err != nil {
			return c, err
		}
		return checkAdapters(ctx, o, store)
	}
	parents, err := o.Reading.openAll(o.Paths)
	defer closeAll(parents)
	if err != nil {
		return c, err
	}
	if err = c.find(ctx, parents, o, spec); err != nil {
		return c, err
	}
	if o.Advise {
		c.LeaveOut = suggest(o.Paths, c.Findings)
	}
	if c.OK = c.Findings.Err() == nil; c.OK {
		err = c.plan(ctx, parents, store, spec)
	}
	return c, err
}

// find compares the parents with each other and with the base.
func (c *Checked) find(ctx context.Context, parents []*merge.Checkpoint, o CheckOptions, spec merge.GroupSpec) error {
	var base *merge.Checkpoint
	if o.Base != "" {
		var err error
		if base, err = o.Reading.open(o.Base); err != nil {
			return err
		}
		defer base.Close()
	}
	c.Findings = slices.Concat(merge.Findings{}, merge.Check(parents, base), origin.Findings(parents))
	if !o.Deep && !o.Advise {
		return nil
	}
	var found merge.Findings
	var err error
	if c.Findings.Err() != nil { // they have no common space to be measured in
		found, err = scan(ctx, parents)
	} else {
		c.Geometry, found, err = measure(ctx, parents, base, spec)
	}
	c.Findings = append(c.Findings, found...)
	return err
}

// plan says what a soup of the parents takes.
func (c *Checked) plan(ctx context.Context, parents []*merge.Checkpoint, store merge.DType, spec merge.GroupSpec) error {
	plan, err := merge.PlanFor(parents, store, ".")
	if err != nil {
		return err
	}
	c.Plan = &plan
	c.Findings = append(c.Findings, plan.Findings()...)
	if c.Groups, err = groupSizes(parents[0], store, spec); err != nil {
		return err
	}
	c.Expected, err = expect(ctx, parents, plan)
	return err
}

// expect probes the parents' files.
func expect(ctx context.Context, parents []*merge.Checkpoint, plan merge.Plan) (*Expected, error) {
	probe, err := merge.ProbeReading(ctx, parents)
	if err != nil {
		return nil, err
	}
	e := &Expected{Probe: probe, Source: source(probe)}
	for _, n := range plan.ParentBytes {
		e.BytesToRead += n
	}
	if s, ok := probe.ReadSeconds(e.BytesToRead); ok {
		e.ReadSeconds = &s
	}
	if s, ok := probe.HashSeconds(parents); ok {
		e.HashSeconds = &s
	}
	return e, nil
}

// source names where the bytes of a probe were.
func source(p merge.Probe) string {
	switch {
	case p.Holes > 0.5:
		return "sparse"
	case p.Unknown > 0:
		return "unknown"
	case p.Uncached == 0:
		return "cached"
	case p.Cached == 0:
		return "disk"
	}
	return "mixed"
}

// WriteJSON prints the result as JSON.
func (c Checked) WriteJSON(w io.Writer) error { return writeJSON(w, c) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
