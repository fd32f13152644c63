package study

import (
	"context"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/densenet"
	"sonotype/features"
	"sonotype/internal/artifact"
	"sonotype/nn"
	"sonotype/weights"
)

// Stage 04 runs the networks on every crop and keeps the deep features, and what the trained networks looked at.
func featuresStage() *stage {
	return &stage{
		number: 4, name: "features", version: 3,
		needs: []string{"roi", "finetune"},
		params: func(p *Plan) any {
			n := p.Network
			return []any{n.Backbone, n.Layer, n.Input, p.trains(), n.Train.Shared, p.Seed, p.looksByReader(0)}
		},
		outside: func(_ context.Context, r *Run) (any, error) { return r.startingPoint() },
		run:     runFeatures,
	}
}

// featuresCard is features.json: where the features came from.
type featuresCard struct {
	Backbone    string            `json:"backbone"`
	Layer       string            `json:"layer"`
	Width       int               `json:"width"`   // features an image
	Weights     string            `json:"weights"` // those that the training began with, where there was one
	WeightsHash string            `json:"weights_hash"`
	Licence     string            `json:"licence"`
	Trained     map[string]string `json:"trained,omitempty"` // tensors hash of each region's trained network
	ISA         string            `json:"isa"`
}

// featureRow is a row of rows.csv: which image a row of the matrices is.
type featureRow struct {
	Row     int    `csv:"row"`
	Patient string `csv:"patient_id"`
	Image   string `csv:"image"`
}

// openedWeights are a network's parameters and their card.
type openedWeights struct {
	tensors nn.Tensors
	card    weights.Card
}

// openWeights reads the weights that the plan names.
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

// startingPoint identifies the weights that the plan names and the instruction set that uses them.
func (r *Run) startingPoint() (any, error) {
	w, err := r.openWeights()
	if err != nil {
		return nil, err
	}
	return []string{w.card.TensorsHash, r.ISA.String()}, nil
}

// network opens the network of a region that leaves a fold out: a trained one, or the plan's weights as they are.
func (r *Run) network(region string, fold int) (*openedWeights, error) {
	if !r.Plan.trains() {
		return r.openWeights()
	}
	store := weights.Store{Dir: filepath.Join(r.dir(3, "finetune"), networkDir(fold))}
	t, card, err := store.Open(r.Plan.networkOf(region), r.classifierGraph().Params(), 0)
	return &openedWeights{t, card}, err
}

// classifierGraph is the network as it is trained: with one logit.
func (r *Run) classifierGraph() *nn.Graph {
	shape, err := densenet.Variant(r.Plan.Network.Backbone).Config()
	if err != nil {
		return nn.Failed(err)
	}
	shape.Classes = 1
	return densenet.Build(shape, r.Plan.Network.Input)
}

func runFeatures(ctx context.Context, r *Run, out string) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	looks := []look{{finalFit, images}}
	if r.Plan.crossfits() { // what a fold's networks see is wanted of the training images only
		training := trainingRows(images)
		for fold := range r.Plan.Split.Folds {
			looks = append(looks, look{fold, training})
		}
	}
	outlines, err := r.outlines()
	if err != nil {
		return err
	}
	e := &extraction{run: r}
	defer e.close()
	for _, l := range looks {
		e.total += len(regions) * len(l.images)
		if r.Plan.looksByReader(l.fold) {
			e.total += len(regions) * len(outlines)
		}
	}
	for _, l := range looks {
		if err := e.pair(ctx, l, filepath.Join(out, networkDir(l.fold))); err != nil {
			return err
		}
	}
	card, err := r.featuresCard()
	if err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, "features.json"), card); err != nil || !r.Plan.trains() {
		return err
	}
	return r.checkCAMs(ctx, images, out)
}

// trainingRows are the images of the training set, the rows of what cross-fitted networks see.
func trainingRows(images []imageRow) []imageRow {
	return slices.DeleteFunc(slices.Clone(images), func(im imageRow) bool { return im.Set != cohort.SetTrain })
}

func (r *Run) featuresCard() (featuresCard, error) {
	n := r.Plan.Network
	start, err := r.openWeights()
	if err != nil {
		return featuresCard{}, err
	}
	card := featuresCard{
		Backbone: n.Backbone, Layer: n.Layer, Width: r.featureWidth(), Weights: start.card.Source,
		WeightsHash: start.card.TensorsHash, Licence: start.card.Licence, ISA: r.ISA.String(),
	}
	if !r.Plan.trains() {
		return card, nil
	}
	card.Trained = map[string]string{}
	for _, region := range regions {
		w, err := r.network(region, finalFit)
		if err != nil {
			return card, err
		}
		card.Trained[region] = w.card.TensorsHash
	}
	return card, nil
}

// featureWidth is the number of features an image has.
func (r *Run) featureWidth() int {
	c, h, w := densenet.FeatureShape(densenet.Variant(r.Plan.Network.Backbone), r.Plan.Network.Input)
	if r.Plan.Network.Layer == "features" {
		return c * h * w
	}
	return c
}

// look is a pair of networks, by the fold that it leaves out, and the images that it looks at.
type look struct {
	fold   int
	images []imageRow
}

// extraction is the stage at work.
type extraction struct {
	run         *Run
	program     nn.Program // of the weights with this hash
	hash        string
	done, total int // images times regions
}

// compile makes a program of a network, unless the last one was the same network.
func (e *extraction) compile(w *openedWeights) (nn.Program, error) {
	if e.program != nil && e.hash == w.card.TensorsHash {
		return e.program, nil
	}
	e.close()
	n := e.run.Plan.Network
	var err error
	e.program, err = densenet.Compile(densenet.Variant(n.Backbone), n.Input, w.tensors, nn.Options{ISA: e.run.ISA, Workers: e.run.Jobs})
	e.hash = w.card.TensorsHash
	return e.program, err
}

func (e *extraction) close() {
	if e.program != nil {
		e.program.Close()
	}
}

// pair writes what a pair of networks sees, and which row is which image.
func (e *extraction) pair(ctx context.Context, l look, out string) error {
	for _, region := range regions {
		if err := e.region(ctx, l, region, out); err != nil {
			return err
		}
	}
	rows := make([]featureRow, len(l.images))
	for i, im := range l.images {
		rows[i] = featureRow{i, im.Patient, im.Image}
	}
	return writeCSV(filepath.Join(out, "rows.csv"), rows)
}

// region writes one region's matrix, a row an image; of the trained networks that see every image also their Grad-CAM maps.
func (e *extraction) region(ctx context.Context, l look, region, out string) error {
	w, err := e.run.network(region, l.fold)
	if err != nil {
		return err
	}
	prog, err := e.compile(w)
	if err != nil {
		return err
	}
	var net features.Inferer = prog
	var maps *camWriter
	if e.run.Plan.trains() && l.fold == finalFit {
		if maps, err = e.run.newCAMWriter(prog, w.tensors, filepath.Join(out, region+"-cam.npy"), len(l.images)); err != nil {
			return err
		}
		defer maps.out.Abort()
		net = maps
	}
	if err := e.extract(ctx, net, l.images, region, filepath.Join(out, region+".npy")); err != nil {
		return err
	}
	if err := e.readers(ctx, prog, l, region, out); err != nil || maps == nil {
		return err
	}
	return maps.out.Close()
}

func (e *extraction) extract(ctx context.Context, net features.Inferer, images []imageRow, region, path string) error {
	if ok, err := e.run.inheritFeatures(region, path); ok || err != nil {
		e.done += len(images)
		return err
	}
	crops, err := e.run.openCrops(region)
	if err != nil {
		return err
	}
	defer crops.close()
	return e.extractFrom(ctx, net, crops, images, path)
}

// extractFrom writes the features of crops, a row an image.
func (e *extraction) extractFrom(ctx context.Context, net features.Inferer, crops *cropFile, images []imageRow, path string) error {
	n := e.run.Plan.Network
	err := features.Extract(ctx, net, features.Job{
		Path: path, Images: len(images), Width: e.run.featureWidth(), Tap: n.Layer,
		InputLen: 3 * n.Input * n.Input, Batch: n.Batch, Workers: workers(e.run.Jobs),
		Input:    func(i int, dst []float32) error { return crops.input(images[i], dst) },
		Progress: func(done, _ int) { e.run.Observer.Progress(e.done+done, e.total) },
	})
	e.done += len(images)
	return err
}
