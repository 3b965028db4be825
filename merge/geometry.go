package merge

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sync/errgroup"
	blas "gonum.org/v1/gonum/blas/gonum"

	"soup/merge/internal/kernel"
)

// Geometry is how checkpoints lie to one another and to what they were
// fine-tuned from: lengths, and angles between task vectors, which are a
// parent's weights less the base's (https://arxiv.org/abs/2212.04089). Where no
// base is known, the mean of the parents stands for it.
type Geometry struct {
	Parents []string      `json:"parents"` // paths
	Base    string        `json:"base"`    // path; "" if the mean of the parents stands for it
	Groups  []GroupVector `json:"groups"`  // all tensors first, then the groups if there are several

	layers map[int]GroupVector    // of a model's blocks; -1 is what belongs to none
	rows   map[string][][]float32 // by embedding: of each row, how far each parent is from the nearest other checkpoint, over the longer
	open   []*Checkpoint          // the parents, and the base or nil
}

// GroupVector is the geometry of one group of tensors, as one vector each.
// Tensors that are not averaged are left out.
type GroupVector struct {
	Name     string      `json:"name"`
	Elements int64       `json:"elements"`
	Base     float64     `json:"base"`    // Euclidean length of the base's weights
	Lengths  []float64   `json:"lengths"` // of the parents' weights
	Moved    []float64   `json:"moved"`   // of their task vectors
	Along    []float64   `json:"along"`   // task vector times base, over the square of the base's length
	Cosines  [][]float64 `json:"cosines"` // of task vectors; 0 where one has no length
}

// Distance is the Euclidean distance of two parents.
func (g GroupVector) Distance(i, j int) float64 {
	square := g.Moved[i]*g.Moved[i] + g.Moved[j]*g.Moved[j] - 2*g.Cosines[i][j]*g.Moved[i]*g.Moved[j]
	return math.Sqrt(max(0, square))
}

// Alike is the cosine of a parent's weights with the base's.
func (g GroupVector) Alike(i int) float64 {
	return ratio(g.Base*(1+g.Along[i]), g.Lengths[i])
}

// Scale is how many times the base's weights a parent's are, by least squares.
func (g GroupVector) Scale(i int) float64 { return 1 + g.Along[i] }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// lane is how many elements are differences in float32 at once, for all
// checkpoints: they stay in the cache.
const lane = 1 << 11

// Measure reads all weights of the parents, and of the base if it is not nil,
// once. Differences and products are float32, sums beyond 2,048 elements
// float64. Memory beside the mapped files is below 64 MB, plus four bytes for
// each parent and row of an embedding. The checkpoints must fit together, as
// Check has it.
func Measure(ctx context.Context, parents []*Checkpoint, base *Checkpoint, groups Grouping) (Geometry, error) {
	m := &measurer{groups: groups, origin: base, based: base != nil, layers: map[int]*products{}, rows: map[string][][]float32{}}
	if base == nil {
		m.origin = parents[0]
	}
	m.all = append(slices.Clone(parents), m.origin)
	for range groups.Len() {
		m.sums = append(m.sums, newProducts(len(m.all)))
	}
	for i, t := range m.origin.tensors {
		if !t.DType.Averageable() || t.Elements() == 0 {
			continue
		}
		if err := m.tensor(ctx, i); err != nil {
			return Geometry{}, err
		}
	}
	return m.geometry(parents, base), nil
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

func (p *products) add(o *products) {
	p.elements += o.elements
	for i := range o.of {
		for j := i; j < len(o.of); j++ {
			p.of[i][j] += o.of[i][j]
		}
	}
}

type measurer struct {
	all    []*Checkpoint // the origin last
	origin *Checkpoint
	based  bool // the origin is the base; else the first parent, for want of one
	groups Grouping
	sums   []*products // by group
	layers map[int]*products
	rows   map[string][][]float32
}

// tensor adds the tensor with an index in the origin.
func (m *measurer) tensor(ctx context.Context, index int) error {
	t := m.origin.tensors[index]
	group, err := m.groups.of(t.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", m.origin.path, err)
	}
	at := make([]int, len(m.all))
	for i, c := range m.all {
		own, ok := c.index[t.Name]
		if !ok || c.tensors[own].Elements() != t.Elements() || !c.tensors[own].DType.Averageable() {
			return fmt.Errorf("%s: no tensor %s as in %s", c.path, t.Name, m.origin.path)
		}
		at[i] = own
	}
	piece := int64(maxTile)
	wide := int64(0)
	if len(t.Shape) == 2 && isEmbedding(t.Name) {
		wide = t.Shape[1]
		piece = max(1, maxTile/wide) * wide
		m.rows[t.Name] = make([][]float32, t.Shape[0])
	}
	total, err := m.pieces(ctx, t, at, piece, wide)
	if err != nil {
		return err
	}
	m.sums[group].add(total)
	l := layer(t.Name)
	if m.layers[l] == nil {
		m.layers[l] = newProducts(len(m.all))
	}
	m.layers[l].add(total)
	return nil
}

// isEmbedding says whether a tensor has a row for each token.
func isEmbedding(name string) bool {
	return embeddingName.MatchString(name) || headName.MatchString(name)
}

// pieces measures one tensor, in parallel, and adds its pieces in their order.
func (m *measurer) pieces(ctx context.Context, t Tensor, at []int, piece, wide int64) (*products, error) {
	sums := make([]*products, (t.Elements()+piece-1)/piece)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for b := range sums {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			begin := int64(b) * piece
			return guarded(mappings(m.all), func() error {
				var err error
				sums[b], err = m.piece(t, at, begin, min(piece, t.Elements()-begin), wide)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	total := newProducts(len(m.all))
	for _, s := range sums {
		total.add(s)
	}
	return total, nil
}

// piece measures n elements, row by row where rows have a meaning.
func (m *measurer) piece(t Tensor, at []int, begin, n, wide int64) (*products, error) {
	sources := make([]kernel.Operand, len(m.all))
	for i, c := range m.all {
		data, err := c.window(at[i], begin, n, nil)
		if err != nil {
			return nil, err
		}
		sources[i] = kernel.Operand{Data: data, Type: kernel.Type(c.tensors[at[i]].DType), Weight: 1}
	}
	sum := newProducts(len(m.all))
	step := int64(lane)
	if wide > 0 {
		step = wide
	}
	room := make([]float32, step*int64(len(m.all)))
	for from := int64(0); from < n; from += step {
		own := sum
		if wide > 0 {
			own = newProducts(len(m.all))
		}
		own.addLane(lessLast(room, sources, from, min(step, n-from)))
		if wide > 0 {
			m.rows[t.Name][(begin+from)/wide] = m.nearest(own)
			sum.add(own)
		}
	}
	sum.elements = n
	return sum, nil
}

// lessLast fills room with n elements of every source less the last one, and
// of the last one itself.
func lessLast(room []float32, sources []kernel.Operand, from, n int64) [][]float32 {
	part := func(o kernel.Operand, weight float32) kernel.Operand {
		size := int64(o.Type.Size())
		return kernel.Operand{Data: o.Data[from*size : (from+n)*size], Type: o.Type, Weight: weight}
	}
	last := len(sources) - 1
	values := make([][]float32, len(sources))
	for i, o := range sources {
		values[i] = room[int64(i)*n : int64(i+1)*n]
		terms := []kernel.Operand{part(o, 1)}
		if i != last {
			terms = append(terms, part(sources[last], -1))
		}
		kernel.Sum(bytesOf(values[i]), terms, kernel.None, kernel.F32)
	}
	return values
}

// bytesOf is the memory of float32 values, which the kernel writes as on every
// processor that soup runs on: little-endian.
func bytesOf(values []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
}

// addLane adds the products of values with each other.
func (p *products) addLane(values [][]float32) {
	for i, x := range values {
		for j := i; j < len(values); j++ {
			p.of[i][j] += float64(blas.Implementation{}.Sdot(len(x), x, 1, values[j], 1))
		}
	}
}

// nearest is, for each parent, how far it lies from the nearest other checkpoint,
// over the longer of the two.
func (m *measurer) nearest(p *products) []float32 {
	n := len(p.of) - 1
	length := func(i int) float64 {
		if i == n {
			return p.of[n][n]
		}
		return p.of[i][i] + 2*p.of[i][n] + p.of[n][n]
	}
	out := make([]float32, n)
	for i := range out {
		least := math.Inf(1)
		for j := range p.of {
			if j == i || j == n && !m.based {
				continue
			}
			square := p.of[i][i]
			if j != n {
				square += p.of[j][j] - 2*p.of[min(i, j)][max(i, j)]
			}
			least = min(least, ratio(max(0, square), max(length(i), length(j))))
		}
		out[i] = float32(math.Sqrt(least))
	}
	return out
}

// geometry turns the sums into lengths and angles.
func (m *measurer) geometry(parents []*Checkpoint, base *Checkpoint) Geometry {
	g := Geometry{layers: map[int]GroupVector{}, rows: m.rows, open: append(slices.Clone(parents), base)}
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

// vector is the geometry of sums that were taken from the base, or else from the
// first parent: then they are moved to the mean of the parents first.
func (p *products) vector(name string, based bool) GroupVector {
	n := len(p.of) - 1
	along, square, of := make([]float64, n), p.of[n][n], symmetric(p.of, n)
	length := make([]float64, n)
	for i := range n {
		along[i] = p.of[i][n]
		length[i] = math.Sqrt(max(0, of[i][i]+2*along[i]+square))
	}
	if !based {
		along, square = recentre(of, along, square)
	}
	v := GroupVector{Name: name, Elements: p.elements, Base: math.Sqrt(max(0, square)), Lengths: length}
	for i := range n {
		v.Moved = append(v.Moved, math.Sqrt(max(0, of[i][i])))
		v.Along = append(v.Along, ratio(along[i], square))
	}
	for i := range n {
		row := make([]float64, n)
		for j := range row {
			row[j] = max(-1, min(1, ratio(of[i][j], v.Moved[i]*v.Moved[j])))
		}
		v.Cosines = append(v.Cosines, row)
	}
	return v
}

// symmetric copies the first n rows and columns of an upper triangle to both.
func symmetric(upper [][]float64, n int) [][]float64 {
	of := make([][]float64, n)
	for i := range of {
		of[i] = make([]float64, n)
		for j := range of[i] {
			of[i][j] = upper[min(i, j)][max(i, j)]
		}
	}
	return of
}

// recentre moves products of differences from an origin o to those from the mean
// m of the checkpoints, in place, and returns the products with m, and m times m.
func recentre(of [][]float64, along []float64, square float64) ([]float64, float64) {
	n := float64(len(of))
	rows, all, ahead := make([]float64, len(of)), 0.0, 0.0
	for i := range of {
		for _, x := range of[i] {
			rows[i] += x / n
		}
		all += rows[i] / n
		ahead += along[i] / n
	}
	moved := make([]float64, len(of))
	for i := range of {
		moved[i] = along[i] - ahead + rows[i] - all
		for j := range of[i] {
			of[i][j] += all - rows[i] - rows[j]
		}
	}
	return moved, square + 2*ahead + all
}
