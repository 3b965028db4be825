#include "textflag.h"

// Instructions that Go's assembler does not have, with their encodings from
// Arm's Architecture Reference Manual (DDI 0487), C7.2. Operands stand as Go
// has them: the result last.
#define FMUL(m, n, d) WORD $(0x6e20dc00 | m<<16 | n<<5 | d)  // FMUL   Vd.4S, Vn.4S, Vm.4S
#define FADD(m, n, d) WORD $(0x4e20d400 | m<<16 | n<<5 | d)  // FADD   Vd.4S, Vn.4S, Vm.4S
#define FCMEQ(m, n, d) WORD $(0x4e20e400 | m<<16 | n<<5 | d) // FCMEQ  Vd.4S, Vn.4S, Vm.4S
#define SHLL(n, d) WORD $(0x2e613800 | n<<5 | d)             // SHLL   Vd.4S, Vn.4H, 16
#define SHLL2(n, d) WORD $(0x6e613800 | n<<5 | d)            // SHLL2  Vd.4S, Vn.8H, 16
#define FCVTL(n, d) WORD $(0x0e217800 | n<<5 | d)            // FCVTL  Vd.4S, Vn.4H
#define FCVTL2(n, d) WORD $(0x4e217800 | n<<5 | d)           // FCVTL2 Vd.4S, Vn.8H
#define FCVTN(n, d) WORD $(0x0e216800 | n<<5 | d)            // FCVTN  Vd.4H, Vn.4S
#define FCVTN2(n, d) WORD $(0x4e216800 | n<<5 | d)           // FCVTN2 Vd.8H, Vn.4S

// ADDPRODUCT adds x times the weight, the product rounded first: no FMLA.
#define ADDPRODUCT(x, sum) \
	FMUL(4, x, x)     \
	FADD(x, sum, sum)

// FIXNAN puts the one NaN where a value is unequal to itself.
#define FIXNAN(n, v) \
	FCMEQ(n, n, 9)            \
	VBIF V9.B16, V17.B16, v.B16

// NEAREST adds half a unit in the last place of a bfloat16, less one bit where
// the kept half is even.
#define NEAREST(v) \
	VUSHR $16, v.S4, V9.S4     \
	VAND  V19.B16, V9.B16, V9.B16 \
	VADD  V18.S4, v.S4, v.S4   \
	VADD  V9.S4, v.S4, v.S4

// func sumNEON(dst, terms *byte, count, begin, end int, round, store uint8)
// Types are 1 for float32, 2 for float16, 3 for bfloat16. A term is a pointer,
// at 8 a weight, at 12 a type, and 16 bytes long.
TEXT ·sumNEON(SB), NOSPLIT, $0-42
	MOVD  dst+0(FP), R0
	MOVD  terms+8(FP), R1
	MOVD  count+16(FP), R2
	ADD   R2<<4, R1, R2            // past the last term
	MOVD  begin+24(FP), R3
	MOVD  end+32(FP), R4
	MOVBU round+40(FP), R5
	MOVBU store+41(FP), R6
	MOVD  $0x80000000, R9          // -0: what sums begin with, to keep a -0
	VDUP  R9, V16.S4
	MOVD  $0x7fc00000, R9
	VDUP  R9, V17.S4
	MOVD  $0x7fff, R9
	VDUP  R9, V18.S4
	MOVD  $1, R9
	VDUP  R9, V19.S4

turn:
	CMP  R4, R3
	BGE  out
	VMOV V16.B16, V0.B16
	VMOV V16.B16, V1.B16
	VMOV V16.B16, V2.B16
	VMOV V16.B16, V3.B16
	MOVD R1, R7

term:
	MOVD  (R7), R8
	MOVWU 8(R7), R9
	VDUP  R9, V4.S4
	MOVBU 12(R7), R9
	CMP   $2, R9
	BLT   term_f32
	ADD   R3<<1, R8, R8
	VLD1  (R8), [V10.H8, V11.H8]
	BEQ   term_f16
	SHLL(10, 5)
	SHLL2(10, 6)
	SHLL(11, 7)
	SHLL2(11, 8)
	B     product

term_f16:
	FCVTL(10, 5)
	FCVTL2(10, 6)
	FCVTL(11, 7)
	FCVTL2(11, 8)
	B     product

term_f32:
	ADD  R3<<2, R8, R8
	VLD1 (R8), [V5.S4, V6.S4, V7.S4, V8.S4]

product:
	ADDPRODUCT(5, 0)
	ADDPRODUCT(6, 1)
	ADDPRODUCT(7, 2)
	ADDPRODUCT(8, 3)
	ADD  $16, R7
	CMP  R2, R7
	BLO  term
	FIXNAN(0, V0)
	FIXNAN(1, V1)
	FIXNAN(2, V2)
	FIXNAN(3, V3)
	CMP  $2, R5
	BLT  write
	BEQ  round_f16
	NEAREST(V0)
	NEAREST(V1)
	NEAREST(V2)
	NEAREST(V3)
	VUSHR $16, V0.S4, V0.S4
	VUSHR $16, V1.S4, V1.S4
	VUSHR $16, V2.S4, V2.S4
	VUSHR $16, V3.S4, V3.S4
	VSHL  $16, V0.S4, V0.S4
	VSHL  $16, V1.S4, V1.S4
	VSHL  $16, V2.S4, V2.S4
	VSHL  $16, V3.S4, V3.S4
	B     write

round_f16:
	FCVTN(0, 0)
	FCVTN(1, 1)
	FCVTN(2, 2)
	FCVTN(3, 3)
	FCVTL(0, 0)
	FCVTL(1, 1)
	FCVTL(2, 2)
	FCVTL(3, 3)

write:
	CMP  $2, R6
	BLT  write_f32
	ADD  R3<<1, R0, R8
	BEQ  write_f16
	NEAREST(V0)
	NEAREST(V1)
	NEAREST(V2)
	NEAREST(V3)
	VUZP2 V1.H8, V0.H8, V0.H8      // the upper halves
	VUZP2 V3.H8, V2.H8, V1.H8
	B     write_16

write_f16:
	FCVTN(0, 0)
	FCVTN2(1, 0)
	FCVTN(2, 1)
	FCVTN2(3, 1)

write_16:
	VST1 [V0.H8, V1.H8], (R8)
	B    next

write_f32:
	ADD  R3<<2, R0, R8
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R8)

next:
	ADD $16, R3
	B   turn

out:
	RET
