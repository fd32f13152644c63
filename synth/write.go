// Package synth writes a synthetic two-centre breast-ultrasound cohort: table, B-mode images and masks, with a planted Ki-67 signal.
package synth

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// Config says how large the cohort is and from which seed it grows.
type Config struct {
	Patients int    // one image a patient; centre A to centre B as 796 to 133
	Seed     uint64 // same seed, same bytes, for any number of workers
	Workers  int    // <= 0: GOMAXPROCS
	Width    int    // px; 0 (with Height 0) = each device's own sizes
	Height   int    // px
}

// Limits of a configuration.
const (
	minPatients = 20
	maxPatients = 9999 // ids have four digits
	minSide     = 96   // px: below, the beam is no longer resolved
	maxSide     = 4096
)

// Summary counts what was written.
type Summary struct {
	Patients  int            `json:"patients"`
	High      int            `json:"high"`   // Ki-67 above Cutoff
	Events    int            `json:"events"` // recurrences or deaths inside follow-up
	ByCentre  map[string]int `json:"by_centre"`
	ByDevice  map[string]int `json:"by_device"`
	StudyFile string         `json:"study_file"`
}

func (c Config) validate() error {
	if c.Patients < minPatients || c.Patients > maxPatients {
		return &problem.Error{What: "the synthetic cohort cannot have this many patients",
			Expected: fmt.Sprintf("%d to %d", minPatients, maxPatients), Found: strconv.Itoa(c.Patients)}
	}
	if c.Width == 0 && c.Height == 0 {
		return nil
	}
	if min(c.Width, c.Height) < minSide || max(c.Width, c.Height) > maxSide {
		return &problem.Error{What: "the synthetic images cannot have this size",
			Expected: fmt.Sprintf("both sides %d to %d px, or both 0 for the devices' own", minSide, maxSide),
			Found:    fmt.Sprintf("%d x %d", c.Width, c.Height)}
	}
	return nil
}

// Write fills dir with images/, masks/, README.md, study.yaml and, last, cohort.csv. progress, where not nil,
// is told after every patient.
func Write(ctx context.Context, dir string, c Config, progress func(done, total int)) (Summary, error) {
	if err := c.validate(); err != nil {
		return Summary{}, err
	}
	for _, d := range []string{"images", "masks"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return Summary{}, cannotWrite(dir, err)
		}
	}
	patients := drawCohort(c.Patients, c.Seed)
	rows, err := writeImages(ctx, dir, c, patients, progress)
	if err != nil {
		return Summary{}, err
	}
	s := summarise(patients, rows)
	s.StudyFile = filepath.Join(dir, "study.yaml")
	if err := artifact.WriteBytes(filepath.Join(dir, "README.md"), []byte(readme(c, s))); err != nil {
		return Summary{}, cannotWrite(dir, err)
	}
	if err := artifact.WriteBytes(s.StudyFile, []byte(studyYAML)); err != nil {
		return Summary{}, cannotWrite(dir, err)
	}
	table := filepath.Join(dir, "cohort.csv")
	if err := artifact.Write(table, func(w io.Writer) error { return writeTable(w, patients, rows) }); err != nil {
		return Summary{}, cannotWrite(table, err)
	}
	return s, nil
}

func cannotWrite(path string, err error) error {
	return &problem.Error{What: "cannot write the synthetic cohort", File: path, Err: err,
		Try: "choose a folder that you may write to, with about 0.3 MB free a patient"}
}

// imageRow is what the table takes from an image.
type imageRow struct {
	device string
	pixel  float64
}

func writeImages(ctx context.Context, dir string, c Config, patients []patient, progress func(done, total int)) ([]imageRow, error) {
	workers := c.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	rows := make([]imageRow, len(patients))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	var mu sync.Mutex
	done := 0
	for i := range patients {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			e := render(patients[i], c)
			if err := writeExam(dir, patients[i].id, e); err != nil {
				return err
			}
			rows[i] = imageRow{e.device, e.pixel}
			mu.Lock()
			defer mu.Unlock()
			done++
			if progress != nil {
				progress(done, len(patients))
			}
			return nil
		})
	}
	return rows, group.Wait()
}

// writeExam writes image and mask under one base name. They are not synced one by one: cohort.csv, written last, is
// what makes a cohort complete.
func writeExam(dir, id string, e exam) error {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, e.image); err != nil {
		return cannotWrite(id, err)
	}
	path := filepath.Join(dir, imagePath(id))
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return cannotWrite(path, err)
	}
	path = filepath.Join(dir, maskPath(id))
	m := &roi.Mask{W: e.image.Rect.Dx(), H: e.image.Rect.Dy(), Pix: e.mask}
	if err := roi.WriteNIfTI(path, m, [2]float64{e.pixel, e.pixel}); err != nil {
		return cannotWrite(path, err)
	}
	return nil
}

func imagePath(id string) string { return "images/" + id + ".png" }
func maskPath(id string) string  { return "masks/" + id + ".nii.gz" }

// columns of cohort.csv.
var columns = []string{"patient_id", "image", "mask", "centre", "ki67", "device", "pixel_mm", "dfs_months", "dfs_event",
	"age", "height_cm", "weight_kg", "bmi", "t_stage", "n_stage", "m_stage", "egfr", "er", "her2", "pr"}

func writeTable(w io.Writer, patients []patient, rows []imageRow) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	fixed := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	for i, p := range patients {
		months, event := "", ""
		if !math.IsNaN(p.dfsMonths) {
			months, event = fixed(p.dfsMonths, 1), "0"
			if p.dfsEvent {
				event = "1"
			}
		}
		f := p.factors
		err := out.Write([]string{p.id, imagePath(p.id), maskPath(p.id), p.centre, fixed(p.ki67, 1), rows[i].device,
			fixed(rows[i].pixel, 5), months, event, strconv.Itoa(p.age), fixed(p.height, 1), fixed(p.weight, 1), fixed(p.bmi(), 1),
			f["t_stage"], f["n_stage"], f["m_stage"], f["egfr"], f["er"], f["her2"], f["pr"]})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func summarise(patients []patient, rows []imageRow) Summary {
	s := Summary{Patients: len(patients), ByCentre: map[string]int{}, ByDevice: map[string]int{}}
	for i, p := range patients {
		s.ByCentre[p.centre]++
		s.ByDevice[rows[i].device]++
		if p.high {
			s.High++
		}
		if p.dfsEvent {
			s.Events++
		}
	}
	return s
}
