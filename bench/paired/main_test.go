package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/evaluate"
)

const header = "patient_id,unit,set,features,model,fold,label,score\n"

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Units are matched by name, whatever their order and whatever else the tables hold.
func TestCompareMatchesUnits(t *testing.T) {
	a := write(t, "a.csv", header+
		"1,u1,internal,ta,lr,-1,0,.1\n1,u1,internal,ta,svm,-1,0,.9\n2,u2,internal,ta,lr,-1,1,.8\n"+
		"3,u3,internal,ta,lr,-1,0,.5\n4,u4,internal,ta,lr,-1,1,.4\n9,u9,train,ta,lr,0,1,.4\n")
	b := write(t, "b.csv", header+
		"4,u4,internal,pta,lr,-1,1,.7\n3,u3,internal,pta,lr,-1,0,.2\n2,u2,internal,pta,lr,-1,1,.6\n1,u1,internal,pta,lr,-1,0,.65\n")
	rows, err := compare(a, b, "ta/lr", "pta/lr", []string{"internal"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := evaluate.DeLongPaired([]float64{.1, .8, .5, .4}, []float64{.65, .6, .2, .7}, []int{0, 1, 0, 1})
	if err != nil || len(rows) != 1 || rows[0].PairedAUC != want {
		t.Errorf("%+v, want %+v, %v", rows, want, err)
	}
}

func TestCompareTakesThePrimaryModel(t *testing.T) {
	scores := header + "1,u1,external,fusion,svm,-1,0,.1\n2,u2,external,fusion,svm,-1,1,.8\n"
	a := write(t, "a.csv", scores)
	text := `{"primary": "fusion/svm", "why": "named in study.yaml"}`
	if err := os.WriteFile(filepath.Join(filepath.Dir(a), "primary.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rows, err := compare(a, write(t, "b.csv", scores), "", "", []string{"external"})
	if err != nil || rows[0].a != "fusion/svm" || rows[0].b != "fusion/svm" || rows[0].Difference != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
}

func TestCompareRefusesOtherUnits(t *testing.T) {
	a := header + "1,u1,internal,ta,lr,-1,0,.1\n2,u2,internal,ta,lr,-1,1,.8\n"
	for name, b := range map[string]string{
		"another unit":  header + "1,u1,internal,ta,lr,-1,0,.1\n3,u3,internal,ta,lr,-1,1,.8\n",
		"another label": header + "1,u1,internal,ta,lr,-1,0,.1\n2,u2,internal,ta,lr,-1,0,.8\n",
		"a unit twice":  header + "1,u1,internal,ta,lr,-1,0,.1\n1,u1,internal,ta,lr,-1,0,.8\n",
		"one less":      header + "1,u1,internal,ta,lr,-1,0,.1\n",
		"none":          header,
		"no column":     strings.ReplaceAll(a, "label", "class"),
	} {
		if _, err := compare(write(t, "a.csv", a), write(t, "b.csv", b), "ta/lr", "", []string{"internal"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
