package kernel

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/x448/float16"
	"pgregory.net/rapid"
)

// stride is the step through all float32 values: -args -stride 1 takes every
// one, for minutes.
var stride = flag.Uint64("stride", 4099, "step through all float32 values in TestEveryFloat32")

// eachKernel runs a test for every implementation of this machine.
func eachKernel(t *testing.T, test func(*testing.T, kernel)) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) { test(t, v.sum) })
	}
}

var (
	stores = []Type{F32, F16, BF16}
	rounds = []Type{None, F32, F16, BF16}
)

// sample draws the bits of a float32: of values that kernels get wrong, mostly.
func sample(r *rand.Rand) uint32 {
	bits := r.Uint32()
	switch r.IntN(10) {
	case 0: // any bits
		return bits
	case 1: // subnormal float32 or a zero
		return bits & 0x807fffff >> r.IntN(24)
	case 2: // infinity
		return bits&0x80000000 | 0x7f800000
	case 3: // NaN, quiet or signalling
		return bits | 0x7f800000 | 1
	case 4: // half way between two bfloat16 values, or beside it
		return bits&0xffff0000 | uint32(0x7fff+r.IntN(3))
	case 5: // half way between two float16 values, or beside it
		f := float16.Frombits(uint16(bits)).Float32()
		return math.Float32bits(f)&0xffffe000 | uint32(0xfff+r.IntN(3))
	case 6: // near the subnormal float16 values
		return bits&0x807fffff | uint32(100+r.IntN(15))<<23
	case 7: // near the largest float16 value
		return bits&0x80000fff | 0x477fe000 + uint32(r.IntN(3))<<12
	}
	return math.Float32bits(float32(r.NormFloat64()))
}

// fill writes samples as elements of a type.
func fill(data []byte, d Type, r *rand.Rand) {
	for i := 0; i+d.Size() <= len(data); i += d.Size() {
		switch bits := sample(r); {
		case d == F32:
			binary.LittleEndian.PutUint32(data[i:], bits)
		case d == F16 && r.IntN(2) == 0:
			binary.LittleEndian.PutUint16(data[i:], float16.Fromfloat32(math.Float32frombits(bits)).Bits())
		default:
			binary.LittleEndian.PutUint16(data[i:], uint16(bits>>16))
		}
	}
}

// at returns n bytes that begin some bytes after a multiple of 64.
func at(n, over int) []byte {
	room := make([]byte, n+128)
	begin := int(-uintptr(unsafe.Pointer(&room[0])) % 64)
	return room[begin+over : begin+over+n : begin+over+n]
}

// sampled makes an operand of n elements at an alignment.
func sampled(d Type, n, over int, r *rand.Rand) Operand {
	o := Operand{at(n*d.Size(), over), d, []float32{1, -1, 0.25, 1e-30, float32(r.NormFloat64())}[r.IntN(5)]}
	fill(o.Data, d, r)
	return o
}

// try sums with a kernel and says where the bytes are not want's, or where
// bytes beside dst changed.
func try(sum kernel, src []Operand, want []byte, over int, round, store Type, stream bool) error {
	room := at(len(want)+128, over)
	for i := range room {
		room[i] = 0xa5
	}
	sum(room[64:64+len(want)], src, round, store, stream)
	for i, b := range room {
		right := byte(0xa5)
		if i >= 64 && i < 64+len(want) {
			right = want[i-64]
		}
		if b != right {
			return fmt.Errorf("byte %d of %d is %x, want %x: %d operands, over %d, round %d, store %d, stream %v",
				i-64, len(want), b, right, len(src), over, round, store, stream)
		}
	}
	return nil
}

// TestEveryKernelEqualsReference draws lengths, counts, types and alignments.
func TestEveryKernelEqualsReference(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.OneOf(rapid.IntRange(0, 300), rapid.SampledFrom([]int{511, 512, 513, 1000, 2047, 2049})).Draw(t, "n")
			count := rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(1, 70)).Draw(t, "count")
			types := rapid.SampledFrom([][]Type{{BF16}, {F16}, {F32}, {BF16, F16, F32}}).Draw(t, "types")
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
			var src []Operand
			for range count {
				src = append(src, sampled(types[r.IntN(len(types))], n, r.IntN(64), r))
			}
			round := rapid.SampledFrom(rounds).Draw(t, "round")
			store := rapid.SampledFrom(stores).Draw(t, "store")
			over := rapid.IntRange(0, 63).Draw(t, "over")
			want := reference(src, n, round, store)
			if err := try(sum, src, want, over, round, store, rapid.Bool().Draw(t, "stream")); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// TestEveryCombination goes through types, roundings, stores and both ways to
// store at every length to 140, with alignments that change along.
func TestEveryCombination(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		r := rand.New(rand.NewPCG(3, 3))
		for n := range 141 {
			for i, types := range [][]Type{{BF16, BF16}, {F16, F16}, {F32, F32}, {F32, BF16, F16}} {
				var src []Operand
				for _, d := range types {
					src = append(src, sampled(d, n, r.IntN(64), r))
				}
				for _, round := range rounds {
					for _, store := range stores {
						want := reference(src, n, round, store)
						for _, stream := range []bool{false, true} {
							if err := try(sum, src, want, (n+17*i)%64, round, store, stream); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			}
		}
	})
}

// TestEveryAlignment holds the length and moves dst and operand.
func TestEveryAlignment(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		r := rand.New(rand.NewPCG(4, 4))
		for over := range 64 {
			for _, d := range stores {
				src := []Operand{sampled(d, 200, over, r), sampled(d, 200, 63-over, r)}
				want := reference(src, 200, None, d)
				for _, stream := range []bool{false, true} {
					for _, to := range []int{over, 0} {
						if err := try(sum, src, want, to, None, d, stream); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
	})
}

// TestLongRuns crosses the borders of blocks and of assembly's steps.
func TestLongRuns(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		r := rand.New(rand.NewPCG(5, 5))
		for _, n := range []int{block - 1, block, block + 1, 2*block + 3, 1<<16 - 1, 1 << 16, 1<<16 + 33, 2<<16 + 7} {
			src := []Operand{sampled(BF16, n, 2, r), sampled(F16, n, 0, r), sampled(F32, n, 8, r)}
			want := reference(src, n, None, BF16)
			for _, stream := range []bool{false, true} {
				if err := try(sum, src, want, 6, None, BF16, stream); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestEvery16Bits takes all elements of 16 bits through all conversions.
func TestEvery16Bits(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		for _, d := range []Type{F16, BF16} {
			for _, w := range []float32{1, -1, 0.3, 0x1p-20, 3e38} {
				o := Operand{make([]byte, 2<<16), d, w}
				for i := range 1 << 16 {
					binary.LittleEndian.PutUint16(o.Data[2*i:], uint16(i))
				}
				for _, store := range stores {
					want := reference([]Operand{o}, 1<<16, None, store)
					if err := try(sum, []Operand{o}, want, 0, None, store, false); err != nil {
						t.Errorf("type %d, weight %v: %v", d, w, err)
					}
				}
			}
		}
	})
}

// TestEveryFloat32 rounds float32 values to every type, directly and in two steps.
func TestEveryFloat32(t *testing.T) {
	const n = 1 << 15
	o := Operand{make([]byte, 4*n), F32, 1}
	for next := uint64(0); next < 1<<32; {
		for i := range n { // the last run wraps around
			binary.LittleEndian.PutUint32(o.Data[4*i:], uint32(next))
			next += *stride
		}
		for _, round := range []Type{None, F16, BF16} {
			for _, store := range stores {
				want := reference([]Operand{o}, n, round, store)
				for _, v := range variants() {
					if err := try(v.sum, []Operand{o}, want, 0, round, store, false); err != nil {
						t.Fatalf("%s, before %x: %v", v.name, next, err)
					}
				}
			}
		}
	}
}

// TestOneNaN puts a single NaN, given or made of infinities, at every place
// among ordinary values: NaNs that come together hide a place not looked at.
func TestOneNaN(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		for _, d := range stores {
			for i := range 150 {
				src := []Operand{normal(d, 1, 150, 0.5), normal(d, 2, 150, 0.5)}
				Round(src[0].Data[i*d.Size():], []float32{float32(math.Inf(1))}, d)
				Round(src[1].Data[i*d.Size():], []float32{float32(math.Inf(-1))}, d)
				if i%2 == 0 { // another NaN than the one
					src[0].Data[i*d.Size()] |= 1
				}
				want := reference(src, 150, None, d)
				if err := try(sum, src, want, 0, None, d, false); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestZerosKeepTheirSign: -0 alone stays -0, and -0 and 0 give 0.
func TestZerosKeepTheirSign(t *testing.T) {
	eachKernel(t, func(t *testing.T, sum kernel) {
		for _, d := range stores {
			minus, zero := make([]byte, 100*d.Size()), make([]byte, 100*d.Size())
			for i := d.Size() - 1; i < len(minus); i += d.Size() {
				minus[i] = 0x80
			}
			for _, c := range []struct {
				src  []Operand
				want []byte
			}{
				{[]Operand{{minus, d, 0.5}}, minus},
				{[]Operand{{zero, d, -0.5}}, minus},
				{[]Operand{{minus, d, 0.5}, {minus, d, 0.5}}, minus},
				{[]Operand{{minus, d, 0.5}, {zero, d, 0.5}}, zero},
			} {
				if err := try(sum, c.src, c.want, 0, None, d, false); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestNoFusing needs the product rounded before it is added: fused, the
// difference below is the product's rounding error, not 0.
func TestNoFusing(t *testing.T) {
	x := float32(1 + 0x1p-12)
	square := float32(x * x)
	a, b := make([]byte, 4*64), make([]byte, 4*64)
	for i := range 64 {
		binary.LittleEndian.PutUint32(a[4*i:], math.Float32bits(square))
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	eachKernel(t, func(t *testing.T, sum kernel) {
		if err := try(sum, []Operand{{a, F32, -1}, {b, F32, x}}, make([]byte, 4*64), 0, None, F32, false); err != nil {
			t.Error(err)
		}
	})
}

// TestSumAllocatesNothing for up to 64 operands.
func TestSumAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var src []Operand
	for range 64 {
		src = append(src, sampled(BF16, 100, 0, r))
	}
	dst := make([]byte, 200)
	if n := testing.AllocsPerRun(10, func() { SumStream(dst, src, None, BF16) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSumRefuses what would read or write outside the slices.
func TestSumRefuses(t *testing.T) {
	eight := make([]byte, 8)
	for name, call := range map[string]func(){
		"no operand":         func() { Sum(eight, nil, None, F32) },
		"short operand":      func() { Sum(eight, []Operand{{eight, F32, 1}, {eight[:7], F32, 1}}, None, F32) },
		"shorter by widths":  func() { SumStream(eight, []Operand{{eight, F32, 1}}, None, BF16) },
		"operand of no type": func() { Sum(eight, []Operand{{eight, None, 1}}, None, F32) },
		"unknown type":       func() { Sum(eight, []Operand{{eight, BF16 + 1, 1}}, None, F32) },
		"unknown rounding":   func() { Sum(eight, []Operand{{eight, F32, 1}}, BF16+1, F32) },
		"stored as nothing":  func() { Sum(eight, []Operand{{eight, F32, 1}}, None, None) },
		"unknown store":      func() { Sum(eight, []Operand{{eight, F32, 1}}, None, BF16+1) },
	} {
		if !panics(call) {
			t.Errorf("%s: no panic", name)
		}
	}
	if !bytes.Equal(eight, make([]byte, 8)) {
		t.Error("a refused sum wrote")
	}
}

func panics(call func()) (did bool) {
	defer func() { did = recover() != nil }()
	call()
	return false
}

// TestIncompleteElementStays: bytes of dst after the last whole element.
func TestIncompleteElementStays(t *testing.T) {
	dst := []byte{1, 2, 3, 4, 5, 6, 7}
	Sum(dst, []Operand{{make([]byte, 4), F32, 1}}, None, F32)
	if want := []byte{0, 0, 0, 0, 5, 6, 7}; !bytes.Equal(dst, want) {
		t.Errorf("%v, want %v", dst, want)
	}
}
