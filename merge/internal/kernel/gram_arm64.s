#include "textflag.h"

// Instructions that Go's assembler does not have, as in sum_arm64.s.
#define FSUB(m, n, d) WORD $(0x4ea0d400 | m<<16 | n<<5 | d)   // FSUB   Vd.4S, Vn.4S, Vm.4S
#define SHLL(n, d) WORD $(0x2e613800 | n<<5 | d)              // SHLL   Vd.4S, Vn.4H, 16
#define SHLL2(n, d) WORD $(0x6e613800 | n<<5 | d)             // SHLL2  Vd.4S, Vn.8H, 16
#define FCVTL(n, d) WORD $(0x0e217800 | n<<5 | d)             // FCVTL  Vd.4S, Vn.4H
#define FCVTL2(n, d) WORD $(0x4e217800 | n<<5 | d)            // FCVTL2 Vd.4S, Vn.8H
#define FCVTLD(n, d) WORD $(0x0e617800 | n<<5 | d)            // FCVTL  Vd.2D, Vn.2S
#define FCVTLD2(n, d) WORD $(0x4e617800 | n<<5 | d)           // FCVTL2 Vd.2D, Vn.4S
#define FADDD(m, n, d) WORD $(0x4e60d400 | m<<16 | n<<5 | d)  // FADD   Vd.2D, Vn.2D, Vm.2D

// func lessNEON(dst, less *float32, data *byte, n int, typ uint8)
// Types are 1 for float32, 2 for float16, 3 for bfloat16.
TEXT ·lessNEON(SB), NOSPLIT, $0-33
	MOVD  dst+0(FP), R0
	MOVD  less+8(FP), R1
	MOVD  data+16(FP), R2
	MOVD  n+24(FP), R3
	MOVBU typ+32(FP), R4

turn:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	CMP    $2, R4
	BLT    f32
	VLD1.P 32(R2), [V10.H8, V11.H8]
	BEQ    f16
	SHLL(10, 5)
	SHLL2(10, 6)
	SHLL(11, 7)
	SHLL2(11, 8)
	B      less

f16:
	FCVTL(10, 5)
	FCVTL2(10, 6)
	FCVTL(11, 7)
	FCVTL2(11, 8)
	B      less

f32:
	VLD1.P 64(R2), [V5.S4, V6.S4, V7.S4, V8.S4]

less:
	FSUB(0, 5, 5)
	FSUB(1, 6, 6)
	FSUB(2, 7, 7)
	FSUB(3, 8, 8)
	VST1.P [V5.S4, V6.S4, V7.S4, V8.S4], 64(R0)
	SUBS   $16, R3
	BNE    turn
	RET

// STORE adds four float32 sums to four of float64.
#define STORE(n) \
	FCVTLD(n, 0)               \
	FCVTLD2(n, 1)              \
	VLD1   (R0), [V2.D2, V3.D2] \
	FADDD(0, 2, 2)             \
	FADDD(1, 3, 3)             \
	VST1.P [V2.D2, V3.D2], 32(R0)

// func tileNEON(sums *float64, a, b *float32, n int)
// The vectors lie 512 elements, 2048 bytes, apart; the sum of a's i and b's j is V(16+3i+j).
TEXT ·tileNEON(SB), NOSPLIT, $0-32
	MOVD sums+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R4
	MOVD n+24(FP), R7
	ADD  $2048, R1, R2
	ADD  $2048, R2, R3
	ADD  $2048, R4, R5
	ADD  $2048, R5, R6
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16

turn:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R2), [V1.S4]
	VLD1.P 16(R3), [V2.S4]
	VLD1.P 16(R4), [V3.S4]
	VLD1.P 16(R5), [V4.S4]
	VLD1.P 16(R6), [V5.S4]
	VFMLA  V0.S4, V3.S4, V16.S4
	VFMLA  V0.S4, V4.S4, V17.S4
	VFMLA  V0.S4, V5.S4, V18.S4
	VFMLA  V1.S4, V3.S4, V19.S4
	VFMLA  V1.S4, V4.S4, V20.S4
	VFMLA  V1.S4, V5.S4, V21.S4
	VFMLA  V2.S4, V3.S4, V22.S4
	VFMLA  V2.S4, V4.S4, V23.S4
	VFMLA  V2.S4, V5.S4, V24.S4
	SUBS   $4, R7
	BNE    turn
	STORE(16)
	STORE(17)
	STORE(18)
	STORE(19)
	STORE(20)
	STORE(21)
	STORE(22)
	STORE(23)
	STORE(24)
	RET
