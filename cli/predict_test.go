package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A frozen model predicts and is validated from the command line alone.
func TestFrozenModelAtWork(t *testing.T) {
	cohort, model := frozen(t)
	t.Run("predict", func(t *testing.T) { checkPredict(t, cohort, model) })
	t.Run("validate", func(t *testing.T) { checkValidate(t, cohort, model) })
}

// saysOf is what `predict --json` says of a case.
type saysOf struct {
	Image       string
	Score       *float64
	Probability *float64
	Lo, Hi      *float64
	Abstained   bool
	Reasons     []string
	Warnings    []string
	Error       string
}

func checkPredict(t *testing.T, cohort, model string) {
	images, masks, table := filepath.Join(cohort, "images"), filepath.Join(cohort, "masks"), filepath.Join(cohort, "cohort.csv")
	out := filepath.Join(t.TempDir(), "predictions.csv")
	predict := func(want int, args ...string) []saysOf {
		t.Helper()
		code, text, errOut := call(t, append([]string{"predict", model, "--json"}, args...)...)
		if code != want {
			t.Fatalf("predict %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, errOut)
		}
		var several struct{ Predictions []saysOf }
		var one saysOf
		if err := json.Unmarshal([]byte(text), &several); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if several.Predictions == nil {
			_ = json.Unmarshal([]byte(text), &one)
			return []saysOf{one}
		}
		return several.Predictions
	}
	folder := predict(exitDone, "--images", images, "--masks", masks, "--out", out)
	rows := predict(exitDone, "--table", table)
	if len(folder) != 40 || len(rows) != 40 {
		t.Fatalf("%d and %d of 40 cases", len(folder), len(rows))
	}
	given, chosen := 0, -1
	for i, p := range folder {
		if p.Abstained != (p.Score == nil) || p.Abstained != (len(p.Reasons) > 0) {
			t.Errorf("%+v", p)
		}
		if !p.Abstained {
			given, chosen = given+1, i
			if *p.Score != *rows[i].Score || !(*p.Lo <= *p.Probability && *p.Probability <= *p.Hi) {
				t.Errorf("folder %+v, table %+v", p, rows[i])
			}
		}
	}
	if given < 30 {
		t.Fatalf("only %d of the study's own 40 cases are predicted", given)
	}
	image := folder[chosen].Image
	mask := filepath.Join(masks, baseName(filepath.Base(image))+".nii.gz")
	one := predict(exitDone, "--image", image, "--mask", mask, "--device", "none such")[0]
	if *one.Score != *folder[chosen].Score || len(one.Warnings) != 1 || !strings.Contains(one.Warnings[0], "none such") {
		t.Errorf("one case %+v, in the folder %+v", one, folder[chosen])
	}
	checkPredictionsCSV(t, out, folder)

	broken := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(broken, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	noImage := write("no.png", "no image")
	mixed := predict(exitExcluded, "--table", write("t.csv", "image,mask,pixel_mm\n"+image+","+mask+",0.1\n"+noImage+","+mask+",\n"))
	if len(mixed) != 2 || mixed[0].Error != "" || *mixed[0].Score != *one.Score || mixed[1].Error == "" {
		t.Errorf("a table with a broken image: %+v", mixed)
	}
	for what, c := range map[string]struct {
		want int
		args []string
	}{
		"a broken image":         {exitFailed, []string{model, "--image", noImage, "--mask", mask}},
		"no such mask":           {exitFailed, []string{model, "--image", image, "--mask", filepath.Join(broken, "none.png")}},
		"two ways at once":       {exitUsage, []string{model, "--image", image, "--mask", mask, "--table", table}},
		"nothing to predict":     {exitUsage, []string{model}},
		"half a pair":            {exitUsage, []string{model, "--images", images}},
		"a folder without masks": {exitFailed, []string{model, "--images", images, "--masks", broken}},
		"a pixel of no size":     {exitFailed, []string{model, "--table", write("p.csv", "image,mask,pixel_mm\n"+image+","+mask+",-1\n")}},
		"no bundle":              {exitBundle, []string{noImage, "--image", image, "--mask", mask}},
	} {
		if code, _, errOut := call(t, append([]string{"predict"}, c.args...)...); code != c.want {
			t.Errorf("%s: exit code %d, want %d: %s", what, code, c.want, errOut)
		}
	}
	if code, text, _ := call(t, "predict", model, "--image", image, "--mask", mask); code != exitDone || !strings.Contains(text, "Research use only") {
		t.Errorf("in words: exit code %d, %s", code, text)
	}
}

// checkPredictionsCSV demands the same numbers, to the last bit, in the CSV file.
func checkPredictionsCSV(t *testing.T, path string, want []saysOf) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != len(want)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, p := range want {
		text := ""
		if p.Score != nil {
			b, _ := json.Marshal(*p.Score)
			text = string(b)
		}
		if rows[i+1][0] != p.Image || rows[i+1][1] != text {
			t.Errorf("CSV %q, JSON %+v", rows[i+1], p)
		}
	}
}
