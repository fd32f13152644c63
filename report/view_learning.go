package report

import (
	"fmt"
	"slices"

	"sonotype/internal/num"
)

// learningRow is one network's training in numbers.
type learningRow struct {
	Name                   string
	Train, Heldout, Epochs valueCell
	Kept                   string
	Loss, Accuracy, AUC    valueCell // of the held-out part, at the kept epoch
	TrainAUC               valueCell
	Notes                  []string
}

func (s *Study) learningRows() []learningRow {
	var out []learningRow
	for _, l := range s.Learning {
		e, ok := l.kept()
		kept, why := whole(e.Epoch), "not computed"
		if !ok {
			nan := num.NaN()
			e = Epoch{TrainAUC: nan, ValidLoss: nan, ValidAccuracy: nan, ValidAUC: nan}
			kept, why = dash, "no epoch was kept"
		}
		loss := valueCell{Value: significant(float64(e.ValidLoss))}
		if !computable(e.ValidLoss) {
			loss.Title = why
		}
		out = append(out, learningRow{Name: l.title(), Train: l.Train.cell(), Heldout: l.Heldout.cell(), Epochs: l.epochs(),
			Kept: kept, Loss: loss, Accuracy: plain(e.ValidAccuracy, why), AUC: plain(e.ValidAUC, why), TrainAUC: plain(e.TrainAUC, why), Notes: l.Notes})
	}
	return out
}

// keptWhy lists how the kept epochs were chosen, each way once.
func (s *Study) keptWhy() []string {
	var out []string
	for _, l := range s.Learning {
		if l.Why != "" && !slices.Contains(out, l.Why) {
			out = append(out, l.Why)
		}
	}
	return out
}

// title is the network's name, with its part in cross-fitting.
func (l Learning) title() string {
	if l.Fold > 0 {
		return fmt.Sprintf("%s, cross-fitting %d", l.networkName(), l.Fold)
	}
	return l.networkName()
}

// cell prints the patients and images of a part, and its share of positives below.
func (c LearningCount) cell() valueCell {
	v := valueCell{Value: fmt.Sprintf("%d / %d", c.Patients, c.Images)}
	if c.Patients > 0 {
		v.Small = percent(c.Positive, c.Patients) + " % positive"
	}
	return v
}

// epochs prints how many were run of those planned, and why not all.
func (l Learning) epochs() valueCell {
	v := valueCell{Value: fmt.Sprintf("%d / %d", len(l.History), max(l.Planned, len(l.History)))}
	if l.Stopped {
		v.Small = "stopped early"
	}
	return v
}

// learningTable is every epoch of every network.
func (s *Study) learningTable() table {
	t := table{header: []string{"region", "cross_fitting", "epoch", "rate", "train_loss", "train_accuracy", "train_auc", "heldout_loss", "heldout_accuracy", "heldout_auc", "kept"}}
	for _, l := range s.Learning {
		for _, e := range l.History {
			t.add(l.Region, whole(l.Fold), whole(e.Epoch), cell(e.Rate), cell(e.TrainLoss), cell(e.TrainAccuracy), cell(e.TrainAUC),
				cell(e.ValidLoss), cell(e.ValidAccuracy), cell(e.ValidAUC), yesNo(e.Epoch == l.Kept))
		}
	}
	return t
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}
