package main

import "fmt"

const (
	normArgs  = "n, rows int, dst *float32, rowDst int, x *float32, rowX int, scale, shift *float32"
	meanArgs  = "n int, dst, a, b, c, d, scale, shift *float32"
	max3Args  = "n int, dst, a, b, c *float32"
	addArgs   = "n int, dst, x *float32"
	normSize  = 64
	meanSize  = 64
	max3Size  = 40
	addSize   = 24
	indexStep = "ADDQ $%d, R8" // R8 counts floats in the element-wise loops
)

func (t target) r(i int) string { return fmt.Sprintf("%s%d", t.reg, i) }

// norm writes dst = max(x*scale + shift, 0) for rows of n channels.
func norm(f *file, t target) {
	name := "norm" + t.name
	f.text(name, normSize, "func "+name+"("+normArgs+")")
	f.load("n", "CX", "rows", "SI", "dst", "DI", "rowDst", "R9", "x", "AX", "rowX", "R10", "scale", "BX", "shift", "DX")
	zero := t.r(4)
	f.op("%s %s, %s, %s", t.xor, zero, zero, zero)
	f.label(name + "_row")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (AX)(R8*4), %s", t.r(0))
	f.op("VMOVUPS (DX)(R8*4), %s", t.r(1))
	f.op("VFMADD132PS (BX)(R8*4), %s, %s", t.r(1), t.r(0))
	f.op("VMAXPS %s, %s, %s", t.r(0), zero, t.r(0))
	f.op("VMOVUPS %s, (DI)(R8*4)", t.r(0))
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.op("ADDQ R9, DI")
	f.op("ADDQ R10, AX")
	f.op("DECQ SI")
	f.op("JNZ %s_row", name)
	f.leave()
}

// normMean4 writes dst = (n(a) + n(b) + n(c) + n(d)) / 4 with n(x) = max(x*scale + shift, 0).
func normMean4(f *file, t target) {
	name := "normMean4" + t.name
	f.text(name, meanSize, "func "+name+"("+meanArgs+")")
	f.load("n", "CX", "dst", "DI", "a", "R9", "b", "R10", "c", "R11", "d", "R12", "scale", "BX", "shift", "DX")
	zero, quarter := t.r(8), t.r(9)
	f.op("%s %s, %s, %s", t.xor, zero, zero, zero)
	f.op("MOVL $0x3e800000, AX") // 0.25
	f.op("VMOVD AX, X9")
	f.op("VBROADCASTSS X9, %s", quarter)
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (BX)(R8*4), %s", t.r(4))
	f.op("VMOVUPS (DX)(R8*4), %s", t.r(5))
	for i, p := range []string{"R9", "R10", "R11", "R12"} {
		f.op("VMOVUPS (%s)(R8*4), %s", p, t.r(i))
		f.op("VFMADD132PS %s, %s, %s", t.r(4), t.r(5), t.r(i))
		f.op("VMAXPS %s, %s, %s", t.r(i), zero, t.r(i))
	}
	for i := 1; i < 4; i++ {
		f.op("VADDPS %s, %s, %s", t.r(i), t.r(0), t.r(0))
	}
	f.op("VMULPS %s, %s, %s", quarter, t.r(0), t.r(0))
	f.op("VMOVUPS %s, (DI)(R8*4)", t.r(0))
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}

// max3 writes dst = max(a, b, c).
func max3(f *file, t target) {
	name := "max3" + t.name
	f.text(name, max3Size, "func "+name+"("+max3Args+")")
	f.load("n", "CX", "dst", "DI", "a", "AX", "b", "BX", "c", "DX")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (AX)(R8*4), %s", t.r(0))
	f.op("VMOVUPS (BX)(R8*4), %s", t.r(1))
	f.op("VMOVUPS (DX)(R8*4), %s", t.r(2))
	f.op("VMAXPS %s, %s, %s", t.r(0), t.r(1), t.r(0))
	f.op("VMAXPS %s, %s, %s", t.r(0), t.r(2), t.r(0))
	f.op("VMOVUPS %s, (DI)(R8*4)", t.r(0))
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}

// add writes dst += x.
func add(f *file, t target) {
	name := "add" + t.name
	f.text(name, addSize, "func "+name+"("+addArgs+")")
	f.load("n", "CX", "dst", "DI", "x", "AX")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (DI)(R8*4), %s", t.r(0))
	f.op("VADDPS (AX)(R8*4), %s, %s", t.r(0), t.r(0))
	f.op("VMOVUPS %s, (DI)(R8*4)", t.r(0))
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}
