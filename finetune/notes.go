package finetune

import (
	"fmt"

	"sonotype/internal/problem"
)

// Numbers of units in the smaller class below which the notes warn: an AUC of .8 with 15 positives among 45 has a 95 %
// interval of about .65 to .95 (Hanley and McNeil 1982).
const (
	fewTrain = 30
	fewValid = 15
)

// result words what the history shows.
func (r *run) result() *Result {
	out := &Result{Tensors: r.kept, History: r.history, Kept: r.Config.kept(r.history), Stopped: r.Config.stopped(r.history)}
	out.Valid = r.aucs[out.Kept-1]
	k, last, valid := r.history[out.Kept-1], r.history[len(r.history)-1], out.Valid
	note := func(format string, a ...any) { out.Notes = append(out.Notes, fmt.Sprintf(format, a...)) }
	if n := fewest(r.Train); n < fewTrain {
		note("Only %d patients of one class to learn from: expect another result from another seed.", n)
	}
	if n := fewest(r.Valid); n < fewValid {
		note("Only %d patients of one class to validate with: which epoch is kept is largely chance.", n)
	}
	chance := valid.Lo <= 0.5 && valid.Hi >= 0.5
	switch {
	case valid.Hi < 0.5:
		note("The network ranks the validation patients the wrong way round (AUC %.2f, 95%% interval %.2f to %.2f): check the outcome column and the split.",
			valid.AUC, valid.Lo, valid.Hi)
	case chance && last.TrainAUC < 0.6:
		note("The network does not learn: AUC %.2f in training, %.2f (95%% interval %.2f to %.2f) in validation. Try another network.train.rate, pretrained network.weights, or freeze: none.",
			last.TrainAUC, valid.AUC, valid.Lo, valid.Hi)
	case chance:
		note("What the network learns does not carry over: AUC %.2f in training, %.2f (95%% interval %.2f to %.2f) in validation, which chance explains. Try more patients, pretrained network.weights, or network.train.freeze: all-but-last-block.",
			last.TrainAUC, valid.AUC, valid.Lo, valid.Hi)
	case k.TrainAUC > valid.Hi && k.TrainAUC-valid.AUC > 0.1:
		note("The network knows the training images partly by heart: AUC %.2f in training, %.2f (95%% interval %.2f to %.2f) in validation at the kept epoch. Only scores of patients it was not trained on are honest.",
			k.TrainAUC, valid.AUC, valid.Lo, valid.Hi)
	}
	if out.Kept == len(r.history) && !out.Stopped && len(r.history) > 1 {
		note("The last epoch was the best: a longer training (network.train.epochs) might be better still.")
	}
	return out
}

// fewest is the number of units in the smaller class.
func fewest(set []Example) int {
	units := [2]map[string]bool{{}, {}}
	for _, e := range set {
		units[e.Label][e.Unit] = true
	}
	return min(len(units[0]), len(units[1]))
}

// brokeDown is the error of a training whose numbers are no longer finite.
func (r *run) brokeDown(found string, e Epoch, step, steps int) error {
	where := fmt.Sprintf("%s in epoch %d", found, e.Epoch)
	if steps > 0 {
		where += fmt.Sprintf(", step %d of %d", step, steps)
	}
	try := fmt.Sprintf("lower network.train.rate (to %.1g, say), let it grow with network.train.warm_up: 1, or set network.train.clip: 1", r.Config.Rate/10)
	if e.Epoch == 1 && step == 1 {
		try = "check the network's weights: not even the first images give a number"
	}
	return &problem.Error{What: fmt.Sprintf("the training of the network %q broke down", r.Name), Expected: "a finite loss",
		Found: fmt.Sprintf("%s, at a learning rate of %.2g", where, e.Rate), Try: try}
}
