package main

import "fmt"

// The kernels that sum over rows: they take a group of channels at a time, whose sums stay in
// registers while the rows go by.

const (
	momentsArgs     = "n, rows int, x *float32, rowX int, sum, m2 *float32, count float32"
	normBackArgs    = "n, rows int, d *float32, rowD int, x *float32, rowX int, scale, shift, mean, sum, sumX *float32"
	normBackAddArgs = normBackArgs + ", grad *float32, rowGrad int"
	momentsSize     = 52
	normBackSize    = 88
	normBackAddSize = 104
)

// group is a group of so many registers of channels. R12 is its place in a row in bytes.
type group struct {
	f       *file
	t       target
	name    string // prefix of its labels
	vectors int
}

// groups writes a loop over n channels, in groups of most registers and then of half as many, down to
// 16 channels.
func groups(f *file, t target, name string, most int, body func(g group)) {
	f.op("MOVQ n+0(FP), R13")
	f.op("XORQ R12, R12")
	for w := most; w*t.vec >= 16; w /= 2 {
		g := group{f, t, fmt.Sprintf("%s_by%d", name, w), w}
		f.label(g.name)
		f.op("SUBQ $%d, R13", w*t.vec)
		f.op("JLT %s_end", g.name)
		body(g)
		f.op("ADDQ $%d, R12", w*t.vec*4)
		f.op("JMP %s", g.name)
		f.label(g.name + "_end")
		f.op("ADDQ $%d, R13", w*t.vec)
	}
}

// reg is register v of the i-th variable that the group holds.
func (g group) reg(i, v int) string { return g.t.r(i*g.vectors + v) }

// start points to the group's place in the argument at an offset.
func (g group) start(arg string, offset int, pointer string) {
	g.f.op("MOVQ %s+%d(FP), %s", arg, offset, pointer)
	g.f.op("ADDQ R12, %s", pointer)
}

// get loads the group's part of a vector of channels into variable i; SI is free.
func (g group) get(arg string, offset, i int) {
	g.start(arg, offset, "SI")
	for v := range g.vectors {
		g.f.op("VMOVUPS %d(SI), %s", v*g.t.vec*4, g.reg(i, v))
	}
}

// put stores variable i; SI is free.
func (g group) put(i int, arg string, offset int) {
	g.start(arg, offset, "SI")
	for v := range g.vectors {
		g.f.op("VMOVUPS %s, %d(SI)", g.reg(i, v), v*g.t.vec*4)
	}
}

func (g group) zero(i int) {
	for v := range g.vectors {
		g.f.op("%s %s, %s, %s", g.t.xor, g.reg(i, v), g.reg(i, v), g.reg(i, v))
	}
}

// rows writes a loop over the rows, CX of them, that handles each vector at a displacement. The
// pointers come in pairs with what they move on by.
func (g group) rows(loop string, body func(v, at int), pointers ...string) {
	g.f.label(g.name + loop)
	for v := range g.vectors {
		body(v, v*g.t.vec*4)
	}
	for i := 0; i < len(pointers); i += 2 {
		g.f.op("ADDQ %s, %s", pointers[i+1], pointers[i])
	}
	g.f.op("DECQ CX")
	g.f.op("JNZ %s%s", g.name, loop)
}

// moments writes the sums over the rows and, from a second pass, those of the squared differences
// from the mean.
func moments(f *file, t target) {
	name := "moments" + t.name
	f.text(name, momentsSize, "func "+name+"("+momentsArgs+")")
	f.load("n", "", "rows", "", "x", "", "rowX", "R9")
	last := t.r(t.regs - 1)
	groups(f, t, name, 4, func(g group) {
		const sum, m2 = 0, 1
		g.zero(sum)
		g.zero(m2)
		f.load("n", "", "rows", "CX")
		g.start("x", 16, "AX")
		g.rows("_sum", func(v, at int) {
			f.op("VADDPS %d(AX), %s, %s", at, g.reg(sum, v), g.reg(sum, v))
		}, "AX", "R9")
		g.put(sum, "sum", 32)
		f.op("VBROADCASTSS count+48(FP), %s", last)
		for v := range g.vectors {
			f.op("VDIVPS %s, %s, %s", last, g.reg(sum, v), g.reg(sum, v))
		}
		f.load("n", "", "rows", "CX")
		g.start("x", 16, "AX")
		g.rows("_m2", func(v, at int) {
			f.op("VMOVUPS %d(AX), %s", at, last)
			f.op("VSUBPS %s, %s, %s", g.reg(sum, v), last, last)
			f.op("VFMADD231PS %s, %s, %s", last, last, g.reg(m2, v))
		}, "AX", "R9")
		g.put(m2, "m2", 40)
	})
	f.leave()
}

// normBack writes dz = d where x*scale + shift > 0, else 0, and sums dz and dz*(x-mean). If add, scale*dz
// is added to grad; if not, dz replaces d. The groups are wide, with shift and mean in memory, because
// the rows lie so far apart that each is a new page.
func normBack(f *file, t target, add bool) {
	name, args, size := "normBack"+t.name, normBackArgs, normBackSize
	if add {
		name, args, size = "normBackAdd"+t.name, normBackAddArgs, normBackAddSize
	}
	f.text(name, size, "func "+name+"("+args+")")
	f.load("n", "", "rows", "", "d", "", "rowD", "BX", "x", "", "rowX", "R9")
	pointers := []string{"AX", "BX", "DX", "R9"}
	if add {
		f.op("MOVQ rowGrad+96(FP), R10")
		pointers = append(pointers, "DI", "R10")
	}
	zero := t.r(t.regs - 1)
	f.op("%s %s, %s, %s", t.xor, zero, zero, zero)
	groups(f, t, name, t.regs/4, func(g group) {
		const scale, sum, sumX = 0, 1, 2
		g.get("scale", 48, scale)
		g.get("sum", 72, sum)
		g.get("sumX", 80, sumX)
		g.start("shift", 56, "R8")
		g.start("mean", 64, "R11")
		g.start("d", 16, "AX")
		g.start("x", 32, "DX")
		if add {
			g.start("grad", 88, "DI")
		}
		x, dz := t.r(3*g.vectors), t.r(3*g.vectors+1)
		f.load("n", "", "rows", "CX")
		g.rows("_row", func(v, at int) {
			f.op("VMOVUPS %d(DX), %s", at, x)
			f.op("VMOVUPS %d(R8), %s", at, dz)
			f.op("VFMADD231PS %s, %s, %s", g.reg(scale, v), x, dz)
			t.where(f, dz, zero, fmt.Sprintf("%d(AX)", at))
			f.op("VSUBPS %d(R11), %s, %s", at, x, x)
			f.op("VADDPS %s, %s, %s", dz, g.reg(sum, v), g.reg(sum, v))
			f.op("VFMADD231PS %s, %s, %s", x, dz, g.reg(sumX, v))
			if !add {
				f.op("VMOVUPS %s, %d(AX)", dz, at)
				return
			}
			f.op("VFMADD213PS %d(DI), %s, %s", at, g.reg(scale, v), dz)
			f.op("VMOVUPS %s, %d(DI)", dz, at)
		}, pointers...)
		g.put(sum, "sum", 72)
		g.put(sumX, "sumX", 80)
	})
	f.leave()
}

// where replaces x by the values in memory where x > zero, and by 0 elsewhere.
func (t target) where(f *file, x, zero, values string) {
	const greater = 30 // ordered, quiet
	if t.reg == "Z" {
		loaded := t.r(t.regs - 2) // a masked load would wait for the mask
		f.op("VMOVUPS %s, %s", values, loaded)
		f.op("VCMPPS $%d, %s, %s, K1", greater, zero, x)
		f.op("VMOVAPS.Z %s, K1, %s", loaded, x)
		return
	}
	f.op("VCMPPS $%d, %s, %s, %s", greater, zero, x, x)
	f.op("VANDPS %s, %s, %s", values, x, x)
}
