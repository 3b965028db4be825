package adapter

import "soup/merge"

// Size is what a soup of adapters takes.
type Size struct {
	Modules    int   `json:"modules"` // that change
	Rank       int64 `json:"rank"`    // the highest of the soup's changes
	Baked      bool  `json:"baked"`   // into a base
	Tensors    int   `json:"tensors"`
	Parameters int64 `json:"parameters"`
	Bytes      int64 `json:"bytes"`  // of the tensors that are written
	Memory     int64 `json:"memory"` // bound, in bytes
}

// ownMemory is what the program needs beside tensors.
const ownMemory = 64 << 20

// StackSize says what [Stack] takes if all adapters have a weight.
func StackSize(adapters []*Adapter, o Options) Size {
	store := o.Store
	if store == merge.AsStored {
		store = merge.F32
	}
	modules := stackedRanks(adapters)
	size := Size{Modules: len(modules), Rank: highest(modules), Tensors: 2 * len(modules)}
	var work int64
	for _, m := range modules {
		rank := size.Rank
		if o.EachRank {
			rank = m.Rank
		}
		size.Parameters += rank * (m.In + m.Out)
		// What is written, B of all in float32, and one part's as read, widened and scaled.
		work = max(work, rank*(store.Size()*max(m.In, m.Out)+4*m.Out+12*max(m.In, m.Out)))
	}
	size.Bytes = size.Parameters * store.Size()
	size.Memory = ownMemory + 2*work // garbage is collected when as much again is there
	return size
}

// BakeSize says what [Bake] takes if all adapters have a weight and go with the
// base.
func BakeSize(base *merge.Checkpoint, adapters []*Adapter, o Options) Size {
	modules := stackedRanks(adapters)
	size := Size{Baked: true, Modules: len(modules), Rank: highest(modules), Tensors: len(base.Tensors()), Parameters: base.Parameters()}
	rankOf := map[string]int64{}
	for _, m := range modules {
		rankOf[m.Name+".weight"] = m.Rank
	}
	var work int64
	for _, t := range base.Tensors() {
		written := t.Bytes()
		if o.Store != merge.AsStored && t.DType.Averageable() {
			written = t.Elements() * o.Store.Size()
		}
		size.Bytes += written
		matrices := int64(0)
		if rank := rankOf[t.Name]; rank > 0 {
			matrices = 12 * rank * (t.Shape[0] + t.Shape[1])
		}
		work = max(work, written+t.Bytes()+matrices)
	}
	size.Memory = ownMemory + 2*work
	return size
}

// stackedRanks returns the modules of the soup, each with the sum of its ranks.
func stackedRanks(adapters []*Adapter) (modules []Module) {
	for _, name := range union(adapters) {
		sum := Module{Name: name}
		for _, a := range adapters {
			if m, ok := a.Module(name); ok {
				sum.In, sum.Out, sum.Rank = m.In, m.Out, sum.Rank+m.Rank
			}
		}
		modules = append(modules, sum)
	}
	return modules
}

func highest(modules []Module) (rank int64) {
	for _, m := range modules {
		rank = max(rank, m.Rank)
	}
	return rank
}
