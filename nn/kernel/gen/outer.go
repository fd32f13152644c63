package main

import "fmt"

const gemmTArgs = "tiles, k int, a *float32, rowA int, b *float32, rowB int, c *float32, rowC int"

func gemmTName(t target, rows int) string {
	return fmt.Sprintf("gemmT%dx%d%s", rows, t.vec*t.cols, t.name)
}

// gemmT writes C[m][n] += sum over p of A[p][m] * B[p][n] with all of C in registers, for each of a
// number of tiles that lie rows apart in A's columns and in C and share B. The place of A in the
// arguments moves on with the tiles; the strides arrive in bytes.
// Per p: a register row of B is loaded, each of A's values broadcast, and multiplied into the tile.
func gemmT(f *file, t target, rows int) {
	name := gemmTName(t, rows)
	f.text(name, 64, "func "+name+"("+gemmTArgs+")")
	f.load("tiles", "R13", "k", "R12", "a", "", "rowA", "BX", "b", "", "rowB", "R8", "c", "DI", "rowC", "SI")
	f.op("LEAQ (BX)(BX*2), R10")
	f.op("LEAQ (R8)(R8*2), R9")
	f.label(name + "_tile")
	f.load("tiles", "", "k", "", "a", "AX", "rowA", "", "b", "DX")
	f.op("ADDQ $%d, a+16(FP)", rows*4)
	f.op("MOVQ DI, R11")
	gemmTRows(f, t, rows, func(reg string, at int) { f.op("VMOVUPS %d(R11), %s", at, reg) }, "R11")

	f.op("MOVQ R12, CX")
	f.op("SHRQ $2, CX")
	f.op("JZ %s_rest", name)
	f.op("PCALIGN $32")
	f.label(name + "_loop")
	for _, at := range [unroll][2]string{{"(AX)", "(DX)"}, {"(AX)(BX*1)", "(DX)(R8*1)"}, {"(AX)(BX*2)", "(DX)(R8*2)"}, {"(AX)(R10*1)", "(DX)(R9*1)"}} {
		gemmTStep(f, t, rows, at[0], at[1])
	}
	f.op("LEAQ (AX)(BX*4), AX")
	f.op("LEAQ (DX)(R8*4), DX")
	f.op("DECQ CX")
	f.op("JNZ %s_loop", name)
	f.label(name + "_rest")
	f.op("MOVQ R12, CX")
	f.op("ANDQ $3, CX")
	f.op("JZ %s_store", name)
	f.label(name + "_one")
	gemmTStep(f, t, rows, "(AX)", "(DX)")
	f.op("ADDQ BX, AX")
	f.op("ADDQ R8, DX")
	f.op("DECQ CX")
	f.op("JNZ %s_one", name)

	f.label(name + "_store")
	gemmTRows(f, t, rows, func(reg string, at int) { f.op("VMOVUPS %s, %d(DI)", reg, at) }, "DI")
	f.op("DECQ R13")
	f.op("JNZ %s_tile", name)
	f.leave()
}

// gemmTRows moves the tile's registers; at is a register's place in the row, whose pointer moves on.
func gemmTRows(f *file, t target, rows int, move func(reg string, at int), pointer string) {
	for i := range rows * t.cols {
		move(t.r(i), i%t.cols*t.vec*4)
		if i%t.cols == t.cols-1 {
			f.op("ADDQ SI, %s", pointer)
		}
	}
}

// gemmTStep multiplies the values at a with the row at b.
func gemmTStep(f *file, t target, rows int, a, b string) {
	first := t.rows * t.cols
	for v := range t.cols {
		f.op("VMOVUPS %d%s, %s", v*t.vec*4, b, t.r(first+v))
	}
	for m := range rows {
		cast := t.r(first + t.cols + m%2)
		f.op("VBROADCASTSS %d%s, %s", m*4, a, cast)
		for v := range t.cols {
			f.op("VFMADD231PS %s, %s, %s", cast, t.r(first+v), t.r(m*t.cols+v))
		}
	}
}
