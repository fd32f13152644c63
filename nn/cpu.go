package nn

import "sonotype/internal/problem"

// cpuEngine runs graphs on the CPU with the kernels of nn/kernel.
type cpuEngine struct{}

// New returns the engine of this machine's CPU.
func New() Engine { return cpuEngine{} }

// Info implements Engine.
func (cpuEngine) Info() Info { return Info{Name: "cpu", ISA: Detect()} }

// Compile implements Engine.
func (cpuEngine) Compile(g *Graph, o Options) (Program, error) {
	if g.err != nil {
		return nil, g.err
	}
	return nil, &problem.Error{What: "the engine's compiler is being written"}
}
