package report

import (
	"strings"
	"testing"

	"sonotype/evaluate"
	"sonotype/internal/num"
)

// sampleRobustness has every part, with a width that differs, an outline lost, and figures that cannot be computed.
func sampleRobustness() *Robustness {
	auc := func(v float64) evaluate.AUC {
		return evaluate.AUC{N: 80, Positive: 30, AUC: num.Float(v), SE: 0.05, Lo: num.Float(v - 0.1), Hi: num.Float(min(1, v+0.1))}
	}
	none := evaluate.Estimate{Value: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	key := Key{"fusion", "svm"}
	r := &Robustness{
		Widths:   &WidthSweep{Model: "svm", Width: 10, Unit: "px", Comparisons: 4, Notes: []string{"5 mm: the peritumoural ring is empty"}},
		Outlines: &OutlineSweep{Model: key, Threshold: 0.41, Recal: true},
		Cutoffs:  &CutoffSweep{Model: key, Column: "ki67", Cutoff: 20},
		Centres:  &CentreSweep{Model: key},
	}
	for _, set := range []string{setInternal, setExternal} {
		r.Widths.Tumour = append(r.Widths.Tumour, WidthPoint{Width: 10, Unit: "px", Own: true, Set: set, Features: "ta", AUC: auc(0.7), Holm: num.NaN()})
		for i, w := range []float64{5, 10, 20} {
			for _, features := range widthFeatures {
				p := WidthPoint{Width: w, Unit: "px", Own: w == 10, Set: set, Features: features, AUC: auc(0.6 + 0.1*float64(i)), Holm: num.NaN()}
				if !p.Own {
					p.Against, p.Holm = &evaluate.PairedAUC{Difference: 0.1, P: 0.2}, 0.8
				}
				r.Widths.Points = append(r.Widths.Points, p)
			}
		}
		for _, kind := range []string{"shift", "dilate", "erode", "reader"} {
			c := OutlineCurve{Set: set, Kind: kind}
			for i, level := range []float64{0, 0.05, 0.2} {
				p := OutlinePoint{Level: level, N: 80, Dice: num.Float(1 - level), AUC: auc(0.8 - level), Slope: evaluate.Estimate{Value: 1, Lo: 0.5, Hi: 1.5}, Intercept: none}
				p.ToHigh, p.ToLow, p.Flips = 2*i, 3*i, num.Float(5*i)/80
				if i > 0 {
					p.Against = &evaluate.PairedAUC{Difference: -0.05, Lo: -0.1, Hi: 0}
				}
				c.Points = append(c.Points, p)
			}
			c.Points[2].N, c.Points[2].Lost, c.Points[2].Slope, c.Points[2].AUC.AUC = 78, 2, none, num.NaN()
			r.Outlines.Curves = append(r.Outlines.Curves, c)
		}
		for _, cut := range []float64{14, 20} {
			r.Cutoffs.Points = append(r.Cutoffs.Points, CutoffPoint{Cutoff: cut, Own: cut == 20, Set: set, Performance: evaluate.Performance{N: 80, Positive: 40, AUC: 0.7, AUCLo: 0.6, AUCHi: 0.8}})
		}
	}
	r.Widths.Points[2*2].Holm = 0.003
	internal := auc(0.8)
	r.Centres.Points = []CentrePoint{
		{Centre: "A", Trained: 40, Internal: &internal, Performance: evaluate.Performance{N: 90, Positive: 40, AUC: 0.6, AUCLo: 0.5, AUCHi: 0.7}, Slope: none, Intercept: none},
		{Centre: "A hospital with a very long name in a distant town", Study: true, Trained: 90, Performance: evaluate.Performance{N: 40, Positive: 20, AUC: num.NaN(), AUCLo: num.NaN(), AUCHi: num.NaN(), Note: "one class"}, Slope: none, Intercept: none},
	}
	return r
}

func TestRobustnessInTheReport(t *testing.T) {
	s := sampleStudy(t)
	s.Robustness = sampleRobustness()
	files := write(t, "robustness", s)
	checkFiles(t, files)
	page := files["report.html"]
	for _, words := range []string{
		"these differ from the study&#39;s own width: PTA at 20 px in the internal set (by &#43;0.100, adjusted P = 0.003)",
		"Not computed: 5 mm: the peritumoural ring is empty.", "the study’s own", "2 lost",
		"at a Dice of 0.95 flip 5 of 80 patients (6.2 %)", "the AUC lies between 0.700 and 0.700 over 2 cut-offs", "the study itself", "one class",
	} {
		if !strings.Contains(page, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
	for _, id := range []string{"widths-px", "outlines-auc-internal", "outlines-slope-external", "outlines-flips-external", "cutoffs", "centres"} {
		if files["figures/robustness-"+id+".svg"] == "" || files["tables/robustness-"+id+".csv"] == "" {
			t.Errorf("no figure or table %s", id)
		}
	}
	if _, ok := files["figures/robustness-widths-mm.svg"]; ok {
		t.Error("a figure of no widths in mm")
	}
	s.Robustness = nil
	if page := write(t, "not-robust", s)["report.html"]; strings.Contains(page, `id="robustness"`) {
		t.Error("a section on nothing")
	}
}
