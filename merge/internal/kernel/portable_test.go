package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/x448/float16"
)

// reference is the promised arithmetic, written as plainly as can be.
func reference(src []Operand, n int, round, store Type) []byte {
	out := make([]byte, n*store.Size())
	for i := range n {
		acc := float32(src[0].Weight * value(src[0].Type, src[0].Data, i))
		for _, o := range src[1:] {
			acc += float32(o.Weight * value(o.Type, o.Data, i))
		}
		if round == BF16 {
			acc = math.Float32frombits(uint32(nearestBF16(acc)) << 16)
		}
		if round == F16 && acc == acc {
			acc = float16.Fromfloat32(acc).Float32()
		}
		switch size := store.Size(); {
		case store == BF16:
			binary.LittleEndian.PutUint16(out[i*size:], nearestBF16(acc))
		case store == F16 && acc != acc:
			binary.LittleEndian.PutUint16(out[i*size:], nanF16)
		case store == F16:
			binary.LittleEndian.PutUint16(out[i*size:], float16.Fromfloat32(acc).Bits())
		case acc != acc:
			binary.LittleEndian.PutUint32(out[i*size:], nanF32)
		default:
			binary.LittleEndian.PutUint32(out[i*size:], math.Float32bits(acc))
		}
	}
	return out
}

// nearestBF16 finds the nearest bfloat16 by comparing distances in float64.
func nearestBF16(f float32) uint16 {
	if f != f {
		return nanBF16
	}
	down := uint16(math.Float32bits(f) >> 16) // towards zero
	if math.IsInf(float64(f), 0) {
		return down
	}
	low := float64(math.Float32frombits(uint32(down) << 16))
	high := float64(math.Float32frombits(uint32(down+1) << 16))
	if math.IsInf(high, 0) {
		high = math.Copysign(math.Ldexp(1, 128), high)
	}
	below, above := math.Abs(float64(f)-low), math.Abs(high-float64(f))
	if above < below || above == below && down&1 == 1 {
		return down + 1
	}
	return down
}

func TestRoundBF16(t *testing.T) {
	for bits := range uint32(1 << 16) { // every upper half, with the lower halves that decide
		for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			f := math.Float32frombits(bits<<16 | low)
			if got, want := roundBF16(f), nearestBF16(f); got != want {
				t.Fatalf("%x rounds to %x, want %x", math.Float32bits(f), got, want)
			}
		}
	}
}

func TestRoundF16KeepsEveryF16(t *testing.T) {
	for bits := range 1 << 16 {
		f := f16()[bits]
		if got := roundF16(f); f == f && got != uint16(bits) || f != f && got != nanF16 {
			t.Fatalf("%x becomes %x", bits, got)
		}
	}
	for bits := uint32(0); bits < 1<<31; bits += 4093 { // and against another implementation
		f := math.Float32frombits(bits)
		if got, want := roundF16(f), float16.Fromfloat32(f).Bits(); f == f && got != want || roundF16(-f)&0x7fff != got&0x7fff {
			t.Fatalf("%v rounds to %x, want %x", f, got, want)
		}
	}
	for f, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, 1 + 0x1p-11: 0x3c00, 1 + 0x3p-11: 0x3c02, 0x1p-25: 0, 0x1.8p-25: 1} {
		if got := roundF16(f); got != want {
			t.Errorf("%v rounds to %x, want %x", f, got, want)
		}
	}
}

// normal returns an operand of normal values.
func normal(d Type, seed uint64, n int, weight float32) Operand {
	r := rand.New(rand.NewPCG(seed, 17))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64() * 0.05)
	}
	o := Operand{make([]byte, n*d.Size()), d, weight}
	Round(o.Data, values, d)
	return o
}

func TestNaNsBecomeOne(t *testing.T) {
	negative := binary.LittleEndian.AppendUint32(nil, 0xffc12345)
	for store, want := range map[Type][]byte{F32: {0, 0, 0xc0, 0x7f}, F16: {0, 0x7e}, BF16: {0xc0, 0x7f}} {
		eachKernel(t, func(t *testing.T, sum kernel) {
			if err := try(sum, []Operand{{negative, F32, 0.5}}, want, 0, None, store, false); err != nil {
				t.Error(err)
			}
		})
	}
}

// value widens one element.
func value(d Type, data []byte, i int) float32 {
	switch d {
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
	case F16:
		return float16.Frombits(binary.LittleEndian.Uint16(data[2*i:])).Float32()
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
}
