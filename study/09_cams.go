package study

import (
	"context"
	"path/filepath"

	"sonotype/densenet"
	"sonotype/explain"
	"sonotype/features"
	"sonotype/internal/artifact"
	"sonotype/internal/rng"
	"sonotype/nn"
	"sonotype/weights"
)

// camMaker draws the Grad-CAM maps of a network with one logit from its last feature map.
type camMaker struct {
	net     nn.Program
	weight  []float32 // of the classifier
	c, h, w int       // of the feature map
	values  []float32 // room for feature maps
}

func (r *Run) newCAMMaker(net nn.Program, t nn.Tensors) camMaker {
	m := camMaker{net: net, weight: t["classifier.weight"].Data}
	m.c, m.h, m.w = densenet.FeatureShape(densenet.Variant(r.Plan.Network.Backbone), r.Plan.Network.Input)
	return m
}

// infer is nn.Program's Infer that also returns the map of what speaks for the positive class in each of the n images.
func (m *camMaker) infer(x []float32, n int, taps map[string][]float32) ([][]float32, error) {
	size := m.c * m.h * m.w
	wanted := map[string][]float32{}
	for name, values := range taps {
		wanted[name] = values
	}
	if wanted["features"] == nil {
		if len(m.values) < n*size {
			m.values = make([]float32, n*size)
		}
		wanted["features"] = m.values[:n*size]
	}
	if err := m.net.Infer(x, n, wanted); err != nil {
		return nil, err
	}
	maps := make([][]float32, n)
	for i := range maps {
		maps[i] = explain.CAM(wanted["features"][i*size:][:size], m.c, m.h, m.w, m.weight, true)
	}
	return maps, nil
}

// camWriter is a network that writes a map of each image that goes through it, in their order.
type camWriter struct {
	camMaker
	out *features.Writer
}

func (r *Run) newCAMWriter(net nn.Program, t nn.Tensors, path string, images int) (*camWriter, error) {
	m := &camWriter{camMaker: r.newCAMMaker(net, t)}
	var err error
	m.out, err = features.Write(path, images, m.h*m.w)
	return m, err
}

// Infer implements features.Inferer.
func (m *camWriter) Infer(x []float32, n int, taps map[string][]float32) error {
	maps, err := m.infer(x, n, taps)
	if err != nil {
		return err
	}
	for _, row := range maps {
		if err := m.out.Row(row); err != nil {
			return err
		}
	}
	return nil
}

// checkedCAMs is how many images the maps' check looks at.
const checkedCAMs = 32

// camCheck is an entry of cam.json: do a region's maps depend on what was learnt?
type camCheck struct {
	Randomised string `json:"randomised"`
	explain.Sanity
}

// checkCAMs compares maps with those of the same network with random weights, on images spread over the cohort.
func (r *Run) checkCAMs(ctx context.Context, images []imageRow, out string) error {
	g := r.classifierGraph()
	tensors := weights.Random(g.Params(), rng.Stream(r.Plan.Seed, "cam-check").Uint64())
	net, err := nn.New().Compile(g, nn.Options{ISA: r.ISA, Workers: r.Jobs})
	if err != nil {
		return err
	}
	defer net.Close()
	if err := net.ImportState(nn.State{Tensors: tensors}); err != nil {
		return err
	}
	random := r.newCAMMaker(net, tensors)
	checks := map[string]camCheck{}
	for _, region := range regions {
		s, err := r.checkCAM(ctx, random, region, images, filepath.Join(out, region+"-cam.npy"))
		if err != nil {
			return err
		}
		checks[region] = camCheck{"all layers", s}
	}
	return artifact.WriteJSON(filepath.Join(out, "cam.json"), checks)
}

func (r *Run) checkCAM(ctx context.Context, random camMaker, region string, images []imageRow, path string) (explain.Sanity, error) {
	trained, err := features.Open(path)
	if err != nil {
		return explain.Sanity{}, err
	}
	defer trained.Close()
	crops, err := r.openCrops(region)
	if err != nil {
		return explain.Sanity{}, err
	}
	defer crops.close()
	var a, b []float32
	n := min(checkedCAMs, len(images))
	x := make([]float32, 3*crops.side*crops.side)
	for k := range n {
		if err := ctx.Err(); err != nil {
			return explain.Sanity{}, err
		}
		i := k * len(images) / n
		if err := crops.input(images[i], x); err != nil {
			return explain.Sanity{}, err
		}
		maps, err := random.infer(x, 1, nil)
		if err != nil {
			return explain.Sanity{}, err
		}
		a, b = append(a, trained.Row(i)...), append(b, maps[0]...)
	}
	return explain.CheckSanity(a, b, n, random.h*random.w)
}
