package main

import "fmt"

const gemmArgs = "tiles, k, runs int, a *float32, rowA, runA int, b, c *float32, rowC int, init *float32, rowInit int, floor float32"

func gemmName(t target, rows int) string {
	return fmt.Sprintf("gemm%dx%d%s", rows, t.vec*t.cols, t.name)
}

// unroll is the number of k steps in the main loop.
const unroll = 4

// gemm writes C[rows][n] = max(Init + sum A*B, floor) with all of C in registers, for each of a
// number of tiles that lie rows apart in A, C and Init and share B. The places of A, C and Init in
// the arguments move on with the tiles. A is reached by one pointer for every three rows; the
// strides arrive in bytes.
// Per k: a register row of B is loaded, each row's A broadcast, and multiplied into the tile.
func gemm(f *file, t target, rows int) {
	name := gemmName(t, rows)
	f.text(name, 92, "func "+name+"("+gemmArgs+")")
	f.label(name + "_tile")
	f.load("tiles", "", "k", "SI", "runs", "R8", "a", "AX", "rowA", "BX", "runA", "R9", "b", "DX", "c", "", "rowC", "",
		"init", "DI", "rowInit", "CX")
	acc := func(r, v int) string { return fmt.Sprintf("%s%d", t.reg, r*t.cols+v) }
	width := t.vec * 4
	for r := range rows {
		for v := range t.cols {
			f.op("VMOVUPS %d(DI), %s", v*width, acc(r, v))
		}
		f.op("ADDQ CX, DI")
	}
	f.op("MOVQ DI, init+72(FP)")
	f.op("IMUL3Q $%d, BX, CX", rows)
	f.op("ADDQ CX, a+24(FP)")
	ptrs := []string{"AX", "R10", "R11", "R12", "R13"}[:(rows+2)/3]
	f.op("LEAQ (BX)(BX*2), CX")
	for i := 1; i < len(ptrs); i++ {
		f.op("LEAQ (%s)(CX*1), %s", ptrs[i-1], ptrs[i])
	}
	f.op("LEAQ (SI*4), CX")
	f.op("SUBQ CX, R9")

	f.label(name + "_run")
	f.op("MOVQ SI, CX")
	f.op("SHRQ $2, CX")
	f.op("JZ %s_rest", name)
	f.op("PCALIGN $32")
	f.label(name + "_loop")
	for u := range unroll {
		gemmStep(f, t, rows, u, ptrs, acc)
	}
	f.op("ADDQ $%d, DX", unroll*width*t.cols)
	advance(f, ptrs, fmt.Sprintf("$%d", unroll*4))
	f.op("DECQ CX")
	f.op("JNZ %s_loop", name)
	f.label(name + "_rest")
	f.op("MOVQ SI, CX")
	f.op("ANDQ $3, CX")
	f.op("JZ %s_next", name)
	f.label(name + "_one")
	gemmStep(f, t, rows, 0, ptrs, acc)
	f.op("ADDQ $%d, DX", width*t.cols)
	advance(f, ptrs, "$4")
	f.op("DECQ CX")
	f.op("JNZ %s_one", name)
	f.label(name + "_next")
	advance(f, ptrs, "R9")
	f.op("DECQ R8")
	f.op("JNZ %s_run", name)

	gemmStore(f, t, rows, acc)
	f.op("DECQ tiles+0(FP)")
	f.op("JNZ %s_tile", name)
	f.leave()
}

// gemmStore writes the sums, none below the floor.
func gemmStore(f *file, t target, rows int, acc func(r, v int) string) {
	f.op("MOVQ c+56(FP), DI")
	f.op("MOVQ rowC+64(FP), SI")
	floor := t.r(t.regs - 1)
	f.op("VBROADCASTSS floor+88(FP), %s", floor)
	for r := range rows {
		for v := range t.cols {
			f.op("VMAXPS %s, %s, %s", acc(r, v), floor, acc(r, v))
			f.op("VMOVUPS %s, %d(DI)", acc(r, v), v*t.vec*4)
		}
		f.op("ADDQ SI, DI")
	}
	f.op("MOVQ DI, c+56(FP)")
}

func advance(f *file, ptrs []string, by string) {
	for _, p := range ptrs {
		f.op("ADDQ %s, %s", by, p)
	}
}

// gemmStep multiplies column u of A with row u of B.
func gemmStep(f *file, t target, rows, u int, ptrs []string, acc func(r, v int) string) {
	first := t.rows * t.cols
	for v := range t.cols {
		f.op("VMOVUPS %d(DX), %s%d", (u*t.cols+v)*t.vec*4, t.reg, first+v)
	}
	for r := range rows {
		index := []string{"", "(BX*1)", "(BX*2)"}[r%3]
		cast := fmt.Sprintf("%s%d", t.reg, first+t.cols+r%2)
		f.op("VBROADCASTSS %d(%s)%s, %s", u*4, ptrs[r/3], index, cast)
		for v := range t.cols {
			f.op("VFMADD231PS %s, %s%d, %s", cast, t.reg, first+v, acc(r, v))
		}
	}
}
