package study

import (
	"context"
	"fmt"
	"math"
	"slices"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// width is a width of the peritumoural area.
type width struct {
	value float64
	unit  string
}

func (w width) words() string { return fmt.Sprintf("%g %s", w.value, w.unit) }

// sweepWidths runs the study with other widths and compares each with the study's own on the same units.
func (r *Run) sweepWidths(ctx context.Context, f *frozenModel) error {
	own := width{r.Plan.Region.Growth, r.Plan.Region.Unit}
	out := report.WidthSweep{Key: r.key, Model: f.key.Model, Width: own.value, Unit: own.unit, Retrained: r.Plan.trains() && r.Plan.Robustness.Retrain, Kept: r.Plan.trains() && !r.Plan.Robustness.Retrain}
	others, note, err := r.otherWidths(own)
	if err != nil {
		return err
	}
	if note != "" {
		out.Notes = append(out.Notes, note)
	}
	if err := r.readTestSets("widths", "AUC with other widths of the peritumoural area"); err != nil {
		return err
	}
	if err := addWidth(&out, own, f.scores, f.scores); err != nil {
		return err
	}
	for i, w := range others {
		v := variation{name: fmt.Sprintf("width-%g%s", w.value, w.unit), words: w.words(), frozen: out.Kept,
			change: func(p *Plan) { p.Region.Growth, p.Region.Unit = w.value, w.unit }}
		sub, err := r.vary(ctx, v, f.key, i, len(others))
		if err == nil {
			var scores map[string]map[report.Key]scored
			if scores, err = sub.scores("scores.csv"); err == nil {
				err = addWidth(&out, w, scores, f.scores)
			}
		}
		if err != nil {
			why, stop := whyNot(err)
			if stop != nil {
				return stop
			}
			out.Notes = append(out.Notes, w.words()+": "+why)
		}
	}
	adjustWidths(&out)
	return artifact.WriteJSON(r.partPath("widths"), out)
}

// otherWidths lists the plan's widths but the study's own. Widths in mm need the pixel size of every image, since the
// patients would be others without it.
func (r *Run) otherWidths(own width) (out []width, note string, err error) {
	for _, v := range r.Plan.Robustness.WidthsPX {
		out = append(out, width{v, "px"})
	}
	c, err := r.cohort()
	if err != nil {
		return nil, "", err
	}
	images, err := r.images()
	if err != nil {
		return nil, "", err
	}
	unknown := len(where(images, func(im imageRow) bool { return math.IsNaN(c.Images[im.Source].PixelMM) }))
	switch {
	case len(r.Plan.Robustness.WidthsMM) == 0:
	case unknown > 0:
		note = fmt.Sprintf("widths in mm were left out: the pixel size of %d of %d images is not known", unknown, len(images))
	default:
		for _, v := range r.Plan.Robustness.WidthsMM {
			out = append(out, width{v, "mm"})
		}
	}
	return slices.DeleteFunc(out, func(w width) bool { return w == own }), note, nil
}

// addWidth measures the models at a width against those of the study on the units that both have scored.
func addWidth(out *report.WidthSweep, w width, scores, study map[string]map[report.Key]scored) error {
	own := w == width{out.Width, out.Unit}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		for _, features := range FeatureSets {
			key := report.Key{Features: features, Model: out.Model}
			s := scores[set][key]
			if len(s.units) == 0 || features == "ta" && !own {
				continue
			}
			auc, err := evaluate.DeLong(s.scores, s.labels)
			if err != nil {
				return err
			}
			p := report.WidthPoint{Width: w.value, Unit: w.unit, Own: own, Set: set, Features: features, AUC: auc, Holm: num.NaN()}
			if features == "ta" {
				out.Tumour = append(out.Tumour, p)
				continue
			}
			if !own {
				if p.Against, err = against(s, study[set][key]); err != nil {
					return err
				}
			}
			out.Points = append(out.Points, p)
		}
	}
	return nil
}

// adjustWidths adjusts the p-values of each set for all widths and feature sets that were looked at there (Holm).
func adjustWidths(out *report.WidthSweep) {
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		var at []int
		var p []num.Float
		for i, q := range out.Points {
			if q.Set == set && q.Against != nil {
				at, p = append(at, i), append(p, q.Against.P)
			}
		}
		for k, v := range evaluate.Holm(p) {
			out.Points[at[k]].Holm = v
		}
		out.Comparisons = max(out.Comparisons, len(p))
	}
}

// against compares a model's scores with others of the same units by DeLong's paired test: the first less the second.
func against(a, b scored) (*evaluate.PairedAUC, error) {
	at := map[string]int{}
	for i, u := range b.units {
		at[u] = i
	}
	var x, y []float64
	var labels []int
	for i, u := range a.units {
		if j, ok := at[u]; ok {
			x, y, labels = append(x, a.scores[i]), append(y, b.scores[j]), append(labels, a.labels[i])
		}
	}
	p, err := evaluate.DeLongPaired(x, y, labels)
	return &p, err
}
