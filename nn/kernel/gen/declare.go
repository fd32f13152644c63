package main

import "fmt"

// elementwise are the kernels that each target has one function of.
var elementwise = []struct{ name, args string }{
	{"norm", normArgs}, {"normMean4", meanArgs}, {"max3", max3Args}, {"add", addArgs},
	{"moments", momentsArgs}, {"normBack", normBackArgs}, {"normBackAdd", normBackAddArgs},
	{"correct", correctArgs}, {"maxBack", maxBackArgs}, {"adam", adamArgs},
}

// declarations writes the Go side: the functions and, for each instruction set, its table.
func declarations() []byte {
	var f file
	f.WriteString(header + "package kernel\n")
	for _, t := range targets {
		for rows := 1; rows <= t.rows; rows++ {
			f.declare(gemmName(t, rows), gemmArgs)
		}
		for rows := 1; rows <= t.rows; rows++ {
			f.declare(gemmTName(t, rows), gemmTArgs)
		}
		for _, op := range elementwise {
			f.declare(op.name+t.name, op.args)
		}
		for _, w := range []winograd{f2, f4} {
			f.declare(fmt.Sprintf("winogradIn%d%s", w.out, t.name), inArgs)
			f.declare(fmt.Sprintf("winogradOut%d%s", w.out, t.name), outArgs)
			f.declare(fmt.Sprintf("filterBlock%d%s", w.out, t.name), filterArgs)
		}
		f.table(t)
	}
	return f.Bytes()
}

func (f *file) declare(name, args string) {
	fmt.Fprintf(f, "\n//go:noescape\nfunc %s(%s)\n", name, args)
}

func (f *file) table(t target) {
	fmt.Fprintf(f, "\nvar table%s = assembly{\n", t.name)
	f.heights("gemm", t, gemmName)
	f.heights("gemmT", t, gemmTName)
	for _, op := range elementwise {
		fmt.Fprintf(f, "\t%sFn: %s%s,\n", op.name, op.name, t.name)
	}
	for _, op := range []string{"winogradIn", "winogradOut", "filterBlock"} {
		fmt.Fprintf(f, "\t%sFn: map[int]%sFunc{2: %s2%s, 4: %s4%s},\n", op, op, op, t.name, op, t.name)
	}
	f.WriteString("}\n")
}

// heights writes the field that holds op's functions by tile height.
func (f *file) heights(op string, t target, name func(t target, rows int) string) {
	fmt.Fprintf(f, "\t%sOf: []%sFunc{nil", op, op)
	for rows := 1; rows <= t.rows; rows++ {
		fmt.Fprintf(f, ",\n\t\t%s", name(t, rows))
	}
	f.WriteString("},\n")
}
