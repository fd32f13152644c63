package bundle

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
)

// fitted is a model's file as stage 06 writes it, on two inputs.
func fitted(f *testing.F, name string) []byte {
	f.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	x, y := mat.NewDense(40, 2, nil), make([]int, 40)
	for i := range y {
		y[i] = i % 2
		x.SetRow(i, []float64{r.NormFloat64() + float64(y[i]), r.NormFloat64()})
	}
	m, err := classify.New(name, classify.Config{Seed: 1, Workers: 1})
	if err != nil {
		f.Fatal(err)
	}
	if err := m.Fit(x, y, nil); err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"model": m})
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzModel reads anything as a model's file: it is refused, or scores or refuses a case, and never panics. A bundle's
// hashes do not help here: whoever makes a bundle chooses what they are of.
func FuzzModel(f *testing.F) {
	for i, name := range classify.Names {
		if b := fitted(f, name); len(b) < 60_000 {
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		s := &Scorer{manifest: validManifest()}
		m := Model{Features: "fusion", Name: classify.Names[int(which)%len(classify.Names)], File: "m.json"}
		s.manifest.Models = []Model{m}
		if s.loadModel(fstest.MapFS{"m.json": {Data: data}}, m) != nil {
			return
		}
		if scores, err := s.predict(0, mat.NewDense(1, 2, []float64{0.3, -1})); err == nil && len(scores) != 1 {
			t.Errorf("%d scores of one case", len(scores))
		}
	})
}

// FuzzManifest reads anything as a manifest: what passes its check can be looked at.
func FuzzManifest(f *testing.F) {
	b, err := json.Marshal(validManifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(_ *testing.T, data []byte) {
		if m, err := readManifest(fstest.MapFS{"m.json": {Data: data}}, "m.json"); err == nil {
			m.regions()
		}
	})
}
