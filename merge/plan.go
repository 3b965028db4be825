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
	DiskFree    int64   `json:"disk_free"`      // -1: unknown
	Machine     int64   `json:"machine_memory"` // that this process may use; 0: unknown
}

// Findings says where the machine is too small: a warning where the disk cannot
// hold the soup, or memory cannot; a note where it cannot hold the parents.
func (p Plan) Findings() (found Findings) {
	add := func(severity, code, remedy, format string, args ...any) {
		found = append(found, Finding{Code: code, Severity: severity, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if p.DiskFree >= 0 && p.DiskFree < p.DiskNeeded {
		add(Warn, "disk", "free space, or write the soup to another disk", "a soup needs %s of disk, and %s are free here", gigabytes(p.DiskNeeded), gigabytes(p.DiskFree))
	}
	var parents int64
	for _, n := range p.ParentBytes {
		parents += n
	}
	switch {
	case p.Machine == 0:
	case p.SoupBytes+p.MemoryBytes > p.Machine:
		add(Warn, "memory", "use a server on a larger machine", "a soup has %s, and this machine %s of memory: a model that is run here is read from disk for every token", gigabytes(p.SoupBytes), gigabytes(p.Machine))
	case float64(parents) > share*float64(p.Machine):
		add(Note, "memory", "", "the parents have %s, and this machine %s of memory: every candidate reads them from disk", gigabytes(parents), gigabytes(p.Machine))
	}
	return found
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
		SoupBytes: l.size(), Store: l.store(), MemoryBytes: memoryBound, DiskNeeded: l.size() + slack, Machine: memoryBytes(),
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
