package merge

import "fmt"

// Plan says, before any work, what a merge will take.
type Plan struct {
	Parents     int     `json:"parents"`
	Tensors     int     `json:"tensors"`
	Parameters  int64   `json:"parameters"`
	ParentBytes []int64 `json:"parent_bytes"` // weight files, by parent
	SoupBytes   int64   `json:"soup_bytes"`   // weights file
	Store       DType   `json:"store"`        // "" where tensors keep different dtypes
	MemoryBytes int64   `json:"memory_bytes"` // bound beside the mapped files
	DiskNeeded  int64   `json:"disk_needed"`
	DiskFree    int64   `json:"disk_free"` // -1: unknown
}

// memoryBound is what a merge needs at most beside the mapped files: sums of
// one block a worker, headers, and Go's own. It does not grow with the number
// or the size of parents; a test measures it.
const memoryBound = 64 << 20

// PlanFor plans a soup with the first parent's tensors, stored as store in the
// directory dir, which need not exist yet. It does not check that the parents
// fit together. Errors: no parents, quantised tensors, a store dtype that GGUF
// cannot take.
func PlanFor(parents []*Checkpoint, store DType, dir string) (Plan, error) {
	if len(parents) == 0 {
		return Plan{}, fmt.Errorf("no parents given")
	}
	l, err := layoutLike(parents[0], store)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Parents: len(parents), Tensors: len(l.tensors), Parameters: parents[0].Parameters(),
		SoupBytes: l.size(), Store: l.store(), MemoryBytes: memoryBound, DiskNeeded: l.size() + slack,
	}
	for _, c := range parents {
		p.ParentBytes = append(p.ParentBytes, c.size())
	}
	real, _, err := existing(dir)
	if err != nil {
		return Plan{}, err
	}
	p.DiskFree, err = freeBytes(real)
	return p, err
}

// GroupSize says how much of a soup one group is.
type GroupSize struct {
	Name       string `json:"name"`
	Tensors    int    `json:"tensors"`
	Parameters int64  `json:"parameters"`
	Bytes      int64  `json:"bytes"` // in the soup
}

// GroupSizes returns the size of each group in a soup of like's tensors, stored
// as store.
func GroupSizes(like *Checkpoint, g Grouping, store DType) ([]GroupSize, error) {
	sizes := make([]GroupSize, g.Len())
	for i := range sizes {
		sizes[i].Name = g.Name(i)
	}
	for _, t := range like.tensors {
		i, err := g.of(t.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", like.path, err)
		}
		sizes[i].Tensors++
		sizes[i].Parameters += t.Elements()
		sizes[i].Bytes += t.as(store).Bytes()
	}
	return sizes, nil
}

// FreeSpace returns the bytes that this user may still write in the directory
// dir, which need not exist yet; -1 where the system does not tell.
func FreeSpace(dir string) (int64, error) {
	real, _, err := existing(dir)
	if err != nil {
		return 0, err
	}
	return freeBytes(real)
}
