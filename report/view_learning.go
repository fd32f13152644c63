package report

import (
	"fmt"
	"strings"

	"sonotype/internal/num"
)

// learningRow is one network's training in numbers.
type learningRow struct {
	Name                   string
	Train, Heldout, Epochs valueCell
	Kept                   string
	Loss, Accuracy, AUC    valueCell // of the held-out part, at the kept epoch
	TrainAUC               valueCell
	Why                    string
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
		out = append(out, learningRow{Name: l.title(), Train: s.learningCount(l.Train), Heldout: s.learningCount(l.Heldout), Epochs: l.epochs(),
			Kept: kept, Loss: loss, Accuracy: plain(e.ValidAccuracy, why), AUC: plain(e.ValidAUC, why), TrainAUC: plain(e.TrainAUC, why), Why: l.Why, Notes: l.Notes})
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

// learningCount prints the patients of a part, its images and its share of positives below.
func (s *Study) learningCount(c LearningCount) valueCell {
	v := valueCell{Value: whole(c.Patients), Small: count(c.Images, "image")}
	if c.Patients > 0 {
		v.Small += fmt.Sprintf(", %s %% %s", percent(c.Positive, c.Patients), s.positive())
	}
	return v
}

// epochs prints how many were run, and why not all.
func (l Learning) epochs() valueCell {
	var small []string
	if l.Planned > len(l.History) {
		small = append(small, fmt.Sprintf("of %d", l.Planned))
	}
	if l.Stopped {
		small = append(small, "stopped early")
	}
	return valueCell{Value: whole(len(l.History)), Small: strings.Join(small, ", ")}
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
