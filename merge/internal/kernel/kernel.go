// Package kernel computes weighted sums of tensors, element by element.
//
// Start with [Sum]. Every implementation gives the same bytes: products and
// sums in float32, in the order of the operands, each product rounded before
// it is added, one rounding to the stored type at the end, to nearest with
// ties to even (two where an intermediate type is given: first to that one).
// NaNs are stored as one fixed NaN.
package kernel

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
type kernel func(dst []byte, src []Operand, round, store Type)

// Sum writes the weighted sum of src, which must not be empty, to dst. The
// number of elements is len(dst) divided by the size of store; each operand
// must hold as many. round, unless None, is a type that the sums are rounded to
// before they are stored. dst may be at any alignment and must not overlap an
// operand.
func Sum(dst []byte, src []Operand, round, store Type) { portable(dst, src, round, store) }

// Round writes values, rounded, as elements of a type.
func Round(dst []byte, values []float32, store Type) { narrow(dst, values, store) }
