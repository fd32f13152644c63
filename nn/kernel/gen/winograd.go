package main

import "fmt"

// winogradIn writes B'dB of 4x4 patches d, F(2x2,3x3): for each tile and each register of
// channels, the 16 values go to the 16 planes of V. The patch's pixels lie at the 16 offsets
// (in floats) of the tile's entry in patches. Columns first, so that 16 registers suffice.
func winogradIn(f *file, t target) {
	name := "winogradIn" + t.name
	f.text(name, inSize, "func "+name+"("+inArgs+")")
	f.load("n", "", "tiles", "CX", "v", "DI", "rowV", "", "planeV", "BX", "y", "", "patches", "DX")
	f.op("LEAQ (BX)(BX*2), R13")
	f.label(name + "_tile")
	f.op("MOVQ n+0(FP), SI")
	f.op("MOVQ y+40(FP), AX")
	f.op("MOVQ DI, R12")
	f.label(name + "_loop")
	for j := range 4 {
		d := []string{"R8", "R9", "R10", "R11"}
		for i := range 4 {
			f.op("MOVLQSX %d(DX), %s", (i*4+j)*4, d[i])
		}
		at := func(i int) string { return fmt.Sprintf("(AX)(%s*4)", d[i]) }
		out := func(i int) string { return t.r(i*4 + j) }
		for i := range 4 {
			f.op("VMOVUPS %s, %s", at([]int{0, 1, 2, 1}[i]), out(i))
		}
		f.op("VSUBPS %s, %s, %s", at(2), out(0), out(0))
		f.op("VADDPS %s, %s, %s", at(2), out(1), out(1))
		f.op("VSUBPS %s, %s, %s", at(1), out(2), out(2))
		f.op("VSUBPS %s, %s, %s", at(3), out(3), out(3))
	}
	f.op("MOVQ R12, R8")
	for i := range 4 {
		a, b, c, d := t.r(i*4), t.r(i*4+1), t.r(i*4+2), t.r(i*4+3)
		f.op("VSUBPS %s, %s, %s", c, a, a)
		f.op("VMOVUPS %s, (R8)", a)
		f.op("VSUBPS %s, %s, %s", d, b, d)
		f.op("VMOVUPS %s, (R8)(R13*1)", d)
		f.op("VADDPS %s, %s, %s", c, b, a)
		f.op("VMOVUPS %s, (R8)(BX*1)", a)
		f.op("VSUBPS %s, %s, %s", b, c, d)
		f.op("VMOVUPS %s, (R8)(BX*2)", d)
		if i < 3 {
			f.op("LEAQ (R8)(BX*4), R8")
		}
	}
	f.op("ADDQ $%d, R12", t.vec*4)
	f.op("ADDQ $%d, AX", t.vec*4)
	f.op("SUBQ $%d, SI", t.vec)
	f.op("JG %s_loop", name)
	f.op("ADDQ rowV+24(FP), DI")
	f.op("ADDQ $64, DX")
	f.op("DECQ CX")
	f.op("JNZ %s_tile", name)
	f.leave()
}

// winogradOut writes A'mA, the 2x2 outputs of each tile, to x. A tile's entry in places holds the
// offset of its first pixel (in floats) and flags: 1 = has a right column, 2 = has a lower row.
func winogradOut(f *file, t target) {
	name := "winogradOut" + t.name
	f.text(name, outSize, "func "+name+"("+outArgs+")")
	f.load("n", "", "tiles", "CX", "x", "", "colX", "R9", "rowX", "R10", "m", "AX", "rowM", "", "planeM", "BX", "places", "DX")
	f.op("LEAQ (BX)(BX*2), R13")
	f.label(name + "_tile")
	f.op("MOVQ n+0(FP), SI")
	f.op("MOVLQSX (DX), R8")
	f.op("MOVQ x+16(FP), DI")
	f.op("LEAQ (DI)(R8*4), DI")
	f.op("MOVL 4(DX), R12")
	f.op("MOVQ AX, R11")
	f.label(name + "_loop")
	// r(j) and r(4+j) become rows 0 and 1 of A'm, from planes j, 4+j, 8+j, 12+j.
	at := []string{"(R8)", "(R8)(BX*1)", "(R8)(BX*2)", "(R8)(R13*1)"}
	f.op("MOVQ R11, R8")
	for j := range 4 {
		f.op("VMOVUPS %s, %s", at[j], t.r(j))
	}
	f.op("LEAQ (R8)(BX*4), R8")
	for j := range 4 {
		f.op("VMOVUPS %s, %s", at[j], t.r(4+j))
		f.op("VADDPS %s, %s, %s", t.r(4+j), t.r(j), t.r(j))
	}
	f.op("LEAQ (R8)(BX*4), R8")
	for j := range 4 {
		f.op("VMOVUPS %s, %s", at[j], t.r(8))
		f.op("VADDPS %s, %s, %s", t.r(8), t.r(j), t.r(j))
		f.op("VSUBPS %s, %s, %s", t.r(8), t.r(4+j), t.r(4+j))
	}
	f.op("LEAQ (R8)(BX*4), R8")
	for j := range 4 {
		f.op("VSUBPS %s, %s, %s", at[j], t.r(4+j), t.r(4+j))
	}
	winogradStore(f, t, name)
	f.op("ADDQ $%d, DI", t.vec*4)
	f.op("ADDQ $%d, R11", t.vec*4)
	f.op("SUBQ $%d, SI", t.vec)
	f.op("JG %s_loop", name)
	f.op("ADDQ rowM+48(FP), AX")
	f.op("ADDQ $8, DX")
	f.op("DECQ CX")
	f.op("JNZ %s_tile", name)
	f.leave()
}

// winogradStore multiplies A'm by A from the right and stores the pixels that exist.
func winogradStore(f *file, t target, name string) {
	for i := range 2 {
		a, b, c, d := t.r(i*4), t.r(i*4+1), t.r(i*4+2), t.r(i*4+3)
		f.op("VADDPS %s, %s, %s", b, a, a)
		f.op("VADDPS %s, %s, %s", c, a, a)
		f.op("VSUBPS %s, %s, %s", c, b, b)
		f.op("VSUBPS %s, %s, %s", d, b, b)
	}
	f.op("VMOVUPS %s, (DI)", t.r(0))
	f.op("TESTL $1, R12")
	f.op("JZ %s_left", name)
	f.op("VMOVUPS %s, (DI)(R9*1)", t.r(1))
	f.label(name + "_left")
	f.op("TESTL $2, R12")
	f.op("JZ %s_upper", name)
	f.op("LEAQ (DI)(R10*1), R8")
	f.op("VMOVUPS %s, (R8)", t.r(4))
	f.op("TESTL $1, R12")
	f.op("JZ %s_upper", name)
	f.op("VMOVUPS %s, (R8)(R9*1)", t.r(5))
	f.label(name + "_upper")
}
