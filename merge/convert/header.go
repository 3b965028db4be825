package convert

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Types of values and tensors in a GGUF file:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
const (
	kindUint32  uint32 = 4
	kindInt32   uint32 = 5
	kindFloat32 uint32 = 6
	kindBool    uint32 = 7
	kindString  uint32 = 8
	kindArray   uint32 = 9
	alignment          = 32
)

// metadata is the keys of a GGUF file. Values are uint32, float32, bool,
// string, []string, []float32, []int32, []bool or raw (as read from a file).
type metadata map[string]any

// raw is a value as it lies in a GGUF file, its type first.
type raw []byte

const architectureKey = "general.architecture"

// sorted returns the keys in the order that they are written in: the
// architecture first, as readers expect, then by name.
func (m metadata) sorted() []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == architectureKey) != (b == architectureKey) {
			if a == architectureKey {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

// encoder appends the parts of a header.
type encoder struct{ bytes.Buffer }

func (e *encoder) put(v any) { _ = binary.Write(&e.Buffer, binary.LittleEndian, v) } // memory does not fail

func (e *encoder) text(s string) {
	e.put(uint64(len(s)))
	e.WriteString(s)
}

func (e *encoder) array(kind uint32, n int) {
	e.put(kindArray)
	e.put(kind)
	e.put(uint64(n))
}

func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case raw:
		e.Write(v)
	case uint32:
		e.put(kindUint32)
		e.put(v)
	case float32:
		e.put(kindFloat32)
		e.put(v)
	case bool:
		e.put(kindBool)
		e.put(v)
	case string:
		e.put(kindString)
		e.text(v)
	case []string:
		e.array(kindString, len(v))
		for _, s := range v {
			e.text(s)
		}
	case []float32:
		e.array(kindFloat32, len(v))
		e.put(v)
	case []int32:
		e.array(kindInt32, len(v))
		e.put(v)
	case []bool:
		e.array(kindBool, len(v))
		e.put(v)
	default:
		return fmt.Errorf("value of type %T has no GGUF type", v)
	}
	return nil
}

// encode returns a header, padded so that tensor data can follow, and the
// offset of each tensor in the file.
func encode(m metadata, tensors []tensor) (header []byte, offsets []int64, err error) {
	e := &encoder{}
	e.WriteString("GGUF")
	e.put(uint32(3))
	e.put(uint64(len(tensors)))
	e.put(uint64(len(m)))
	for _, key := range m.sorted() {
		e.text(key)
		if err := e.value(m[key]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	at := int64(0)
	for _, t := range tensors {
		e.text(t.name)
		e.put(uint32(len(t.shape)))
		for _, d := range slices.Backward(t.shape) {
			e.put(uint64(d))
		}
		kind, _ := t.dtype.GGMLType() // plans have float types only
		e.put(kind)
		e.put(uint64(at))
		offsets = append(offsets, at)
		at = aligned(at + t.bytes())
	}
	e.Write(make([]byte, aligned(int64(e.Len()))-int64(e.Len())))
	for i := range offsets {
		offsets[i] += int64(e.Len())
	}
	return e.Bytes(), offsets, nil
}

func aligned(n int64) int64 { return (n + alignment - 1) / alignment * alignment }
