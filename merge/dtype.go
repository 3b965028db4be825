package merge

import (
	"fmt"
	"strings"

	"soup/merge/internal/remedy"
)

// DType is the element type of a tensor. The zero value means "not given": the
// dtype that the tensor already has.
type DType uint8

// The element types a checkpoint may hold. F32, F16 and BF16 are averaged; F64
// and the integers are copied where all parents hold the same bytes; the rest
// are quantised and refused.
const (
	AsStored DType = iota
	F32
	F16
	BF16
	F64
	I64
	I32
	I16
	I8
	U64
	U32
	U16
	U8
	Bool
	Quantised // 8-bit and smaller floats, complex numbers and block formats
)

var dtypes = [...]struct {
	name, torch string
	bytes       int64
}{
	AsStored: {"", "", 0},
	F32:      {"F32", "float32", 4}, F16: {"F16", "float16", 2}, BF16: {"BF16", "bfloat16", 2}, F64: {"F64", "float64", 8},
	I64: {"I64", "int64", 8}, I32: {"I32", "int32", 4}, I16: {"I16", "int16", 2}, I8: {"I8", "int8", 1},
	U64: {"U64", "uint64", 8}, U32: {"U32", "uint32", 4}, U16: {"U16", "uint16", 2}, U8: {"U8", "uint8", 1},
	Bool: {"BOOL", "bool", 1}, Quantised: {"quantised", "quantised", 0},
}

// ParseDType reads a dtype that soups can be stored in: "float32", "float16",
// "bfloat16", or safetensors' names "F32", "F16", "BF16". An empty string is
// [AsStored].
func ParseDType(s string) (DType, error) {
	if s == "" {
		return AsStored, nil
	}
	for _, d := range []DType{F32, F16, BF16} {
		if strings.EqualFold(s, dtypes[d].name) || strings.EqualFold(s, dtypes[d].torch) {
			return d, nil
		}
	}
	return AsStored, remedy.Errorf("use float32, float16 or bfloat16", "dtype %q is not one that soups can be stored in", s)
}

// String returns safetensors' name, such as "BF16"; "" for [AsStored].
func (d DType) String() string { return dtypes[d.known()].name }

// Torch returns PyTorch's name, such as "bfloat16"; "" for [AsStored].
func (d DType) Torch() string { return dtypes[d.known()].torch }

// Size returns the bytes of one element; 0 for [AsStored] and [Quantised].
func (d DType) Size() int64 { return dtypes[d.known()].bytes }

// Averageable says whether soups average tensors of this type.
func (d DType) Averageable() bool { return d == F32 || d == F16 || d == BF16 }

// MarshalText writes PyTorch's name.
func (d DType) MarshalText() ([]byte, error) { return []byte(d.Torch()), nil }

// UnmarshalText reads what [ParseDType] reads.
func (d *DType) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDType(string(text))
	return err
}

func (d DType) known() DType {
	if int(d) < len(dtypes) {
		return d
	}
	return Quantised
}

// safetensorsBits gives every element type of the safetensors format and its
// bits: https://docs.rs/safetensors/latest/safetensors/tensor/enum.Dtype.html
var safetensorsBits = map[string]uint64{
	"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "C64": 64,
	"I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
	"F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}

// safetensorsDType maps a safetensors name to its dtype and bits an element.
func safetensorsDType(name string) (DType, uint64, error) {
	bits, ok := safetensorsBits[name]
	if !ok {
		return AsStored, 0, fmt.Errorf("unknown dtype %q", name)
	}
	for d := F32; d < Quantised; d++ {
		if dtypes[d].name == name {
			return d, bits, nil
		}
	}
	return Quantised, bits, nil
}
