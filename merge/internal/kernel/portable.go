package kernel

import (
	"encoding/binary"
	"math"
)

// block is how many sums are kept in float32 at a time: 8 KiB, so that they
// and the operands' runs stay in the L1 cache.
const block = 2048

// portable is the kernel in Go alone. Loads and stores go through
// encoding/binary, which compiles to single instructions and is right for any
// alignment and byte order.
func portable(dst []byte, src []Operand, round, store Type, _ bool) {
	var sums [block]float32
	n := len(dst) / store.Size()
	for at := 0; at < n; at += block {
		span(sums[:min(block, n-at)], dst, src, at, round, store)
	}
}

// span sums as many elements as acc has, from at on.
func span(acc []float32, dst []byte, src []Operand, at int, round, store Type) {
	accumulate(acc, src, at)
	roundTo(acc, round)
	size := store.Size()
	narrow(dst[at*size:(at+len(acc))*size], acc, store)
}

// accumulate sets acc to the weighted sum of the operands' elements from at on.
func accumulate(acc []float32, src []Operand, at int) {
	for k, o := range src {
		size := o.Type.Size()
		data := o.Data[at*size : (at+len(acc))*size]
		if k == 0 {
			scale(acc, data, o)
		} else {
			add(acc, data, o)
		}
	}
}

// scale sets acc[i] to weight*data[i]. Adding to zeros would lose the sign of -0.
func scale(acc []float32, data []byte, o Operand) {
	w := o.Weight
	switch o.Type {
	case BF16:
		scaleBF16(acc, data, w)
	case F16:
		table := f16()
		for i := range acc {
			acc[i] = w * table[binary.LittleEndian.Uint16(data[2*i:])]
		}
	default:
		for i := range acc {
			acc[i] = w * math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
}

// add adds weight*data[i] to acc[i]. The conversions keep compilers from
// fusing multiplication and addition, which would round differently where the
// processor can: https://go.dev/ref/spec#Floating_point_operators
func add(acc []float32, data []byte, o Operand) {
	w := o.Weight
	switch o.Type {
	case BF16:
		addBF16(acc, data, w)
	case F16:
		table := f16()
		for i := range acc {
			acc[i] += float32(w * table[binary.LittleEndian.Uint16(data[2*i:])])
		}
	default:
		for i := range acc {
			acc[i] += float32(w * math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
	}
}

// even and odd widen the two bfloat16 values of 32 bits.
func even(x uint32) float32 { return math.Float32frombits(x << 16) }
func odd(x uint32) float32  { return math.Float32frombits(x & 0xffff0000) }

// one widens a single bfloat16 value.
func one(b []byte) float32 { return even(uint32(binary.LittleEndian.Uint16(b))) }

func scaleBF16(acc []float32, a []byte, w float32) {
	n := len(acc) &^ 3
	for i := 0; i < n; i += 4 {
		x := binary.LittleEndian.Uint64(a[2*i : 2*i+8])
		c := acc[i : i+4 : i+4]
		c[0] = w * even(uint32(x))
		c[1] = w * odd(uint32(x))
		c[2] = w * even(uint32(x>>32))
		c[3] = w * odd(uint32(x>>32))
	}
	for i := n; i < len(acc); i++ {
		acc[i] = w * one(a[2*i:])
	}
}

func addBF16(acc []float32, a []byte, w float32) {
	n := len(acc) &^ 3
	for i := 0; i < n; i += 4 {
		x := binary.LittleEndian.Uint64(a[2*i : 2*i+8])
		c := acc[i : i+4 : i+4]
		c[0] += float32(w * even(uint32(x)))
		c[1] += float32(w * odd(uint32(x)))
		c[2] += float32(w * even(uint32(x>>32)))
		c[3] += float32(w * odd(uint32(x>>32)))
	}
	for i := n; i < len(acc); i++ {
		acc[i] += float32(w * one(a[2*i:]))
	}
}
