package study

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/explain"
	"sonotype/features"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/nn"
)

// frozenStudy runs a small study with its bundle and returns the bundle's path.
func frozenStudy(t *testing.T, set ...string) (r *Run, file string) {
	t.Helper()
	dir, out := cohortFolder(t, 60), t.TempDir()
	mustRun(t, dir, out, 0, set...)
	return finished(t, dir, out, set...), filepath.Join(out, "10-bundle", BundleFile)
}

func openBundle(t *testing.T, file string, isa nn.ISA) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Open(file, bundle.OpenOptions{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// The file alone gives the study's scores of its test lesions, to the last bit, for every kind of model and of network.
func TestBundleGivesTheStudysScores(t *testing.T) {
	t.Parallel()
	for name, set := range map[string][]string{
		"svm on both, trained":        {"network.train.epochs=1", "network.input=64", "classify.primary=fusion/svm"},
		"knn, one network for both":   {"network.train.epochs=1", "network.train.shared=true", "classify.primary=fusion/knn"},
		"lightgbm on the tumour":      {"classify.primary=ta/lightgbm", "bundle.neighbours=ids"},
		"adaboost around, untrained":  {"classify.primary=pta/adaboost", "bundle.neighbours=none"},
		"lr, all features, edges cut": {"classify.primary=fusion/lr", "network.layer=features", `image.crop={"*": {left: 8, top: 4, right: 0, bottom: 2}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, file := frozenStudy(t, set...)
			b := openBundle(t, file, r.ISA)
			f := &freezing{run: r, from: &assembly{run: r}}
			if err := f.from.load(); err != nil {
				t.Fatal(err)
			}
			f.key = f.from.evaluation.Primary
			_, want, err := f.comparable()
			if err != nil {
				t.Fatal(err)
			}
			checkCard(t, r, b.Card(), f)
			c, err := r.cohort()
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for _, im := range f.from.images {
				if im.Set == cohort.SetTrain || checked == 6 {
					continue
				}
				checked++
				got := scoreBy(t, b, caseOf(t, c, im.Source))
				if w := want.of(im.Unit); math.Float64bits(w) != math.Float64bits(got) {
					t.Errorf("%s: %v from the bundle, %v in the study", im.Patient, got, w)
				}
			}
			checkMaps(t, r, b, c)
			checkAnonymous(t, file, f.from.images, r.Plan.Bundle.Neighbours == neighboursIDs)
		})
	}
}

func checkCard(t *testing.T, r *Run, c bundle.Card, f *freezing) {
	t.Helper()
	if c.Features+"/"+c.Model != f.key.String() || c.Trained != r.Plan.trains() || len(c.Sets) != 3 || !c.Synthetic || len(c.Contract.Devices) == 0 {
		t.Errorf("card %+v", c)
	}
	if c.SurvivalCut.IsNaN() || c.Sets[2].Survival == nil || c.Sets[0].Survival != nil {
		t.Error("the card lacks the survival groups")
	}
	for _, s := range c.Sets {
		n := 0
		for i := range s.Scores.Low {
			n += s.Scores.Low[i] + s.Scores.High[i]
		}
		if n != s.Performance.N || len(s.Scores.Edges) != len(s.Scores.Low)+1 {
			t.Errorf("%s: a histogram of %d of %d units", s.Name, n, s.Performance.N)
		}
	}
}

// checkMaps wants the study's own Grad-CAM of an image, and an error where there is none.
func checkMaps(t *testing.T, r *Run, b *bundle.Bundle, c *cohort.Cohort) {
	t.Helper()
	images, err := r.images()
	if err != nil {
		t.Fatal(err)
	}
	one := caseOf(t, c, images[3].Source)
	for _, region := range regions {
		got, err := b.Map(t.Context(), one, region)
		if want := b.Card().Trained && slices.Contains(b.Card().Regions, region); (err == nil) != want {
			t.Errorf("map of %s: %v", region, err)
		}
		if err != nil {
			continue
		}
		maps, err := features.Open(filepath.Join(r.dir(4, "features"), region+"-cam.npy"))
		if err != nil {
			t.Fatal(err)
		}
		defer maps.Close()
		seen, err := b.Prepare(one)
		if err != nil {
			t.Fatal(err)
		}
		crop := map[string]*imaging.Gray{"ta": seen.TACrop, "pta": seen.PTACrop}[region]
		side := r.Plan.Network.Input / 32
		if !reflect.DeepEqual(got, explain.Overlay(crop, maps.Row(3), side, side)) {
			t.Errorf("the map of %s is not the study's", region)
		}
	}
}

// checkAnonymous looks for patients' ids in the whole file.
func checkAnonymous(t *testing.T, file string, images []imageRow, allowed bool) {
	t.Helper()
	b := read(t, file)
	found := 0
	for _, im := range images {
		if strings.Contains(b, im.Patient) {
			found++
		}
	}
	if (found > 0) != allowed {
		t.Errorf("%d patients named in the bundle; allowed: %v", found, allowed)
	}
}

// caseOf is an image of the cohort as a reader would hand it in.
func caseOf(t *testing.T, c *cohort.Cohort, source int) bundle.Case {
	t.Helper()
	im := c.Images[source]
	picture, info, err := imaging.Decode(im.Path)
	if err != nil {
		t.Fatal(err)
	}
	mask, err := readMasks(im.Readings(""))
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Case{Image: picture, Info: info, Mask: mask, Spacing: spacing(im), Device: im.Device}
}

func scoreBy(t *testing.T, b *bundle.Bundle, c bundle.Case) float64 {
	t.Helper()
	r, err := b.Prepare(c)
	if err != nil {
		t.Fatal(err)
	}
	score, err := b.Score(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return score
}

// Half precision halves the networks, says what it costs, and the bundle verifies itself; one of full precision verifies
// at other instruction sets too, where its scores agree.
func TestBundleInHalfPrecision(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	file := filepath.Join(out, "10-bundle", BundleFile)
	sizes, cards := map[string]int64{}, map[string]bundle.Card{}
	for _, precision := range []string{precisionFull, precisionHalf} {
		set := []string{"network.train.epochs=1", "classify.primary=pta/lr", "bundle.precision=" + precision}
		if s := mustRun(t, dir, out, 0, set...); strings.Contains(s.Frozen, "fp16") != (precision == precisionHalf) {
			t.Error(s.Frozen)
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		sizes[precision], cards[precision] = st.Size(), openBundle(t, file, nn.Detect()).Card()
		if precision == precisionFull {
			checkPortable(t, finished(t, dir, out, set...), file)
		}
	}
	if network := int64(4 * 6_870_000); sizes[precisionFull]-sizes[precisionHalf] < network*49/100 { // DenseNet121's convolutions
		t.Errorf("%d bytes in half precision, %d in full", sizes[precisionHalf], sizes[precisionFull])
	}
	loss := cards[precisionHalf].Loss
	if cards[precisionFull].Loss != nil || loss == nil || loss.Units < 10 || !(loss.Largest > 0 && loss.Largest < 0.05) || loss.Mean > loss.Largest {
		t.Errorf("loss %+v", loss)
	}
	var summary bundleSummary
	if err := artifact.ReadJSON(filepath.Join(out, "10-bundle", "bundle.json"), &summary); err != nil || summary.Loss == nil || *summary.Loss != *loss {
		t.Errorf("%+v, %v", summary, err)
	}
}

func checkPortable(t *testing.T, r *Run, file string) {
	t.Helper()
	c, err := r.cohort()
	if err != nil {
		t.Fatal(err)
	}
	one, other := scoreBy(t, openBundle(t, file, nn.Detect()), caseOf(t, c, 0)), scoreBy(t, openBundle(t, file, nn.Portable), caseOf(t, c, 0))
	if !(math.Abs(one-other) <= 1e-4) {
		t.Errorf("%v at %v, %v with portable code", one, nn.Detect(), other)
	}
}

// A harmonised model cannot be frozen, and the stage says so instead of failing.
func TestNoBundleOfAHarmonisedModel(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	withSplit(t, dir, func(i int, _ string) string {
		return []string{cohort.SetTrain, cohort.SetTrain, cohort.SetInternal, cohort.SetExternal}[i%4]
	})
	if s := mustRun(t, dir, out, 0, "harmonise=combat"); !strings.Contains(s.Frozen, "harmonised") {
		t.Error(s.Frozen)
	}
	if _, err := os.Stat(filepath.Join(out, "10-bundle", BundleFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a bundle was written")
	}
	if s := read(t, filepath.Join(out, "10-bundle", "bundle.json")); !strings.Contains(s, "no frozen model") {
		t.Error(s)
	}
}
