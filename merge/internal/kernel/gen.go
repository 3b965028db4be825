//go:build ignore

// This program writes the kernels of amd64: go generate runs it. What the
// instructions do, and why these: docs/kernels.md.
package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The element types as in Go, their sizes, and the layout of a term.
const (
	f32, f16, bf16 = 1, 2, 3

	termData, termWeight, termType, termSize = 0, 8, 12, 16
)

var (
	size   = map[int]int{f32: 4, f16: 2, bf16: 2}
	suffix = map[int]string{f32: "f32", f16: "f16", bf16: "bf16"}
)

// set is what differs between the instruction sets. Loads and stores take a
// mask of the lanes, nil for all.
type set interface {
	name() string
	bytes() int // of a vector
	vector() reg.VecVirtual
	half(v reg.VecVirtual) reg.Register // its lower half

	and(a Op, b, to reg.Register)
	ifNaN(sums []reg.VecVirtual, none LabelRef) // jumps to none if none is NaN
	blendNaN(nan, v reg.Register)
	widen(from Mem, v, mask reg.Register)       // elements of 16 bits to 32
	float(from Op, v, mask reg.Register)        // float16 to float32
	multiply(from Mem, w, v, mask reg.Register) // float32
	pack(a, b reg.VecVirtual)                   // words with a high half of 0 to 16 bits, both in a
	join(a, b reg.VecVirtual)                   // the lower halves of both in a
	merge(high, odd, even reg.Register)         // even becomes even | odd&high
	tail(k *kernel)
}

// kernel is the function being written.
type kernel struct {
	set
	dst, terms, last, at, end reg.Register
	round, store              reg.Register
	alike, stream             reg.Register // all is bfloat16; past the cache

	minusZero, nan, justBelowHalf, one, high reg.VecVirtual // the same in all lanes
}

func main() {
	write(wide{})
	write(medium{})
	Generate()
}

func write(s set) {
	TEXT("sum"+s.name(), attr.NOSPLIT, "func(dst, terms *byte, count, begin, end int, round, store uint8, alike, stream bool)")
	Doc("sum" + s.name() + " sums the elements from begin to end of count terms.")
	Pragma("noescape")
	k := &kernel{set: s}
	k.load()
	limit := GP64()
	MOVQ(k.end, limit)
	SUBQ(U8(k.elements()), limit)
	TESTL(k.alike, k.alike)
	JEQ(LabelRef("mixed"))
	k.turns("alike", limit, k.alikeTurn)
	Label("mixed")
	k.turns("all", limit, func(label string) { k.turn(label, 4, nil) })
	s.tail(k)
	TESTL(k.stream, k.stream)
	JEQ(LabelRef("out"))
	SFENCE()
	Label("out")
	VZEROUPPER()
	RET()
}

// turns repeats a turn while there are elements for one.
func (k *kernel) turns(label string, limit reg.Register, turn func(label string)) {
	Label(label)
	CMPQ(k.at, limit)
	JGT(LabelRef(label + "_end"))
	turn(label)
	ADDQ(U8(k.elements()), k.at)
	JMP(LabelRef(label))
	Label(label + "_end")
}

// elements of a turn: four vectors of float32.
func (k *kernel) elements() int { return k.bytes() }

// load gets the arguments and the constants.
func (k *kernel) load() {
	k.dst, k.terms = Load(Param("dst"), GP64()), Load(Param("terms"), GP64())
	k.last = Load(Param("count"), GP64())
	SHLQ(U8(4), k.last)
	ADDQ(k.terms, k.last)
	k.at, k.end = Load(Param("begin"), GP64()), Load(Param("end"), GP64())
	k.round, k.store = Load(Param("round"), GP32()), Load(Param("store"), GP32())
	k.alike = Load(Param("alike"), GP32())
	k.stream = Load(Param("stream"), GP32())
	k.minusZero = k.same("minusZero", 1<<31)
	k.nan = k.same("nan", 0x7fc00000)
	k.justBelowHalf = k.same("justBelowHalf", 0x7fff)
	k.one = k.same("one", 1)
	k.high = k.same("high", 0xffff0000)
}

// same is a vector with one value in all lanes.
func (k *kernel) same(name string, bits uint32) reg.VecVirtual {
	v := k.vector()
	VBROADCASTSS(ConstData(name+k.name(), U32(bits)), v)
	return v
}

// turn sums, rounds and stores some vectors.
func (k *kernel) turn(label string, vectors int, mask reg.Register) {
	sums := k.begin(vectors)
	k.sum(label, sums, mask)
	k.fixNaN(label, sums)
	k.roundTo(label, sums)
	k.write(label, sums, mask)
	Label(label + "_done")
}

// begin returns sums of nothing: -0, since adding to 0 would lose the sign of -0.
func (k *kernel) begin(vectors int) []reg.VecVirtual {
	var sums []reg.VecVirtual
	for range vectors {
		v := k.vector()
		VMOVAPS(k.minusZero, v)
		sums = append(sums, v)
	}
	return sums
}

// fixNaN makes every NaN the same. There hardly is one, so all are tested first.
func (k *kernel) fixNaN(label string, sums []reg.VecVirtual) {
	k.ifNaN(sums, LabelRef(label+"_no_nan"))
	for _, v := range sums {
		k.blendNaN(k.nan, v)
	}
	Label(label + "_no_nan")
}

// alikeTurn is a turn where operands and dst are bfloat16. Elements at even
// and at odd places are summed apart and meet again at the end: that takes a
// third less work than widening them in order.
func (k *kernel) alikeTurn(label string) {
	sums := k.begin(4)
	k.eachTerm(label, func(term, data, w reg.Register) {
		k.prefetch(data, bf16)
		for i := 0; i < len(sums); i += 2 {
			odd, even := k.vector(), k.vector()
			VMOVUPS(k.spot(data, bf16, i), odd)
			VPSLLD(U8(16), odd, even)
			k.and(k.high, odd, odd)
			VMULPS(even, w, even)
			VMULPS(odd, w, odd)
			VADDPS(even, sums[i], sums[i])
			VADDPS(odd, sums[i+1], sums[i+1])
		}
	})
	k.fixNaN(label, sums)
	for i := 0; i < len(sums); i += 2 {
		k.upper(sums[i])
		k.nearest(sums[i+1])
		k.merge(k.high, sums[i+1], sums[i])
	}
	k.save(label, bf16, []reg.VecVirtual{sums[0], sums[2]})
}

// eachTerm loops over the terms.
func (k *kernel) eachTerm(label string, add func(term, data, w reg.Register)) {
	term, data, w := GP64(), GP64(), k.vector()
	MOVQ(k.terms, term)
	Label(label + "_term")
	MOVQ(Mem{Base: term, Disp: termData}, data)
	VBROADCASTSS(Mem{Base: term, Disp: termWeight}, w)
	add(term, data, w)
	ADDQ(U8(termSize), term)
	CMPQ(term, k.last)
	JB(LabelRef(label + "_term"))
}

// sum adds all terms' products.
func (k *kernel) sum(label string, sums []reg.VecVirtual, mask reg.Register) {
	k.eachTerm(label, func(term, data, w reg.Register) { k.add(label, sums, term, data, w, mask) })
}

// add adds one term's products, whatever its type.
func (k *kernel) add(label string, sums []reg.VecVirtual, term, data, w, mask reg.Register) {
	CMPB(Mem{Base: term, Disp: termType}, U8(f16))
	JEQ(LabelRef(label + "_term_f16"))
	JB(LabelRef(label + "_term_f32"))
	for _, typ := range []int{bf16, f16, f32} {
		Label(label + "_term_" + suffix[typ])
		if len(sums) > 1 {
			k.prefetch(data, typ)
		}
		for i, v := range sums {
			x := k.vector()
			k.product(typ, k.spot(data, typ, i), w, x, mask)
			VADDPS(x, v, v)
		}
		if typ != f32 {
			JMP(LabelRef(label + "_next"))
		}
	}
	Label(label + "_next")
}

// ahead is how many bytes before their turn operands are asked for: the
// processor's own prefetchers stop at the end of a page of 4096 bytes.
const ahead = 2048

// prefetch asks for what an operand gives to a turn that is to come. Beyond the
// operand's end that is without effect.
func (k *kernel) prefetch(data reg.Register, typ int) {
	for line := 0; line < k.elements()*size[typ]; line += 64 {
		PREFETCHT0(Mem{Base: data, Index: k.at, Scale: uint8(size[typ]), Disp: ahead + line})
	}
}

// spot is where a turn's vector i of float32 begins, in elements of a type.
func (k *kernel) spot(base reg.Register, typ, i int) Mem {
	return Mem{Base: base, Index: k.at, Scale: uint8(size[typ]), Disp: i * k.bytes() / 4 * size[typ]}
}

// product sets x to elements times w.
func (k *kernel) product(typ int, from Mem, w, x, mask reg.Register) {
	switch typ {
	case bf16:
		k.widen(from, x, mask)
		VPSLLD(U8(16), x, x)
		VMULPS(x, w, x)
	case f16:
		k.float(from, x, mask)
		VMULPS(x, w, x)
	case f32:
		k.multiply(from, w, x, mask)
	}
}

// roundTo rounds float32 to another type's values.
func (k *kernel) roundTo(label string, sums []reg.VecVirtual) {
	CMPL(k.round, U8(f16))
	JB(LabelRef(label + "_write")) // None; F32 changes nothing either
	JEQ(LabelRef(label + "_round_f16"))
	for _, v := range sums {
		k.nearest(v)
		k.and(k.high, v, v)
	}
	JMP(LabelRef(label + "_write"))
	Label(label + "_round_f16")
	for _, v := range sums {
		VCVTPS2PH(U8(0), v, k.half(v))
		k.float(k.half(v), v, nil)
	}
	Label(label + "_write")
}

// nearest adds half a unit in the last place of a bfloat16, less one bit where
// the kept half is even.
func (k *kernel) nearest(v reg.Register) {
	odd := k.vector()
	VPSRLD(U8(16), v, odd)
	k.and(k.one, odd, odd)
	VPADDD(k.justBelowHalf, v, v)
	VPADDD(odd, v, v)
}

// write stores the sums.
func (k *kernel) write(label string, sums []reg.VecVirtual, mask reg.Register) {
	CMPL(k.store, U8(f16))
	JEQ(LabelRef(label + "_write_f16"))
	JB(LabelRef(label + "_write_f32"))
	for _, typ := range []int{bf16, f16, f32} {
		Label(label + "_write_" + suffix[typ])
		if mask != nil {
			k.writeMasked(typ, sums[0], mask)
		} else {
			k.save(label+"_write_"+suffix[typ], typ, k.convert(typ, sums))
		}
		if typ != f32 {
			JMP(LabelRef(label + "_done"))
		}
	}
}

// save stores whole vectors, past the cache or not.
func (k *kernel) save(label string, typ int, full []reg.VecVirtual) {
	TESTL(k.stream, k.stream)
	JNE(LabelRef(label + "_stream"))
	for i, v := range full {
		VMOVUPS(v, k.place(typ, i))
	}
	JMP(LabelRef(label + "_stored"))
	Label(label + "_stream")
	for i, v := range full {
		VMOVNTPS(v, k.place(typ, i))
	}
	Label(label + "_stored")
}

// place is where a turn's vector i of stored elements begins.
func (k *kernel) place(typ, i int) Mem {
	return Mem{Base: k.dst, Index: k.at, Scale: uint8(size[typ]), Disp: i * k.bytes()}
}

// convert returns the sums as vectors full of elements.
func (k *kernel) convert(typ int, sums []reg.VecVirtual) []reg.VecVirtual {
	if typ == f32 {
		return sums
	}
	var full []reg.VecVirtual
	for i := 0; i < len(sums); i += 2 {
		a, b := sums[i], sums[i+1]
		if typ == bf16 {
			k.upper(a)
			k.upper(b)
			k.pack(a, b)
		} else {
			VCVTPS2PH(U8(0), a, k.half(a))
			VCVTPS2PH(U8(0), b, k.half(b))
			k.join(a, b)
		}
		full = append(full, a)
	}
	return full
}

// upper rounds to bfloat16 in the low half of each 32 bits.
func (k *kernel) upper(v reg.VecVirtual) {
	k.nearest(v)
	VPSRLD(U8(16), v, v)
}

// writeMasked stores some lanes of one vector, as AVX-512 can.
func (k *kernel) writeMasked(typ int, v reg.VecVirtual, mask reg.Register) {
	to := k.place(typ, 0)
	switch typ {
	case bf16:
		k.upper(v)
		VPMOVDW(v, mask, to)
	case f16:
		VCVTPS2PH(U8(0), v, mask, to)
	case f32:
		VMOVUPS(v, mask, to)
	}
}

// wide is AVX-512F, nothing beyond the foundation.
type wide struct{}

func (wide) name() string                       { return "AVX512" }
func (wide) bytes() int                         { return 64 }
func (wide) vector() reg.VecVirtual             { return ZMM() }
func (wide) half(v reg.VecVirtual) reg.Register { return v.AsY() }
func (wide) and(a Op, b, to reg.Register)       { VPANDD(a, b, to) }

func (wide) ifNaN(sums []reg.VecVirtual, none LabelRef) {
	any := K()
	VCMPPS(U8(3), sums[0], sums[min(1, len(sums)-1)], any) // unordered: one is NaN
	if len(sums) == 4 {
		more := K()
		VCMPPS(U8(3), sums[2], sums[3], more)
		KORW(more, any, any)
	}
	KORTESTW(any, any)
	JEQ(none)
}

func (wide) blendNaN(nan, v reg.Register) {
	is := K()
	VCMPPS(U8(3), v, v, is) // unordered
	VMOVAPS(nan, is, v)
}

func (wide) widen(from Mem, v, mask reg.Register) {
	if mask == nil {
		VPMOVZXWD(from, v)
	} else {
		VPMOVZXWD_Z(from, mask, v)
	}
}

func (wide) float(from Op, v, mask reg.Register) {
	if mask == nil {
		VCVTPH2PS(from, v)
	} else {
		VCVTPH2PS_Z(from, mask, v)
	}
}

func (wide) multiply(from Mem, w, v, mask reg.Register) {
	if mask == nil {
		VMULPS(from, w, v)
	} else {
		VMULPS_Z(from, w, mask, v)
	}
}

func (s wide) pack(a, b reg.VecVirtual) {
	VPMOVDW(a, a.AsY())
	VPMOVDW(b, b.AsY())
	s.join(a, b)
}

func (wide) join(a, b reg.VecVirtual) { VINSERTI64X4(U8(1), b.AsY(), a, a) }

func (wide) merge(high, odd, even reg.Register) {
	VPTERNLOGD(U8(0b11111000), high, odd, even)
}

// tail sums a vector at a time. Lanes without an element are neither read nor
// written: a masked access does not fault.
func (wide) tail(k *kernel) {
	Label("few")
	CMPQ(k.at, k.end)
	JGE(LabelRef("whole"))
	left, bits, mask := GP64(), GP32(), K()
	MOVQ(k.end, left)
	SUBQ(k.at, left)
	XORL(reg.ECX, reg.ECX)
	SUBQ(U8(16), left)
	JGE(LabelRef("full"))
	NEGQ(left)
	MOVQ(left, reg.RCX)
	Label("full")
	MOVL(U32(0xffff), bits)
	SHRL(reg.CL, bits)
	KMOVW(bits, mask)
	k.turn("some", 1, mask)
	ADDQ(U8(16), k.at)
	JMP(LabelRef("few"))
	Label("whole")
}

// medium is AVX2 with F16C. It has no tail: the caller asks for whole turns.
type medium struct{}

func (medium) name() string                       { return "AVX2" }
func (medium) bytes() int                         { return 32 }
func (medium) vector() reg.VecVirtual             { return YMM() }
func (medium) half(v reg.VecVirtual) reg.Register { return v.AsX() }
func (medium) and(a Op, b, to reg.Register)       { VPAND(a, b, to) }

func (s medium) blendNaN(nan, v reg.Register) {
	is := s.vector()
	VCMPPS(U8(3), v, v, is) // unordered
	VBLENDVPS(is, nan, v, v)
}

func (medium) widen(from Mem, v, _ reg.Register)       { VPMOVZXWD(from, v) }
func (medium) float(from Op, v, _ reg.Register)        { VCVTPH2PS(from, v) }
func (medium) multiply(from Mem, w, v, _ reg.Register) { VMULPS(from, w, v) }

// pack works within halves of 128 bits, so its quarters are put in order.
func (medium) pack(a, b reg.VecVirtual) {
	VPACKUSDW(b, a, a)
	VPERMQ(U8(0b11_01_10_00), a, a)
}

func (s medium) ifNaN(sums []reg.VecVirtual, none LabelRef) {
	any, more := s.vector(), s.vector()
	VCMPPS(U8(3), sums[0], sums[1], any) // unordered: one is NaN
	VCMPPS(U8(3), sums[2], sums[3], more)
	VORPS(more, any, any)
	VTESTPS(any, any)
	JEQ(none)
}

func (s medium) merge(high, odd, even reg.Register) {
	VPAND(high, odd, odd)
	VPOR(odd, even, even)
}

func (medium) join(a, b reg.VecVirtual) { VINSERTI128(U8(1), b.AsX(), a, a) }
func (medium) tail(*kernel)             {}
