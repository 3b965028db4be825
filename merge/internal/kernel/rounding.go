package kernel

import (
	"encoding/binary"
	"math"
	"sync"

	"github.com/x448/float16"
)

// The NaNs that soups hold. Which payload and sign an addition of NaNs gives
// depends on the processor; one fixed NaN makes equal recipes equal bytes.
const (
	nanF32  = 0x7fc00000
	nanF16  = 0x7e00
	nanBF16 = 0x7fc0
)

// roundBF16 rounds to nearest, ties to even.
func roundBF16(f float32) uint16 {
	if f != f {
		return nanBF16
	}
	return uint16(halfUp(f) >> 16)
}

// halfUp adds half a unit in the last place of a bfloat16, less one bit where
// the kept part is even; the upper 16 bits are then the rounded value.
func halfUp(f float32) uint32 {
	b := math.Float32bits(f)
	return b + 0x7fff + b>>16&1
}

// roundF16 rounds to nearest, ties to even; from 65520 on it gives infinity.
// Values below the smallest normal float16 are rounded by an addition: the
// last bit of 0.5 + x is worth 2^-24, the unit of float16's subnormals.
func roundF16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, b := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case b > 0x7f800000:
		return nanF16
	case b >= 0x477ff000: // 65520
		return sign | 0x7c00
	case b < 0x38800000: // 2^-14
		tiny := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(tiny)-0x3f000000)
	}
	return sign | uint16((b+0xfff+b>>13&1)>>13-112<<10)
}

// roundF32 keeps the value and replaces NaNs.
func roundF32(f float32) uint32 {
	if f != f {
		return nanF32
	}
	return math.Float32bits(f)
}

// f16 holds the value of every float16: conversion of subnormals by
// arithmetic is slow, and the table (256 KiB) stays in the L2 cache.
var f16 = sync.OnceValue(func() *[1 << 16]float32 {
	table := new([1 << 16]float32)
	for i := range table {
		table[i] = float16.Frombits(uint16(i)).Float32()
	}
	return table
})

// narrow writes float32 values, rounded, as little-endian elements of store.
func narrow(dst []byte, acc []float32, store Type) {
	switch store {
	case BF16:
		narrowBF16(dst, acc)
	case F16:
		for i, v := range acc {
			binary.LittleEndian.PutUint16(dst[2*i:], roundF16(v))
		}
	default:
		for i, v := range acc {
			binary.LittleEndian.PutUint32(dst[4*i:], roundF32(v))
		}
	}
}

// narrowBF16 handles four at a time, without a test for NaN each: the sum of
// four is NaN if one is (or if infinities cancel, which only costs time).
func narrowBF16(dst []byte, acc []float32) {
	n := len(acc) &^ 3
	for i := 0; i < n; i += 4 {
		a := acc[i : i+4 : i+4]
		if sum := a[0] + a[1] + a[2] + a[3]; sum != sum {
			narrowEach(dst[2*i:], a)
			continue
		}
		lo := halfUp(a[0])>>16 | halfUp(a[1])&0xffff0000
		hi := halfUp(a[2])>>16 | halfUp(a[3])&0xffff0000
		binary.LittleEndian.PutUint64(dst[2*i:2*i+8], uint64(lo)|uint64(hi)<<32)
	}
	narrowEach(dst[2*n:], acc[n:])
}

func narrowEach(dst []byte, acc []float32) {
	for i, v := range acc {
		binary.LittleEndian.PutUint16(dst[2*i:], roundBF16(v))
	}
}

// roundTo rounds values to a narrower dtype in place.
func roundTo(acc []float32, to Type) {
	switch to {
	case BF16:
		for i, v := range acc {
			acc[i] = math.Float32frombits(uint32(roundBF16(v)) << 16)
		}
	case F16:
		table := f16()
		for i, v := range acc {
			acc[i] = table[roundF16(v)]
		}
	}
}
