package adapter

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"soup/merge"
	"soup/merge/internal/kernel"
)

// Bake adds the weighted sum of the adapters' changes to a base and writes a
// complete checkpoint at out, as one weights file: names, configuration and
// tokenizer are the base's. soup.json records names, hashes and weights. names
// are what the record calls the adapters; nil means the last elements of their
// paths.
//
// The adapters must pass [Check] and go with the base, as [CheckBase] has it.
// out must not exist or be an empty directory, and appears complete or not at
// all. Open the base unmapped: then a file that gets shorter is an error.
// Memory holds one tensor, as read and as written, and the matrices of its
// adapters.
func Bake(ctx context.Context, out string, base *merge.Checkpoint, adapters []*Adapter, names []string, weights []float64, o Options) (merge.Stats, error) {
	began := time.Now()
	kept, err := shares(ctx, adapters, names, weights)
	if err != nil {
		return merge.Stats{}, err
	}
	found, err := CheckBase(ctx, base, adapters)
	if err == nil {
		err = found.Err()
	}
	if err != nil {
		return merge.Stats{}, err
	}
	b := oven{base: base, kept: kept, store: o.Store, workers: o.Workers, transposed: kept[0].of.config.fanInFanOut}
	if b.workers <= 0 {
		b.workers = runtime.GOMAXPROCS(0)
	}
	c, err := b.checkpoint(ctx)
	if err != nil {
		return merge.Stats{}, err
	}
	if c.Record, err = record(ctx, Baked, kept, base, o.Store); err != nil {
		return merge.Stats{}, err
	}
	c.Files = map[string][]byte{"README.md": card(filepath.Base(out), *c.Record, "")}
	c.Apart = append(dirs(adapters), base.Path())
	stats, err := merge.Create(ctx, out, c, o.Progress)
	stats.Seconds, stats.BytesRead = time.Since(began).Seconds(), bytesOf(kept)+size(base)
	return stats, err
}

// size returns the bytes of all tensors.
func size(c *merge.Checkpoint) (n int64) {
	for _, t := range c.Tensors() {
		n += t.Bytes()
	}
	return n
}

// oven is one Bake under way.
type oven struct {
	base       *merge.Checkpoint
	kept       []share
	store      merge.DType
	workers    int
	transposed bool // matrices are [in, out]
}

func (b oven) checkpoint(ctx context.Context) (c merge.NewCheckpoint, err error) {
	c = merge.NewCheckpoint{Meta: map[string]string{"format": "pt"}, Store: b.store}
	if info, err := os.Stat(b.base.Path()); err == nil && info.IsDir() {
		c.From = b.base.Path()
	}
	for _, t := range b.base.Tensors() {
		var parts []part
		if module, ok := moduleOf(t.Name); ok {
			if parts, err = partsOf(module, b.kept); err != nil {
				return c, err
			}
		}
		d := t.DType
		if b.store != merge.AsStored && d.Averageable() {
			d = b.store
		}
		c.Tensors = append(c.Tensors, merge.NewTensor{Name: t.Name, DType: d, Shape: t.Shape, Fill: func(dst []byte) error {
			return b.fill(ctx, dst, t, d, parts)
		}})
	}
	return c, nil
}

// fill writes one tensor.
func (b oven) fill(ctx context.Context, dst []byte, t merge.Tensor, d merge.DType, parts []part) error {
	data, err := b.base.Bytes(t.Name)
	switch {
	case err != nil:
		return err
	case len(parts) == 0 && d == t.DType:
		copy(dst, data)
		return nil
	case len(parts) == 0:
		convert(dst, data, t.DType, d)
		return nil
	}
	var terms []term
	for _, p := range parts {
		x, err := p.term(b.transposed)
		if err != nil {
			return err
		}
		terms = append(terms, x)
	}
	m := matrix{dst: dst, store: d, base: data, of: t.DType, rows: t.Shape[0], columns: t.Shape[1], terms: terms}
	return m.sum(ctx, b.workers)
}

// term is a product of two matrices that is added to a matrix: row i of it is
// the sum of the rank rows, each times left[i*rank+t].
type term struct {
	left []float32
	rows []byte // rank rows, as long as those of the matrix
	of   merge.DType
	rank int64
}

// term returns B'*A, or where the matrix is [in, out] its transpose.
func (p part) term(transposed bool) (term, error) {
	down, d, err := p.down()
	if err != nil {
		return term{}, err
	}
	up, err := p.up()
	if err != nil {
		return term{}, err
	}
	m := p.module
	if !transposed {
		return term{up, down, d, m.Rank}, nil
	}
	rows := make([]byte, 0, 4*len(up))
	for _, x := range transpose(up, m.Out, m.Rank) {
		rows = binary.LittleEndian.AppendUint32(rows, math.Float32bits(x))
	}
	return term{transpose(floats(down, d), m.Rank, m.In), rows, merge.F32, m.Rank}, nil
}

// transpose turns rows into columns.
func transpose(values []float32, rows, columns int64) []float32 {
	turned := make([]float32, len(values))
	for i := range rows {
		for j := range columns {
			turned[j*rows+i] = values[i*columns+j]
		}
	}
	return turned
}

// matrix is a matrix of the base and what is added to it.
type matrix struct {
	dst, base     []byte
	store, of     merge.DType
	rows, columns int64
	terms         []term
}

// tileBytes is how much of the terms' rows is worked through at a time: they are
// read again for each row of the matrix and stay in the cache.
const tileBytes = 256 << 10

// sum writes the matrix, each worker a share of the rows.
func (m matrix) sum(ctx context.Context, workers int) error {
	g, ctx := errgroup.WithContext(ctx)
	share := (m.rows + int64(workers) - 1) / int64(workers)
	for begin := int64(0); begin < m.rows; begin += share {
		g.Go(func() error { return m.sumRows(ctx, begin, min(m.rows, begin+share)) })
	}
	return g.Wait()
}

func (m matrix) sumRows(ctx context.Context, begin, end int64) error {
	rank := int64(0)
	for _, t := range m.terms {
		rank += t.rank
	}
	operands := make([]kernel.Operand, rank+1)
	width := max(64, tileBytes/(4*rank))
	for from := int64(0); from < m.columns; from += width {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(m.columns, from+width)
		m.place(operands, from, to)
		for row := begin; row < end; row++ {
			m.weigh(operands, row)
			at := row * m.columns
			operands[rank] = kernel.Operand{Data: m.base[(at+from)*m.of.Size() : (at+to)*m.of.Size()], Type: kernel.Type(m.of), Weight: 1}
			kernel.Sum(m.dst[(at+from)*m.store.Size():(at+to)*m.store.Size()], operands, kernel.None, kernel.Type(m.store))
		}
	}
	return nil
}

// place points the operands at columns of the terms' rows.
func (m matrix) place(operands []kernel.Operand, from, to int64) {
	k := 0
	for _, t := range m.terms {
		for i := range t.rank {
			at := i * m.columns
			operands[k] = kernel.Operand{Data: t.rows[(at+from)*t.of.Size() : (at+to)*t.of.Size()], Type: kernel.Type(t.of)}
			k++
		}
	}
}

// weigh gives the operands their factors for a row of the matrix.
func (m matrix) weigh(operands []kernel.Operand, row int64) {
	k := 0
	for _, t := range m.terms {
		for _, x := range t.left[row*t.rank : (row+1)*t.rank] {
			operands[k].Weight = x
			k++
		}
	}
}
