package report

import (
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sonotype/clinical"
	"sonotype/evaluate"
	"sonotype/internal/rng"
)

// sampleClinical is a clinical part of a study of drawn patients.
func sampleClinical(t testing.TB) *Clinical {
	vars := []clinical.Variable{{Name: "age"}, {Name: "er", Levels: []string{"negative", "positive"}}, {Name: "t_stage", Levels: []string{"T1", "T2", "T3", "T4"}}, {Name: "deep score", Scale: clinical.Logit}}
	columns, y := clinicalPatients(rng.Stream(3, "clinical"), 186)
	c := &Clinical{Score: Key{"fusion", "svm"}, Variables: []string{"age", "er", "t_stage"}, Missing: "complete", Honest: 186, Train: 557, NomogramOf: "combined"}
	alone := must[[]*clinical.Model](t)(clinical.Univariable(vars[:3], columns[:3], y, clinical.Auto))
	for i, m := range alone {
		c.Univariable = append(c.Univariable, UnivariableRow{Variable: vars[i].Name, Model: m, Missing: 3 * i})
	}
	c.Univariable = append(c.Univariable, UnivariableRow{Variable: "hospital number", Note: "all values are different"})
	sets := map[string][2]int{"clinical": {0, 3}, "deep": {3, 4}, "combined": {0, 4}}
	models := map[string]*clinical.Model{}
	for _, name := range []string{"clinical", "deep", "combined"} {
		from, to := sets[name][0], sets[name][1]
		models[name] = must[*clinical.Model](t)(clinical.Fit(vars[from:to], columns[from:to], y, clinical.Auto))
		c.Models = append(c.Models, ClinicalModel{Name: name, Model: models[name]})
	}
	c.Nomogram = must[*clinical.Nomogram](t)(clinical.NewNomogram(models["combined"], columns))
	for _, set := range []string{"train", "internal", "external"} {
		test, labels := clinicalPatients(rng.Stream(3, set), 150)
		s := ClinicalSet{Set: set, Title: setTitle(set), Units: 160, Analysed: 150, Missing: []MissingCount{{"age", 0, 0}, {"er", 7, 0}, {"t_stage", 4, 1}}}
		scores := map[string][]float64{}
		for _, name := range []string{"clinical", "deep", "combined"} {
			for i := range labels {
				var row []float64
				for _, col := range test[sets[name][0]:sets[name][1]] {
					row = append(row, col[i])
				}
				scores[name] = append(scores[name], must[float64](t)(models[name].Predict(row)))
			}
			s.Models = append(s.Models, ClinicalResult{Name: name, Performance: must[evaluate.Performance](t)(evaluate.Measure(scores[name], labels, 0.6)),
				Calibration: must[evaluate.Calibration](t)(evaluate.Calibrate(scores[name], labels)), Decision: must[evaluate.DecisionCurve](t)(evaluate.Decision(scores[name], labels, nil)),
				ROC: must[[]evaluate.ROCPoint](t)(evaluate.ROC(scores[name], labels))})
		}
		if set != "train" {
			test := must[evaluate.PairedAUC](t)(evaluate.DeLongPaired(scores["combined"], scores["clinical"], labels))
			s.Comparisons = []ClinicalComparison{{A: "combined", B: "clinical", Test: test, Holm: test.P}}
		}
		c.Sets = append(c.Sets, s)
	}
	return c
}

func clinicalPatients(r *rand.Rand, n int) (columns [][]float64, y []int) {
	columns = make([][]float64, 4)
	for range n {
		z := r.NormFloat64()
		row := []float64{math.Round(53 + 11*r.NormFloat64()), float64(r.IntN(2)), float64(r.IntN(4)), 1 / (1 + math.Exp(-z))}
		for j, v := range row {
			columns[j] = append(columns[j], v)
		}
		label := 0
		if r.Float64() < 1/(1+math.Exp(-(0.03*(50-row[0])-0.7*row[1]+0.35*row[2]+0.8*z+0.5))) {
			label = 1
		}
		y = append(y, label)
	}
	return columns, y
}

// drawnTicks are the x positions of the ticks that stand on a line of the SVG, in ascending order.
func drawnTicks(svg string, y float64) []float64 {
	var out []float64
	for _, m := range regexp.MustCompile(`<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"`).FindAllStringSubmatch(svg, -1) {
		var v [4]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		if v[0] == v[2] && math.Abs(v[1]-y) < 0.06 && v[3]-v[1] < 12 {
			out = append(out, v[0])
		}
	}
	slices.Sort(out)
	return out
}

// ascending are an axis's marks in the order of their ticks.
func ascending(marks []clinical.Mark) []clinical.Mark {
	out := slices.Clone(marks)
	slices.SortStableFunc(out, func(a, b clinical.Mark) int {
		if a.At < b.At {
			return -1
		}
		return 1
	})
	return out
}

// place finds a value between two neighbouring ticks by eye: proportionally.
func place(ticks []float64, values []float64, v float64) float64 {
	if k := slices.Index(values, v); k >= 0 {
		return ticks[k]
	}
	for k := 1; k < len(values); k++ {
		lo, hi := values[k-1], values[k]
		if v >= min(lo, hi) && v <= max(lo, hi) && lo != hi {
			return ticks[k-1] + (ticks[k]-ticks[k-1])*(v-lo)/(hi-lo)
		}
	}
	return math.NaN()
}

// A reader with a ruler: finds a value on its line, reads the points above to the nearest half tick, adds, finds the
// total to the nearest half pixel and reads the probability below. Every reading is off by less than half a point, and
// the probability by no more than those readings allow.
func TestNomogramReadByHand(t *testing.T) {
	s := sampleStudy(t)
	c := s.Clinical
	n := c.Nomogram
	f := s.nomogram()[0]
	svg := string(f.canvas.File())
	axes := nomogramAxes(n)
	ticks, values := make([][]float64, len(axes)), make([][]float64, len(axes))
	for i, a := range axes {
		ticks[i] = drawnTicks(svg, a.y)
		marks := ascending(a.marks)
		if len(ticks[i]) != len(marks) {
			t.Fatalf("%s: %d ticks are drawn for %d marks", a.title, len(ticks[i]), len(marks))
		}
		for _, m := range marks {
			values[i] = append(values[i], m.Value)
			if m.Label != "" && !strings.Contains(svg, ">"+m.Label+"</text>") {
				t.Errorf("%s: the label %s is not drawn", a.title, m.Label)
			}
		}
	}
	model := c.model("combined")
	columns, _ := clinicalPatients(rng.Stream(11, "read"), 300)
	for i := range columns[0] {
		row := []float64{columns[0][i], columns[1][i], columns[2][i], columns[3][i]}
		row[0] = min(max(row[0], n.Axes[0].Min), n.Axes[0].Max)
		row[3] = min(max(row[3], n.Axes[3].Min), n.Axes[3].Max)
		exact, _, err := n.Sum(row)
		if err != nil {
			t.Fatal(err)
		}
		total, exactTotal := 0.0, 0.0
		for j := range row {
			x := place(ticks[j+1], values[j+1], row[j])
			read := math.Round(2*place(values[0], ticks[0], x)) / 2 // the points axis, from pixels to points
			if math.Abs(read-exact[j]) >= 0.5 {
				t.Errorf("%s %v: %v points read, %v exact", n.Axes[j].Variable.Name, row[j], read, exact[j])
			}
			total, exactTotal = total+read, exactTotal+exact[j]
		}
		last := len(axes) - 1
		x := math.Round(2*place(ticks[last-1], values[last-1], min(total, values[last-1][len(values[last-1])-1]))) / 2
		if x < ticks[last][0] || x > ticks[last][len(ticks[last])-1] {
			continue // beyond the named probabilities
		}
		p := place(values[last], ticks[last], x)
		want, err := model.Predict(row)
		if err != nil {
			t.Fatal(err)
		}
		inPoints := func(p float64) float64 { return (math.Log(p/(1-p)) - n.Start) / n.PerPoint }
		if d := math.Abs(inPoints(p) - total); d >= 0.5 {
			t.Errorf("total %v: probability %v read, off by %.2f points", total, p, d)
		}
		if d := math.Abs(inPoints(p) - inPoints(want)); d >= 0.5*float64(len(row)+1) {
			t.Errorf("patient %d: probability %.4f read, %.4f by the model", i, p, want)
		}
	}
}

func TestClinicalSectionIsAbsentWithoutVariables(t *testing.T) {
	s := sampleStudy(t)
	s.Clinical = &Clinical{}
	if v := s.clinicalView(nil, nil); v.Shown || len(s.nomogram()) > 0 || len(s.clinicalFigures()) > 0 {
		t.Error("a section without content is shown")
	}
}
