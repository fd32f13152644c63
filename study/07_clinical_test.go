package study

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sonotype/clinical"
	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
	"sonotype/report"
)

// A trained network's study with missing values: the clinical models learn only from patients whose score is honest,
// test patients are imputed, and nothing depends on the number of workers.
func TestClinicalStageAfterTraining(t *testing.T) {
	t.Parallel()
	dir, one, four := cohortFolder(t, 80), t.TempDir(), t.TempDir()
	blankCells(t, filepath.Join(dir, "cohort.csv"), map[string]int{"er": 6, "age": 9})
	set := append(slices.Clone(learning), "clinical.variables=[age, er]", "clinical.missing=impute", "clinical.imputations=4", "clinical.iterations=2")
	mustRun(t, dir, one, 1, set...)
	mustRun(t, dir, four, 4, set...)
	for _, name := range []string{"clinical.json", "models.json", "scores.csv"} {
		a, err := artifact.HashFile(filepath.Join(one, "07-clinical", name))
		b, err2 := artifact.HashFile(filepath.Join(four, "07-clinical", name))
		if err != nil || err2 != nil || a != b {
			t.Errorf("%s depends on the number of workers (%v, %v)", name, err, err2)
		}
	}
	var c report.Clinical
	if err := artifact.ReadJSON(filepath.Join(one, "07-clinical", "clinical.json"), &c); err != nil {
		t.Fatal(err)
	}
	parts, err := readCSV[partRow](filepath.Join(one, "03-finetune", "split.csv"))
	if err != nil {
		t.Fatal(err)
	}
	heldout := map[string]bool{}
	for _, p := range parts {
		heldout[p.Patient] = p.Part == partHeldout
	}
	rows, err := readCSV[clinicalRow](filepath.Join(one, "07-clinical", "scores.csv"))
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]int{}
	for _, row := range rows {
		counted[row.Set]++
		if row.Set == cohort.SetTrain && !heldout[row.Unit] {
			t.Fatalf("%s: the network has learnt from this patient", row.Unit)
		}
	}
	if c.Honest >= c.Train || c.Models[0].Model.N != c.Honest || len(c.Models) != 3 {
		t.Errorf("%d honest of %d, the clinical model was fitted on %d", c.Honest, c.Train, c.Models[0].Model.N)
	}
	for _, s := range c.Sets {
		if s.Analysed != s.Units {
			t.Errorf("%s: %d of %d analysed, though missing values are imputed", s.Set, s.Analysed, s.Units)
		}
		if s.Note == "" && counted[s.Set] != 3*s.Units {
			t.Errorf("%s: %d scores of %d units", s.Set, counted[s.Set], s.Units)
		}
	}
	noted := map[string]bool{}
	reads, _, _, err := readLedger(filepath.Join(one, ledgerFile))
	for _, e := range reads {
		noted[e.Stage+" "+e.Set] = true
	}
	if err != nil || !noted["clinical internal"] || !noted["clinical external"] {
		t.Errorf("the ledger holds %v (%v)", noted, err)
	}
}

// blankCells empties every nth cell of some columns.
func blankCells(t *testing.T, path string, every map[string]int) {
	t.Helper()
	b, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(b).ReadAll()
	b.Close()
	if err != nil {
		t.Fatal(err)
	}
	for j, name := range rows[0] {
		for i := 1; i < len(rows) && every[name] > 0; i += every[name] {
			rows[i][j] = ""
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := csv.NewWriter(f).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// clinicalSample is a work and a frame of drawn patients with an age, a receptor with gaps, and an honest score.
func clinicalSample(n int, missing string) (*clinicalWork, *clinicalFrame) {
	r := rng.Stream(4, "clinical sample")
	p, _ := DefaultPlan("rigorous")
	p.Clinical.Missing, p.Clinical.Imputations, p.Clinical.Iterations = missing, 5, 3
	w := &clinicalWork{run: &Run{Plan: p}, cuts: map[string]float64{}, coders: []clinicalCoder{{Variable: clinical.Variable{Name: "age"}}, {Variable: clinical.Variable{Name: "er", Levels: []string{"negative", "positive"}}}}}
	f := &clinicalFrame{set: cohort.SetTrain, columns: make([][]float64, 2), unknown: make([]int, 2)}
	for i := range n {
		age, er, z := 50+10*r.NormFloat64(), float64(r.IntN(2)), r.NormFloat64()
		y := 0
		if r.Float64() < 1/(1+math.Exp(0.04*(age-50)-z-er+0.4)) {
			y = 1
		}
		if i%7 == 0 {
			er = math.NaN()
		}
		f.units, f.y, f.score, f.fold = append(f.units, "P"+string(rune('A'+i%26))+string(rune('0'+i/26))), append(f.y, y), append(f.score, 1/(1+math.Exp(-z))), append(f.fold, i%3)
		f.columns[0], f.columns[1] = append(f.columns[0], age), append(f.columns[1], er)
	}
	return w, f
}

// A clinical model refuses to score a patient that it was fitted on.
func TestClinicalModelsRefuseTheirOwnPatients(t *testing.T) {
	w, f := clinicalSample(120, missingComplete)
	fits, err := w.fitAll(context.Background(), w.usable(f), "final")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fits[0].scores(w.usable(f)); err == nil {
		t.Error("patients were scored by a model that was fitted on them")
	} else if _, ok := problem.As(err); !ok {
		t.Errorf("not a problem: %v", err)
	}
}

// Imputation inside the folds: what a fold's patients hold, outcomes included, changes no score but their own.
func TestImputationStaysInsideTheFolds(t *testing.T) {
	ctx := context.Background()
	w, f := clinicalSample(120, missingImpute)
	before, err := w.outOfFold(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(slices.Concat(before...), math.IsNaN) {
		t.Fatal("a training patient has no out-of-fold score")
	}
	// patient 0 is in fold 0 and lacks er: with another outcome and age, fold 0's other scores must stay
	changed := f.where(func(int) bool { return true })
	changed.y[0], changed.columns[0][0] = 1-f.y[0], 99
	after, err := w.outOfFold(ctx, changed)
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for k := range clinicalKinds {
		for i := 1; i < len(f.units); i++ {
			same := before[k][i] == after[k][i]
			if f.fold[i] == 0 && !same {
				t.Errorf("%s: the score of %s depends on another patient of its own fold", clinicalKinds[k].name, f.units[i])
			}
			if f.fold[i] != 0 && !same {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("no score changed: the test proves nothing")
	}
}

// A new category of a test patient counts as missing, and is told from an empty cell.
func TestClinicalCoder(t *testing.T) {
	c, err := newCoder("er", []string{"negative", "positive", "", "positive", "negative"}, "positive")
	if err != nil || !slices.Equal(c.Levels, []string{"positive", "negative"}) {
		t.Fatalf("levels %v (%v)", c.Levels, err)
	}
	for cell, want := range map[string]struct {
		value float64
		isNew bool
	}{"positive": {0, false}, "negative": {1, false}, "": {math.NaN(), false}, "NA": {math.NaN(), false}, "equivocal": {math.NaN(), true}} {
		v, isNew := c.code(cell)
		if isNew != want.isNew || v != want.value && !(math.IsNaN(v) && math.IsNaN(want.value)) {
			t.Errorf("%q: %v, new %v", cell, v, isNew)
		}
	}
	if _, err := newCoder("er", []string{"negative", "positive", "negative", "positive"}, "absent"); err == nil {
		t.Error("a reference that does not occur is no error")
	}
	if c, err := newCoder("grade", []string{"2", "2", "2", "2"}, ""); err != nil || c.why == "" {
		t.Errorf("a column with one value can be a variable (%v)", err)
	}
}

// A column that the tables lack is found before any image is read.
func TestClinicalColumnsMustExist(t *testing.T) {
	c := &cohort.Cohort{Columns: []string{"age", "er"}}
	for _, p := range []ClinicalPlan{{Variables: []string{"age", "err"}}, {Reference: map[string]string{"err": "positive"}}} {
		err := p.haveColumns(c)
		if e, ok := problem.As(err); !ok || e.Found != "err" || e.Try == "" {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if err := (ClinicalPlan{Variables: []string{"er"}}).haveColumns(c); err != nil {
		t.Error(err)
	}
}

// A level that a fold or the complete cases lack leaves out the patients who have it, not the model.
func TestRareLevelsLeaveTheModelStanding(t *testing.T) {
	w, f := clinicalSample(120, missingComplete)
	w.coders[1].Levels = append(w.coders[1].Levels, "equivocal")
	f.columns[1][1] = 2 // one patient, in fold 1
	train := w.usable(f)
	scores, err := w.outOfFold(context.Background(), train)
	if err != nil {
		t.Fatal(err)
	}
	measured, kept := scoredByAll(train, scores)
	if len(measured.units) != len(train.units)-1 || slices.Contains(measured.units, f.units[1]) || slices.ContainsFunc(slices.Concat(kept...), math.IsNaN) {
		t.Errorf("%d of %d units measured", len(measured.units), len(train.units))
	}
	if n := setNote(len(train.units), len(measured.units), kept); n == "" {
		t.Error("the unit that is left out is not said")
	}
}
