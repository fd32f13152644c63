package main

import "fmt"

// The transform of 3x3 filters for Winograd's method. Package kernel's winograd_filter.go has the same
// sums in Go.

const (
	filterArgs = "n int, dst, src **float32"
	filterSize = 24
	filterSide = 3
)

// Factors of the transform for F(4x4,3x3), in decimals that round to the float32.
const (
	third      = "0.3333333333333333"
	minus4of15 = "-0.26666666666666666"
	oneOf15    = "0.06666666666666667"
)

func copied(i int) sum {
	return sum{[]int{i}, nil, func(v *vec, g []string, dst, _ string) { v.f.op("VMOVAPS %s, %s", g[i], dst) }}
}

// filter2 is g0, (g0+g2 + g1)/2, (g0+g2 - g1)/2, g2.
var filter2 = []sum{
	copied(0),
	{[]int{0, 1, 2}, []string{"0.5"}, func(v *vec, g []string, dst, _ string) {
		v.add(g[0], g[2], dst)
		v.add(dst, g[1], dst)
		v.mul("0.5", dst, dst)
	}},
	{[]int{0, 1, 2}, []string{"0.5"}, func(v *vec, g []string, dst, _ string) {
		v.add(g[0], g[2], dst)
		v.sub(dst, g[1], dst)
		v.mul("0.5", dst, dst)
	}},
	copied(2),
}

// filter4 is g0, (g0+g2 + g1)/3, (g1 - (g0+g2))/3, -(2(2g0 + g1) + g2) 4/15, (2(2g2 - g1) + g0)/15, g2.
var filter4 = []sum{
	copied(0),
	{[]int{0, 1, 2}, []string{third}, func(v *vec, g []string, dst, _ string) {
		v.add(g[0], g[2], dst)
		v.add(dst, g[1], dst)
		v.mul(third, dst, dst)
	}},
	{[]int{0, 1, 2}, []string{third}, func(v *vec, g []string, dst, _ string) {
		v.add(g[0], g[2], dst)
		v.sub(g[1], dst, dst)
		v.mul(third, dst, dst)
	}},
	{[]int{0, 1, 2}, []string{minus4of15}, func(v *vec, g []string, dst, _ string) {
		v.add(g[0], g[0], dst)
		v.add(dst, g[1], dst)
		v.add(dst, dst, dst)
		v.add(dst, g[2], dst)
		v.mul(minus4of15, dst, dst)
	}},
	{[]int{0, 1, 2}, []string{oneOf15}, func(v *vec, g []string, dst, _ string) {
		v.add(g[2], g[2], dst)
		v.sub(dst, g[1], dst)
		v.add(dst, dst, dst)
		v.add(dst, g[0], dst)
		v.mul(oneOf15, dst, dst)
	}},
	copied(2),
}

// filters writes U = G g G' of n filters, value by value from nine vectors to as many as there are
// planes; dst and src hold where these begin.
func (w winograd) filters(f *file, t target) {
	name := fmt.Sprintf("filterBlock%d%s", w.out, t.name)
	f.text(name, filterSize, "func "+name+"("+filterArgs+")")
	f.load("n", "CX", "dst", "DI", "src", "DX")
	f.op("XORQ R8, R8")
	f.label(name + "_loop")
	for _, p := range passes(w.filter, filterSide, t) {
		p.columns(f, w.filter, func(i, j int, reg string) {
			f.op("MOVQ %d(DX), R9", (i*filterSide+j)*8)
			f.op("VMOVUPS (R9)(R8*4), %s", reg)
		})
		v := p.vec(f, w.filter, len(p.rows)*filterSide)
		for r, row := range p.rows {
			p.row(v, w.filter, r, func(j int, reg string) {
				f.op("MOVQ %d(DI), R9", (row*w.side()+j)*8)
				f.op("VMOVUPS %s, (R9)(R8*4)", reg)
			})
		}
	}
	f.op(indexStep, t.vec)
	f.op("CMPQ R8, CX")
	f.op("JLT %s_loop", name)
	f.leave()
}
