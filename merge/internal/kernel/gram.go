package kernel

import "fmt"

// Gram sums up the products of vectors with each other, which give their lengths
// and angles. The last vector is the origin: of the others, the differences from
// it are multiplied.
//
// Differences are rounded to float32. Products are added in float32 over at most
// 512 elements, in 8 lanes or in 4, then in float64. So a sum differs from the
// exact one by at most 131 * 2^-24 (8e-6) times the sum of the products' absolute
// values (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
// 3.1); portable adds all of it in float64. Kernels differ within that.
type Gram struct {
	variant
	count int       // vectors
	room  []float32 // a run of each vector, and of zeros up to whole tiles
	zeros []float32
	sums  []float64 // by tile, by pair, in lanes
}

// The vectors are multiplied in tiles of side times side, run elements at a time:
// so many of nine vectors stay in the L1 cache.
const (
	side  = 3
	lanes = 4
	pairs = side * side * lanes // float64 sums of a tile
	run   = 512
	even8 = 8 // what the elements of a run are filled up to a multiple of, with zeros
)

// NewGram makes a sum of count vectors' products. It takes 2 KB a vector and 32
// bytes a pair.
func NewGram(count int) *Gram {
	rows := (count + side - 1) / side
	return &Gram{
		variant: chosen(), count: count,
		room: make([]float32, rows*side*run), zeros: make([]float32, run),
		sums: make([]float64, rows*(rows+1)/2*pairs),
	}
}

// Reset begins anew.
func (g *Gram) Reset() { clear(g.sums) }

// Add adds the products of n elements of every vector, from an element on. The
// weights of the operands have no meaning. Add panics where an operand is too short
// or has no type, or where there are not as many as the sum was made for.
func (g *Gram) Add(vectors []Operand, from, n int) {
	if len(vectors) != g.count {
		panic(fmt.Sprintf("kernel: %d vectors, not %d", len(vectors), g.count))
	}
	for k, o := range vectors {
		if size := o.Type.Size(); size == 0 || len(o.Data)/size < from+n {
			panic(fmt.Sprintf("kernel: vector %d holds %d bytes of type %d, not %d elements", k, len(o.Data), o.Type, from+n))
		}
	}
	for end := from + n; from < end; from += run {
		g.addRun(vectors, from, min(run, end-from))
	}
}

// addRun multiplies vectors as soon as they are widened, so that fetching the next
// ones from memory and multiplying take turns.
func (g *Gram) addRun(vectors []Operand, from, n int) {
	last := len(vectors) - 1
	origin := g.widen(last, vectors[last], g.zeros, from, n)
	whole := (n + even8 - 1) &^ (even8 - 1)
	sums := g.sums
	for b := 0; b < g.count; b += side {
		for k := b; k < min(b+side, last); k++ {
			g.widen(k, vectors[k], origin, from, n)
		}
		for a := 0; a <= b; a += side {
			g.tile(sums[:pairs], g.room[a*run:], g.room[b*run:], whole)
			sums = sums[pairs:]
		}
	}
}

// widen fills a vector's room with n of its elements less others, and zeros.
func (g *Gram) widen(k int, o Operand, less []float32, from, n int) []float32 {
	room, size := g.room[k*run:(k+1)*run], o.Type.Size()
	g.less(room[:n], less[:n], o.Data[from*size:(from+n)*size], o.Type)
	if n < run {
		clear(room[n:min(run, n+even8)])
	}
	return room
}

// Sums sets to[i][j], for j from i on, to the product of vectors i and j so far.
func (g *Gram) Sums(to [][]float64) {
	sums := g.sums
	for b := 0; b < g.count; b += side {
		for a := 0; a <= b; a += side {
			for i := a; i < min(a+side, g.count); i++ {
				for j := max(i, b); j < min(b+side, g.count); j++ {
					s := sums[((i-a)*side+j-b)*lanes:][:lanes]
					to[i][j] = (s[0] + s[1]) + (s[2] + s[3])
				}
			}
			sums = sums[pairs:]
		}
	}
}

// lessPortable sets dst to elements less others.
func lessPortable(dst, less []float32, data []byte, typ Type) {
	accumulate(dst, []Operand{{data, typ, 1}}, 0)
	for i, x := range less {
		dst[i] -= x
	}
}

// tilePortable adds the products of three vectors with three, which lie a run
// apart.
func tilePortable(sums []float64, a, b []float32, n int) {
	for i := range side {
		x := a[i*run : i*run+n]
		for j := range side {
			y := b[j*run : j*run+n]
			sum := 0.0
			for e := range x {
				sum += float64(x[e]) * float64(y[e])
			}
			sums[(i*side+j)*lanes] += sum
		}
	}
}
