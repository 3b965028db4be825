package convert

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/x448/float16"

	"soup/merge"
)

// tensor is one tensor of a GGUF file that is being written.
type tensor struct {
	name    string
	shape   []int64 // row-major
	dtype   merge.DType
	sources []string // tensors of the checkpoint, stacked in this order; none: given holds the values
	heads   uint32   // rows are those of so many heads and are reordered for rope; 0: not
	plus    float32  // added to every element
	given   []float32
}

func (t tensor) elements() int64 {
	n := int64(1)
	for _, d := range t.shape {
		n *= d
	}
	return n
}

func (t tensor) bytes() int64 { return t.elements() * t.dtype.Size() }

// write writes the tensor's data.
func (t tensor) write(w io.Writer, from *merge.Checkpoint) error {
	if t.given != nil {
		return binary.Write(w, binary.LittleEndian, t.given)
	}
	for _, name := range t.sources {
		source, _ := from.Tensor(name)
		data, err := from.Bytes(name)
		if err != nil {
			return err
		}
		if err := t.part(w, source, data); err != nil {
			return fmt.Errorf("%s: tensor %s: %w", from.Path(), name, err)
		}
	}
	return nil
}

// part writes one source: as it is, with rows reordered, or widened to float32.
func (t tensor) part(w io.Writer, source merge.Tensor, data []byte) error {
	b := bufio.NewWriterSize(w, int(min(t.bytes(), 1<<20)))
	write := func(chunk []byte) error {
		if source.DType == t.dtype && t.plus == 0 {
			_, err := b.Write(chunk)
			return err
		}
		return widen(b, chunk, source.DType, t.plus)
	}
	if t.heads == 0 {
		if err := write(data); err != nil {
			return err
		}
		return b.Flush()
	}
	rows := int(source.Shape[0])
	row := len(data) / rows
	for i := range rows {
		at := rotated(i, rows/int(t.heads)) * row
		if err := write(data[at : at+row]); err != nil {
			return err
		}
	}
	return b.Flush()
}

// rotated gives the row of a checkpoint that becomes row i: ggml's rope for
// llama turns neighbours, transformers' turns the first half of a head against
// the second. After LlamaModel.permute of
// https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py
func rotated(i, width int) int {
	head, at := i/width, i%width
	return head*width + at%2*(width/2) + at/2
}

// widen writes elements as float32, plus a constant.
func widen(w *bufio.Writer, data []byte, dtype merge.DType, plus float32) error {
	var room [4]byte
	size := int(dtype.Size())
	for at := 0; at < len(data); at += size {
		v := element(data[at:], dtype) + plus
		binary.LittleEndian.PutUint32(room[:], math.Float32bits(v))
		if _, err := w.Write(room[:]); err != nil {
			return err
		}
	}
	return nil
}

// element reads one element as float32, which holds all three types exactly.
func element(data []byte, dtype merge.DType) float32 {
	switch dtype {
	case merge.BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(data)) << 16)
	case merge.F16:
		return float16.Frombits(binary.LittleEndian.Uint16(data)).Float32()
	default:
		return math.Float32frombits(binary.LittleEndian.Uint32(data))
	}
}

// narrowed writes a value in a dtype; bfloat16 is cut off, which [back.store]
// has found to lose nothing.
func narrowed(v float32, dtype merge.DType) []byte {
	bits := math.Float32bits(v)
	switch dtype {
	case merge.BF16:
		return binary.LittleEndian.AppendUint16(nil, uint16(bits>>16))
	case merge.F16:
		return binary.LittleEndian.AppendUint16(nil, float16.Fromfloat32(v).Bits())
	default:
		return binary.LittleEndian.AppendUint32(nil, bits)
	}
}
