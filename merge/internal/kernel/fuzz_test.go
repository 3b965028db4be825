package kernel

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzSum takes a sum from bytes: how many operands, their types, weights and
// alignments, the roundings, and elements. All kernels must give the
// reference's bytes.
func FuzzSum(f *testing.F) {
	f.Add([]byte{1, 3, 0, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x7f, 1, 0, 0x81, 0x7f}, byte(3), byte(0), byte(2), false)
	f.Add([]byte{2, 2, 1, 0, 0, 0, 0x3f, 1, 63, 0, 0, 0, 0x3f, 1, 2, 3, 4, 0xff, 0x7b, 0, 0x7c}, byte(2), byte(3), byte(0), true)
	f.Fuzz(func(t *testing.T, data []byte, store, round, over byte, stream bool) {
		src, n := operands(data)
		if len(src) == 0 {
			return
		}
		want := reference(src, n, Type(round%4), 1+Type(store%3))
		for _, v := range variants() {
			if err := try(v.sum, src, want, int(over%64), Type(round%4), 1+Type(store%3), stream); err != nil {
				t.Error(v.name, err)
			}
		}
	})
}

// operands takes a count, then a type, an alignment and a weight for each
// operand, then its elements from the rest, which all read from the beginning,
// each one byte further on.
func operands(data []byte) ([]Operand, int) {
	if len(data) == 0 {
		return nil, 0
	}
	count := 1 + int(data[0]%66)
	heads, rest := data[1:], data[min(len(data), 1+6*count):]
	if len(heads) < 6*count {
		return nil, 0
	}
	n := max(0, len(rest)-count) / 4
	var src []Operand
	for k := range count {
		head := heads[6*k:]
		o := Operand{Type: 1 + Type(head[0]%3), Weight: math.Float32frombits(binary.LittleEndian.Uint32(head[2:]))}
		o.Data = at(n*o.Type.Size(), int(head[1]%64))
		copy(o.Data, rest[min(k, len(rest)):])
		src = append(src, o)
	}
	return src, n
}
