package single

import (
	"context"
	"fmt"
	"io"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/adapter"
)

// checkAdapters is Check for LoRA adapters.
func checkAdapters(ctx context.Context, o CheckOptions, store merge.DType) (c Checked, err error) {
	if o.Groups != "" || o.Reading.Dequantise {
		return c, &usage.Error{Message: "--groups and --dequantize do not go with LoRA adapters", Advice: "leave them out"}
	}
	b := basting{options: adapter.Options{Store: store}}
	b.adapters, err = openAdapters(o.Paths)
	defer closeAdapters(b.adapters)
	if err != nil {
		return c, err
	}
	if o.Base != "" {
		if b.base, err = openBase(o.Base); err != nil {
			return c, err
		}
		defer b.base.Close()
	}
	if c.Findings, err = b.find(ctx, o.Deep); err != nil {
		return c, err
	}
	if c.OK = c.Findings.Err() == nil; !c.OK {
		return c, nil
	}
	plan, size, err := b.plan(".")
	c.Plan, c.Adapters = &plan, &size
	return c, err
}

// find looks at the adapters, and whether they go with the base.
func (b basting) find(ctx context.Context, deep bool) (merge.Findings, error) {
	found, err := adapter.Check(ctx, b.adapters)
	if err != nil {
		return nil, err
	}
	found = append(merge.Findings{}, found...)
	if b.base != nil {
		more, err := adapter.CheckBase(ctx, b.base, b.adapters)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	if !deep {
		return found, nil
	}
	for _, a := range b.adapters {
		more, err := a.Scan(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	if b.base == nil {
		return found, nil
	}
	more, err := merge.Scan(ctx, b.base)
	return append(found, more...), err
}

// writeAdapters prints the plan of a soup of adapters.
func (c Checked) writeAdapters(w io.Writer) {
	p := c.Plan
	store := "stored as " + p.Store.Torch()
	if p.Store == merge.AsStored {
		store = "stored as the base is, tensor by tensor"
	}
	kind := fmt.Sprintf("an adapter of rank %d", c.Adapters.Rank)
	if c.Adapters.Baked {
		kind = "a full checkpoint"
	}
	fmt.Fprintf(w, `these %d adapters can be added up
modules    %d, of rank %d together at most
soup       %s: %s, %s
memory     at most %s
disk       %s needed, %s free here%s
`, p.Parents, c.Adapters.Modules, c.Adapters.Rank, kind, size(p.SoupBytes), store, size(p.MemoryBytes), size(p.DiskNeeded), size(p.DiskFree), enough(p))
}
