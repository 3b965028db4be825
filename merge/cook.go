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

// A worker takes a tile at a time: small enough to spread the work evenly,
// large enough that taking it costs nothing. Where workers need room of their
// own, for what is read or written piece by piece, tiles shrink until all rooms
// together stay below roomBytes.
const (
	maxTile   = 1 << 18 // elements
	minTile   = 1 << 12
	roomBytes = 24 << 20
)

// shared is how many elements of each parent several candidates are cooked
// from before the next ones are read: they stay in the L2 cache meanwhile.
const shared = 1 << 14

// Stats says what a merge did.
type Stats struct {
	Seconds      float64 `json:"seconds"`
	BytesRead    int64   `json:"bytes_read"`
	BytesWritten int64   `json:"bytes_written"`
	BytesKept    int64   `json:"bytes_kept,omitempty"` // of a buffer's tensors that were right already
	SHA256       string  `json:"sha256,omitempty"`     // of the weights, by Write only; see [SavedRecipe]
}

// Add returns the sums of two merges; the hash is the first's.
func (s Stats) Add(o Stats) Stats {
	s.Seconds += o.Seconds
	s.BytesRead += o.BytesRead
	s.BytesWritten += o.BytesWritten
	s.BytesKept += o.BytesKept
	return s
}

// dish is one tensor with all that goes into it.
type dish struct {
	tensor  Tensor // as stored
	spot    spot
	sources []source // the parents that any plate needs
	plates  []plate  // one for each candidate whose tensor is made
}

// source is one parent's tensor.
type source struct {
	of    *Checkpoint
	index int // of the tensor
	dtype DType
}

// plate is the tensor of one candidate.
type plate struct {
	target  target
	weights []float32 // by source; 0 leaves it out
	round   DType
	copied  bool // from the sources with a weight, which must be equal
}

// target is where a candidate's tensors go.
type target interface {
	// room returns the bytes to fill: of the target itself, or of scratch.
	room(at spot, n int64, scratch []byte) []byte
	// put writes what was filled; nothing to do where room was the target.
	put(at spot, data []byte) error
	// direct says whether room is the target itself.
	direct() bool
}

// cooking is one pass over the parents.
type cooking struct {
	dishes   []dish
	claims   []claim
	tile     int64 // elements
	tiles    []int // tiles up to and including each dish
	next     atomic.Int64
	done     atomic.Int64 // bytes written
	failed   atomic.Bool
	drop     bool // pages of parents behind the work
	files    []*mapping
	progress func(done int64)
}

// order is a candidate to cook: a recipe, and where it goes.
type order struct {
	recipe Recipe
	target target
	held   []held // by tensor, what the target holds; nil where it is new
}

// held is what a tensor of a target was made of; the zero value: not known.
type held struct {
	parents []*Checkpoint // those with a weight
	weights []float32
	round   DType
}

// claim is what a target will hold once its cooking is done.
type claim struct {
	at *held
	is held
}

// prepare resolves recipes against a layout: names, shapes and weights are
// checked, no weights are read.
func prepare(l layout, parents []*Checkpoint, orders []order) (*cooking, error) {
	weights := make([][][]float32, len(orders))
	for i, o := range orders {
		var err error
		if weights[i], err = o.recipe.narrowed(len(parents)); err != nil {
			return nil, err
		}
	}
	c := &cooking{files: mappings(parents), drop: exceedMemory(parents)}
	for i, t := range l.tensors {
		d := dish{tensor: t, spot: l.spots[i]}
		sources, err := sourcesOf(parents, t)
		if err != nil {
			return nil, err
		}
		for k, o := range orders {
			group, err := o.recipe.Groups.of(t.Name)
			if err != nil {
				return nil, err
			}
			row, round := weights[k][group], o.recipe.round(t.Name)
			if c.claim(o, i, parents, row, round) {
				d.plates = append(d.plates, newPlate(o.target, sources, row, round, t))
			}
		}
		if len(d.plates) > 0 {
			d.reduce(sources)
			c.dishes = append(c.dishes, d)
		}
	}
	return c, nil
}

// claim notes what a target's tensor will be made of; false if it is that
// already.
func (c *cooking) claim(o order, tensor int, parents []*Checkpoint, row []float32, round DType) bool {
	if o.held == nil {
		return true
	}
	is := held{round: round}
	for k, w := range row {
		if w != 0 {
			is.parents, is.weights = append(is.parents, parents[k]), append(is.weights, w)
		}
	}
	at := &o.held[tensor]
	if at.round == round && slices.Equal(at.parents, is.parents) && slices.Equal(at.weights, is.weights) {
		return false
	}
	c.claims = append(c.claims, claim{at, is})
	return true
}

// sourcesOf finds a tensor in all parents.
func sourcesOf(parents []*Checkpoint, t Tensor) ([]source, error) {
	sources := make([]source, len(parents))
	for k, p := range parents {
		i, ok := p.index[t.Name]
		if !ok {
			return nil, fmt.Errorf("%s: no tensor %s", p.path, t.Name)
		}
		own := p.tensors[i]
		switch {
		case !slices.Equal(own.Shape, t.Shape):
			return nil, fmt.Errorf("%s: tensor %s has shape %v, not %v", p.path, t.Name, own.Shape, t.Shape)
		case !own.DType.fits(t.DType):
			return nil, fmt.Errorf("%s: tensor %s is %s, which is not averaged with %s", p.path, t.Name, own.Stored, t.Stored)
		case p.places[i].file.released():
			return nil, fmt.Errorf("%s: the checkpoint is closed", p.path)
		}
		sources[k] = source{p, i, own.DType}
	}
	return sources, nil
}

// fits says whether a parent's tensor of this type can go into a soup's tensor
// of another: floats into floats, the rest only into itself.
func (d DType) fits(soup DType) bool {
	return d != Quantised && (d == soup || d.Averageable() && soup.Averageable())
}

// newPlate decides whether the tensor is copied: one parent of weight 1 gives
// its bytes, NaN payloads included, and what is not a float is never averaged.
func newPlate(to target, sources []source, weights []float32, round DType, t Tensor) plate {
	p := plate{target: to, weights: weights, round: round}
	used, last := 0, 0
	for k, w := range weights {
		if w != 0 {
			used, last = used+1, k
		}
	}
	rounds := round != AsStored && round != t.DType
	alone := used == 1 && weights[last] == 1 && sources[last].dtype == t.DType && !rounds
	p.copied = alone || !t.DType.Averageable()
	return p
}

// reduce keeps the sources that a plate needs.
func (d *dish) reduce(all []source) {
	var kept []int
	for k := range all {
		if slices.ContainsFunc(d.plates, func(p plate) bool { return p.weights[k] != 0 }) {
			kept = append(kept, k)
			d.sources = append(d.sources, all[k])
		}
	}
	for i := range d.plates {
		p := &d.plates[i]
		weights := make([]float32, len(kept))
		for at, k := range kept {
			weights[at] = p.weights[k]
		}
		p.weights = weights
	}
}

// cook runs the kernel over all tiles.
func (c *cooking) cook(ctx context.Context, workers int) (Stats, error) {
	started := time.Now()
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	c.cut(workers)
	for _, claim := range c.claims {
		*claim.at = held{}
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
	for _, claim := range c.claims {
		*claim.at = claim.is
	}
	return c.stats(time.Since(started)), nil
}

// cut divides the dishes into tiles.
func (c *cooking) cut(workers int) {
	rooms := int64(1)
	for _, d := range c.dishes {
		need := int64(0)
		for _, s := range d.sources {
			if s.of.places[s.index].needsRoom() {
				need++
			}
		}
		if slices.ContainsFunc(d.plates, func(p plate) bool { return !p.target.direct() }) {
			need++
		}
		rooms = max(rooms, need)
	}
	fits := int64(roomBytes) / (int64(workers) * rooms * 4)
	c.tile = max(minTile, min(maxTile, fits&^(minTile-1)))
	total := 0
	for _, d := range c.dishes {
		total += int((d.tensor.Elements() + c.tile - 1) / c.tile)
		c.tiles = append(c.tiles, total)
	}
}

// work takes tiles until none is left.
func (c *cooking) work(ctx context.Context) error {
	var s station
	for {
		if err := ctx.Err(); err != nil || c.failed.Load() {
			return err
		}
		n := int(c.next.Add(1)) - 1
		i := sort.SearchInts(c.tiles, n+1)
		if i == len(c.dishes) {
			return nil
		}
		if i > 0 {
			n -= c.tiles[i-1]
		}
		begin := int64(n) * c.tile
		written, err := s.cook(&c.dishes[i], begin, c.tile)
		if err != nil {
			return err
		}
		if c.drop {
			c.dishes[i].letGo(begin, c.tile)
		}
		if done := c.done.Add(written); c.progress != nil {
			c.progress(done)
		}
	}
}

// station is one worker's room.
type station struct {
	read    [][]byte // by source: where its file is not mapped
	write   []byte
	sources [][]byte
	sum     []kernel.Operand
}

// cook makes the tile of a tensor that begins at an element, for all plates,
// and returns the bytes written.
func (s *station) cook(d *dish, begin, tile int64) (int64, error) {
	n := min(tile, d.tensor.Elements()-begin)
	if err := s.fetch(d, begin, n); err != nil {
		return 0, err
	}
	size := d.tensor.DType.Size()
	at := spot{d.spot.part, d.spot.begin + begin*size}
	step := n
	if len(d.plates) > 1 {
		step = shared
	}
	var written int64
	for from := int64(0); from < n; from += step {
		m := min(step, n-from)
		for i := range d.plates {
			if err := s.serve(d, &d.plates[i], spot{at.part, at.begin + from*size}, from, m); err != nil {
				return 0, err
			}
			written += m * size
		}
	}
	return written, nil
}

// fetch gets the sources' elements of a tile.
func (s *station) fetch(d *dish, begin, n int64) error {
	for len(s.read) < len(d.sources) {
		s.read = append(s.read, nil)
	}
	s.sources = s.sources[:0]
	for k, src := range d.sources {
		data, err := src.of.window(src.index, begin, n, s.read[k])
		if err != nil {
			return err
		}
		if src.of.places[src.index].needsRoom() {
			s.read[k] = data
		}
		s.sources = append(s.sources, data)
	}
	return nil
}

// serve makes n elements of one candidate, from an element of the tile on.
func (s *station) serve(d *dish, p *plate, at spot, from, n int64) error {
	s.sum = s.sum[:0]
	for k, w := range p.weights {
		if w == 0 {
			continue
		}
		size := d.sources[k].dtype.Size()
		o := kernel.Operand{Data: s.sources[k][from*size : (from+n)*size], Type: kernel.Type(d.sources[k].dtype), Weight: w}
		if p.copied && len(s.sum) > 0 && !bytes.Equal(s.sum[0].Data, o.Data) {
			return fmt.Errorf("tensor %s (%s) is copied, not averaged, but differs between parents", d.tensor.Name, d.tensor.Stored)
		}
		s.sum = append(s.sum, o)
	}
	bytes := n * d.tensor.DType.Size()
	if !p.target.direct() && int64(cap(s.write)) < bytes {
		s.write = make([]byte, bytes)
	}
	dst := p.target.room(at, bytes, s.write)
	if p.copied {
		copy(dst, s.sum[0].Data)
	} else {
		kernel.Sum(dst, s.sum, kernel.Type(p.round), kernel.Type(d.tensor.DType))
	}
	return p.target.put(at, dst)
}

// stats counts the traffic of a finished merge.
func (c *cooking) stats(took time.Duration) Stats {
	s := Stats{Seconds: took.Seconds(), BytesWritten: c.done.Load()}
	for _, d := range c.dishes {
		for _, src := range d.sources {
			s.BytesRead += src.of.places[src.index].stored
		}
	}
	return s
}
