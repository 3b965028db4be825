package adapter

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"

	"soup/merge"
)

// The relations of two names of base models.
const (
	equal     = iota
	spelled   // perhaps one model: the last elements agree, or one has no name
	different // names of two models, as far as names say
	compared  // two local copies, whose weights are not the same
)

// relation is how far two names of base models go together.
type relation struct {
	kind   int
	tensor string // that differs, where the copies were compared
}

// relate compares two names of base models: as checkpoints, tensor by tensor,
// where both are paths of such on this machine, else as names. Copies of one
// model lie at many paths and under many owners, so of names the last element
// decides.
func relate(ctx context.Context, a, b string) (relation, error) {
	if a == b {
		return relation{kind: equal}, nil
	}
	if local(a) && local(b) {
		tensor, err := differ(ctx, a, b)
		if err != nil {
			return relation{}, err
		}
		if tensor != "" {
			return relation{compared, tensor}, nil
		}
		return relation{kind: equal}, nil
	}
	x, y := model(a), model(b)
	if a == "" || b == "" || last(x) == last(y) {
		return relation{kind: spelled}, nil
	}
	return relation{kind: different}, nil
}

// local says whether a name is the path of a checkpoint on this machine.
func local(name string) bool {
	if name == "" {
		return false
	}
	c, err := merge.Open(name)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// differ returns the name of a tensor that two checkpoints do not share, or ""
// where all their weights are the same. It reads until one differs.
func differ(ctx context.Context, a, b string) (tensor string, err error) {
	if samePlace(a, b) {
		return "", nil
	}
	// Not mapped: a file that gets shorter is an error then, not a fault.
	x, err := merge.OpenWith(a, merge.OpenOptions{Unmapped: true})
	if err != nil {
		return "", err
	}
	defer x.Close()
	y, err := merge.OpenWith(b, merge.OpenOptions{Unmapped: true})
	if err != nil {
		return "", err
	}
	defer y.Close()
	if tensor = unlike(x, y); tensor == "" {
		tensor = unlike(y, x)
	}
	for _, t := range x.Tensors() {
		if tensor != "" {
			break
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if tensor, err = differIn(x, y, t.Name); err != nil {
			return "", err
		}
	}
	return tensor, nil
}

func samePlace(a, b string) bool {
	x, errX := filepath.EvalSymlinks(a)
	y, errY := filepath.EvalSymlinks(b)
	if errX != nil || errY != nil {
		return false
	}
	i, errX := os.Stat(x)
	j, errY := os.Stat(y)
	return errX == nil && errY == nil && os.SameFile(i, j)
}

// unlike returns a tensor of x that y lacks, or has in another type or shape.
func unlike(x, y *merge.Checkpoint) string {
	for _, t := range x.Tensors() {
		if u, ok := y.Tensor(t.Name); !ok || u.Stored != t.Stored || !slices.Equal(u.Shape, t.Shape) {
			return t.Name
		}
	}
	return ""
}

func differIn(x, y *merge.Checkpoint, name string) (string, error) {
	a, err := x.Bytes(name)
	if err != nil {
		return "", err
	}
	b, err := y.Bytes(name)
	if err != nil || bytes.Equal(a, b) {
		return "", err
	}
	return name, nil
}
