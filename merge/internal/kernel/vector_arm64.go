package kernel

import "unsafe"

// set is an instruction set with a kernel.
type set uint8

const neon set = 0

// maxTurn bounds the elements that are left to Go.
const maxTurn = 16

// vectors returns the kernels of this processor: every arm64 has NEON.
func vectors() []variant { return []variant{{"neon", neon.sum, lessVector, tileVector}} }

// turn is what a number of elements must be divisible by.
func (set) turn() int { return maxTurn }

// sumNEON sums the elements from begin to end of count terms.
//
//go:noescape
func sumNEON(dst, terms *byte, count, begin, end int, round, store uint8)

// run calls the assembly. Processors of this kind notice long runs of stores
// and write them past the cache themselves, so nothing is streamed.
func (set) run(dst []byte, terms []term, begin, end int, round, store Type, _, _ bool) {
	of := (*byte)(unsafe.Pointer(unsafe.SliceData(terms)))
	sumNEON(unsafe.SliceData(dst), of, len(terms), begin, end, uint8(round), uint8(store))
}

// lessNEON sets dst to n elements less others; n is a multiple of 16.
//
//go:noescape
func lessNEON(dst, less *float32, data *byte, n int, typ uint8)

// tileNEON adds the products of n elements; n is a multiple of 8.
//
//go:noescape
func tileNEON(sums *float64, a, b *float32, n int)

func lessWhole(dst, less []float32, data []byte, typ Type) {
	lessNEON(unsafe.SliceData(dst), unsafe.SliceData(less), unsafe.SliceData(data), len(dst), uint8(typ))
}

func tileVector(sums []float64, a, b []float32, n int) {
	tileNEON(unsafe.SliceData(sums), unsafe.SliceData(a), unsafe.SliceData(b), n)
}
