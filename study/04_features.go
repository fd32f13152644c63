package study

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"sonotype/densenet"
	"sonotype/features"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/roi"
	"sonotype/weights"
)

// Stage 04 runs the network on every crop and keeps the deep features.
func featuresStage() *stage {
	return &stage{
		number: 4, name: "features", version: 1,
		needs: []string{"roi"},
		params: func(p *Plan) any {
			n := p.Network
			return []any{n.Backbone, n.Layer, n.Input, p.Seed}
		},
		outside: func(_ context.Context, r *Run) (any, error) {
			w, err := r.openWeights()
			if err != nil {
				return nil, err
			}
			return []string{w.card.TensorsHash, r.ISA.String()}, nil
		},
		run: runFeatures,
	}
}

// featuresCard is features.json: where the features came from.
type featuresCard struct {
	Backbone    string `json:"backbone"`
	Layer       string `json:"layer"`
	Width       int    `json:"width"` // features an image
	Weights     string `json:"weights"`
	WeightsHash string `json:"weights_hash"`
	Licence     string `json:"licence"`
	ISA         string `json:"isa"`
}

// featureRow is a row of rows.csv: which image a row of the matrices is.
type featureRow struct {
	Row     int    `csv:"row"`
	Patient string `csv:"patient_id"`
	Image   string `csv:"image"`
}

// openedWeights are the network's parameters and their card.
type openedWeights struct {
	tensors nn.Tensors
	card    weights.Card
}

func (r *Run) openWeights() (*openedWeights, error) {
	if r.cache.weights != nil {
		return r.cache.weights, nil
	}
	specs := densenet.Params(densenet.Variant(r.Plan.Network.Backbone))
	t, card, err := weights.Store{Dir: r.Weights}.Open(r.Plan.Network.Weights, specs, r.Plan.Seed)
	if err != nil {
		return nil, err
	}
	r.cache.weights = &openedWeights{t, card}
	return r.cache.weights, nil
}

func runFeatures(ctx context.Context, r *Run, out string) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	w, err := r.openWeights()
	if err != nil {
		return err
	}
	n := r.Plan.Network
	variant := densenet.Variant(n.Backbone)
	prog, err := densenet.Compile(variant, n.Input, w.tensors, nn.Options{ISA: r.ISA, Workers: r.Jobs})
	if err != nil {
		return err
	}
	defer prog.Close()
	c, h, wd := densenet.FeatureShape(variant, n.Input)
	width := c
	if n.Layer == "features" {
		width = c * h * wd
	}
	for k, region := range regions {
		if err := r.extract(ctx, prog, region, filepath.Join(out, region+".npy"), images, width, k); err != nil {
			return err
		}
	}
	rows := make([]featureRow, len(images))
	for i, im := range images {
		rows[i] = featureRow{i, im.Patient, im.Image}
	}
	if err := writeCSV(filepath.Join(out, "rows.csv"), rows); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "features.json"), featuresCard{
		Backbone: n.Backbone, Layer: n.Layer, Width: width, Weights: w.card.Source,
		WeightsHash: w.card.TensorsHash, Licence: w.card.Licence, ISA: r.ISA.String(),
	})
}

// extract writes one region's matrix: a row an image.
func (r *Run) extract(ctx context.Context, prog nn.Program, region, path string, images []imageRow, width, part int) error {
	crops, err := os.Open(filepath.Join(r.dir(2, "roi"), region+".u8"))
	if err != nil {
		return err
	}
	defer crops.Close()
	side := r.Plan.Network.Input
	return features.Extract(ctx, prog, features.Job{
		Path: path, Images: len(images), Width: width, Tap: r.Plan.Network.Layer,
		InputLen: 3 * side * side, Batch: r.Plan.Network.Batch, Workers: workers(r.Jobs),
		Input: func(i int, dst []float32) error {
			crop := imaging.NewGray(side, side)
			if _, err := crops.ReadAt(crop.Pix, int64(images[i].Source)*int64(side*side)); err != nil && err != io.EOF {
				return &problem.Error{What: "cannot read a crop", File: crops.Name(), Patient: images[i].Patient, Err: err, Try: "delete the folder 02-roi and run again"}
			}
			roi.Normalise(crop, dst)
			return nil
		},
		Progress: func(done, total int) { r.Observer.Progress(part*total+done, len(regions)*total) },
	})
}
