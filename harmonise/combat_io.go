package harmonise

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// Files of a saved harmonisation: combat.json and combat.npy, float64, a column a feature; rows: mean, scale, then the
// shift and the squared scale of each batch in turn.
const (
	combatJSON    = "combat.json"
	combatNPY     = "combat.npy"
	combatVersion = 1
)

type combatFile struct {
	Version  int      `json:"version"`
	By       string   `json:"by"`
	Batches  []string `json:"batches"`
	Images   []int    `json:"images"`
	Features int      `json:"features"`
	Left     int      `json:"left_as_they_are"`
}

// Save writes the harmonisation to a folder; Load reads back one that gives the same values to the last bit.
func (c *Combat) Save(dir string) error {
	m := mat.NewDense(2+2*len(c.Batches), c.Features, nil)
	m.SetRow(0, c.Mean)
	m.SetRow(1, c.Scale)
	for b := range c.Batches {
		m.SetRow(2+2*b, c.Gamma[b])
		m.SetRow(3+2*b, c.Delta[b])
	}
	if err := artifact.Write(filepath.Join(dir, combatNPY), func(w io.Writer) error { return npyio.Write(w, m) }); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(dir, combatJSON), combatFile{combatVersion, c.By, c.Batches, c.Images, c.Features, c.Left})
}

// Load reads what Save wrote.
func Load(dir string) (*Combat, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS is Load for files in an archive.
func LoadFS(files fs.FS) (*Combat, error) {
	b, err := fs.ReadFile(files, combatJSON)
	if err != nil {
		return nil, err
	}
	var f combatFile
	damaged := func(file string, found any) error {
		return &problem.Error{What: "damaged harmonisation file", File: file, Found: fmt.Sprint(found), Try: "restore the file or run the study again"}
	}
	if err := json.Unmarshal(b, &f); err != nil || f.Version != combatVersion || f.Features < 1 || len(f.Batches) < 2 || len(f.Images) != len(f.Batches) || !slices.IsSorted(f.Batches) {
		return nil, damaged(combatJSON, fmt.Sprintf("version %d, %d features, %d batches (%v)", f.Version, f.Features, len(f.Batches), err))
	}
	r, err := files.Open(combatNPY)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var m mat.Dense
	if err := npyio.Read(r, &m); err != nil {
		return nil, damaged(combatNPY, err)
	}
	if n, p := m.Dims(); n != 2+2*len(f.Batches) || p != f.Features {
		return nil, damaged(combatNPY, fmt.Sprintf("%d x %d numbers", n, p))
	}
	for _, v := range m.RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, damaged(combatNPY, v)
		}
	}
	c := &Combat{By: f.By, Batches: f.Batches, Images: f.Images, Features: f.Features, Left: f.Left, Mean: m.RawRowView(0), Scale: m.RawRowView(1)}
	for b := range f.Batches {
		c.Gamma = append(c.Gamma, m.RawRowView(2+2*b))
		c.Delta = append(c.Delta, m.RawRowView(3+2*b))
	}
	for b, delta := range c.Delta {
		for j, d := range delta {
			if c.Scale[j] < 0 || (c.Scale[j] > 0 && !(d > 0)) {
				return nil, damaged(combatNPY, fmt.Sprintf("scale %v and squared scale %v of %s", c.Scale[j], d, f.Batches[b]))
			}
		}
	}
	return c, nil
}
