package selection

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// Files of a saved reduction: deep.json, columns.npy (int64, 1 x m), scaling.npy (float64, 3 x m: mean, scale,
// centre) and components.npy (float32, k x m).
const (
	deepJSON       = "deep.json"
	columnsNPY     = "columns.npy"
	scalingNPY     = "scaling.npy"
	componentsNPY  = "components.npy"
	deepVersion    = 1
	maxDeepNumbers = 1 << 31 // of a matrix; refuses sizes that only a damaged file has
)

// deepFile is deep.json.
type deepFile struct {
	Version         int       `json:"version"`
	Features        int       `json:"features"`
	Kept            int       `json:"kept"`
	Components      int       `json:"components"`
	Clip            float64   `json:"clip"`
	Variance        []float64 `json:"variance"`
	Total           float64   `json:"total_variance"`
	SD              []float64 `json:"sd"`
	SparseDropped   int       `json:"sparse_dropped"`
	ConstantDropped int       `json:"constant_dropped"`
	CallerDropped   int       `json:"caller_dropped,omitempty"`
}

// Save writes the reduction to a folder; LoadDeep reads back one that gives the same scores to the last bit.
func (d *Deep) Save(dir string) error {
	k, m := len(d.SD), len(d.Columns)
	columns := make([]int64, m)
	for i, c := range d.Columns {
		columns[i] = int64(c)
	}
	scaling := append(append(append([]float64{}, d.Mean...), d.Scale...), d.Centre...)
	parts := map[string]func(io.Writer) error{
		columnsNPY:    func(w io.Writer) error { return writeNPY(w, 1, m, columns) },
		scalingNPY:    func(w io.Writer) error { return writeNPY(w, 3, m, scaling) },
		componentsNPY: func(w io.Writer) error { return writeNPY(w, k, m, d.Components) },
	}
	for name, write := range parts {
		if err := artifact.Write(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return artifact.WriteJSON(filepath.Join(dir, deepJSON), deepFile{
		Version: deepVersion, Features: d.Features, Kept: m, Components: k, Clip: d.Clip,
		Variance: d.Variance, Total: d.Total, SD: d.SD, SparseDropped: d.SparseDropped, ConstantDropped: d.ConstantDropped,
		CallerDropped: d.CallerDropped,
	})
}

// LoadDeep reads what Save wrote.
func LoadDeep(dir string) (*Deep, error) { return LoadDeepFS(os.DirFS(dir)) }

// LoadDeepFS is LoadDeep for files in an archive.
func LoadDeepFS(files fs.FS) (*Deep, error) {
	b, err := fs.ReadFile(files, deepJSON)
	if err != nil {
		return nil, err
	}
	var f deepFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, &problem.Error{What: "damaged reduction file", File: deepJSON, Err: err}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	columns, err := loadNPY[int64](files, columnsNPY, 1, f.Kept)
	if err != nil {
		return nil, err
	}
	scaling, err := loadNPY[float64](files, scalingNPY, 3, f.Kept)
	if err != nil {
		return nil, err
	}
	components, err := loadNPY[float32](files, componentsNPY, f.Components, f.Kept)
	if err != nil {
		return nil, err
	}
	d := &Deep{
		Features: f.Features, Clip: f.Clip, Columns: make([]int, f.Kept),
		Mean: scaling[:f.Kept], Scale: scaling[f.Kept : 2*f.Kept], Centre: scaling[2*f.Kept:],
		Components: components, Variance: f.Variance, Total: f.Total, SD: f.SD,
		SparseDropped: f.SparseDropped, ConstantDropped: f.ConstantDropped,
		CallerDropped: f.CallerDropped,
	}
	last := -1
	for i, c := range columns {
		if c <= int64(last) || c >= int64(f.Features) {
			return nil, &problem.Error{What: "damaged reduction file", File: columnsNPY,
				Expected: fmt.Sprintf("ascending feature numbers below %d", f.Features), Found: fmt.Sprint(c)}
		}
		last = int(c)
		d.Columns[i] = last
	}
	return d, nil
}

// check refuses sizes and scales that no fit writes.
func (f *deepFile) check() error {
	bad := f.Version != deepVersion || f.Features < 1 || f.Features > maxDeepNumbers || f.Kept < 1 || f.Kept > f.Features ||
		f.Components < 1 || f.Components > maxDeepNumbers/f.Kept ||
		len(f.Variance) != f.Components || len(f.SD) != f.Components || !(f.Clip > 0) || !(f.Total > 0)
	for _, s := range f.SD {
		bad = bad || !(s > 0) || math.IsInf(s, 1)
	}
	if bad {
		return &problem.Error{What: "damaged reduction file", File: deepJSON,
			Found: fmt.Sprintf("version %d, %d of %d features, %d components, %d variances, %d scales",
				f.Version, f.Kept, f.Features, f.Components, len(f.Variance), len(f.SD)),
			Try: "restore the file or fit the reduction again"}
	}
	return nil
}

func loadNPY[T number](files fs.FS, name string, rows, columns int) ([]T, error) {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	return readNPY[T](b, name, rows, columns)
}
