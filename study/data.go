package study

import (
	"maps"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/cohort"
	"sonotype/features"
	"sonotype/internal/num"
)

// regions are the two views of a lesion that the network sees.
var regions = []string{"ta", "pta"}

// imageRow is one analysed image, a row of 02-roi/images.csv; its position is its row in every feature matrix.
type imageRow struct {
	Patient     string `csv:"patient_id"`
	Unit        string `csv:"unit"` // patient, or patient and lesion
	Image       string `csv:"image"`
	Centre      string `csv:"centre"`
	Device      string `csv:"device"`
	Set         string `csv:"set"`
	Fold        int    `csv:"fold"` // -1 outside the training set
	Label       int    `csv:"label"`
	Source      int    `csv:"source"` // index into the cohort's images
	Width       int    `csv:"width"`  // original size, px
	Height      int    `csv:"height"`
	Area        int    `csv:"ta_px"` // pixels on the standardised grid
	Ring        int    `csv:"pta_px"`
	Marked      bool   `csv:"marked"`       // burnt-in calipers or text found
	MarksInside int    `csv:"marks_inside"` // of the marks, those that touch the outline

	Diameter num.Float `csv:"diameter_mm"` // largest of the outline; NaN where the size of a pixel is not known

	statistics []float64 // in a file of their own
}

// loaded keeps what several stages read, so that each file is read once a run.
type loaded struct {
	cohort   *cohort.Cohort
	analysed *cohort.Cohort
	images   []imageRow
	splits   *cohort.Splits
	weights  *openedWeights
	features map[string]*deepRows // by path
}

func (l *loaded) close() {
	for _, m := range l.features {
		m.Close()
	}
}

// images returns the analysed images in the order of the feature matrices.
func (r *Run) images() ([]imageRow, error) {
	if r.cache.images != nil {
		return r.cache.images, nil
	}
	path := filepath.Join(r.dir(2, "roi"), "images.csv")
	rows, err := readCSV[imageRow](path)
	if err != nil {
		return nil, err
	}
	splits, err := r.splits()
	if err != nil {
		return nil, err
	}
	r.cache.images = rows
	return rows, inTheirSets(path, rows, splits)
}

// deepRows are the deep features of images by their position in images.csv, though the file may hold fewer of them.
type deepRows struct {
	*features.Matrix
	row []int // of the matrix, by image; nil: the same
}

// Row returns an image's features; the image must be among those that the networks looked at.
func (d *deepRows) Row(image int) []float32 {
	if d.row != nil {
		image = d.row[image]
	}
	return d.Matrix.Row(image)
}

// Dims are the number of images and of features.
func (d *deepRows) Dims() (n, p int) {
	n, p = d.Matrix.Dims()
	if d.row != nil {
		n = len(d.row)
	}
	return n, p
}

// features returns what the networks of a pair saw of a region: of every image, or with cross-fitting of the training images.
func (r *Run) features(region string, pair int) (*deepRows, error) {
	path := filepath.Join(r.dir(4, "features"), networkDir(pair), region+".npy")
	if m := r.cache.features[path]; m != nil {
		return m, nil
	}
	m, err := features.Open(path)
	if err != nil {
		return nil, err
	}
	d := &deepRows{Matrix: m}
	if pair != finalFit {
		images, err := r.images()
		if err != nil {
			return nil, err
		}
		d.row = make([]int, len(images))
		next := 0
		for i, im := range images {
			d.row[i] = -1
			if im.Set == cohort.SetTrain {
				d.row[i] = next
				next++
			}
		}
	}
	if r.cache.features == nil {
		r.cache.features = map[string]*deepRows{}
	}
	r.cache.features[path] = d
	return d, nil
}

// where returns the positions of the images that satisfy keep.
func where(images []imageRow, keep func(imageRow) bool) []int {
	var idx []int
	for i, im := range images {
		if keep(im) {
			idx = append(idx, i)
		}
	}
	return idx
}

// unitWeights gives every image 1 / (images of its unit among idx), so that a unit weighs one however often it was imaged.
func unitWeights(images []imageRow, idx []int) []float64 {
	count := map[string]int{}
	for _, i := range idx {
		count[images[i].Unit]++
	}
	w := make([]float64, len(idx))
	for j, i := range idx {
		w[j] = 1 / float64(count[images[i].Unit])
	}
	return w
}

// labels gathers the 0/1 outcomes of the images in idx.
func labels(images []imageRow, idx []int) []int {
	y := make([]int, len(idx))
	for j, i := range idx {
		y[j] = images[i].Label
	}
	return y
}

// pick copies the given rows of x.
func pick(x *mat.Dense, rows []int) *mat.Dense {
	_, p := x.Dims()
	out := mat.NewDense(len(rows), p, nil)
	for j, i := range rows {
		out.SetRow(j, x.RawRowView(i))
	}
	return out
}

// pickColumns copies the given columns of x.
func pickColumns(x *mat.Dense, cols []int) *mat.Dense {
	n, _ := x.Dims()
	out := mat.NewDense(n, len(cols), nil)
	for i := range n {
		row, from := out.RawRowView(i), x.RawRowView(i)
		for j, c := range cols {
			row[j] = from[c]
		}
	}
	return out
}

// beside joins two matrices of equal height column-wise.
func beside(a, b *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Augment(a, b)
	return &out
}

// patientFolds assigns every image of idx to one of at most k folds: all images of a patient together, stratified by
// outcome, drawn from the named stream. A class with fewer than k patients gets that many folds.
func patientFolds(images []imageRow, idx []int, k int, seed uint64, stream ...string) ([]int, error) {
	positive := map[string]int{}
	for _, i := range idx {
		positive[images[i].Patient] = max(positive[images[i].Patient], images[i].Label)
	}
	patients := slices.Sorted(maps.Keys(positive))
	y := make([]int, len(patients))
	class := [2]int{}
	for p, id := range patients {
		y[p] = positive[id]
		class[y[p]]++
	}
	folds, err := cohort.Folds(y, min(k, max(2, min(class[0], class[1]))), seed, stream...)
	if err != nil {
		return nil, err
	}
	of := map[string]int{}
	for p, id := range patients {
		of[id] = folds[p]
	}
	out := make([]int, len(idx))
	for j, i := range idx {
		out[j] = of[images[i].Patient]
	}
	return out, nil
}

// patientOfUnit maps units to their patients.
func patientOfUnit(images []imageRow) map[string]string {
	out := map[string]string{}
	for _, im := range images {
		out[im.Unit] = im.Patient
	}
	return out
}
