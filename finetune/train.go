package finetune

import (
	"context"
	"fmt"
	"strconv"

	"sonotype/densenet"
	"sonotype/evaluate"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/nn"
	"sonotype/weights"
)

// Train runs a job. The same job gives the same bytes for any number of workers, and with a checkpoint also after
// having been killed at any moment and started again. When ctx ends, its error is returned.
func Train(ctx context.Context, j Job) (*Result, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	r, err := newRun(j)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.begin(); err != nil {
		return nil, err
	}
	for len(r.history) < j.Config.Epochs && !j.Config.stopped(r.history) {
		if err := r.epoch(ctx); err != nil {
			return nil, err
		}
	}
	return r.result(), nil
}

// run is a job at work.
type run struct {
	Job
	specs   []nn.ParamSpec
	blocks  int
	factors map[string]float64
	loss    nn.Loss
	trainer nn.Trainer
	program nn.Program // looks at the validation images with the trainer's weights
	train   input
	valid   input
	key     string
	clock   clock

	history []Epoch
	aucs    []evaluate.AUC // of validation, by epoch
	kept    nn.Tensors     // of the epoch that Config.kept names
}

// newRun compiles the network.
func newRun(j Job) (*run, error) {
	shape := j.Graph
	if shape.Blocks == nil {
		var err error
		if shape, err = j.Variant.Config(); err != nil {
			return nil, err
		}
	}
	shape.Classes = 1
	g := densenet.Build(shape, j.Input)
	if err := g.Err(); err != nil {
		return nil, err
	}
	if j.engine == nil {
		j.engine = nn.New()
	}
	r := &run{Job: j, specs: g.Params(), blocks: len(shape.Blocks), loss: j.Config.loss(j.Train)}
	r.factors = j.Config.factors(r.specs, r.blocks)
	r.valid = input{side: j.Input, crop: imaging.NewGray(j.Input, j.Input)}
	r.train = r.valid
	r.train.augment, r.train.seed, r.train.name = j.Config.Augment, j.Seed, j.Name
	var err error
	if r.trainer, err = j.engine.CompileTraining(g, nn.TrainOptions{ISA: j.ISA, Workers: j.Workers, Rates: r.factors}); err != nil {
		return nil, err
	}
	if r.program, err = j.engine.Compile(g, nn.Options{ISA: j.ISA, Workers: j.Workers}); err != nil {
		r.trainer.Close()
		return nil, err
	}
	return r, nil
}

func (r *run) close() {
	r.trainer.Close()
	r.program.Close()
}

// begin takes the checkpoint's state, or the weights to start with and a new classifier.
func (r *run) begin() error {
	start, err := r.start()
	if err != nil {
		return err
	}
	if r.key, err = r.fullKey(start); err != nil {
		return err
	}
	state := nn.State{Tensors: start}
	if r.Checkpoint != "" {
		c, err := readCheckpoint(r.Checkpoint, r.key, r.specs)
		if err != nil {
			return err
		}
		if c != nil {
			state, r.history, r.aucs, r.kept = c.state, c.History, c.AUCs, c.kept
		}
	}
	return r.trainer.ImportState(state)
}

// start are the weights of an untouched network: those of the job, with a classifier of this task's own.
func (r *run) start() (nn.Tensors, error) {
	var body, head []nn.ParamSpec
	for _, s := range r.specs {
		if part(s.Name, r.blocks) == 0 {
			head = append(head, s)
		} else {
			body = append(body, s)
		}
	}
	if err := weights.Check(body, r.Start); err != nil {
		return nil, err
	}
	t := weights.Random(head, r.Seed)
	for _, s := range body {
		t[s.Name] = r.Start[s.Name]
	}
	return t, nil
}

// epoch trains one epoch, judges it, and writes the checkpoint.
func (r *run) epoch(ctx context.Context) error {
	e, err := r.learn(ctx, Epoch{Epoch: len(r.history) + 1})
	if err != nil {
		return err
	}
	state, err := r.trainer.ExportState()
	if err != nil {
		return err
	}
	if err := r.judge(ctx, state, e); err != nil {
		return err
	}
	e = r.history[len(r.history)-1]
	if r.Config.kept(r.history) == e.Epoch {
		r.kept = state.Tensors
	}
	if r.Checkpoint != "" {
		if err := r.writeCheckpoint(state); err != nil {
			return err
		}
	}
	r.report(e, len(r.Train), true)
	return nil
}

// learn goes through the training images once, in an order of the epoch's own.
func (r *run) learn(ctx context.Context, e Epoch) (Epoch, error) {
	order := rng.Stream(r.Seed, "finetune", r.Name, "order", strconv.Itoa(e.Epoch)).Perm(len(r.Train))
	all := batches(order, r.Config.Batch)
	step := (e.Epoch - 1) * len(all)
	seen := &scores{set: r.Train}
	e.ValidLoss, e.ValidAccuracy, e.ValidAUC = num.NaN(), num.NaN(), num.NaN()
	r.clock.startEpoch(r.work())
	err := r.train.feed(ctx, r.Train, all, e.Epoch, func(b batch) error {
		e.Rate = r.Config.rate(step, len(all))
		step++
		s, err := r.trainer.TrainStep(b.x, b.y, len(b.y), r.Config.hyper(e.Rate, r.loss))
		if err != nil {
			return err
		}
		if !num.Finite(s.Loss) {
			return r.brokeDown(fmt.Sprintf("the loss is %v", s.Loss), e, step-(e.Epoch-1)*len(all), len(all))
		}
		for k, i := range b.index {
			loss, _ := r.loss.At(float64(s.Logits[k]), float64(r.Train[i].Label))
			seen.add(i, s.Logits[k], loss)
		}
		sum, err := seen.summarise()
		if err != nil {
			return err
		}
		e.TrainLoss, e.TrainAccuracy, e.TrainAUC = sum.loss, sum.accuracy, sum.auc.AUC
		if len(seen.p) < len(r.Train) {
			r.report(e, len(seen.p), false)
		}
		return nil
	})
	return e, err
}

// judge runs the validation images through the network as it will be used, and adds the epoch to the history.
func (r *run) judge(ctx context.Context, state nn.State, e Epoch) error {
	if err := weights.Check(r.specs, state.Tensors); err != nil {
		return r.brokeDown("a weight that is not finite", e, 0, 0)
	}
	if err := r.program.ImportState(state); err != nil {
		return err
	}
	seen := &scores{set: r.Valid}
	err := r.valid.feed(ctx, r.Valid, batches(upTo(len(r.Valid)), r.Config.Batch), e.Epoch, func(b batch) error {
		logits := make([]float32, len(b.y))
		if err := r.program.Infer(b.x, len(b.y), map[string][]float32{"logits": logits}); err != nil {
			return err
		}
		for k, i := range b.index {
			z := float64(logits[k])
			if !num.Finite(z) {
				return r.brokeDown(fmt.Sprintf("a validation image has a logit of %v", z), e, 0, 0)
			}
			loss, _ := r.loss.At(z, float64(r.Valid[i].Label))
			seen.add(i, logits[k], loss)
		}
		return nil
	})
	if err != nil {
		return err
	}
	sum, err := seen.summarise()
	if err != nil {
		return err
	}
	e.ValidLoss, e.ValidAccuracy = sum.loss, sum.accuracy
	e.ValidAUC = sum.auc.AUC
	r.history, r.aucs = append(r.history, e), append(r.aucs, sum.auc)
	return nil
}
