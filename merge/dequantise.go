package merge

import (
	"encoding/binary"
	"math"

	"github.com/x448/float16"
)

// A block of Q8_0 is a float16 scale and 32 signed bytes; a value is scale
// times byte. Source: block_q8_0 and dequantize_row_q8_0 in ggml-common.h and
// ggml-quants.c of https://github.com/ggml-org/ggml, commit 3f8cd0a. The
// product of 11 and 8 significant bits is exact in float32.
const (
	q8Elements = 32
	q8Bytes    = 2 + q8Elements
)

// quantisedRemedy says what to do about tensors quantised to a type.
func quantisedRemedy(stored string) string {
	if stored == "Q8_0" {
		return "give the originals in float32, float16 or bfloat16, or read Q8_0 as it is with --dequantize: the soup is then stored as float16"
	}
	return "give the originals in float32, float16 or bfloat16, and quantise the soup"
}

// dequantised returns n elements of a Q8_0 tensor as F32, from element begin
// on, which must be the first of a block.
func dequantised(at place, begin, n int64, room []byte) ([]byte, error) {
	if int64(cap(room)) < 4*n {
		room = make([]byte, 4*n)
	}
	room = room[:4*n]
	blocks := (n + q8Elements - 1) / q8Elements
	raw, err := at.file.window(at.begin+begin/q8Elements*q8Bytes, blocks*q8Bytes, nil)
	if err != nil {
		return nil, err
	}
	for i := range n {
		block := raw[i/q8Elements*q8Bytes:]
		v := float16.Frombits(binary.LittleEndian.Uint16(block)).Float32() * float32(int8(block[2+i%q8Elements]))
		binary.LittleEndian.PutUint32(room[4*i:], math.Float32bits(v))
	}
	return room, nil
}
