package convert

import (
	"encoding/binary"
	"errors"
	"math"
)

var errCutOff = errors.New("GGUF header: cut off")

// decoder reads a GGUF header. The first error stays.
type decoder struct {
	text []byte
	err  error
}

func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > uint64(len(d.text)) {
		d.err, d.text = errCutOff, nil
		return nil
	}
	out := d.text[:n]
	d.text = d.text[n:]
	return out
}

func (d *decoder) number(size uint64) (v uint64) {
	for i, b := range d.take(size) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (d *decoder) string() string { return string(d.take(d.number(8))) }

// widths are the bytes of a value of each numeric type, as in GGUF's own list.
var widths = map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

// value reads a value: float64, bool, string, or a slice of those.
func (d *decoder) value(kind uint32) any {
	switch {
	case kind == kindString:
		return d.string()
	case kind == kindArray:
		return d.array()
	case widths[kind] == 0:
		d.err = errors.New("GGUF header: value of unknown type")
		return nil
	}
	bits := d.number(widths[kind])
	switch kind {
	case kindBool:
		return bits != 0
	case kindFloat32:
		return float64(math.Float32frombits(uint32(bits)))
	case 12:
		return math.Float64frombits(bits)
	case 1, 3, kindInt32, 11: // with a sign
		unused := 64 - 8*widths[kind]
		return float64(int64(bits<<unused) >> unused)
	}
	return float64(bits)
}

// longestList bounds what a forged header can make of few bytes; the longest in
// use have a number for each token.
const longestList = 1 << 22

// array reads a list of texts as []string, others as []any.
func (d *decoder) array() any {
	kind, n := uint32(d.number(4)), d.number(8)
	if n > uint64(len(d.text)) {
		d.err = errCutOff
	}
	if kind == kindString {
		var list []string
		for i := uint64(0); i < n && d.err == nil; i++ {
			list = append(list, d.string())
		}
		return list
	}
	if n > longestList || kind == kindArray {
		d.err = errors.New("GGUF header: a list that no model has")
	}
	var list []any
	for i := uint64(0); i < n && d.err == nil; i++ {
		list = append(list, d.value(kind))
	}
	return list
}

// readMetadata reads all keys of a GGUF header.
func readMetadata(header []byte) (map[string]any, error) {
	if len(header) < 24 {
		return nil, errCutOff
	}
	d := decoder{text: header[24:]}
	values := map[string]any{}
	for n := binary.LittleEndian.Uint64(header[16:]); n > 0 && d.err == nil; n-- {
		key := d.string()
		values[key] = d.value(uint32(d.number(4)))
	}
	return values, d.err
}
