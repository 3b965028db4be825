//go:build amd64 || arm64

package kernel

import "unsafe"

// term is what assembly reads of an operand: the offsets are in gen.go.
type term struct {
	data   unsafe.Pointer
	weight float32
	typ    Type
}

// step is how many elements one call of assembly sums at most: goroutines
// cannot be interrupted in it, and garbage collection waits for all.
const step = 1 << 16

// line is the cache line's bytes, the alignment of stores past the cache.
const line = 64

// job is a sum on its way through an instruction set's kernel.
type job struct {
	set
	dst          []byte
	src          []Operand
	terms        []term // src, for assembly
	round, store Type
	alike        bool // all of src and dst are bfloat16
	stream       bool
}

// sum is the kernel of an instruction set.
func (s set) sum(dst []byte, src []Operand, round, store Type, stream bool) {
	var room [64]term // more go to the heap
	j := job{set: s, dst: dst, src: src, terms: room[:0], round: round, store: store, alike: store == BF16 && round != F16}
	for _, o := range src {
		j.terms = append(j.terms, term{unsafe.Pointer(unsafe.SliceData(o.Data)), o.Weight, o.Type})
		j.alike = j.alike && o.Type == BF16
	}
	n, begin := len(dst)/store.Size(), 0
	if stream {
		begin, stream = toLine(dst, store)
		begin = min(begin, n)
		j.span(0, begin)
	}
	for j.stream = stream; begin < n; begin += step {
		j.span(begin, min(begin+step, n))
	}
}

// toLine returns how many elements lie before the first that begins a cache
// line; false if none does.
func toLine(dst []byte, store Type) (int, bool) {
	over := -uintptr(unsafe.Pointer(unsafe.SliceData(dst))) % line
	size := uintptr(store.Size())
	return int(over / size), over%size == 0
}

// span sums the elements from begin to end: whole turns in assembly, the rest,
// where the set cannot mask it, in Go.
func (j *job) span(begin, end int) {
	whole := end - (end-begin)%j.turn()
	if whole > begin {
		j.run(j.dst, j.terms, begin, whole, j.round, j.store, j.alike, j.stream)
	}
	if whole < end {
		var sums [maxTurn]float32
		span(sums[:end-whole], j.dst, j.src, whole, j.round, j.store)
	}
}

// lessVector leaves what makes no whole turn to Go.
func lessVector(dst, less []float32, data []byte, typ Type) {
	whole := len(dst) &^ (maxTurn - 1)
	if whole > 0 {
		lessWhole(dst[:whole], less, data, typ)
	}
	if whole < len(dst) {
		lessPortable(dst[whole:], less[whole:], data[whole*typ.Size():], typ)
	}
}
