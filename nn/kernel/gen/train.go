package main

// The element-wise kernels of training.

const (
	correctArgs = "n, rows int, dst *float32, rowDst int, d *float32, rowD int, x *float32, rowX int, a, b, c *float32"
	maxBackArgs = "n, count int, grad, x *float32, at *int32, max, d *float32"
	adamArgs    = "n int, p, grad, m, v *float32, factors *adamFactors"
	correctSize = 88
	maxBackSize = 56
	adamSize    = 48
)

// correct writes dst = d*a + (x*c + b).
func correct(f *file, t target) {
	name := "correct" + t.name
	f.text(name, correctSize, "func "+name+"("+correctArgs+")")
	f.load("n", "CX", "rows", "SI", "dst", "DI", "rowDst", "R9", "d", "AX", "rowD", "R10", "x", "DX", "rowX", "R11",
		"a", "BX", "b", "R12", "c", "R13")
	f.label(name + "_row")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (DX)(R8*4), %s", t.r(0))
	f.op("VMOVUPS (R12)(R8*4), %s", t.r(1))
	f.op("VMOVUPS (AX)(R8*4), %s", t.r(2))
	f.op("VFMADD132PS (R13)(R8*4), %s, %s", t.r(1), t.r(0))
	f.op("VFMADD132PS (BX)(R8*4), %s, %s", t.r(0), t.r(2))
	f.op("VMOVUPS %s, (DI)(R8*4)", t.r(2))
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.op("ADDQ R9, DI")
	f.op("ADDQ R10, AX")
	f.op("ADDQ R11, DX")
	f.op("DECQ SI")
	f.op("JNZ %s_row", name)
	f.leave()
}

// maxBack adds d, for each channel, to grad at the first pixel of at where x is max.
func maxBack(f *file, t target) {
	name := "maxBack" + t.name
	f.text(name, maxBackSize, "func "+name+"("+maxBackArgs+")")
	f.load("n", "CX", "count", "SI", "grad", "DI", "x", "AX", "at", "DX", "max", "BX", "d", "R9")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (BX)(R8*4), %s", t.r(0))
	f.op("VMOVUPS (R9)(R8*4), %s", t.r(1))
	t.allOpen(f)
	f.op("XORQ R11, R11")
	f.label(name + "_pixel")
	f.op("MOVLQSX (DX)(R11*4), R12")
	f.op("ADDQ R8, R12")
	t.addFirst(f, "(AX)(R12*4)", "(DI)(R12*4)")
	f.op("INCQ R11")
	f.op("CMPQ R11, SI")
	f.op("JLT %s_pixel", name)
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}

// allOpen marks every channel as one whose pixel is not found yet: in K1 or, without masks, register 2.
func (t target) allOpen(f *file) {
	if t.reg == "Z" {
		f.op("KXNORW K1, K1, K1")
		return
	}
	f.op("VPCMPEQD %s, %s, %s", t.r(2), t.r(2), t.r(2))
}

// addFirst adds register 1 to g in the open channels where x is register 0, and closes them.
func (t target) addFirst(f *file, x, g string) {
	const equal = 0 // ordered, quiet
	if t.reg == "Z" {
		f.op("VCMPPS $%d, %s, %s, K1, K2", equal, x, t.r(0))
		f.op("VMOVUPS %s, %s", g, t.r(3))
		f.op("VADDPS %s, %s, %s", t.r(1), t.r(3), t.r(3))
		f.op("VMOVUPS %s, K2, %s", t.r(3), g)
		f.op("KANDNW K1, K2, K1")
		return
	}
	f.op("VCMPPS $%d, %s, %s, %s", equal, x, t.r(0), t.r(4))
	f.op("VANDPS %s, %s, %s", t.r(2), t.r(4), t.r(4))
	f.op("VMOVUPS %s, %s", g, t.r(3))
	f.op("VADDPS %s, %s, %s", t.r(1), t.r(3), t.r(5))
	f.op("VBLENDVPS %s, %s, %s, %s", t.r(4), t.r(5), t.r(3), t.r(3))
	f.op("VMOVUPS %s, %s", t.r(3), g)
	f.op("VANDNPS %s, %s, %s", t.r(2), t.r(4), t.r(2))
}

// adam writes one update; the factors lie in memory in the order of their names here.
func adam(f *file, t target) {
	name := "adam" + t.name
	f.text(name, adamSize, "func "+name+"("+adamArgs+")")
	f.load("n", "CX", "p", "DI", "grad", "AX", "m", "BX", "v", "DX", "factors", "SI")
	const clip, l2, beta1, new1, beta2, new2, keep, step, invC2, epsilon, count = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	for i := range count {
		f.op("VBROADCASTSS %d(SI), %s", i*4, t.r(i))
	}
	p, g, m, v := t.r(count), t.r(count+1), t.r(count+2), t.r(count+3)
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	f.op("VMOVUPS (DI)(R8*4), %s", p)
	f.op("VMULPS (AX)(R8*4), %s, %s", t.r(clip), g)
	f.op("VFMADD231PS %s, %s, %s", t.r(l2), p, g)
	f.op("VMULPS (BX)(R8*4), %s, %s", t.r(beta1), m)
	f.op("VFMADD231PS %s, %s, %s", t.r(new1), g, m)
	f.op("VMOVUPS %s, (BX)(R8*4)", m)
	f.op("VMULPS (DX)(R8*4), %s, %s", t.r(beta2), v)
	f.op("VMULPS %s, %s, %s", t.r(new2), g, t.r(count+4))
	f.op("VFMADD231PS %s, %s, %s", t.r(count+4), g, v)
	f.op("VMOVUPS %s, (DX)(R8*4)", v)
	f.op("VMULPS %s, %s, %s", t.r(invC2), v, v)
	f.op("VSQRTPS %s, %s", v, v)
	f.op("VADDPS %s, %s, %s", t.r(epsilon), v, v)
	f.op("VMULPS %s, %s, %s", t.r(step), m, m)
	f.op("VDIVPS %s, %s, %s", v, m, m)
	f.op("VFMSUB132PS %s, %s, %s", t.r(keep), m, p)
	f.op("VMOVUPS %s, (DI)(R8*4)", p)
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}
