package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeStudy(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlanErrorsHelp(t *testing.T) {
	cases := []struct{ name, text, set, want string }{
		{"unknown key shows the nearest", "regin:\n  growth: 5\n", "", `did you mean "region"`},
		{"unknown nested key shows the line", "title: x\nregion:\n  grwth: 5\n", "", ">  3"},
		{"wrong type", "seed: many\n", "", "seed"},
		{"value out of range", "network: {input: 100}\n", "", "multiple of 32"},
		{"unknown model", "classify: {models: [svm, xgboost]}\n", "", "xgboost"},
		{"model twice", "classify: {models: [svm, svm]}\n", "", "at most once"},
		{"cutoff and positive", "outcome: {cutoff: 20, positive: [high]}\n", "", "cut-off"},
		{"threshold", "evaluate: {threshold: best}\n", "", "youden"},
		{"preset", "preset: lucky\n", "", "rigorous or paper"},
		{"override without value", "title: x\n", "network.weights", "key=value"},
		{"override of an unknown key", "title: x\n", "network.weigths=random", `did you mean "weights"`},
		{"primary", "classify: {primary: fusion/xgboost}\n", "", "fusion/svm"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var set []string
			if c.set != "" {
				set = []string{c.set}
			}
			_, err := LoadPlan(writeStudy(t, c.text), "", set)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestPlanLayersPresetFileAndOverrides(t *testing.T) {
	path := writeStudy(t, "preset: paper\nseed: 7\nevaluate: {threshold: 0.4}\nimage: {crop: {A: {left: 3}}}\n")
	p, err := LoadPlan(path, "", []string{"region.growth=4", "classify.models=[lr, knn]"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Preset != "paper" || p.Image.Fit != "stretch" || p.Seed != 7 || p.Evaluate.Threshold != "0.4" ||
		p.Region.Growth != 4 || len(p.Classify.Models) != 2 || p.Image.Crop["A"].Left != 3 || p.Image.Width != 960 {
		t.Errorf("%+v", p)
	}
	q, err := LoadPlan(path, "rigorous", nil)
	if err != nil || q.Image.Fit != "pad" || q.Preset != "rigorous" {
		t.Errorf("--preset must win: %+v %v", q, err)
	}
}

// Every key of the plan is in the reference page with its default.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "study-yaml.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range planKeys() {
		if !strings.Contains(string(page), k+":") {
			t.Errorf("docs/study-yaml.md does not name %q", k)
		}
	}
}
