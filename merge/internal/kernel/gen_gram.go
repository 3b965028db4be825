//go:build ignore

// This program writes the kernels of amd64 that multiply vectors with each
// other: go generate runs it. See docs/kernels.md.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/reg"
)

// As in gram.go and in kernel.go.
const (
	side, run = 3, 512
	f16       = 2
)

func main() {
	less()
	tile()
	Generate()
}

// less widens 32 elements a turn and takes others from them. It asks for those of
// the run after this one.
func less() {
	TEXT("lessAVX2", attr.NOSPLIT, "func(dst, less *float32, data *byte, n int, typ uint8)")
	Doc("lessAVX2 sets dst to n elements less others; n is a multiple of 32.")
	Pragma("noescape")
	dst, others, data := Load(Param("dst"), GP64()), Load(Param("less"), GP64()), Load(Param("data"), GP64())
	n, typ := Load(Param("n"), GP64()), Load(Param("typ"), GP32())
	at := GP64()
	XORQ(at, at)
	CMPL(typ, U8(f16))
	JEQ(LabelRef("f16"))
	JB(LabelRef("f32"))
	turns := func(label string, size int, widen func(from Mem, v reg.VecVirtual)) {
		Label(label)
		for line := 0; line < 32*size; line += 64 {
			PREFETCHT0(Mem{Base: data, Index: at, Scale: uint8(size), Disp: run*size + line})
		}
		for i := range 4 {
			v := YMM()
			widen(Mem{Base: data, Index: at, Scale: uint8(size), Disp: 8 * i * size}, v)
			VSUBPS(Mem{Base: others, Index: at, Scale: 4, Disp: 32 * i}, v, v)
			VMOVUPS(v, Mem{Base: dst, Index: at, Scale: 4, Disp: 32 * i})
		}
		ADDQ(U8(32), at)
		CMPQ(at, n)
		JB(LabelRef(label))
		VZEROUPPER()
		RET()
	}
	turns("bf16", 2, func(from Mem, v reg.VecVirtual) {
		VPMOVZXWD(from, v)
		VPSLLD(U8(16), v, v)
	})
	turns("f16", 2, func(from Mem, v reg.VecVirtual) { VCVTPH2PS(from, v) })
	turns("f32", 4, func(from Mem, v reg.VecVirtual) { VMOVUPS(from, v) })
}

// tile multiplies three vectors with three: nine sums stay in registers, as many
// as two multipliers with a delay of four keep busy.
func tile() {
	TEXT("tileAVX2", attr.NOSPLIT, "func(sums *float64, a, b *float32, n int)")
	Doc("tileAVX2 adds the products of n elements; n is a multiple of 8.")
	Pragma("noescape")
	sums, a, b := Load(Param("sums"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	var of [side][side]reg.VecVirtual
	for i := range side {
		for j := range side {
			of[i][j] = YMM()
			VXORPS(of[i][j], of[i][j], of[i][j])
		}
	}
	at := GP64()
	XORQ(at, at)
	row := func(base reg.Register, k int) Mem { return Mem{Base: base, Index: at, Scale: 4, Disp: 4 * run * k} }
	Label("turn")
	var x [side]reg.VecVirtual
	for i := range side {
		x[i] = YMM()
		VMOVUPS(row(a, i), x[i])
	}
	for j := range side {
		y := YMM()
		VMOVUPS(row(b, j), y)
		for i := range side {
			VFMADD231PS(x[i], y, of[i][j])
		}
	}
	ADDQ(U8(8), at)
	CMPQ(at, n)
	JB(LabelRef("turn"))
	for i := range side {
		for j := range side {
			store(Mem{Base: sums, Disp: 32 * (i*side + j)}, of[i][j])
		}
	}
	VZEROUPPER()
	RET()
}

// store adds eight float32 sums to four of float64.
func store(to Mem, v reg.VecVirtual) {
	low, high := YMM(), YMM()
	VCVTPS2PD(v.AsX(), low)
	VEXTRACTF128(U8(1), v, v.AsX())
	VCVTPS2PD(v.AsX(), high)
	VADDPD(high, low, low)
	VADDPD(to, low, low)
	VMOVUPD(low, to)
}
