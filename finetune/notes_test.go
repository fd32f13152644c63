package finetune

import (
	"strings"
	"testing"
	"time"

	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Each history has its words, and a good one has none.
func TestNotes(t *testing.T) {
	type epoch struct{ train, valid, lo, hi, loss num.Float }
	many := Job{Train: stripes("train", 100), Valid: stripes("valid", 60), Config: Config{Epochs: 2, Select: "loss"}}
	few := many
	few.Train, few.Valid = few.Train[:20], few.Valid[:20]
	good, worse := epoch{.86, .82, .7, .9, .3}, epoch{.9, .8, .7, .9, .4}
	for _, c := range []struct {
		job     Job
		history []epoch
		want    []string
	}{
		{many, []epoch{good, worse}, nil},
		{few, []epoch{good, worse}, []string{"to learn from", "to validate with"}},
		{many, []epoch{worse, good}, []string{"The last epoch was the best"}},
		{many, []epoch{epoch{.52, .51, .4, .6, .6}, epoch{.53, .5, .4, .6, .7}}, []string{"does not learn"}},
		{many, []epoch{epoch{.7, .51, .4, .6, .6}, epoch{.99, .5, .4, .6, .7}}, []string{"does not carry over"}},
		{many, []epoch{epoch{.7, .3, .2, .4, .6}, epoch{.9, .3, .2, .4, .7}}, []string{"wrong way round"}},
		{many, []epoch{epoch{.99, .75, .7, .8, .6}, epoch{.99, .7, .7, .8, .7}}, []string{"by heart"}},
	} {
		r := &run{Job: c.job}
		for _, e := range c.history {
			r.history = append(r.history, Epoch{TrainAUC: e.train, ValidAUC: e.valid, ValidLoss: e.loss})
			r.aucs = append(r.aucs, evaluate.AUC{AUC: e.valid, Lo: e.lo, Hi: e.hi})
		}
		got := r.result().Notes
		ok := len(got) == len(c.want)
		for i := range c.want {
			ok = ok && strings.Contains(got[i], c.want[i])
		}
		if !ok {
			t.Errorf("%+v: %q, want %q", c.history, got, c.want)
		}
	}
}

// Progress runs from the first batch to the last epoch, knows the last validation, and ends with nothing left.
func TestProgress(t *testing.T) {
	j := smallJob()
	j.Config.Epochs, j.Config.Patience = 2, 0
	var all []Progress
	j.Progress = func(p Progress) { all = append(all, p) }
	res := train(t, j)
	steps := len(batches(upTo(len(j.Train)), j.Config.Batch))
	if len(all) != 2*steps {
		t.Fatalf("%d reports, want %d", len(all), 2*steps)
	}
	for i, p := range all {
		if p.Epoch != 1+i/steps || p.Epochs != 2 || p.Images != len(j.Train) || p.Done != min((i%steps+1)*j.Config.Batch, p.Images) ||
			p.Loss.IsNaN() || p.ImagesPerSecond <= 0 || p.Left < 0 || p.Left > time.Hour {
			t.Errorf("report %d: %+v", i, p)
		}
		switch {
		case i < steps-1 && !p.ValidAUC.IsNaN(), i == steps-1 && p.ValidAUC != res.History[0].ValidAUC,
			i == steps && p.ValidLoss != res.History[0].ValidLoss, i == 2*steps-1 && p.ValidLoss != res.History[1].ValidLoss:
			t.Errorf("report %d has the validation %v, %v", i, p.ValidLoss, p.ValidAUC)
		}
	}
	if last := all[len(all)-1]; last.Left != 0 || last.Done != last.Images || last.Loss != res.History[1].TrainLoss {
		t.Errorf("the last report is %+v", last)
	}
}
