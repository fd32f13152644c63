package study

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/report"
	"sonotype/roi"
)

// withReaders gives the cohort a second reader, whose outlines are shifted by some pixels, on the wanted patients.
func withReaders(t *testing.T, dir string, shift int, wanted func(row int) bool) {
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
	mask := slices.Index(rows[0], "mask")
	out := [][]string{append(rows[0], "reader")}
	for i, row := range rows[1:] {
		out = append(out, append(slices.Clone(row), "Ana"))
		if !wanted(i) {
			continue
		}
		m, _, err := roi.ReadMask(filepath.Join(dir, row[mask]))
		if err != nil {
			t.Fatal(err)
		}
		moved := roi.NewMask(m.W, m.H)
		for y := range m.H {
			for x := shift; x < m.W; x++ {
				moved.Pix[y*m.W+x] = m.Pix[y*m.W+x-shift]
			}
		}
		second := slices.Clone(row)
		second[mask] = strings.TrimSuffix(row[mask], ".nii.gz") + "-bo.nii.gz"
		if err := roi.WriteNIfTI(filepath.Join(dir, second[mask]), moved, [2]float64{0.1, 0.1}); err != nil {
			t.Fatal(err)
		}
		out = append(out, append(second, "Bo"))
	}
	var s strings.Builder
	if err := csv.NewWriter(&s).WriteAll(out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A study whose images have two readers tells how well they agree, drops the features that they disagree on by the
// training patients alone, and gives the same features as before where it drops none.
func TestStudyOfTwoReaders(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 80)
	withReaders(t, dir, 3, func(row int) bool { return row%2 == 0 || row == 1 })
	broken, err := filepath.Glob(filepath.Join(dir, "masks", "*-bo.nii.gz"))
	if err != nil || len(broken) != 41 {
		t.Fatal(len(broken), err)
	}
	if err := os.WriteFile(broken[1], []byte("not an outline"), 0o644); err != nil { // of a reader who is not used
		t.Fatal(err)
	}
	out := t.TempDir()
	mustRun(t, dir, out, 2, "readers.primary=Ana")
	var plain report.Readers
	load(t, &plain, out, "07-evaluate", readersResult)
	if !slices.Equal(plain.Names, []string{"Ana", "Bo"}) || plain.Cases != 40 || len(plain.Pairs) != 1 || plain.Pairs[0].Images != 40 {
		t.Fatalf("readers %v, %d cases, pairs %+v", plain.Names, plain.Cases, plain.Pairs)
	}
	p := plain.Pairs[0]
	if p.Hausdorff95.Median != 3 || !(p.Dice.Median > 0.5 && p.Dice.Median < 1) || p.MM.N != 40 {
		t.Errorf("outlines moved by 3 px: %+v", p)
	}
	if len(plain.Regions) != 2 || plain.Regions[0].Features+plain.Regions[0].Undefined != 1024 || plain.Regions[0].Dropped != 0 {
		t.Errorf("regions %+v", plain.Regions)
	}
	if plain.Score == nil || !(plain.Score.ICC.ICC > 0 && plain.Score.ICC.ICC < 1) || len(plain.Components) == 0 {
		t.Errorf("score %+v, %d components", plain.Score, len(plain.Components))
	}

	filtered := t.TempDir()
	mustRun(t, dir, filtered, 2, "readers.primary=Ana", "readers.icc=0.75")
	var f report.Readers
	load(t, &f, filtered, "07-evaluate", readersResult)
	if f.Bound != 0.75 || f.Regions[0].Dropped == 0 || f.Regions[0].Dropped >= 1024 || f.Regions[0].Median != plain.Regions[0].Median {
		t.Errorf("with a bound: %+v", f.Regions)
	}
	for _, name := range []string{"02-roi/readers/ta.u8", "04-features/readers-ta.npy", "04-features/ta.npy"} {
		a, errA := artifact.HashFile(filepath.Join(out, name))
		b, errB := artifact.HashFile(filepath.Join(filtered, name))
		if errA != nil || errB != nil || a != b {
			t.Errorf("%s differs with the bound (%v, %v)", name, errA, errB)
		}
	}
}

// Outlines of test patients do not change which features are dropped.
func TestAgreementIsDecidedOnTrainingPatients(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 60)
	withReaders(t, dir, 2, func(int) bool { return true })
	set := []string{"readers.primary=Ana", "readers.icc=0.6"}
	first := t.TempDir()
	mustRun(t, dir, first, 2, set...)
	splits, err := cohort.ReadSplits(filepath.Join(first, "01-cohort", "splits.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range splits.In(cohort.SetInternal) { // the second reader's outlines of the internal test set get worse
		path := filepath.Join(dir, "masks", id+"-bo.nii.gz")
		m, _, err := roi.ReadMask(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := roi.WriteNIfTI(path, roi.Grow(m, 6, [2]float64{1, 1}), [2]float64{0.1, 0.1}); err != nil {
			t.Fatal(err)
		}
	}
	second := t.TempDir()
	mustRun(t, dir, second, 2, set...)
	for _, name := range []string{"final/ta.npy", "final/pta.npy", "selection.json", "fold-0/fusion.npy"} {
		a, errA := artifact.HashFile(filepath.Join(first, "05-selection", name))
		b, errB := artifact.HashFile(filepath.Join(second, "05-selection", name))
		if errA != nil || errB != nil || a != b {
			t.Errorf("%s depends on the outlines of test patients (%v, %v)", name, errA, errB)
		}
	}
	var a, b report.Readers
	load(t, &a, first, "07-evaluate", readersResult)
	load(t, &b, second, "07-evaluate", readersResult)
	if a.Regions[0].Median == b.Regions[0].Median {
		t.Error("the second outlines were not read again")
	}
}

func TestDropByAgreementNeedsReaders(t *testing.T) {
	t.Parallel()
	_, err := runIn(t, cohortFolder(t, 40), t.TempDir(), 2, "readers.icc=0.75")
	if err == nil || !strings.Contains(err.Error(), "several readers") {
		t.Errorf("one reader: %v", err)
	}
}

func load(t *testing.T, into any, path ...string) {
	t.Helper()
	if err := artifact.ReadJSON(filepath.Join(path...), into); err != nil {
		t.Fatal(err)
	}
}

func TestDesignTakesTheReadersOfMostImages(t *testing.T) {
	c := &cohort.Cohort{}
	add := func(readers ...string) {
		var im cohort.Image
		for _, r := range readers {
			im.Masks = append(im.Masks, cohort.Mask{Reader: r})
		}
		c.Images = append(c.Images, im)
	}
	add("A", "B")
	add("C", "A", "B")
	add("A", "B", "C")
	add("B", "C", "A") // the second image of a unit
	add("B", "A")
	add("A", "C")
	images := []imageRow{{Unit: "1", Source: 0}, {Unit: "2", Source: 1}, {Unit: "3", Source: 2}, {Unit: "3", Source: 3}, {Unit: "4", Source: 4}, {Unit: "5", Source: 5}}
	readers, cases := design(c, images, []int{0, 1, 2, 3, 4, 5})
	if !slices.Equal(readers, []string{"A", "B", "C"}) || !slices.Equal(cases, []int{1, 2}) {
		t.Errorf("%v on %v", readers, cases)
	}
}
