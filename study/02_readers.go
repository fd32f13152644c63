package study

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"sonotype/agreement"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/roi"
)

// Where an image has the outlines of several readers, stage 02 compares them and cuts each reader's regions, stage 04
// takes their features, stage 05 may drop the features that readers disagree on, and stage 07 measures the agreement of
// features and scores.

// readersDir holds the crops of every reader's outline, below 02-roi; a run without several readers has none.
const readersDir = "readers"

// outlineRow is a row of 02-roi/readers/outlines.csv: one reader's outline of an image. Its position is its row in the
// readers' crops and feature matrices. All readers of an image stand one after the other, in the same order everywhere.
type outlineRow struct {
	Image   int    `csv:"image"` // position in images.csv
	Patient string `csv:"patient_id"`
	Unit    string `csv:"unit"`
	Reader  string `csv:"reader"`
}

// outlinePair is a row of 02-roi/readers.csv: two readers' outlines of an image compared, before it is standardised.
type outlinePair struct {
	Patient string    `csv:"patient_id"`
	Unit    string    `csv:"unit"`
	Image   string    `csv:"image"`
	A       string    `csv:"reader_a"`
	B       string    `csv:"reader_b"`
	Dice    num.Float `csv:"dice"`
	HD95    num.Float `csv:"hausdorff95_px"`
	MM      num.Float `csv:"hausdorff95_mm"`
}

// writeReaders compares the outlines of every image that has several, and cuts the regions of those readers whose
// features are compared.
func (r *Run) writeReaders(ctx context.Context, out string, c *cohort.Cohort) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	several := where(images, func(im imageRow) bool { return len(c.Images[im.Source].Masks) > 1 })
	if len(several) == 0 {
		return nil
	}
	compared := make([][]agreement.Outlines, len(several))
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(workers(r.Jobs))
	for k, i := range several {
		g.Go(func() error {
			compared[k] = compareOutlines(c.Images[images[i].Source])
			return working.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var rows []outlinePair
	for k, i := range several {
		im := images[i]
		for _, o := range compared[k] {
			rows = append(rows, outlinePair{im.Patient, im.Unit, im.Image, o.A, o.B, o.Dice, o.Hausdorff95, o.MM})
		}
	}
	if err := writeCSV(filepath.Join(out, "readers.csv"), rows); err != nil {
		return err
	}
	return r.cutReaders(ctx, filepath.Join(out, readersDir), c, images, several)
}

// compareOutlines compares all outlines of an image that can be read; what cannot, `sonotype check` tells.
func compareOutlines(im cohort.Image) []agreement.Outlines {
	var masks []*roi.Mask
	var readers []string
	for _, m := range im.Masks {
		if mask, _, err := roi.ReadMask(m.Path); err == nil {
			masks, readers = append(masks, mask), append(readers, m.Reader)
		}
	}
	return agreement.Compare(masks, readers, im.PixelMM)
}

// design picks the readers and images that intraclass correlations compare: they need every reader on every image. The
// readers are those who read the most images together (the most readers, then the first by name, where that is equal);
// of a unit only the first such image takes part, so that the cases are independent.
func design(c *cohort.Cohort, images []imageRow, several []int) (readers []string, cases []int) {
	by := map[string][]int{}
	taken := map[string]bool{}
	for _, i := range several {
		var names []string
		for _, m := range c.Images[images[i].Source].Masks {
			names = append(names, m.Reader)
		}
		slices.Sort(names)
		key := strings.Join(names, "\x00")
		if once := key + "\x01" + images[i].Unit; !taken[once] {
			taken[once] = true
			by[key] = append(by[key], i)
		}
	}
	best := ""
	for _, key := range slices.Sorted(maps.Keys(by)) {
		more := len(by[key]) - len(by[best])
		if more == 0 {
			more = strings.Count(key, "\x00") - strings.Count(best, "\x00")
		}
		if more > 0 {
			best = key
		}
	}
	return strings.Split(best, "\x00"), by[best]
}

// cutReaders writes the crops of every reader of the design. An image that cannot be prepared with one of the outlines
// takes no part.
func (r *Run) cutReaders(ctx context.Context, out string, c *cohort.Cohort, images []imageRow, several []int) error {
	readers, cases := design(c, images, several)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	crops, err := createCrops(out, r.Plan.Network.Input)
	if err != nil {
		return err
	}
	defer crops.close()
	prepared := make([][]*roi.Regions, 0, workers(r.Jobs))
	var rows []outlineRow
	for block := range slices.Chunk(cases, max(1, workers(r.Jobs))) { // crops are written in order, a few images at a time
		prepared = append(prepared[:0], make([][]*roi.Regions, len(block))...)
		g, ctx := errgroup.WithContext(ctx)
		for k, i := range block {
			g.Go(func() error {
				prepared[k] = r.regionsByReader(c.Images[images[i].Source], readers)
				return ctx.Err()
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for k, i := range block {
			for j, regions := range prepared[k] {
				if err := crops.write(len(rows), regions); err != nil {
					return err
				}
				rows = append(rows, outlineRow{i, images[i].Patient, images[i].Unit, readers[j]})
			}
		}
	}
	return writeCSV(filepath.Join(out, "outlines.csv"), rows)
}

// regionsByReader prepares an image with each reader's outline; nil when one of them cannot be used.
func (r *Run) regionsByReader(im cohort.Image, readers []string) []*roi.Regions {
	picture, _, err := imaging.Decode(im.Path)
	if err != nil {
		return nil
	}
	var out []*roi.Regions
	for _, name := range readers {
		i := slices.IndexFunc(im.Masks, func(m cohort.Mask) bool { return m.Reader == name })
		mask, _, err := roi.ReadMask(im.Masks[i].Path)
		if err != nil {
			return nil
		}
		regions, err := roi.Prepare(picture, mask, spacing(im), im.Device, r.Plan.geometry())
		if err != nil {
			return nil
		}
		out = append(out, regions)
	}
	return out
}

// outlines are the rows of the readers' crops; none without several readers.
func (r *Run) outlines() ([]outlineRow, error) {
	path := filepath.Join(r.dir(2, "roi"), readersDir, "outlines.csv")
	if !exists(path) {
		return nil, nil
	}
	return readCSV[outlineRow](path)
}

// readCases groups the outlines of the wanted images: rows[i][j] is reader j's of case i.
func readCases(outlines []outlineRow, wanted func(image int) bool) (rows [][]int) {
	last := -1
	for k, o := range outlines {
		if !wanted(o.Image) {
			continue
		}
		if o.Image != last {
			rows, last = append(rows, nil), o.Image
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], k)
	}
	return rows
}
