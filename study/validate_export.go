package study

import (
	"math"
	"slices"

	"sonotype/bundle"
	"sonotype/internal/num"
	"sonotype/report"
	"sonotype/samplesize"
)

// smallCell is the number of cases below which a count is not exported, since it could point at somebody.
const smallCell = 5

// exportMonths is the step of exported survival curves; the times of single events stay at the site.
const exportMonths = 12

// ValidationExport is validation.json: what a site may send to whoever made the model. It holds sums and means over cases
// and nothing of a single case: no id, no image, no score, no date, no threshold that is somebody's score, no count under
// five but those of the confusion matrix, and four significant digits.
type ValidationExport struct {
	Format    int             `json:"format"`
	Bundle    string          `json:"bundle"` // its hash
	Model     string          `json:"model"`  // title of the bundle
	Version   string          `json:"version"`
	Site      string          `json:"site"` // title of the study file
	Synthetic bool            `json:"synthetic"`
	Outcome   string          `json:"outcome"`
	Unit      string          `json:"unit"`
	Flow      ExportFlow      `json:"flow"`
	Warnings  []string        `json:"warnings"`
	Riley     []ExportNeed    `json:"riley_validation_n,omitempty"`
	Measured  *ExportMeasures `json:"measured,omitempty"` // none where a class has fewer than five units
	Survival  *ExportSurvival `json:"survival,omitempty"`
}

// ExportCount is a count, or that it is under five.
type ExportCount struct {
	N         int  `json:"n"` // 0 where Under5
	UnderFive bool `json:"under_5,omitempty"`
}

func exportCount(n int) ExportCount {
	if n > 0 && n < smallCell {
		return ExportCount{UnderFive: true}
	}
	return ExportCount{N: n}
}

// ExportFlow counts who was read, left out and analysed.
type ExportFlow struct {
	Patients ExportCount    `json:"patients_read"`
	Images   ExportCount    `json:"images_read"`
	LeftOut  []ExportReason `json:"left_out"`
	Analysed struct {
		Patients ExportCount `json:"patients"`
		Units    ExportCount `json:"units"`
		Images   ExportCount `json:"images"`
		Positive ExportCount `json:"positive"`
	} `json:"analysed"`
	Unseen ExportCount `json:"images_of_unseen_devices"`
}

// ExportReason counts what was left out for a reason.
type ExportReason struct {
	Reason   string      `json:"reason"`
	Patients ExportCount `json:"patients"`
	Images   ExportCount `json:"images"`
}

// ExportNeed is what a criterion of Riley's asks for.
type ExportNeed struct {
	Criterion string `json:"criterion"`
	N         int    `json:"n"`
}

// ExportMeasures are the model's figures on the site's units.
type ExportMeasures struct {
	Threshold     num.Float                 `json:"threshold"` // frozen in the bundle
	Confusion     map[string]int            `json:"confusion"`
	Measures      map[string]report.Measure `json:"measures"` // those named _recalibrated after recalibration
	Recalibration string                    `json:"recalibration,omitempty"`
	Groups        []ExportGroup             `json:"calibration_groups"`
	Scores        []ExportGroup             `json:"score_groups"` // of equal width, joined until each class counts five
	Decision      []ExportBenefit           `json:"decision"`
}

// ExportGroup counts the classes of units with neighbouring scores.
type ExportGroup struct {
	From     *float64  `json:"from,omitempty"` // of the score; absent in the groups of calibration
	To       *float64  `json:"to,omitempty"`
	N        int       `json:"n"`
	Positive int       `json:"positive"`
	Mean     num.Float `json:"mean"` // of the predicted probabilities
}

// ExportBenefit is the net benefit at a threshold probability.
type ExportBenefit struct {
	Threshold    float64   `json:"threshold"`
	Model        num.Float `json:"model"`
	Recalibrated num.Float `json:"recalibrated"`
	All          num.Float `json:"treat_all"`
}

// ExportSurvival is the follow-up of the groups at the bundle's cut.
type ExportSurvival struct {
	Cut    num.Float                 `json:"cut"`
	N      int                       `json:"n"`
	High   ExportCount               `json:"n_high"`
	Events ExportCount               `json:"events"`
	P      num.Float                 `json:"logrank_p"`
	Values map[string]report.Measure `json:"measures"`
	Curves map[string][]ExportPoint  `json:"curves"` // by group, as long as five are at risk
}

// ExportPoint is a Kaplan-Meier estimate at a whole year.
type ExportPoint struct {
	Months   float64   `json:"months"`
	Survival num.Float `json:"survival"`
	Lo       num.Float `json:"lo"`
	Hi       num.Float `json:"hi"`
}

// Export gathers what may leave the site of its figures: result and follow (nil without follow-up) are of s.Units.
func (s *Site) Export(b *bundle.Bundle, version string, result *report.Result, follow *report.SurvivalSet, size samplesize.Assessment, warnings []string) ValidationExport {
	e := ValidationExport{
		Format: 1, Bundle: b.Hash(), Model: b.Card().Title, Version: version, Site: s.Plan.Title, Synthetic: s.Plan.Synthetic,
		Outcome: outcomeInWords(&s.Plan), Unit: s.UnitName, Flow: s.exportFlow(), Warnings: slices.Clone(warnings),
	}
	for _, v := range size.Validation {
		for _, c := range v.Criteria {
			e.Riley = append(e.Riley, ExportNeed{c.Name, c.N})
		}
	}
	if p := result.Performance; min(p.Positive, p.N-p.Positive) >= smallCell {
		e.Measured = exportMeasures(result)
		e.Measured.Scores = s.exportScores()
	} else {
		e.Warnings, e.Riley = []string{"A class has fewer than five units, so no figure is exported."}, nil
	}
	if follow != nil && follow.ByScore.Events >= smallCell {
		e.Survival = exportSurvival(follow)
	}
	return e
}

func (s *Site) exportFlow() ExportFlow {
	var f ExportFlow
	patients, images := 0, 0
	for _, t := range s.Flow.Tables {
		patients, images = patients+t.Patients, images+t.Images
	}
	f.Patients, f.Images, f.Unseen = exportCount(patients), exportCount(images), exportCount(s.Unseen)
	f.LeftOut = []ExportReason{}
	for _, e := range s.Flow.Exclusions {
		f.LeftOut = append(f.LeftOut, ExportReason{e.Reason, exportCount(e.Patients), exportCount(e.Images)})
	}
	n := s.Analysed
	f.Analysed.Patients, f.Analysed.Units, f.Analysed.Images, f.Analysed.Positive = exportCount(n.Patients), exportCount(n.Units), exportCount(n.Images), exportCount(n.Positive)
	return f
}

func exportMeasures(r *report.Result) *ExportMeasures {
	p := r.Performance
	e := &ExportMeasures{
		Threshold: p.Threshold, Confusion: map[string]int{"tp": p.TP, "fp": p.FP, "tn": p.TN, "fn": p.FN}, Measures: map[string]report.Measure{},
		Decision: []ExportBenefit{},
	}
	for _, m := range r.List() {
		e.Measures[m.Name] = rounded(m)
	}
	if r.After != nil {
		e.Recalibration = "logistic, " + r.After.How
	}
	for _, g := range r.Calibration.Groups {
		e.Groups = append(e.Groups, ExportGroup{N: g.N, Positive: g.Positive, Mean: num.Float(g.Predicted)})
	}
	e.Groups = joined(e.Groups)
	for i, q := range r.Decision.Points {
		if math.Abs(math.Remainder(q.Threshold, 0.05)) > 1e-9 {
			continue
		}
		b := ExportBenefit{Threshold: q.Threshold, Model: digits(num.Float(q.Model)), All: digits(num.Float(q.TreatAll)), Recalibrated: num.NaN()}
		if r.After != nil {
			b.Recalibrated = digits(num.Float(r.After.Decision.Points[i].Model))
		}
		e.Decision = append(e.Decision, b)
	}
	return e
}

// exportBins divide the scores from 0 to 1.
const exportBins = 20

// exportScores counts the classes by score.
func (s *Site) exportScores() []ExportGroup {
	bins := make([]ExportGroup, exportBins)
	for i := range bins {
		from, to := float64(i)/exportBins, float64(i+1)/exportBins
		bins[i] = ExportGroup{From: &from, To: &to}
	}
	for _, u := range s.Units {
		i := min(exportBins-1, int(u.Score*exportBins))
		bins[i] = bins[i].and(ExportGroup{To: bins[i].To, N: 1, Positive: u.Label, Mean: num.Float(u.Probability)})
	}
	return joined(bins)
}

// joined puts neighbouring groups together until each holds five units of either class.
func joined(groups []ExportGroup) []ExportGroup {
	out := []ExportGroup{}
	open := false
	for _, g := range groups {
		if !open {
			out, open = append(out, g), true
		} else {
			out[len(out)-1] = out[len(out)-1].and(g)
		}
		last := out[len(out)-1]
		open = min(last.Positive, last.N-last.Positive) < smallCell
	}
	if n := len(out); open && n > 1 {
		out = append(out[:n-2], out[n-2].and(out[n-1]))
	} else if open {
		return []ExportGroup{} // a class has fewer than five in all
	}
	for i := range out {
		out[i].Mean = digits(out[i].Mean)
	}
	return out
}

func (g ExportGroup) and(o ExportGroup) ExportGroup {
	n := num.Float(max(1, g.N+o.N))
	return ExportGroup{From: g.From, To: o.To, N: g.N + o.N, Positive: g.Positive + o.Positive, Mean: (g.Mean*num.Float(g.N) + o.Mean*num.Float(o.N)) / n}
}

func exportSurvival(s *report.SurvivalSet) *ExportSurvival {
	a := &s.ByScore
	e := &ExportSurvival{Cut: a.Cut, N: a.N, High: exportCount(a.NHigh), Events: exportCount(a.Events), P: digits(a.LogRankP), Values: map[string]report.Measure{}, Curves: map[string][]ExportPoint{}}
	put := func(name string, v, lo, hi num.Float, method string) {
		e.Values[name] = rounded(report.Measure{Name: name, Value: v, Lo: lo, Hi: hi, Method: method})
	}
	put("c_index", a.CIndex, a.CIndexLo, a.CIndexHi, "")
	if min(a.NHigh, a.NLow) < smallCell || min(a.EventsHigh, a.EventsLow) < smallCell {
		return e // a group so small would show single events
	}
	put("hazard_ratio", a.HR, a.HRLo, a.HRHi, "Wald")
	for _, k := range a.Curves {
		last := 0.0
		for _, p := range k.Points {
			last = max(last, p.Time)
		}
		for t := float64(exportMonths); t <= last && k.AtRisk([]float64{t})[0] >= smallCell; t += exportMonths {
			p := k.At(t)
			e.Curves[k.Name] = append(e.Curves[k.Name], ExportPoint{t, digits(num.Float(p.Survival)), digits(p.Lo), digits(p.Hi)})
		}
	}
	return e
}

func rounded(m report.Measure) report.Measure {
	m.Value, m.Lo, m.Hi = digits(m.Value), digits(m.Lo), digits(m.Hi)
	return m
}

// digits keeps four significant digits, so that sums cannot be taken apart.
func digits(v num.Float) num.Float {
	x := float64(v)
	if x == 0 || !num.Finite(x) {
		return v
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	return num.Float(math.Round(x*scale) / scale)
}
