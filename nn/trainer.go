package nn

import "sonotype/internal/problem"

// CompileTraining implements Engine.
func (cpuEngine) CompileTraining(g *Graph, o TrainOptions) (Trainer, error) {
	return nil, &problem.Error{What: "training is being built"}
}
