package study

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/nn"
)

// A frozen model gives a test lesion, image by image and from its files, the study's own score to the last bit.
func TestFrozenScoreIsTheStudysScore(t *testing.T) {
	t.Parallel()
	for name, set := range map[string][]string{
		"untrained":        nil,
		"all features":     {"network.layer=features"},
		"trained, shared":  {"network.train.epochs=1", "network.train.shared=true"},
		"two trained, box": {"network.train.epochs=1", "region.context=box", "region.pta=whole", "image.fit=stretch"},
		"a larger input":   {"network.input=64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkFrozen(t, set)
		})
	}
}

func checkFrozen(t *testing.T, set []string) {
	dir, out := cohortFolder(t, 60), t.TempDir()
	mustRun(t, dir, out, 0, set...)
	r := finished(t, dir, out, set...)
	s := scorerOf(t, r)
	defer s.Close()
	want, err := r.scores("scores.csv")
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.cohort()
	if err != nil {
		t.Fatal(err)
	}
	images, err := r.images()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, im := range images {
		if im.Set == cohort.SetTrain || checked == 8 {
			continue
		}
		checked++
		source := c.Images[im.Source]
		picture, _, err := imaging.Decode(source.Path)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := readMasks(source.Readings(""))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := s.Score(picture, mask, [2]float64{source.PixelMM, source.PixelMM}, source.Device)
		if err != nil {
			t.Fatal(err)
		}
		for k, key := range modelKeys(&r.Plan) {
			if w := want[im.Set][key].of(im.Unit); math.Float64bits(w) != math.Float64bits(got[k]) {
				t.Errorf("%s of %s: %v from the frozen model, %v in the study", key, im.Patient, got[k], w)
			}
		}
	}
	if checked < 5 {
		t.Errorf("only %d lesions checked", checked)
	}
}

// of is a unit's score.
func (s scored) of(unit string) float64 {
	for i, u := range s.units {
		if u == unit {
			return s.scores[i]
		}
	}
	return math.NaN()
}

// finished is a run whose line is done, to be read.
func finished(t *testing.T, dir, out string, set ...string) *Run {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(append([]string{}, small...), set...))
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Plan: plan, Options: Options{StudyDir: dir, RunDir: out, ISA: nn.Detect(), Observer: silent{}}}
	t.Cleanup(r.cache.close)
	return r
}

func scorerOf(t *testing.T, r *Run) *bundle.Scorer {
	t.Helper()
	a := &assembly{run: r}
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	m, networks, err := r.frozen(modelKeys(&r.Plan), &a.evaluation, a.selection)
	if err != nil {
		t.Fatal(err)
	}
	if err := artifact.WriteJSON(filepath.Join(r.RunDir, "manifest.json"), m); err != nil {
		t.Fatal(err)
	}
	s, err := bundle.OpenScorer(os.DirFS(r.RunDir), "manifest.json", bundle.Options{ISA: r.ISA, Networks: networks, Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
