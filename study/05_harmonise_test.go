package study

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/cohort"
	"sonotype/harmonise"
)

func TestHarmoniseNeedsTwoCentresInTraining(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 40)
	for set, want := range map[string]string{
		"harmonise=combat":     "ComBat cannot be fitted: the training images are all of one centre",
		"subgroups.by=[grade]": "a subgroup variable is no column of the study",
	} {
		if _, err := runIn(t, dir, t.TempDir(), 2, set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
		plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", []string{set})
		if err != nil {
			t.Fatal(err)
		}
		_, findings, err := Check(context.Background(), plan, dir, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(findings) == 0 || findings[0].Code != PlanMisfit || !strings.Contains(findings[0].Message, want) {
			t.Errorf("%s: check finds %+v", set, findings)
		}
	}
}

// withSplit gives the cohort a split column: set(i) of row i.
func withSplit(t *testing.T, dir string, set func(i int, centre string) string) {
	t.Helper()
	path := filepath.Join(dir, "cohort.csv")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	centre := slices.Index(rows[0], "centre")
	rows[0] = append(rows[0], "split")
	for i := 1; i < len(rows); i++ {
		rows[i] = append(rows[i], set(i-1, rows[i][centre]))
	}
	var s strings.Builder
	if err := csv.NewWriter(&s).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The centres' mean components lie closer together after harmonisation, and what is saved gives the features that the
// models saw.
func TestHarmonisedStudy(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 80)
	withSplit(t, dir, func(i int, _ string) string {
		return []string{cohort.SetTrain, cohort.SetTrain, cohort.SetInternal, cohort.SetExternal}[i%4]
	})
	plain, out := t.TempDir(), t.TempDir()
	mustRun(t, dir, plain, 2)
	mustRun(t, dir, out, 2, "harmonise=combat")
	c, err := harmonise.Load(combatDir(filepath.Join(out, "05-selection", fitName(finalFit)), "ta"))
	if err != nil {
		t.Fatal(err)
	}
	if c.By != batchCentre || len(c.Batches) != 2 || c.Images[0]+c.Images[1] != 40 {
		t.Errorf("by %s: %v, %v images", c.By, c.Batches, c.Images)
	}
	before, after := centreGap(t, plain), centreGap(t, out)
	if !(after < before) {
		t.Errorf("the centres' means are %.3g apart after, %.3g before", after, before)
	}
	kept, err := filepath.Glob(filepath.Join(plain, "05-selection", "final", "*-combat"))
	if err != nil || len(kept) > 0 {
		t.Errorf("a study without harmonisation holds %v (%v)", kept, err)
	}
}

// centreGap is the largest distance between the two centres' means of a kept feature of the training images.
func centreGap(t *testing.T, out string) float64 {
	t.Helper()
	images, err := readCSV[imageRow](filepath.Join(out, "02-roi", "images.csv"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := readMatrix(filepath.Join(out, "05-selection", "final", "fusion.npy"))
	if err != nil {
		t.Fatal(err)
	}
	_, p := x.Dims()
	gap := 0.0
	for j := range p {
		sum, n := map[string]float64{}, map[string]float64{}
		for i, v := range mat.Col(nil, j, x) {
			if images[i].Set == cohort.SetTrain {
				sum[images[i].Centre] += v
				n[images[i].Centre]++
			}
		}
		var means []float64
		for centre, s := range sum {
			means = append(means, s/n[centre])
		}
		gap = max(gap, math.Abs(means[0]-means[1]))
	}
	return gap
}

func TestHarmoniseRefusesAnUnknownCentre(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 40)
	path := filepath.Join(dir, "cohort.csv")
	withSplit(t, dir, func(i int, _ string) string {
		return []string{cohort.SetTrain, cohort.SetTrain, cohort.SetInternal}[i%3]
	})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	centre := slices.Index(rows[0], "centre")
	rows[3][centre] = "Elsewhere" // of the internal test set
	var s strings.Builder
	if err := csv.NewWriter(&s).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = runIn(t, dir, t.TempDir(), 2, "harmonise=combat")
	if err == nil || !strings.Contains(err.Error(), "Elsewhere") {
		t.Errorf("an unknown centre: %v", fmt.Sprint(err))
	}
}
