package bundle

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"image"
	"io/fs"
	"slices"

	"sonotype/densenet"
	"sonotype/explain"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/roi"
)

// Names of a bundle's entries. Networks, reductions and the model lie where the manifest says.
const (
	ManifestEntry    = "manifest.json"
	CardEntry        = "card.json"
	VectorsEntry     = "vectors.json"
	CalibrationEntry = "calibration.json" // an evaluate.VennAbers: honest scores with outcomes, ordered by both, without identifiers
	NeighboursEntry  = "neighbours.json"  // Neighbours
	OODEntry         = "ood.json"         // what a case is compared with before it is predicted
)

// OpenOptions say how a bundle is opened.
type OpenOptions struct {
	ISA     nn.ISA              // nn.Detect() for the fastest
	Workers int                 // <= 0: GOMAXPROCS
	Trust   []ed25519.PublicKey // when given, one of them must have signed the bundle
}

// Bundle is a frozen model in memory. Its methods may be called from several goroutines.
type Bundle struct {
	scorer    *Scorer
	card      Card
	hash      string
	signature *Signature
	reference *reference
}

// Open loads a bundle's file and verifies it: every entry's hash, the signature where a key is trusted, and that the test
// vectors give the scores that they gave where the bundle was made. A bundle that fails is an ErrVerification. Close it
// when done; the file is not needed after Open.
func Open(path string, o OpenOptions) (*Bundle, error) {
	if kernel.For(o.ISA) == nil {
		return nil, &problem.Error{What: "this machine lacks the instruction set " + o.ISA.String(), Try: "use auto"}
	}
	a, f, err := openArchive(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := load(a, o)
	return b, unverified(path, err)
}

// load reads a bundle from its archive.
func load(a *archive, o OpenOptions) (*Bundle, error) {
	if err := a.trustedBy(o.Trust); err != nil {
		return nil, err
	}
	b := &Bundle{hash: hex.EncodeToString(a.hash[:]), signature: a.signature}
	files := &tracked{archive: a, read: map[string]bool{}}
	if err := a.readJSON(CardEntry, &b.card); err != nil {
		return nil, err
	}
	var err error
	if b.scorer, err = OpenScorer(files, ManifestEntry, Options{ISA: o.ISA, Workers: o.Workers}); err != nil {
		return nil, err
	}
	if n := len(b.scorer.models); n != 1 {
		err = &problem.Error{What: "a bundle holds one model", Found: fmt.Sprintf("%d models", n)}
	}
	if err == nil {
		m := b.scorer.manifest
		b.reference, err = readReference(a, len(m.Kept[m.Models[0].Features]))
	}
	if err == nil {
		err = a.verify(files.read)
	}
	if err == nil {
		err = b.checkVectors(a, o.ISA)
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// tracked notes which entries were read, and so verified.
type tracked struct {
	*archive
	read map[string]bool
}

// Open implements fs.FS.
func (t *tracked) Open(name string) (fs.File, error) {
	f, err := t.archive.Open(name)
	t.read[name] = err == nil
	return f, err
}

// ReadFile implements fs.ReadFileFS.
func (t *tracked) ReadFile(name string) ([]byte, error) {
	b, err := t.archive.ReadFile(name)
	t.read[name] = err == nil
	return b, err
}

// Close stops the networks' workers.
func (b *Bundle) Close() { b.scorer.Close() }

// Card describes the model.
func (b *Bundle) Card() Card { return b.card }

// Hash identifies the bundle: the SHA-256 of its head, which holds the SHA-256 of every entry. Signing does not change it.
func (b *Bundle) Hash() string { return b.hash }

// Signature says who signed the bundle; nil when nobody did.
func (b *Bundle) Signature() *Signature { return b.signature }

// Prepare makes the regions that the networks see of a case.
func (b *Bundle) Prepare(c Case) (*roi.Regions, error) {
	return roi.Prepare(c.Image, c.Mask, c.Spacing, c.Device, b.scorer.manifest.Geometry)
}

// Score is the model's score of prepared regions, whether or not they are like those that it was fitted on.
func (b *Bundle) Score(ctx context.Context, r *roi.Regions) (float64, error) {
	scores, err := b.scorer.ScoreAll(ctx, []*roi.Regions{r})
	if err != nil {
		return 0, err
	}
	return scores[0][0], nil
}

// Map draws over a region's crop (ta, pta) where its network saw what speaks for the positive class, by Grad-CAM. A region
// that the model does not use, and a network that was not trained, have no map.
func (b *Bundle) Map(ctx context.Context, c Case, region string) (image.Image, error) {
	r, err := b.Prepare(c)
	if err != nil {
		return nil, err
	}
	return b.scorer.cam(ctx, r, region)
}

func (s *Scorer) cam(ctx context.Context, r *roi.Regions, region string) (image.Image, error) {
	if !slices.Contains(s.regions, region) {
		return nil, &problem.Error{What: "the model does not look at this region", Expected: fmt.Sprint(s.regions), Found: region}
	}
	hash := s.manifest.Networks[region].TensorsHash
	head := s.heads[hash]
	if head == nil {
		return nil, &problem.Error{What: "the network was not trained, so no map says what it looked at", Try: "train the networks: network.train.epochs in study.yaml"}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	side := s.manifest.Geometry.Input
	channels, h, w := densenet.FeatureShape(densenet.Variant(s.manifest.Backbone), side)
	input, features := make([]float32, 3*side*side), make([]float32, channels*h*w)
	roi.Normalise(crop(r, region), input)
	if err := s.programs[hash].Infer(input, 1, map[string][]float32{"features": features}); err != nil {
		return nil, err
	}
	cam := explain.CAM(features, channels, h, w, head, true)
	if cam == nil {
		return nil, &problem.Error{What: "the network's last layer does not fit its features", Expected: fmt.Sprintf("%d weights", channels), Found: fmt.Sprint(len(head))}
	}
	return explain.Overlay(crop(r, region), cam, h, w), nil
}
