// Package kernel computes weighted sums of tensors, element by element.
//
// Start with [Sum]. Every implementation gives the same bytes: products and
// sums in float32, in the order of the operands, each product rounded before
// it is added, one rounding to the stored type at the end, to nearest with
// ties to even (two where an intermediate type is given: first to that one).
// NaNs are stored as one fixed NaN.
//
// The fastest implementation that the processor has is taken; [Select] and the
// environment variable SOUP_KERNEL take another.
package kernel

import "fmt"

// Type is an element type that is summed and stored, little-endian.
type Type uint8

// The element types. None, the zero value, means no intermediate rounding.
const (
	None Type = iota
	F32
	F16
	BF16
)

// Size returns the bytes of an element; 0 for None.
func (t Type) Size() int { return [...]int{None: 0, F32: 4, F16: 2, BF16: 2}[t] }

// Operand is one parent's share of a run of elements.
type Operand struct {
	Data   []byte // little-endian elements of Type
	Type   Type
	Weight float32
}

// kernel writes the weighted sum of one operand or more to dst, whose length
// divided by the size of store is the number of elements.
type kernel func(dst []byte, src []Operand, round, store Type, stream bool)

// Sum writes the weighted sum of src to dst. The number of elements is len(dst)
// divided by the size of store; each operand must hold as many. round, unless
// None, is a type that the sums are rounded to before they are stored. dst and
// the operands may be at any alignment; dst must not overlap an operand. Sum
// panics where src is empty, an operand too short, or a type not one.
func Sum(dst []byte, src []Operand, round, store Type) { sum(dst, src, round, store, false) }

// SumStream is Sum for a dst that is larger than the cache and not read soon:
// where the processor can, it is written past the cache, which saves reading it
// from memory first. Where dst is read at once, Sum is faster.
func SumStream(dst []byte, src []Operand, round, store Type) { sum(dst, src, round, store, true) }

// sum holds the operands against dst, because assembly does not.
func sum(dst []byte, src []Operand, round, store Type, stream bool) {
	n := len(dst) / store.Size()
	if len(src) == 0 || round > BF16 {
		panic(fmt.Sprintf("kernel: %d operands rounded to type %d", len(src), round))
	}
	for k, o := range src {
		if size := o.Type.Size(); size == 0 || len(o.Data)/size < n {
			panic(fmt.Sprintf("kernel: operand %d holds %d bytes of type %d, not %d elements", k, len(o.Data), o.Type, n))
		}
	}
	chosen().sum(dst[:n*store.Size()], src, round, store, stream)
}

// Round writes values, rounded, as elements of a type.
func Round(dst []byte, values []float32, store Type) { narrow(dst, values, store) }
