package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/densenet"
	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/roi"
	"sonotype/selection"
	"sonotype/weights"
)

// Options are what may change the speed, and the weights of networks that the tree does not hold.
type Options struct {
	ISA      nn.ISA
	Workers  int                   // <= 0: GOMAXPROCS
	Batch    int                   // images that a network takes at once; <= 0: 16
	Networks map[string]nn.Tensors // by region, for networks without a file
}

// Scorer holds a frozen model in memory. Its methods may be called from several goroutines.
type Scorer struct {
	manifest   Manifest
	workers    int
	batch      int
	regions    []string
	programs   map[string]nn.Program // by tensors hash
	heads      map[string][]float32  // the same: weights of the one logit, of trained networks
	reductions map[string]*selection.Deep
	models     []classify.Model // as manifest.Models
}

// OpenScorer loads the model that a manifest describes from the tree that holds it. Weights whose hash is not the manifest's,
// and parts that do not fit each other, are errors. Close the Scorer when done.
func OpenScorer(files fs.FS, manifest string, o Options) (*Scorer, error) {
	m, err := readManifest(files, manifest)
	if err != nil {
		return nil, err
	}
	s := &Scorer{manifest: m, workers: o.Workers, batch: o.Batch, regions: m.regions(), programs: map[string]nn.Program{}, heads: map[string][]float32{}, reductions: map[string]*selection.Deep{}}
	if s.workers <= 0 {
		s.workers = runtime.GOMAXPROCS(0)
	}
	if s.batch <= 0 {
		s.batch = 16
	}
	if err := s.load(files, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Scorer) load(files fs.FS, o Options) error {
	for _, region := range s.regions {
		if err := s.loadNetwork(files, region, o); err != nil {
			return err
		}
		if err := s.loadReduction(files, region); err != nil {
			return err
		}
	}
	for _, m := range s.manifest.Models {
		if err := s.loadModel(files, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scorer) loadNetwork(files fs.FS, region string, o Options) error {
	n := s.manifest.Networks[region]
	if s.programs[n.TensorsHash] != nil { // shared by both regions
		return nil
	}
	t := o.Networks[region]
	if n.File != "" {
		var err error
		if t, _, err = weights.LoadFS(files, n.File); err != nil {
			return err
		}
	}
	if t == nil {
		return &problem.Error{What: "the model lacks the weights of its network for " + region, Expected: "tensors " + n.TensorsHash}
	}
	if got := weights.Hash(t); got != n.TensorsHash {
		return &problem.Error{What: "the network's weights are not those of the model", File: n.File, Expected: "tensors " + n.TensorsHash, Found: got}
	}
	v := densenet.Variant(s.manifest.Backbone)
	if err := weights.Check(densenet.Params(v), t); err != nil {
		return err
	}
	if head, ok := t["classifier.weight"]; ok {
		s.heads[n.TensorsHash] = head.Data
	}
	var err error
	s.programs[n.TensorsHash], err = densenet.Compile(v, s.manifest.Geometry.Input, t, nn.Options{ISA: o.ISA, Workers: o.Workers})
	return err
}

func (s *Scorer) loadReduction(files fs.FS, region string) error {
	dir := s.manifest.Reductions[region]
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return err
	}
	d, err := selection.LoadDeepFS(sub)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	components, width := d.Dims()
	if width != s.width() {
		return &problem.Error{What: "the reduction does not fit the network", File: dir, Expected: fmt.Sprintf("%d features", s.width()), Found: fmt.Sprint(width)}
	}
	for set, inputs := range s.manifest.Kept {
		for _, c := range inputs {
			if c.Region == region && c.Number > components {
				return &problem.Error{What: "an input of the models on " + set + " does not exist", File: dir, Expected: fmt.Sprintf("at most %d components", components), Found: fmt.Sprintf("component %d", c.Number)}
			}
		}
	}
	s.reductions[region] = d
	return nil
}

func (s *Scorer) loadModel(files fs.FS, m Model) error {
	b, err := fs.ReadFile(files, m.File)
	if err != nil {
		return err
	}
	model, err := classify.New(m.Name, classify.Config{Workers: 1})
	if err != nil {
		return err
	}
	saved := struct {
		Model json.Unmarshaler `json:"model"`
	}{model}
	if err := json.Unmarshal(b, &saved); err != nil {
		return &problem.Error{What: "the model is damaged", File: m.File, Err: err}
	}
	s.models = append(s.models, model)
	return nil
}

// Close stops the networks' workers.
func (s *Scorer) Close() {
	for _, p := range s.programs {
		if p != nil {
			p.Close()
		}
	}
}

// Manifest says what the scorer was made from.
func (s *Scorer) Manifest() Manifest { return s.manifest }

// width is the number of features that a network gives an image.
func (s *Scorer) width() int {
	c, h, w := densenet.FeatureShape(densenet.Variant(s.manifest.Backbone), s.manifest.Geometry.Input)
	if s.manifest.Layer == "features" {
		return c * h * w
	}
	return c
}

// Score takes an image and its outline of the same size to the score of every model of the manifest, in its order.
// spacing is the size of a pixel in mm, 0 when unknown; device chooses the edge crop.
func (s *Scorer) Score(img *imaging.Gray, m *roi.Mask, spacing [2]float64, device string) ([]float64, *roi.Regions, error) {
	r, err := roi.Prepare(img, m, spacing, device, s.manifest.Geometry)
	if err != nil {
		return nil, nil, err
	}
	scores, err := s.ScoreAll(context.Background(), []*roi.Regions{r})
	if err != nil {
		return nil, nil, err
	}
	return scores[0], r, nil
}

// ScoreAll scores prepared lesions: a row a lesion, a column a model of the manifest. A lesion's scores depend neither on
// the others nor on the number of workers.
func (s *Scorer) ScoreAll(ctx context.Context, lesions []*roi.Regions) ([][]float64, error) {
	components, err := s.components(ctx, lesions)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(lesions))
	for i := range out {
		out[i] = make([]float64, len(s.models))
	}
	for k, m := range s.manifest.Models {
		scores, err := s.predict(k, gather(components, s.manifest.Kept[m.Features], len(lesions)))
		if err != nil {
			return nil, err
		}
		for i, v := range scores {
			out[i][k] = v
		}
	}
	return out, nil
}

// components are the z-scored components of lesions by region, a row a lesion: all that the reductions keep.
func (s *Scorer) components(ctx context.Context, lesions []*roi.Regions) (map[string]*mat.Dense, error) {
	out := map[string]*mat.Dense{}
	for _, region := range s.regions {
		x, err := s.look(ctx, region, lesions)
		if err != nil {
			return nil, err
		}
		out[region] = s.reductions[region].Transform(x, x.all(), s.workers)
	}
	return out, nil
}

// predict gives the scores of the kth model from its inputs, a row a lesion.
func (s *Scorer) predict(k int, inputs *mat.Dense) ([]float64, error) {
	scores, err := s.models[k].Predict(inputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", s.manifest.Models[k].Key(), err)
	}
	for _, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &problem.Error{What: "the model " + s.manifest.Models[k].Key() + " gives no score", Found: fmt.Sprint(v)}
		}
	}
	return scores, nil
}

// gather puts a model's inputs side by side.
func gather(components map[string]*mat.Dense, inputs []Component, n int) *mat.Dense {
	x := mat.NewDense(n, len(inputs), nil)
	for j, c := range inputs {
		from := components[c.Region]
		for i := range n {
			x.Set(i, j, from.At(i, c.Number-1))
		}
	}
	return x
}

// rows are features in memory, one slice a lesion.
type rows struct {
	data []float32
	n, p int
}

func (r *rows) Dims() (n, p int)    { return r.n, r.p }
func (r *rows) Row(i int) []float32 { return r.data[i*r.p : (i+1)*r.p] }

func (r *rows) all() []int {
	idx := make([]int, r.n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}

// look runs a region's network on its crops, batch by batch.
func (s *Scorer) look(ctx context.Context, region string, lesions []*roi.Regions) (*rows, error) {
	side := s.manifest.Geometry.Input
	length := 3 * side * side
	out := &rows{n: len(lesions), p: s.width()}
	out.data = make([]float32, out.n*out.p)
	input := make([]float32, min(s.batch, out.n)*length)
	for lo := 0; lo < out.n; lo += s.batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+s.batch, out.n)
		g := errgroup.Group{}
		g.SetLimit(s.workers)
		for i := lo; i < hi; i++ {
			g.Go(func() error {
				roi.Normalise(crop(lesions[i], region), input[(i-lo)*length:(i-lo+1)*length])
				return nil
			})
		}
		_ = g.Wait() // nothing in it fails
		taps := map[string][]float32{s.manifest.Layer: out.data[lo*out.p : hi*out.p]}
		if err := s.programs[s.manifest.Networks[region].TensorsHash].Infer(input[:(hi-lo)*length], hi-lo, taps); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func crop(r *roi.Regions, region string) *imaging.Gray {
	if region == "ta" {
		return r.TACrop
	}
	return r.PTACrop
}
