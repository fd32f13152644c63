#include "textflag.h"

// Three rows of a against four rows of b: twelve sums of four lanes in Y0-Y11.

#define STEP(b, s0, s1, s2) \
	VMOVUPD (b)(BX*8), Y15    \
	VFMADD231PD Y15, Y12, s0   \
	VFMADD231PD Y15, Y13, s1   \
	VFMADD231PD Y15, Y14, s2

// REDUCE stores (s0+s2)+(s1+s3) of the lanes of y, whose lower half is x.
#define REDUCE(y, x, at) \
	VEXTRACTF128 $1, y, X12 \
	VADDPD X12, x, x        \
	VHADDPD x, x, x         \
	VMOVSD x, at(DI)

// func tileAVX2(a0, a1, a2, b0, b1, b2, b3 *float64, n int, out *float64)
TEXT ·tileAVX2(SB), NOSPLIT, $0-72
	MOVQ a0+0(FP), R8
	MOVQ a1+8(FP), R9
	MOVQ a2+16(FP), R10
	MOVQ b0+24(FP), R11
	MOVQ b1+32(FP), R12
	MOVQ b2+40(FP), R13
	MOVQ b3+48(FP), SI
	MOVQ n+56(FP), CX
	MOVQ out+64(FP), DI
	XORQ BX, BX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPD Y8, Y8, Y8
	VXORPD Y9, Y9, Y9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11

loop:
	VMOVUPD (R8)(BX*8), Y12
	VMOVUPD (R9)(BX*8), Y13
	VMOVUPD (R10)(BX*8), Y14
	STEP(R11, Y0, Y4, Y8)
	STEP(R12, Y1, Y5, Y9)
	STEP(R13, Y2, Y6, Y10)
	STEP(SI, Y3, Y7, Y11)
	ADDQ $4, BX
	CMPQ BX, CX
	JLT loop

	REDUCE(Y0, X0, 0)
	REDUCE(Y1, X1, 8)
	REDUCE(Y2, X2, 16)
	REDUCE(Y3, X3, 24)
	REDUCE(Y4, X4, 32)
	REDUCE(Y5, X5, 40)
	REDUCE(Y6, X6, 48)
	REDUCE(Y7, X7, 56)
	REDUCE(Y8, X8, 64)
	REDUCE(Y9, X9, 72)
	REDUCE(Y10, X10, 80)
	REDUCE(Y11, X11, 88)
	VZEROUPPER
	RET
