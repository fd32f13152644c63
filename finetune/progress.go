package finetune

import "time"

// validShare is what an image of validation takes of the time of one of training: forward alone.
const validShare = 0.25

// clock measures this process's part of the training.
type clock struct {
	start, epoch time.Time // of the process's first epoch, of the running one
	work         float64   // done since start, before this epoch: in images of training
}

// startEpoch is called before each epoch.
func (c *clock) startEpoch(perEpoch float64) {
	c.epoch = time.Now()
	if c.start.IsZero() {
		c.start = c.epoch
		return
	}
	c.work += perEpoch
}

// report tells the job how far epoch e is.
func (r *run) report(e Epoch, done int, judged bool) {
	if r.Progress == nil {
		return
	}
	p := Progress{
		Epoch: e.Epoch, Epochs: r.Config.Epochs, Done: done, Images: len(r.Train),
		Loss: e.TrainLoss, Accuracy: e.TrainAccuracy, AUC: e.TrainAUC,
		ValidLoss: e.ValidLoss, ValidAUC: e.ValidAUC,
	}
	if last := len(r.history); !judged && last > 0 {
		p.ValidLoss, p.ValidAUC = r.history[last-1].ValidLoss, r.history[last-1].ValidAUC
	}
	perEpoch := r.work()
	inEpoch := float64(done)
	if judged {
		inEpoch = perEpoch
	}
	now := time.Now()
	if s := now.Sub(r.clock.epoch).Seconds(); s > 0 {
		p.ImagesPerSecond = inEpoch / s
	}
	if work := r.clock.work + inEpoch; work > 0 {
		left := perEpoch*float64(r.Config.Epochs-e.Epoch+1) - inEpoch
		p.Left = time.Duration(float64(now.Sub(r.clock.start)) / work * left)
	}
	r.Progress(p)
}

// work is an epoch's, in images of training.
func (r *run) work() float64 { return float64(len(r.Train)) + validShare*float64(len(r.Valid)) }
