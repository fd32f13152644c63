package datasets

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/xuri/excelize/v2"

	"sonotype/cohort"
	"sonotype/internal/golden"
	"sonotype/internal/problem"
)

var rules = cohort.Rules{Outcome: cohort.Outcome{Column: "outcome", Positive: []string{malignant}}}

// load reads what an import wrote and demands that it is sound.
func load(t *testing.T, paths ...string) *cohort.Cohort {
	t.Helper()
	c, err := cohort.Load(paths, cohort.Columns{}, rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBUSBRA(t *testing.T) {
	src, out := golden.Data(t, "bus-bra"), t.TempDir()
	s, err := ImportBUSBRA(src, out)
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 1875 || s.Patients != 1064 || s.Positive != 342 || len(s.Skipped) != 0 {
		t.Errorf("%+v", s)
	}
	c := load(t, s.Cohort)
	if f := c.Flow(nil); f.Analysed != (cohort.Count{Rows: 1875, Images: 1875, Units: 1064, Patients: 1064, Positive: 342}) {
		t.Errorf("%+v", f)
	}
	if m := c.Images[0]; m.Device != "GE Logiq 7 @10-14MHz" || m.Patient != "busbra-0001" || filepath.Base(m.Path) != "bus_0001-l.png" || !exists(m.Path) || !exists(m.Masks[0].Path) {
		t.Errorf("%+v", m)
	}
}

func TestBreastLesionsUSG(t *testing.T) {
	src, out := golden.Data(t, "breast-lesions-usg"), t.TempDir()
	s, err := ImportBreastLesionsUSG(src, out)
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 128 || len(s.Skipped) != 1 || s.Skipped[0].Rows != 128 {
		t.Errorf("%+v", s)
	}
	c := load(t, s.Cohort)
	f := c.Flow(nil)
	if f.Analysed.Patients+f.Excluded[0].Patients != 128 || f.Excluded[0].Reason != cohort.ReasonNoMask || f.Analysed.Positive != s.Positive {
		t.Errorf("%+v, %+v", s, f)
	}
	if m := c.Images[0]; math.Abs(m.PixelMM-0.078125) > 1e-15 || !exists(m.Path) || !exists(m.Masks[0].Path) {
		t.Errorf("%+v", m)
	}
	if u := c.Units[1]; u.ID != "breast-002" || u.Clinical["age"] != "" || u.Clinical["birads"] != "4b" {
		t.Errorf("%+v", u)
	}
}

// TestJoinedCohort is the public study: BUS-BRA is developed on, BrEaST is external.
func TestJoinedCohort(t *testing.T) {
	a, err := ImportBUSBRA(golden.Data(t, "bus-bra"), filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ImportBreastLesionsUSG(golden.Data(t, "breast-lesions-usg"), filepath.Join(t.TempDir(), "b"))
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, a.Cohort, b.Cohort)
	s, err := cohort.Split(c, cohort.SplitConfig{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Development != "bus-bra" || len(s.In(cohort.SetTrain)) != 745 || len(s.In(cohort.SetInternal)) != 319 {
		t.Errorf("%s: %d train, %d internal", s.Development, len(s.In(cohort.SetTrain)), len(s.In(cohort.SetInternal)))
	}
	if testing.Short() {
		t.Skip("reads every image")
	}
	found, err := cohort.Check(t.Context(), c, cohort.CheckConfig{Splits: s})
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[cohort.Code]int)
	for _, f := range found {
		count[f.Code]++
		if f.Severity == cohort.SeverityError {
			t.Errorf("%+v", f)
		}
	}
	t.Log(count)
	if count[cohort.TableSize] != 4 { // BUS-BRA's known rows
		t.Errorf("%d rows whose size differs from the file, want 4", count[cohort.TableSize])
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// file writes an empty file; imports only look whether files are there.
func file(t *testing.T, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// smallBUSBRA is a data set of three images of two patients.
func smallBUSBRA(t *testing.T) string {
	t.Helper()
	src := t.TempDir()
	table := "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX\n" +
		`bus_0001-l,1,cyst,benign,2,GE,10,20,left,"[1,2,3,4]"` + "\n" +
		`bus_0001-r,1,cyst,benign,2,GE,10,20,right,"[1,2,3,4]"` + "\n" +
		`bus_0002-s,2,ductal,malignant,5,GE,10,20,left,"[1,2,3,4]"` + "\n"
	if err := os.WriteFile(filepath.Join(src, "bus_data.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"0001-l", "0001-r", "0002-s"} {
		file(t, src, "Images", "bus_"+id+".png")
		file(t, src, "Masks", "mask_"+id+".png")
	}
	return src
}

func TestSmallBUSBRA(t *testing.T) {
	src := smallBUSBRA(t)
	out := filepath.Join(filepath.Dir(src), "out", "deep")
	s, err := ImportBUSBRA(src, out)
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 3 || s.Patients != 2 || s.Positive != 1 {
		t.Errorf("%+v", s)
	}
	b, err := os.ReadFile(s.Cohort)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if want := "busbra-0001,../../" + filepath.Base(src) + "/Images/bus_0001-l.png,../../" + filepath.Base(src) + "/Masks/mask_0001-l.png,bus-bra,GE,benign,cyst,2,left,10,20"; lines[1] != want {
		t.Errorf("got  %s\nwant %s", lines[1], want)
	}
	var study struct {
		Title, Development string
		Cohorts            []string
		Outcome            cohort.Outcome
	}
	y, err := os.ReadFile(s.Study)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(y, &study); err != nil {
		t.Fatal(err)
	}
	if study.Development != "bus-bra" || !slices.Equal(study.Cohorts, []string{"cohort.csv"}) || !slices.Equal(study.Outcome.Positive, []string{"malignant"}) || study.Title == "" {
		t.Errorf("%+v", study)
	}
	if c := load(t, s.Cohort); !exists(c.Images[0].Path) {
		t.Errorf("%s does not exist", c.Images[0].Path)
	}
}

func TestBrokenBUSBRA(t *testing.T) {
	src := smallBUSBRA(t)
	for _, f := range []string{"Images/bus_0001-r.png", "Masks/mask_0001-r.png"} {
		if err := os.Remove(filepath.Join(src, f)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ImportBUSBRA(src, t.TempDir())
	if err != nil || !slices.Equal(s.Skipped, []Skipped{{reasonNoFiles, 1}}) || s.Rows != 2 {
		t.Errorf("partial copy: %+v %v", s, err)
	}
	if err := os.Remove(filepath.Join(src, "Masks/mask_0002-s.png")); err != nil {
		t.Fatal(err)
	}
	_, err = ImportBUSBRA(src, t.TempDir())
	if p, ok := problem.As(err); !ok || p.Row != 4 || !strings.Contains(p.Found, "mask_0002-s.png") {
		t.Errorf("image without its mask: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(src, "Images")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(src, "Masks")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{src, t.TempDir(), filepath.Join(src, "none")} {
		if _, err := ImportBUSBRA(dir, t.TempDir()); err == nil {
			t.Errorf("%s was imported", dir)
		}
	}
	bad := strings.Replace("ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side\nID,1,x,benign,2,GE,1,1,left\n", "\nID", "\nbus_../x", 1)
	if err := os.WriteFile(filepath.Join(src, "bus_data.csv"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ImportBUSBRA(src, t.TempDir()); err == nil || !strings.Contains(err.Error(), "bus_NNNN") {
		t.Errorf("an id that leaves the folder: %v", err)
	}
}

// smallBreast is a data set with a lesion, a normal case and a case whose files are absent.
func smallBreast(t *testing.T, firstMask string) string {
	t.Helper()
	src := t.TempDir()
	f := excelize.NewFile()
	defer f.Close()
	rows := [][]any{
		{"CaseID", "Image_filename", "Mask_tumor_filename", "Pixel_size", "Age", "Tissue_composition", "Shape", "Margin", "Echogenicity", "Posterior_features", "Calcifications", "BIRADS", "Diagnosis", "Classification"},
		{1, "case001.png", firstMask, 0.006462036, 57, "fat", "oval", "circumscribed", "hypoechoic", "no", "no", "4a", "carcinoma", "malignant"},
		{2, "case002.png", nil, 0.0078125, "not available", "fat", "not applicable", "not applicable", "not applicable", "no", "no", 1, "not applicable", "normal"},
		{3, "case003.png", "case003_tumor.png", 0.0078125, 60, "fat", "oval", "circumscribed", "hypoechoic", "no", "no", 2, "cyst", "benign"},
	}
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow("Sheet1", cell, &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SaveAs(filepath.Join(src, "BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"case001.png", "case001_tumor.png", "case002.png"} {
		file(t, src, "images", name)
	}
	return src
}

func TestSmallBreast(t *testing.T) {
	s, err := ImportBreastLesionsUSG(smallBreast(t, "case001_tumor.png"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 2 || s.Patients != 2 || s.Positive != 1 || !slices.Equal(s.Skipped, []Skipped{{reasonNoFiles, 1}}) {
		t.Errorf("%+v", s)
	}
	b, err := os.ReadFile(s.Cohort)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if !strings.Contains(lines[1], "breast-lesions-usg,0.06462036,malignant,57,4a,carcinoma") || !strings.HasPrefix(lines[2], "breast-002,") ||
		!strings.Contains(lines[2], "case002.png,,breast-lesions-usg,0.078125,normal,,1,") {
		t.Errorf("%s", b)
	}
}

func TestBrokenBreast(t *testing.T) {
	for _, mask := range []string{"case001_other.png", "../case001_tumor.png"} {
		if _, err := ImportBreastLesionsUSG(smallBreast(t, mask), t.TempDir()); err == nil {
			t.Errorf("mask %s was imported", mask)
		}
	}
	src := smallBreast(t, "case001_tumor.png")
	file(t, src, "copy", "case001.png")
	if _, err := ImportBreastLesionsUSG(src, t.TempDir()); err == nil || !strings.Contains(err.Error(), "several folders") {
		t.Errorf("two folders: %v", err)
	}
	if _, err := ImportBreastLesionsUSG(t.TempDir(), t.TempDir()); err == nil {
		t.Error("an empty folder was imported")
	}
}
