package synth

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/roi"
)

var small = Config{Patients: 24, Seed: 7, Width: 160, Height: 120}

func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		h, err := artifact.HashFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = h
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameBytesForAnyWorkers(t *testing.T) {
	var first map[string]string
	for _, workers := range []int{1, 3} {
		c, dir, calls := small, t.TempDir(), 0
		c.Workers = workers
		s, err := Write(t.Context(), dir, c, func(done, total int) {
			calls++
			if done != calls || total != c.Patients {
				t.Errorf("progress(%d, %d) at call %d", done, total, calls)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls != c.Patients || s.Patients != c.Patients {
			t.Errorf("%d progress calls, summary %+v", calls, s)
		}
		h := hashes(t, dir)
		if len(h) != 2*c.Patients+3 {
			t.Errorf("%d files, want an image and a mask a patient and 3 more", len(h))
		}
		if first == nil {
			first = h
			continue
		}
		for name, want := range first {
			if h[name] != want {
				t.Errorf("%s differs between 1 and %d workers", name, workers)
			}
		}
	}
}

func TestTableAndTexts(t *testing.T) {
	dir := t.TempDir()
	s, err := Write(t.Context(), dir, small, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "cohort.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ","); got != strings.Join(columns, ",") {
		t.Errorf("header %s", got)
	}
	for _, row := range rows[1:] {
		base := func(k int, ext string) string { return strings.TrimSuffix(filepath.Base(row[k]), ext) }
		if base(1, ".png") != row[0] || base(2, ".nii.gz") != row[0] {
			t.Errorf("base names differ in %v", row)
		}
		img, _, err := imaging.Decode(filepath.Join(dir, row[1]))
		if err != nil {
			t.Fatal(err)
		}
		mask, info, err := roi.ReadMask(filepath.Join(dir, row[2]))
		if err != nil {
			t.Fatal(err)
		}
		pixel, err := strconv.ParseFloat(row[6], 64)
		if err != nil || math.Abs(info.Spacing[0]-pixel) > 1e-5 || info.Spacing[0] != info.Spacing[1] {
			t.Errorf("%s: pixel_mm %s, the mask's spacing %v", row[0], row[6], info.Spacing)
		}
		if mask.W != img.W || mask.H != img.H || info.Empty || info.NonBinary || info.TouchesEdge || info.Format != "nifti" {
			t.Errorf("%s: image %d x %d, mask %+v", row[0], img.W, img.H, info)
		}
	}
	about, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"not data", "planted signal", "24 patients", "-3.6 dB"} {
		if !strings.Contains(string(about), want) {
			t.Errorf("README.md lacks %q", want)
		}
	}
	if strings.Contains(string(about), "%!") {
		t.Error("README.md has a broken format verb")
	}
	if s.StudyFile != filepath.Join(dir, "study.yaml") {
		t.Errorf("study file %s", s.StudyFile)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []Config{{}, {Patients: -1}, {Patients: 10000}, {Patients: 30, Width: 200}, {Patients: 30, Width: 50, Height: 50}, {Patients: 30, Width: 1 << 20, Height: 1 << 20}} {
		if _, err := Write(t.Context(), t.TempDir(), c, nil); err == nil {
			t.Errorf("%+v accepted", c)
		} else if _, ok := problem.As(err); !ok {
			t.Errorf("%+v: %v is no problem", c, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), file, small, nil); err == nil {
		t.Error("wrote into a file")
	} else if p, ok := problem.As(err); !ok || p.File != file {
		t.Errorf("%v does not name the place", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	c := small
	c.Workers = 2
	_, err := Write(ctx, dir, c, func(done, total int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "cohort.csv")); err == nil {
		t.Error("a cancelled cohort has a table")
	}
}
