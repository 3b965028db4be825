package merge

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"soup/merge/internal/kernel"
)

// Measure reads all weights of the parents, and of the base if it is not nil,
// once: for lengths, angles, rows of embeddings, and what is not finite. How exact
// it is: [kernel.Gram], with float64 beyond, and the same each time on one machine.
// Memory is below 64 MB, plus four bytes for each parent and row of an embedding:
// files are read piece by piece, mapped or not. As many are open as there are
// checkpoints, for each processor; beyond the system's limit mappings are read.
// The checkpoints must fit together, as Check has it.
func Measure(ctx context.Context, parents []*Checkpoint, base *Checkpoint, groups Grouping) (Geometry, error) {
	m := newMeasurer(parents, base, groups)
	defer m.close()
	tiles, err := m.cut()
	if err != nil {
		return Geometry{}, err
	}
	found := make([]tally, min(len(tiles), 32*len(m.gauges)))
	for i := range found {
		found[i].sums = newProducts(len(m.all))
	}
	for at := range slices.Chunk(tiles, max(1, len(found))) {
		if err := m.measure(ctx, at, found); err != nil {
			return Geometry{}, err
		}
		for i, t := range at {
			m.add(t, found[i])
		}
	}
	return m.geometry(parents, base), nil
}

// measurer adds up what gauges find, tile by tile.
type measurer struct {
	all    []*Checkpoint // the parents, and the origin: the base or, for want of one, the first parent again
	based  bool
	groups Grouping
	gauges []*gauge // one a worker
	files  []*mapping

	sums    []*products // by group
	layers  map[int]*products
	rows    map[string][]float32
	special map[[2]int][2]int64 // NaNs and infinities, by checkpoint and index of the origin's tensor
}

func newMeasurer(parents []*Checkpoint, base *Checkpoint, groups Grouping) *measurer {
	m := &measurer{based: base != nil, groups: groups, layers: map[int]*products{}, rows: map[string][]float32{}, special: map[[2]int][2]int64{}}
	origin := base
	if base == nil {
		origin = parents[0]
	}
	m.all = append(slices.Clone(parents), origin)
	m.files = mappings(m.all)
	for range groups.Len() {
		m.sums = append(m.sums, newProducts(len(m.all)))
	}
	for range runtime.GOMAXPROCS(0) {
		m.gauges = append(m.gauges, newGauge(m.all[m.first():], newProducts(len(m.all))))
	}
	return m
}

func (m *measurer) close() {
	for _, g := range m.gauges {
		for k := range g.of {
			g.close(k)
		}
	}
}

func (m *measurer) origin() *Checkpoint { return m.all[len(m.all)-1] }

// first is the first of the checkpoints to be read: not the same one twice.
func (m *measurer) first() int {
	if m.based {
		return 0
	}
	return 1
}

// measureTile is the most elements of a tile: of some checkpoints it is still in a
// cache when it is multiplied, and reading it takes much longer than asking for it.
const measureTile = 1 << 16

// stretch is a tile of one tensor of all checkpoints.
type stretch struct {
	tensor   int // index of the origin's
	begin, n int64
	wide     int64 // elements of a row of an embedding; 0 where rows have no meaning
}

// cut divides all that is averaged into tiles, small enough that those of all
// workers together stay below roomBytes.
func (m *measurer) cut() ([]stretch, error) {
	fits := int64(roomBytes) / (4 * int64(len(m.gauges)*len(m.all)))
	tile := max(minTile, min(measureTile, fits&^(minTile-1)))
	var tiles []stretch
	for i, t := range m.origin().tensors {
		if !t.DType.Averageable() || t.Elements() == 0 {
			continue
		}
		if err := m.comparable(t); err != nil {
			return nil, err
		}
		one := stretch{tensor: i, n: tile}
		if len(t.Shape) == 2 && isEmbedding(t.Name) {
			one.wide = t.Shape[1]
			one.n = max(1, tile/one.wide) * one.wide
			m.rows[t.Name] = make([]float32, t.Shape[0]*int64(len(m.all)-1))
		}
		for ; one.begin < t.Elements(); one.begin += one.n {
			tiles = append(tiles, stretch{i, one.begin, min(one.n, t.Elements()-one.begin), one.wide})
		}
	}
	return tiles, nil
}

// comparable says whether all checkpoints and the grouping have a tensor.
func (m *measurer) comparable(t Tensor) error {
	if _, err := m.groups.of(t.Name); err != nil {
		return fmt.Errorf("%s: %w", m.origin().path, err)
	}
	for _, c := range m.all {
		if own, ok := c.Tensor(t.Name); !ok || own.Elements() != t.Elements() || !own.DType.Averageable() {
			return fmt.Errorf("%s: no tensor %s as in %s", c.path, t.Name, m.origin().path)
		}
	}
	return nil
}

// isEmbedding says whether a tensor has a row for each token.
func isEmbedding(name string) bool {
	return embeddingName.MatchString(name) || headName.MatchString(name)
}

// measure measures tiles in parallel.
func (m *measurer) measure(ctx context.Context, tiles []stretch, found []tally) error {
	var next atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	for _, g := range m.gauges {
		workers.Go(func() error {
			return guarded(m.files, func() error {
				for i := int(next.Add(1)) - 1; i < len(tiles); i = int(next.Add(1)) - 1 {
					if err := ctx.Err(); err != nil {
						return err
					}
					if err := m.tile(g, tiles[i], &found[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return workers.Wait()
}

// tally is what one tile has.
type tally struct {
	sums    *products
	special map[int][2]int64 // by checkpoint; nil where all values are finite
}

// tile measures one, row by row where rows have a meaning.
func (m *measurer) tile(g *gauge, t stretch, found *tally) error {
	name := m.origin().tensors[t.tensor].Name
	if err := g.fetch(name, t); err != nil {
		return err
	}
	found.sums.reset()
	if t.wide == 0 {
		g.products(found.sums, 0, t.n)
	}
	rows, parents := m.rows[name], int64(len(m.all)-1)
	for at := int64(0); t.wide > 0 && at < t.n; at += t.wide {
		g.products(g.row, at, t.wide)
		r := (t.begin + at) / t.wide
		m.nearest(g.row, g.lengths, rows[r*parents:(r+1)*parents])
		found.sums.add(g.row)
	}
	found.special = m.count(g, found.sums)
	return nil
}

// count counts the values that are not finite, in the checkpoints whose sums say
// that there may be some.
func (m *measurer) count(g *gauge, sums *products) map[int][2]int64 {
	var special map[int][2]int64
	last := len(m.all) - 1
	for i := m.first(); i <= last; i++ {
		if finite(sums.of[i][i]) && finite(sums.of[last][last]) {
			continue
		}
		v := g.vectors[i-m.first()]
		if nans, infs := countSpecial(v.Data, DType(v.Type)); nans+infs > 0 {
			if special == nil {
				special = map[int][2]int64{}
			}
			special[i] = [2]int64{nans, infs}
		}
	}
	return special
}

// add adds a tile to the sums of its group and layer.
func (m *measurer) add(t stretch, found tally) {
	name := m.origin().tensors[t.tensor].Name
	group, _ := m.groups.of(name) // comparable asked
	m.sums[group].add(found.sums)
	l := layer(name)
	if m.layers[l] == nil {
		m.layers[l] = newProducts(len(m.all))
	}
	m.layers[l].add(found.sums)
	for i, n := range found.special {
		sum := m.special[[2]int{i, t.tensor}]
		m.special[[2]int{i, t.tensor}] = [2]int64{sum[0] + n[0], sum[1] + n[1]}
	}
}

// nearest sets how far each parent lies from the nearest other checkpoint, over the
// longer of the two.
func (m *measurer) nearest(p *products, lengths []float64, out []float32) {
	n := len(out)
	for i := range n {
		lengths[i] = p.of[i][i] + 2*p.of[i][n] + p.of[n][n]
	}
	lengths[n] = p.of[n][n]
	for i := range out {
		least := math.Inf(1)
		if m.based {
			least = ratio(p.of[i][i], max(lengths[i], lengths[n]))
		}
		for j := range out {
			if j != i {
				square := p.of[i][i] + p.of[j][j] - 2*p.of[min(i, j)][max(i, j)]
				least = min(least, ratio(square, max(lengths[i], lengths[j])))
			}
		}
		out[i] = float32(math.Sqrt(max(0, least)))
	}
}

// geometry turns the sums into lengths and angles.
func (m *measurer) geometry(parents []*Checkpoint, base *Checkpoint) Geometry {
	g := Geometry{layers: map[int]GroupVector{}, rows: m.rows, open: append(slices.Clone(parents), base), broken: m.broken()}
	for _, p := range parents {
		g.Parents = append(g.Parents, p.path)
	}
	if base != nil {
		g.Base = base.path
	}
	all := newProducts(len(m.all))
	for _, s := range m.sums {
		all.add(s)
	}
	g.Groups = append(g.Groups, all.vector("all", m.based))
	if len(m.sums) > 1 {
		for i, s := range m.sums {
			g.Groups = append(g.Groups, s.vector(m.groups.Name(i), m.based))
		}
	}
	for l, s := range m.layers {
		g.layers[l] = s.vector(fmt.Sprint("layer ", l), m.based)
	}
	return g
}

// broken are the findings of values that are not finite. Where there is no base,
// the first parent was read as the last checkpoint.
func (m *measurer) broken() (found Findings) {
	for k := range m.all {
		i := k
		if !m.based {
			i = (k + len(m.all) - 1) % len(m.all)
		}
		for at, t := range m.origin().tensors {
			if n, ok := m.special[[2]int{i, at}]; ok {
				found = append(found, notFinite(m.all[i].path, t, n[0], n[1]))
			}
		}
	}
	return found
}

// gauge is one worker's room.
type gauge struct {
	of      []*Checkpoint
	gram    *kernel.Gram
	vectors []kernel.Operand
	read    [][]byte   // by checkpoint: its tile
	mapped  []*mapping // by checkpoint: the file that the last tile was in
	files   []*mapping // the same, opened to be read
	row     *products  // of one row of an embedding
	lengths []float64  // likewise, squared
	rows    [][]float64
}

func newGauge(of []*Checkpoint, row *products) *gauge {
	return &gauge{
		of: of, row: row, lengths: make([]float64, len(row.of)), rows: make([][]float64, len(of)), gram: kernel.NewGram(len(of)), vectors: make([]kernel.Operand, len(of)), read: make([][]byte, len(of)),
		mapped: make([]*mapping, len(of)), files: make([]*mapping, len(of)),
	}
}

// fetch gets a tile of all checkpoints.
func (g *gauge) fetch(name string, t stretch) error {
	for k, c := range g.of {
		i := c.index[name]
		data, err := g.window(k, i, t)
		if err != nil {
			return err
		}
		g.vectors[k] = kernel.Operand{Data: data, Type: kernel.Type(c.tensors[i].DType)}
	}
	return nil
}

// window gets a tile of one checkpoint's tensor, into the room that it has here.
func (g *gauge) window(k, i int, t stretch) (data []byte, err error) {
	c := g.of[k]
	at, size := c.places[i], c.tensors[i].DType.Size()
	file := g.reader(k, at.file)
	if at.blocks {
		data, err = c.windowOf(file, i, t.begin, t.n, g.read[k])
		g.read[k] = data
		return data, err
	}
	if need := t.n*size + line; file.data == nil && int64(cap(g.read[k])) < need {
		g.read[k] = make([]byte, need)
	}
	return file.aligned(at.begin+t.begin*size, t.n*size, g.read[k])
}

// reader opens the file of a checkpoint in which the next tensor is, once.
func (g *gauge) reader(k int, of *mapping) *mapping {
	if g.mapped[k] != of {
		g.close(k)
		g.mapped[k], g.files[k] = of, of.reopened()
	}
	return g.files[k]
}

// close closes what reader opened.
func (g *gauge) close(k int) {
	if g.files[k] != g.mapped[k] {
		_ = g.files[k].unmap() // nothing was written
	}
	g.mapped[k], g.files[k] = nil, nil
}

// products sets those of n elements, from one on.
func (g *gauge) products(p *products, from, n int64) {
	p.elements = n
	g.gram.Reset()
	g.gram.Add(g.vectors, int(from), int(n))
	first := len(p.of) - len(g.of)
	for i := range g.of {
		g.rows[i] = p.of[first+i][first:]
	}
	g.gram.Sums(g.rows)
}

// products are sums of products, elements the number of elements they are over:
// entry [i][j], for j from i on, is of the differences of checkpoints i and j
// from the origin; the last row and column are the origin itself.
type products struct {
	elements int64
	of       [][]float64
}

func newProducts(n int) *products {
	p := &products{of: make([][]float64, n)}
	for i := range p.of {
		p.of[i] = make([]float64, n)
	}
	return p
}

func (p *products) reset() {
	p.elements = 0
	for _, row := range p.of {
		clear(row)
	}
}

func (p *products) add(o *products) {
	p.elements += o.elements
	for i := range o.of {
		for j := i; j < len(o.of); j++ {
			p.of[i][j] += o.of[i][j]
		}
	}
}
