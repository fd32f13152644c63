package nn

import "sonotype/internal/problem"

// Engine compiles graphs to programs for one kind of hardware.
type Engine interface {
	// Info says what the engine is and what this machine offers it.
	Info() Info
	// Compile plans g for inference. It fails on graphs that the engine cannot run and on
	// options that this machine does not meet; the program needs ImportState before Infer.
	Compile(g *Graph, o Options) (Program, error)
	// CompileTraining plans g, which must end in a linear layer of one output, for training. The
	// trainer needs ImportState before TrainStep.
	CompileTraining(g *Graph, o TrainOptions) (Trainer, error)
}

// Program is a compiled graph with its parameters. Its methods may be called from several
// goroutines; calls run one after another.
type Program interface {
	// Infer runs n images, x being n x C x H x W (the graph's input), and fills the named taps
	// that the caller asks for. A tap's slice holds n x C x H x W values, or n x C behind a
	// global pool or a linear layer. An image's values depend neither on the batch that it came
	// in nor on the number of workers.
	Infer(x []float32, n int, taps map[string][]float32) error
	// ImportState takes the graph's parameters and buffers, copied and folded for inference.
	// Tensors that the graph does not name are ignored.
	ImportState(s State) error
	// Info describes the compiled program.
	Info() ProgramInfo
	// Close stops the workers. Using the program afterwards is an error.
	Close() error
}

// State is all that a program has learnt. A Program uses the tensors alone.
type State struct {
	Tensors Tensors // parameters and running statistics, by torchvision's names
	M, V    Tensors // the optimiser's moments; nil when there are none
	Steps   int     // updates so far
}

// Options choose how a graph is compiled.
type Options struct {
	ISA      ISA // instruction set; the zero value is portable Go, Detect() the best of this machine
	Workers  int // threads; <= 0: GOMAXPROCS
	MaxBatch int // largest batch of one Infer; <= 0: any (memory does not grow with the batch)
}

// Info describes an engine.
type Info struct {
	Name string `json:"name"`
	ISA  ISA    `json:"isa"` // the best instruction set that this machine has
}

// ProgramInfo describes a compiled program.
type ProgramInfo struct {
	ISA         ISA   `json:"isa"`
	Workers     int   `json:"workers"`
	Convs       int   `json:"convolutions"`
	WeightBytes int64 `json:"weight_bytes"` // packed parameters
	WorkBytes   int64 `json:"work_bytes"`   // activations and scratch, all workers
}

func errClosed() error { return &problem.Error{What: "the network has been closed"} }
