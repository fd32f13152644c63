package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sonotype/agreement"
	"sonotype/features"
	"sonotype/harmonise"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// fewestReadCases is the number of training cases with several outlines that a filter by agreement needs at least; the
// 95 % interval of an ICC of 0.75 between two readers is about 0.3 to 0.9 then.
const fewestReadCases = 10

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readersFile holds the features of every reader's outline, of a region, as a pair of networks sees them.
func (r *Run) readersFile(region string, pair int) string {
	return filepath.Join(r.dir(4, "features"), networkDir(pair), "readers-"+region+".npy")
}

// looksByReader says whether a pair of networks looks at every reader's outlines: the final ones do, for the report; those
// of a fold only where features are dropped by agreement.
func (p *Plan) looksByReader(pair int) bool { return pair == finalFit || p.Readers.ICC > 0 }

// readers writes the features of every reader's outline of a region.
func (e *extraction) readers(ctx context.Context, prog nn.Program, l look, region, out string) error {
	outlines, err := e.run.outlines()
	if err != nil || len(outlines) == 0 || !e.run.Plan.looksByReader(l.fold) {
		return err
	}
	crops, err := e.run.openReaderCrops(region)
	if err != nil {
		return err
	}
	defer crops.close()
	images := make([]imageRow, len(outlines))
	for k, o := range outlines {
		images[k] = imageRow{Patient: o.Patient, Unit: o.Unit, Source: k} // the crop's place in the readers' file
	}
	return e.extractFrom(ctx, prog, crops, images, filepath.Join(out, "readers-"+region+".npy"))
}

func (r *Run) openReaderCrops(region string) (*cropFile, error) {
	f, err := os.Open(filepath.Join(r.dir(2, "roi"), readersDir, region+".u8"))
	if err != nil {
		return nil, err
	}
	return &cropFile{f, r.Plan.Network.Input}, nil
}

// outlineFeatures are features in memory, a row an outline.
type outlineFeatures [][]float32

// Dims are the numbers of outlines and of features.
func (t outlineFeatures) Dims() (n, p int) {
	if len(t) == 0 {
		return 0, 0
	}
	return len(t), len(t[0])
}

// Row returns an outline's features.
func (t outlineFeatures) Row(i int) []float32 { return t[i] }

// readerFeatures reads the features of the readers' outlines of some cases, harmonised as the images' own are. rows are
// theirs in the table returned: rows[i][j] is reader j's of case i.
func (r *Run) readerFeatures(region string, pair int, combat *harmonise.Combat, images []imageRow, outlines []outlineRow, cases [][]int) (t outlineFeatures, rows [][]int, err error) {
	path := r.readersFile(region, pair)
	m, err := features.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	n, p := m.Dims()
	if n != len(outlines) {
		return nil, nil, &problem.Error{What: "the readers' features do not fit their outlines", File: path, Expected: fmt.Sprintf("%d rows", len(outlines)), Found: fmt.Sprint(n), Try: "delete the folder 04-features and run again"}
	}
	for _, of := range cases {
		row := make([]int, len(of))
		for j, k := range of {
			values := make([]float32, p)
			copy(values, m.Row(k))
			if combat != nil {
				im := images[outlines[k].Image]
				if err := combat.Apply(values, r.Plan.batchOf(im.Centre, im.Device), values); err != nil {
					return nil, nil, err
				}
			}
			row[j] = len(t)
			t = append(t, values)
		}
		rows = append(rows, row)
	}
	return t, rows, nil
}

// disagreed marks the features whose ICC(2,1) between readers is below the plan's bound, from the outlines of the given
// training images alone.
func (r *Run) disagreed(ctx context.Context, region string, pair int, combat *harmonise.Combat, images []imageRow, fitted []int) ([]bool, error) {
	outlines, err := r.outlines()
	if err != nil {
		return nil, err
	}
	cases := readCases(outlines, func(image int) bool { return slices.Contains(fitted, image) })
	if len(cases) < fewestReadCases {
		return nil, &problem.Error{
			What:     "too few training patients have outlines of several readers to drop features by agreement",
			Expected: fmt.Sprintf("at least %d, all read by the same readers", fewestReadCases), Found: fmt.Sprint(len(cases)),
			Try: "set `readers: {icc: 0}`, or give the table more outlines with a `reader` column",
		}
	}
	t, rows, err := r.readerFeatures(region, pair, combat, images, outlines, cases)
	if err != nil {
		return nil, err
	}
	iccs, err := agreement.Features(ctx, t, rows, r.Jobs)
	if err != nil {
		return nil, err
	}
	return agreement.Below(iccs, r.Plan.Readers.ICC), nil
}
