package study

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
	"sonotype/roi"
)

// Stage 02 standardises every image, checks its outline, and cuts the tumour area (TA) and the peritumoural area (PTA).
func roiStage() *stage {
	return &stage{
		number: 2, name: "roi", version: 5,
		needs:   []string{"cohort"},
		params:  func(p *Plan) any { return []any{p.Image, p.Region, p.Readers.Primary, p.Network.Input, p.Seed} },
		outside: hashImages,
		run:     runROI,
	}
}

// geometry is the plan's image and region settings as package roi wants them.
func (p *Plan) geometry() roi.Geometry {
	return roi.Geometry{
		Width: p.Image.Width, Height: p.Image.Height, Fit: p.Image.Fit, Interp: p.Image.Interpolation,
		MeanFilter: p.Image.MeanFilter, Crop: p.Image.Crop, Growth: p.Region.Growth, GrowthUnit: p.Region.Unit,
		PTA: p.Region.PTA, Context: p.Region.Context, Frame: p.Region.Frame, Input: p.Network.Input,
	}
}

// hashImages hashes the bytes of every image and mask; a file that cannot be read counts as its own state.
func hashImages(ctx context.Context, r *Run) (any, error) {
	c, err := r.cohort()
	if err != nil {
		return nil, err
	}
	hashes := make([][]string, len(c.Images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(r.Jobs))
	for i, im := range c.Images {
		g.Go(func() error {
			files := []string{im.Path}
			for _, m := range im.Masks {
				files = append(files, m.Path)
			}
			for _, f := range files {
				h, err := artifact.HashFile(f)
				if err != nil {
					h = "unreadable"
				}
				hashes[i] = append(hashes[i], h)
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	r.dataHash, err = artifact.HashJSON(hashes)
	return r.dataHash, err
}

// imagesSummary is summary.json of the stage.
type imagesSummary struct {
	DataHash string `json:"data_sha256"` // over the bytes of all images and masks
	Images   int    `json:"images"`
	Excluded int    `json:"excluded"`
	Marked   int    `json:"marked"` // images with burnt-in calipers or text
}

// exclusionRow is a row of exclusions.csv.
type exclusionRow struct {
	Source  int    `csv:"source"` // index into the cohort's images
	Table   string `csv:"table"`
	Row     int    `csv:"row"`
	Patient string `csv:"patient_id"`
	Image   string `csv:"image"`
	Stage   string `csv:"stage"`
	Reason  string `csv:"reason"`
}

// statisticsFile holds what bundle.Measure measured of every image, in the order of images.csv.
const statisticsFile = "statistics.json"

// exclusions are the images that the stage left out.
func (r *Run) exclusions() ([]exclusionRow, error) {
	return readCSV[exclusionRow](filepath.Join(r.dir(2, "roi"), "exclusions.csv"))
}

func runROI(ctx context.Context, r *Run, out string) error {
	c, err := r.cohort()
	if err != nil {
		return err
	}
	splits, err := r.splits()
	if err != nil {
		return err
	}
	crops, err := createCrops(out, r.Plan.Network.Input)
	if err != nil {
		return err
	}
	defer crops.close()
	rows := make([]*imageRow, len(c.Images))
	reasons := make([]string, len(c.Images))
	var done counter
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(workers(r.Jobs))
	for i := range c.Images {
		g.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			row, regions, err := r.prepare(c, i)
			if err != nil {
				reasons[i] = exclusionReason(err)
			} else if err = crops.write(i, regions); err != nil {
				return err
			}
			rows[i] = row
			r.Observer.Progress(done.next(), len(c.Images))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := r.finishROI(out, c, splits, rows, reasons); err != nil {
		return err
	}
	return r.writeReaders(ctx, out, c)
}

// finishROI writes images.csv, exclusions.csv, the summary and the gallery.
func (r *Run) finishROI(out string, c *cohort.Cohort, splits *cohort.Splits, rows []*imageRow, reasons []string) error {
	var kept []imageRow
	var statistics [][]float64
	var excluded []exclusionRow
	s := imagesSummary{DataHash: r.dataHash}
	for i, row := range rows {
		im := c.Images[i]
		if row == nil {
			first := c.Rows[im.Masks[0].Row]
			excluded = append(excluded, exclusionRow{i, filepath.Base(first.Table), first.Line, im.Patient, im.Name, "roi", reasons[i]})
			continue
		}
		a, _ := splits.Of(im.Patient)
		row.Set, row.Fold = a.Set, a.Fold
		if row.Marked {
			s.Marked++
		}
		kept, statistics = append(kept, *row), append(statistics, row.statistics)
	}
	s.Images, s.Excluded = len(kept), len(excluded)
	if len(kept) == 0 {
		return &problem.Error{What: "no image can be analysed", Found: fmt.Sprintf("%d excluded, first: %s", len(excluded), excluded[0].Reason), Try: "run `sonotype check` on the study"}
	}
	if err := writeCSV(filepath.Join(out, "images.csv"), kept); err != nil {
		return err
	}
	if err := writeCSV(filepath.Join(out, "exclusions.csv"), excluded); err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, "summary.json"), s); err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, statisticsFile), statistics); err != nil {
		return err
	}
	r.cache.images = nil
	return r.writeGallery(filepath.Join(out, "gallery.png"), c, kept)
}

// prepare makes the regions of one image of the cohort.
func (r *Run) prepare(c *cohort.Cohort, i int) (*imageRow, *roi.Regions, error) {
	im := c.Images[i]
	picture, info, err := imaging.Decode(im.Path)
	if err != nil {
		return nil, nil, err
	}
	mask, err := readMasks(im.Readings(r.Plan.Readers.Primary))
	if err != nil {
		return nil, nil, err
	}
	regions, err := roi.Prepare(picture, mask, spacing(im), im.Device, r.Plan.geometry())
	if err != nil {
		return nil, nil, err
	}
	unit := c.Units[im.Unit]
	marks := imaging.Markers(picture, mask.Pix)
	diameter := num.Float(roi.Diameter(mask, [2]float64{im.PixelMM, im.PixelMM}))
	return &imageRow{
		Patient: im.Patient, Unit: unit.ID, Image: im.Name, Centre: im.Centre, Device: im.Device,
		Label: unit.Label, Source: i, Width: info.Width, Height: info.Height, statistics: bundle.Measure(info, regions),
		Area: regions.TA.Area(), Ring: regions.PTA.Area(), Marked: marks.Annotated(), MarksInside: marks.InMask, Diameter: diameter,
	}, regions, nil
}

// spacing is the size of an image's pixel in mm, 0 when unknown.
func spacing(im cohort.Image) [2]float64 {
	if math.IsNaN(im.PixelMM) {
		return [2]float64{}
	}
	return [2]float64{im.PixelMM, im.PixelMM}
}

// readMasks reads one reader's mask, or the majority of several.
func readMasks(readings []cohort.Mask) (*roi.Mask, error) {
	if len(readings) == 0 {
		return nil, &problem.Error{What: "the image has no mask"}
	}
	masks := make([]*roi.Mask, len(readings))
	for i, m := range readings {
		var err error
		if masks[i], _, err = roi.ReadMask(m.Path); err != nil {
			return nil, err
		}
	}
	if len(masks) == 1 {
		return masks[0], nil
	}
	return roi.Majority(masks)
}

// exclusionReason is the error's first line without its file, so that equal reasons can be counted.
func exclusionReason(err error) string {
	if p, ok := problem.As(err); ok {
		return p.What
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Op + ": " + path.Err.Error()
	}
	return err.Error()
}

const galleryCases = 12

// writeGallery draws the contours of a random dozen of cases in one picture.
func (r *Run) writeGallery(path string, c *cohort.Cohort, rows []imageRow) error {
	var pictures []image.Image
	var names []string
	for _, k := range rng.Stream(r.Plan.Seed, "roi-gallery").Perm(len(rows))[:min(galleryCases, len(rows))] {
		_, regions, err := r.prepare(c, rows[k].Source)
		if err != nil {
			return err
		}
		pictures = append(pictures, roi.Overlay(regions))
		names = append(names, rows[k].Patient)
	}
	sheet := roi.ContactSheet(pictures, 4, names)
	return artifact.Write(path, func(w io.Writer) error { return png.Encode(w, sheet) })
}
