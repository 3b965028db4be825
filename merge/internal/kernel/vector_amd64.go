package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go run -modfile=../../../tools/go.mod gen.go -out sum_amd64.s -stubs sum_amd64.go
//go:generate go run -modfile=../../../tools/go.mod gen_gram.go -out gram_amd64.s -stubs gram_amd64.go

// set is an instruction set with a kernel.
type set uint8

const (
	avx2 set = iota
	avx512
)

// maxTurn bounds the elements that are left to Go.
const maxTurn = 32

// vectors returns the kernels of this processor, the fastest first. The flags
// include that the operating system saves the registers.
func vectors() []variant {
	var have []variant
	less, tile := lessPortable, tilePortable
	if cpu.X86.HasAVX2 && cpu.X86.HasF16C && cpu.X86.HasFMA {
		less, tile = lessVector, tileVector
	}
	if cpu.X86.HasAVX512F {
		have = append(have, variant{"avx512", avx512.sum, less, tile})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasF16C {
		have = append(have, variant{"avx2", avx2.sum, less, tile})
	}
	return have
}

func lessWhole(dst, less []float32, data []byte, typ Type) {
	lessAVX2(unsafe.SliceData(dst), unsafe.SliceData(less), unsafe.SliceData(data), len(dst), uint8(typ))
}

func tileVector(sums []float64, a, b []float32, n int) {
	tileAVX2(unsafe.SliceData(sums), unsafe.SliceData(a), unsafe.SliceData(b), n)
}

// turn is what a number of elements must be divisible by.
func (s set) turn() int {
	if s == avx512 {
		return 1 // the rest is masked
	}
	return maxTurn
}

// run calls the assembly: directly, not through a variable, so that terms stay
// on the stack.
func (s set) run(dst []byte, terms []term, begin, end int, round, store Type, alike, stream bool) {
	to, of := unsafe.SliceData(dst), (*byte)(unsafe.Pointer(unsafe.SliceData(terms)))
	if s == avx512 {
		sumAVX512(to, of, len(terms), begin, end, uint8(round), uint8(store), alike, stream)
	} else {
		sumAVX2(to, of, len(terms), begin, end, uint8(round), uint8(store), alike, stream)
	}
}
