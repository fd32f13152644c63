package nn

// Trainer is a compiled graph that learns. Its methods may be called from several goroutines; calls
// run one after another. The same calls give the same bytes for any number of workers.
type Trainer interface {
	// TrainStep runs n images, x being n x C x H x W, forward with the statistics of the batch, the
	// loss against the n targets y (0 to 1), backward, and one update. A loss that is not finite is
	// no error: the caller decides what to say of it.
	TrainStep(x, y []float32, n int, h Hyper) (Step, error)
	// Gradients returns the gradients of the last step's mean loss, before clipping and weight
	// decay, by torchvision's names; those of frozen parameters are left out.
	Gradients() (Tensors, error)
	// ExportState copies parameters, running statistics and the optimiser's moments.
	ExportState() (State, error)
	// ImportState replaces them; without moments the optimiser starts anew. A classifier and
	// everything else that the graph names must be there.
	ImportState(s State) error
	// Info describes the compiled program.
	Info() ProgramInfo
	// Close stops the workers. Using the trainer afterwards is an error.
	Close() error
}

// TrainOptions choose how a graph is compiled for training.
type TrainOptions struct {
	ISA     ISA // instruction set; the zero value is portable Go, Detect() the best of this machine
	Workers int // threads; <= 0: GOMAXPROCS
	// Rates are factors on Hyper.Rate by parameter name; missing ones are 1, and 0 freezes. A batch
	// normalisation whose weight is frozen normalises with its running statistics and leaves them.
	Rates map[string]float64
}

// Step is what one training step did.
type Step struct {
	Loss     float64   // mean over the batch, before the update
	Logits   []float32 // one an image, before the update
	GradNorm float64   // of all gradients together, before clipping; 0 unless Hyper.ClipNorm > 0
}

// Optimizer is a rule that turns gradients into updates, with PyTorch's definitions and defaults:
// betas 0.9 and 0.999, epsilon 1e-8, no dampening, no Nesterov momentum.
type Optimizer int

// The optimisers. Weight decay is added to the gradient by SGD and Adam (Kingma and Ba 2015), and
// shrinks the parameter by itself in AdamW (Loshchilov and Hutter 2019).
const (
	Adam Optimizer = iota
	AdamW
	SGD
)

// Hyper are the settings of one step, so that a schedule may change them.
type Hyper struct {
	Optimizer   Optimizer
	Rate        float64 // learning rate
	WeightDecay float64
	Momentum    float64 // of SGD
	ClipNorm    float64 // largest norm of all gradients together; 0: none
	Loss        Loss
}
