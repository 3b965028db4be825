package method

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"unsafe"

	"github.com/x448/float16"
	"golang.org/x/sync/errgroup"

	"soup/merge"
	"soup/merge/internal/remedy"
)

// Family is one tensor of several checkpoints.
type Family struct {
	Tensor string
	Of     []*merge.Checkpoint
	Origin *merge.Checkpoint // subtracted from the others; nil: nothing is
}

const (
	tile  = 1 << 11 // elements that are widened at once: they stay in the cache
	block = 1 << 18 // elements that one sum runs over
)

// Products returns, for each family, the inner products of its checkpoints'
// tensors with each other: entry [i][j] is the sum of (x_i - o)(x_j - o) over
// the elements. Sums are float64, over fixed blocks in a fixed order: they do
// not depend on workers (0: GOMAXPROCS) or on the processor. Memory beside the
// mapped files is a few megabytes; checkpoints that are not mapped, or that are
// dequantised, need one tensor of each.
//
// Families whose tensor is not averaged, such as integers, get nil. Errors name
// the checkpoint and the tensor: one that is absent, of another shape or a type
// that does not go with the others, NaN or Inf, a file that became shorter.
func Products(ctx context.Context, families []Family, workers int) ([][][]float64, error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	out := make([][][]float64, len(families))
	for i, f := range families {
		p, err := f.open()
		if err != nil {
			return nil, err
		}
		if !p.types[0].Averageable() {
			continue
		}
		if out[i], err = p.products(ctx, workers); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pass is one family under way.
type pass struct {
	family   Family
	all      []*merge.Checkpoint // the origin last
	data     [][]byte
	types    []merge.DType
	elements int64
	pairs    int
}

// open checks a family and maps its data.
func (f Family) open() (*pass, error) {
	p := &pass{family: f, all: f.Of, pairs: len(f.Of) * (len(f.Of) + 1) / 2}
	if f.Origin != nil {
		p.all = append(slices.Clone(f.Of), f.Origin)
	}
	var shape []int64
	for i, c := range p.all {
		t, ok := c.Tensor(f.Tensor)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: no tensor %s", c.Path(), f.Tensor)
		case t.DType == merge.Quantised:
			return nil, remedy.Errorf("use a checkpoint that is not quantised", "%s: tensor %s is quantised (%s)", c.Path(), f.Tensor, t.Stored)
		case i > 0 && t.DType.Averageable() != p.types[0].Averageable():
			return nil, fmt.Errorf("%s: tensor %s is %s, which is not averaged with %s", c.Path(), f.Tensor, t.Stored, p.types[0])
		case i > 0 && !slices.Equal(t.Shape, shape):
			return nil, fmt.Errorf("%s: tensor %s has shape %v, not %v", c.Path(), f.Tensor, t.Shape, shape)
		}
		data, err := c.Bytes(f.Tensor)
		if err != nil {
			return nil, err
		}
		shape, p.elements = t.Shape, t.Elements()
		p.data, p.types = append(p.data, data), append(p.types, t.DType)
	}
	return p, nil
}

// products sums block by block, in parallel, then the blocks in their order.
func (p *pass) products(ctx context.Context, workers int) ([][]float64, error) {
	sums := make([][]float64, (p.elements+block-1)/block)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for b := range sums {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			sums[b] = make([]float64, p.pairs)
			begin := int64(b) * block
			return p.guarded(func() { p.sum(sums[b], begin, min(p.elements, begin+block)) })
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	total := make([]float64, p.pairs)
	for _, s := range sums {
		for i, x := range s {
			total[i] += x
		}
	}
	return p.matrix(total)
}

// sum adds the products of the elements from begin to end.
func (p *pass) sum(sums []float64, begin, end int64) {
	room := make([]float64, tile*len(p.all))
	values := make([][]float64, len(p.all))
	for at := begin; at < end; at += tile {
		n := min(tile, end-at)
		for i := range p.all {
			values[i] = room[i*tile : i*tile+int(n)]
			widen(values[i], p.data[i], at, p.types[i])
		}
		if p.family.Origin != nil {
			subtract(values)
		}
		pair := 0
		for i := range p.family.Of {
			for j := i; j < len(p.family.Of); j++ {
				sums[pair] += dot(values[i], values[j])
				pair++
			}
		}
	}
}

// matrix spreads the sums of pairs over both triangles.
func (p *pass) matrix(sums []float64) ([][]float64, error) {
	n := len(p.family.Of)
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	pair := 0
	for i := range n {
		for j := i; j < n; j++ {
			m[i][j], m[j][i] = sums[pair], sums[pair]
			pair++
		}
		if notFinite(m[i][i]) {
			return nil, p.broken(i)
		}
	}
	return m, nil
}

// broken names the checkpoint whose NaN or Inf made a sum so.
func (p *pass) broken(i int) error {
	c := p.all[i]
	if o := p.family.Origin; o != nil {
		own, err := Products(context.Background(), []Family{{Tensor: p.family.Tensor, Of: []*merge.Checkpoint{c}}}, 1)
		if err == nil && !notFinite(own[0][0][0]) {
			c = o
		}
	}
	return remedy.Errorf("leave the checkpoint out", "%s: tensor %s holds NaN or Inf", c.Path(), p.family.Tensor)
}

// subtract takes the last slice from all others.
func subtract(values [][]float64) {
	origin := values[len(values)-1]
	for _, v := range values[:len(values)-1] {
		for i, x := range origin[:len(v)] {
			v[i] -= x
		}
	}
}

// dot returns the inner product. Products are rounded before they are added, so
// that no processor fuses the two, and four sums run side by side.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// widen reads elements, from index at on, as float64, which holds all exactly.
func widen(dst []float64, data []byte, at int64, d merge.DType) {
	data = data[at*d.Size() : (at+int64(len(dst)))*d.Size()]
	switch d {
	case merge.BF16:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16))
		}
	case merge.F16:
		for i := range dst {
			dst[i] = float64(float16.Frombits(binary.LittleEndian.Uint16(data[2*i:])).Float32())
		}
	default:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
	}
}

// guarded turns the fault that a mapped file gives when it was truncated into
// an error naming it. Other panics go on.
func (p *pass) guarded(fn func()) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		at, ok := fault.(interface {
			runtime.Error
			Addr() uintptr
		})
		if !ok {
			panic(fault)
		}
		if err = p.fault(at.Addr()); err == nil {
			panic(fault)
		}
	}()
	fn()
	return nil
}

// fault names the checkpoint whose data holds an address.
func (p *pass) fault(addr uintptr) error {
	for i, data := range p.data {
		begin := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
		if addr >= begin && addr-begin < uintptr(len(data)) {
			return remedy.Errorf("replace the file", "%s: tensor %s: the file became shorter, or its disk failed, while it was mapped", p.all[i].Path(), p.family.Tensor)
		}
	}
	return nil
}
