package merge

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"soup/merge/internal/kernel"
)

// tile is the number of elements that a worker takes at a time: small enough
// to spread the work evenly, large enough that taking it costs nothing.
const tile = 16384

// Stats says what a merge did.
type Stats struct {
	Seconds      float64 `json:"seconds"`
	BytesRead    int64   `json:"bytes_read"`
	BytesWritten int64   `json:"bytes_written"`
	SHA256       string  `json:"sha256,omitempty"` // of the weights file, by Write only
}

// dish is one tensor of the soup with all that goes into it.
type dish struct {
	tensor Tensor // as stored
	dst    []byte
	src    []kernel.Operand // parents whose weight is not 0
	round  DType
	copied bool // bytes of the first operand; for integers all operands must be equal
}

// cooking is one merge under way.
type cooking struct {
	dishes   []dish
	tiles    []int // tiles up to and including each dish
	next     atomic.Int64
	done     atomic.Int64 // bytes written
	failed   atomic.Bool
	files    []*mapping
	progress func(done int64)
}

// prepare resolves a recipe against a layout: names, shapes and weights are
// checked, no weights are read.
func prepare(l layout, dst []byte, parents []*Checkpoint, r Recipe) (*cooking, error) {
	weights, err := r.narrowed(len(parents))
	if err != nil {
		return nil, err
	}
	c := &cooking{files: mappings(parents)}
	total := 0
	for i, t := range l.tensors {
		group, err := r.Groups.of(t.Name)
		if err != nil {
			return nil, err
		}
		d := dish{tensor: t, dst: dst[l.begins[i] : l.begins[i]+t.bytes], round: r.round(t.Name)}
		if d.src, err = operands(parents, weights[group], t); err != nil {
			return nil, err
		}
		if err := d.settle(); err != nil {
			return nil, err
		}
		total += int((t.Elements() + tile - 1) / tile)
		c.dishes, c.tiles = append(c.dishes, d), append(c.tiles, total)
	}
	return c, nil
}

// operands collects a tensor from the parents whose weight is not 0.
func operands(parents []*Checkpoint, weights []float32, t Tensor) ([]kernel.Operand, error) {
	var src []kernel.Operand
	for k, p := range parents {
		own, ok := p.Tensor(t.Name)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: no tensor %s", p.path, t.Name)
		case !slices.Equal(own.Shape, t.Shape):
			return nil, fmt.Errorf("%s: tensor %s has shape %v, not %v", p.path, t.Name, own.Shape, t.Shape)
		case !own.DType.fits(t.DType):
			return nil, fmt.Errorf("%s: tensor %s is %s, which is not averaged with %s", p.path, t.Name, own.Stored, t.Stored)
		case weights[k] == 0:
			continue
		}
		data, err := p.Bytes(t.Name)
		if err != nil {
			return nil, err
		}
		src = append(src, kernel.Operand{Data: data, Type: kernel.Type(own.DType), Weight: weights[k]})
	}
	return src, nil
}

// fits says whether a parent's tensor of this type can go into a soup's tensor
// of another: floats into floats, the rest only into itself.
func (d DType) fits(soup DType) bool {
	return d != Quantised && (d == soup || d.Averageable() && soup.Averageable())
}

// settle decides whether the tensor is copied: one parent of weight 1 gives
// its bytes, NaN payloads included, and what is not a float is never averaged.
func (d *dish) settle() error {
	rounds := d.round != AsStored && d.round != d.tensor.DType
	alone := len(d.src) == 1 && d.src[0].Weight == 1 && DType(d.src[0].Type) == d.tensor.DType && !rounds
	d.copied = alone || !d.tensor.DType.Averageable()
	for _, o := range d.src {
		if d.copied && len(o.Data) != len(d.dst) {
			return fmt.Errorf("tensor %s: %d bytes in one parent, %d in another", d.tensor.Name, len(o.Data), len(d.dst))
		}
	}
	return nil
}

// cook runs the kernel over all tiles.
func (c *cooking) cook(ctx context.Context, workers int) (Stats, error) {
	started := time.Now()
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			if errs[i] = guarded(c.files, func() error { return c.work(ctx) }); errs[i] != nil {
				c.failed.Store(true)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return Stats{}, err
		}
	}
	return c.stats(time.Since(started)), nil
}

// work takes tiles until none is left.
func (c *cooking) work(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil || c.failed.Load() {
			return err
		}
		n := int(c.next.Add(1)) - 1
		i := sort.SearchInts(c.tiles, n+1)
		if i == len(c.dishes) {
			return nil
		}
		before := 0
		if i > 0 {
			before = c.tiles[i-1]
		}
		written, err := c.dishes[i].cookTile(n - before)
		if err != nil {
			return err
		}
		if done := c.done.Add(written); c.progress != nil {
			c.progress(done)
		}
	}
}

// cookTile makes the n-th tile of a tensor and returns its bytes.
func (d *dish) cookTile(n int) (int64, error) {
	elements := d.tensor.Elements()
	begin := int64(n) * tile
	end := min(begin+tile, elements)
	size := d.tensor.DType.Size()
	dst := d.dst[begin*size : end*size]
	var room [32]kernel.Operand
	src := room[:0]
	for _, o := range d.src {
		size := DType(o.Type).Size()
		src = append(src, kernel.Operand{Data: o.Data[begin*size : end*size], Type: o.Type, Weight: o.Weight})
	}
	if !d.copied {
		kernel.Sum(dst, src, kernel.Type(d.round), kernel.Type(d.tensor.DType))
		return int64(len(dst)), nil
	}
	for _, o := range src[1:] {
		if !bytes.Equal(src[0].Data, o.Data) {
			return 0, fmt.Errorf("tensor %s (%s) is copied, not averaged, but differs between parents", d.tensor.Name, d.tensor.Stored)
		}
	}
	copy(dst, src[0].Data)
	return int64(len(dst)), nil
}

// stats counts the traffic of a finished merge.
func (c *cooking) stats(took time.Duration) Stats {
	s := Stats{Seconds: took.Seconds(), BytesWritten: c.done.Load()}
	for _, d := range c.dishes {
		for _, o := range d.src {
			s.BytesRead += int64(len(o.Data))
		}
	}
	return s
}
