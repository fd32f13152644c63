package main

import (
	"fmt"
	"slices"
)

// The transforms of a 3x3 convolution by Winograd's method, F(2x2,3x3) at the points 0, 1, -1 and
// F(4x4,3x3) at 0, 1, -1, 1/2, -2 (whose rounding errors are smaller than those of the usual 0, 1,
// -1, 2, -2). Package kernel's winograd.go has the same sums in Go.

const (
	inArgs  = "n, tiles int, v *float32, rowV, planeV int, y *float32, patches *int32"
	outArgs = "n, tiles int, x *float32, colX, rowX int, m *float32, rowM, planeM int, places *int32"
	inSize  = 56
	outSize = 72
)

// sum is one value of a one-dimensional transform of d, written to dst; tmp is free.
type sum struct {
	uses    []int
	factors []string
	to      func(v *vec, d []string, dst, tmp string)
}

// winograd is F(out x out, 3x3).
type winograd struct {
	out     int
	in, fin []sum // of the input's and the output's transform
	filter  []sum
}

func (w winograd) side() int { return w.out + 2 }

// f2 is d0-d2, d1+d2, d2-d1, d1-d3 and m0+m1+m2, m1-m2-m3.
var f2 = winograd{out: 2,
	in: []sum{
		{[]int{0, 2}, nil, func(v *vec, d []string, dst, _ string) { v.sub(d[0], d[2], dst) }},
		{[]int{1, 2}, nil, func(v *vec, d []string, dst, _ string) { v.add(d[1], d[2], dst) }},
		{[]int{1, 2}, nil, func(v *vec, d []string, dst, _ string) { v.sub(d[2], d[1], dst) }},
		{[]int{1, 3}, nil, func(v *vec, d []string, dst, _ string) { v.sub(d[1], d[3], dst) }},
	},
	fin: []sum{
		{[]int{0, 1, 2}, nil, func(v *vec, m []string, dst, _ string) {
			v.add(m[0], m[1], dst)
			v.add(dst, m[2], dst)
		}},
		{[]int{1, 2, 3}, nil, func(v *vec, m []string, dst, _ string) {
			v.sub(m[1], m[2], dst)
			v.sub(dst, m[3], dst)
		}},
	},
	filter: filter2,
}

// f4 is, with a = d4-d2 and b = d3-d1,
//
//	d0+d4 + 1.5b - 2d2       a + 2b
//	d4-d1 + .5d2 + 2.5d3     a - .5b
//	d4+d1 - 2.5d2 + .5d3     d1+d5 + 1.5a - 2d3
//
// and m1+m2+m0+m3+m4, m1-m2 + .5m3 - 2m4, m1+m2 + .25m3 + 4m4, m1-m2 + .125m3 - 8m4 + m5.
var f4 = winograd{out: 4,
	in: []sum{
		{[]int{0, 1, 2, 3, 4}, []string{"1.5", "2.0"}, func(v *vec, d []string, dst, tmp string) {
			v.add(d[0], d[4], dst)
			v.sub(d[3], d[1], tmp)
			v.fma("1.5", tmp, dst)
			v.fnma("2.0", d[2], dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"0.5", "2.5"}, func(v *vec, d []string, dst, _ string) {
			v.sub(d[4], d[1], dst)
			v.fma("0.5", d[2], dst)
			v.fma("2.5", d[3], dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"2.5", "0.5"}, func(v *vec, d []string, dst, _ string) {
			v.add(d[4], d[1], dst)
			v.fnma("2.5", d[2], dst)
			v.fma("0.5", d[3], dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"2.0"}, func(v *vec, d []string, dst, tmp string) {
			v.sub(d[4], d[2], dst)
			v.sub(d[3], d[1], tmp)
			v.fma("2.0", tmp, dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"0.5"}, func(v *vec, d []string, dst, tmp string) {
			v.sub(d[4], d[2], dst)
			v.sub(d[3], d[1], tmp)
			v.fnma("0.5", tmp, dst)
		}},
		{[]int{1, 2, 3, 4, 5}, []string{"1.5", "2.0"}, func(v *vec, d []string, dst, tmp string) {
			v.add(d[1], d[5], dst)
			v.sub(d[4], d[2], tmp)
			v.fma("1.5", tmp, dst)
			v.fnma("2.0", d[3], dst)
		}},
	},
	fin: []sum{
		{[]int{0, 1, 2, 3, 4}, nil, func(v *vec, m []string, dst, _ string) {
			v.add(m[1], m[2], dst)
			v.add(dst, m[0], dst)
			v.add(dst, m[3], dst)
			v.add(dst, m[4], dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"0.5", "2.0"}, func(v *vec, m []string, dst, _ string) {
			v.sub(m[1], m[2], dst)
			v.fma("0.5", m[3], dst)
			v.fnma("2.0", m[4], dst)
		}},
		{[]int{1, 2, 3, 4}, []string{"0.25", "4.0"}, func(v *vec, m []string, dst, _ string) {
			v.add(m[1], m[2], dst)
			v.fma("0.25", m[3], dst)
			v.fma("4.0", m[4], dst)
		}},
		{[]int{1, 2, 3, 4, 5}, []string{"0.125", "8.0"}, func(v *vec, m []string, dst, _ string) {
			v.sub(m[1], m[2], dst)
			v.fma("0.125", m[3], dst)
			v.fnma("8.0", m[4], dst)
			v.add(dst, m[5], dst)
		}},
	},
	filter: filter4,
}

// vec writes vector arithmetic with factors that lie in registers.
type vec struct {
	f       *file
	factors map[string]string // register by factor
}

func (v *vec) add(a, b, dst string)  { v.f.op("VADDPS %s, %s, %s", b, a, dst) } // a + b
func (v *vec) sub(a, b, dst string)  { v.f.op("VSUBPS %s, %s, %s", b, a, dst) } // a - b
func (v *vec) mul(c, x, dst string)  { v.f.op("VMULPS %s, %s, %s", v.factors[c], x, dst) }
func (v *vec) fma(c, x, dst string)  { v.f.op("VFMADD231PS %s, %s, %s", v.factors[c], x, dst) }
func (v *vec) fnma(c, x, dst string) { v.f.op("VFNMADD231PS %s, %s, %s", v.factors[c], x, dst) }

// factors are the transforms' numbers, in the order of the table in read-only memory.
var factors = []string{"0.125", "0.25", "0.5", "1.5", "2.0", "2.5", "4.0", "8.0", third, minus4of15, oneOf15}

func factorTable(f *file) {
	f.WriteString("\n")
	for i, c := range factors {
		fmt.Fprintf(f, "DATA factors<>+%d(SB)/4, $%s\n", i*4, c)
	}
	fmt.Fprintf(f, "GLOBL factors<>(SB), RODATA|NOPTR, $%d\n", len(factors)*4)
}

// pass computes some rows of a transform along the columns, in registers: row r, column j is in
// at(r, j), then come the rows of a column and the factors.
type pass struct {
	rows []int
	side int
	t    target
}

// passes cuts the rows of sums into passes of as many as leave registers for a column, the factors
// of a row or two, and two temporaries.
func passes(sums []sum, side int, t target) (all []pass) {
	most := (t.regs - side - 2 - 2) / side
	rows := make([]int, len(sums))
	for i := range rows {
		rows[i] = i
	}
	parts := (len(rows) + most - 1) / most
	for i := range parts {
		all = append(all, pass{rows[i*len(rows)/parts : (i+1)*len(rows)/parts], side, t})
	}
	return all
}

func (p pass) at(r, j int) string { return p.t.r(r*p.side + j) }

// free returns temporary i, 0 or 1.
func (p pass) free(i int) string { return p.t.r(p.t.regs - 1 - i) }

// vec loads the factors of sums into registers from number first on.
func (p pass) vec(f *file, sums []sum, first int) *vec {
	v := &vec{f, map[string]string{}}
	for _, s := range sums {
		for _, c := range s.factors {
			if v.factors[c] == "" {
				v.factors[c] = p.t.r(first + len(v.factors))
				f.op("VBROADCASTSS factors<>+%d(SB), %s", slices.Index(factors, c)*4, v.factors[c])
			}
		}
	}
	if first+len(v.factors) > p.t.regs-2 {
		panic("registers run out")
	}
	return v
}

func (p pass) columns(f *file, sums []sum, load func(i, j int, reg string)) {
	d := make([]string, p.side)
	for i := range d {
		d[i] = p.at(len(p.rows), i)
	}
	var mine []sum
	for _, r := range p.rows {
		mine = append(mine, sums[r])
	}
	v := p.vec(f, mine, (len(p.rows)+1)*p.side)
	for j := range p.side {
		for i := range p.side {
			if slices.ContainsFunc(mine, func(s sum) bool { return slices.Contains(s.uses, i) }) {
				load(i, j, d[i])
			}
		}
		for r, s := range mine {
			s.to(v, d, p.at(r, j), p.free(0))
		}
	}
}

// row transforms row r of the pass with v; each value is handed over in a register.
func (p pass) row(v *vec, sums []sum, r int, store func(j int, reg string)) {
	d := make([]string, p.side)
	for j := range d {
		d[j] = p.at(r, j)
	}
	for j, s := range sums {
		s.to(v, d, p.free(1), p.free(0))
		store(j, p.free(1))
	}
}

// input writes V = B'dB of the patches d: for each tile and each register of channels, the values
// go to as many planes. The patch's pixels lie at the offsets (in floats) in the tile's entry.
func (w winograd) input(f *file, t target) {
	name := fmt.Sprintf("winogradIn%d%s", w.out, t.name)
	side := w.side()
	f.text(name, inSize, "func "+name+"("+inArgs+")")
	f.load("n", "", "tiles", "CX", "v", "DI", "rowV", "", "planeV", "BX", "y", "", "patches", "DX")
	f.op("LEAQ (BX)(BX*2), R13")
	f.label(name + "_tile")
	f.op("MOVQ n+0(FP), SI")
	f.op("MOVQ y+40(FP), AX")
	f.op("MOVQ DI, R12")
	f.label(name + "_loop")
	for _, p := range passes(w.in, side, t) {
		p.columns(f, w.in, func(i, j int, reg string) {
			f.op("MOVLQSX %d(DX), R8", (i*side+j)*4)
			f.op("VMOVUPS (AX)(R8*4), %s", reg)
		})
		v := p.vec(f, w.in, len(p.rows)*side)
		for r, row := range p.rows {
			f.op("IMUL3Q $%d, BX, R9", row*side)
			f.op("ADDQ R12, R9")
			f.op("LEAQ (R9)(R13*1), R10")
			at := []string{"(R9)", "(R9)(BX*1)", "(R9)(BX*2)", "(R10)", "(R10)(BX*1)", "(R10)(BX*2)"}
			p.row(v, w.in, r, func(j int, reg string) { f.op("VMOVUPS %s, %s", reg, at[j]) })
		}
	}
	f.op("ADDQ $%d, R12", t.vec*4)
	f.op("ADDQ $%d, AX", t.vec*4)
	f.op("SUBQ $%d, SI", t.vec)
	f.op("JG %s_loop", name)
	f.op("ADDQ rowV+24(FP), DI")
	f.op("ADDQ $%d, DX", side*side*4)
	f.op("DECQ CX")
	f.op("JNZ %s_tile", name)
	f.leave()
}

// output writes A'mA, the pixels of each tile that exist, to x. A tile's entry in places holds the
// offset of its first pixel (in floats) and how many rows and columns of it exist.
func (w winograd) output(f *file, t target) {
	name := fmt.Sprintf("winogradOut%d%s", w.out, t.name)
	side := w.side()
	f.text(name, outSize, "func "+name+"("+outArgs+")")
	f.load("n", "", "tiles", "CX", "x", "", "colX", "R9", "rowX", "R10", "m", "AX", "rowM", "", "planeM", "BX", "places", "DX")
	f.op("IMUL3Q $%d, BX, R13", side)
	f.label(name + "_tile")
	f.op("MOVQ n+0(FP), SI")
	f.op("MOVLQSX (DX), R8")
	f.op("MOVQ x+16(FP), DI")
	f.op("LEAQ (DI)(R8*4), DI")
	f.op("MOVQ AX, R11")
	f.label(name + "_loop")
	for _, p := range passes(w.fin, side, t) {
		f.op("MOVQ R11, R8")
		column := 0
		p.columns(f, w.fin, func(i, j int, reg string) {
			if j > column {
				f.op("ADDQ BX, R8")
				column = j
			}
			if i < 3 {
				f.op("VMOVUPS %s, %s", []string{"(R8)", "(R8)(R13*1)", "(R8)(R13*2)"}[i], reg)
				return
			}
			if i == 3 {
				f.op("LEAQ (R13)(R13*2), R12")
				f.op("ADDQ R8, R12")
			}
			f.op("VMOVUPS %s, %s", []string{"(R12)", "(R12)(R13*1)", "(R12)(R13*2)"}[i-3], reg)
		})
		f.op("LEAQ (R9)(R9*2), R12")
		v := p.vec(f, w.fin, len(p.rows)*side)
		for r, row := range p.rows {
			skip := fmt.Sprintf("%s_row%d", name, row)
			f.op("CMPL 4(DX), $%d", row)
			f.op("JLE %s", skip)
			f.op("IMUL3Q $%d, R10, R8", row)
			f.op("ADDQ DI, R8")
			p.row(v, w.fin, r, func(j int, reg string) {
				if j > 0 {
					f.op("CMPL 8(DX), $%d", j)
					f.op("JLE %s", skip)
				}
				f.op("VMOVUPS %s, %s", reg, []string{"(R8)", "(R8)(R9*1)", "(R8)(R9*2)", "(R8)(R12*1)"}[j])
			})
			f.label(skip)
		}
	}
	f.op("ADDQ $%d, DI", t.vec*4)
	f.op("ADDQ $%d, R11", t.vec*4)
	f.op("SUBQ $%d, SI", t.vec)
	f.op("JG %s_loop", name)
	f.op("ADDQ rowM+48(FP), AX")
	f.op("ADDQ $12, DX")
	f.op("DECQ CX")
	f.op("JNZ %s_tile", name)
	f.leave()
}
