package bundle

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
	"sonotype/nn"
	"sonotype/roi"
)

// Vectors are made-up cases with what the model gave for them where the bundle was made. A machine with the same
// instruction set must give the same bits; another one nearly the same inputs of the model, and from the stored inputs
// nearly the same score.
type Vectors struct {
	ISA   string   `json:"isa"`
	Arch  string   `json:"arch"` // GOARCH
	Cases []Vector `json:"cases"`
}

// Vector is one made-up case.
type Vector struct {
	Image   string    `json:"image"` // entries, PNG
	Mask    string    `json:"mask"`
	PixelMM float64   `json:"pixel_mm"`
	Inputs  []float64 `json:"inputs"` // of the model, see Manifest.Kept
	Score   float64   `json:"score"`
}

// How far another instruction set may be off: float32 sums of the network in another order, and float64 sums of the model.
const (
	inputTolerance = 1e-3 // of inputs, which are z-scores; relative above 1
	scoreTolerance = 1e-6
)

// vectorCases is how many cases are made up.
const vectorCases = 3

// AddVectors makes up the cases, scores them with the bundle's own model and adds them to b.
func AddVectors(ctx context.Context, b *Builder, s *Scorer, isa nn.ISA) error {
	g := s.manifest.Geometry
	v := Vectors{ISA: isa.String(), Arch: runtime.GOARCH}
	for i := range vectorCases {
		edges := g.Edges("") // are cut off
		img, mask := phantom(g.Width+edges.Left+edges.Right, g.Height+edges.Top+edges.Bottom, i)
		c := Vector{Image: fmt.Sprintf("vectors/%d.png", i+1), Mask: fmt.Sprintf("vectors/%d-mask.png", i+1), PixelMM: 0.1}
		for name, pixels := range map[string]*imaging.Gray{c.Image: img, c.Mask: maskPicture(mask)} {
			var file bytes.Buffer
			if err := png.Encode(&file, pixels.Image()); err != nil {
				return err
			}
			b.AddBytes(name, file.Bytes())
		}
		inputs, score, err := s.vector(ctx, img, mask, c.PixelMM)
		if err != nil {
			return err
		}
		c.Inputs, c.Score = inputs, score
		v.Cases = append(v.Cases, c)
	}
	b.AddJSON(VectorsEntry, v)
	return nil
}

// vector takes a made-up case to the model's inputs and its score.
func (s *Scorer) vector(ctx context.Context, img *imaging.Gray, mask *roi.Mask, pixelMM float64) ([]float64, float64, error) {
	r, err := roi.Prepare(img, mask, [2]float64{pixelMM, pixelMM}, "", s.manifest.Geometry)
	if err != nil {
		return nil, 0, err
	}
	return s.one(ctx, r)
}

// checkVectors scores the stored cases again.
func (b *Bundle) checkVectors(a *archive, isa nn.ISA) error {
	var v Vectors
	if err := a.readJSON(VectorsEntry, &v); err != nil {
		return err
	}
	if len(v.Cases) == 0 {
		return &problem.Error{What: "the bundle has no test vectors", File: VectorsEntry}
	}
	same := v.ISA == isa.String() && v.Arch == runtime.GOARCH
	for _, c := range v.Cases {
		if err := b.checkVector(a, c, same); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) checkVector(a *archive, c Vector, same bool) error {
	file, err := a.ReadFile(c.Image)
	if err != nil {
		return err
	}
	img, _, err := imaging.DecodeBytes(c.Image, file)
	if err != nil {
		return err
	}
	if file, err = a.ReadFile(c.Mask); err != nil {
		return err
	}
	mask, _, err := roi.DecodeMask(c.Mask, file)
	if err != nil {
		return err
	}
	inputs, score, err := b.scorer.vector(context.Background(), img, mask, c.PixelMM)
	if err != nil {
		return err
	}
	if len(c.Inputs) != len(inputs) {
		return &problem.Error{What: "a test vector does not fit the model", File: c.Image, Expected: fmt.Sprintf("%d inputs", len(inputs)), Found: fmt.Sprint(len(c.Inputs))}
	}
	tolerance := inputTolerance
	if same { // the model's own part is checked by itself only where the networks may differ
		tolerance = 0
	} else if score, err = b.scorer.scoreOf(c.Inputs); err != nil {
		return err
	}
	for i, want := range c.Inputs {
		if !(math.Abs(inputs[i]-want) <= tolerance*max(1, math.Abs(want))) {
			return &problem.Error{What: "the networks do not give what they gave where the bundle was made", File: c.Image, Expected: fmt.Sprint(want), Found: fmt.Sprint(inputs[i])}
		}
	}
	if same && score != c.Score || !(math.Abs(score-c.Score) <= scoreTolerance) {
		return differs(c.Image, c.Score, score)
	}
	return nil
}

// scoreOf is the score that the model gives from its inputs.
func (s *Scorer) scoreOf(inputs []float64) (float64, error) {
	scores, err := s.predict(0, mat.NewDense(1, len(inputs), inputs))
	if err != nil {
		return 0, err
	}
	return scores[0], nil
}

func differs(file string, want, got float64) error {
	return &problem.Error{
		What: "the model does not give the score that it gave where the bundle was made", File: file,
		Expected: fmt.Sprintf("score %v", want), Found: fmt.Sprintf("score %v", got),
		Try: "report this with the output of `sonotype bench`",
	}
}

// phantom is a made-up lesion in speckle: an ellipse darker than its surroundings, in the middle of the image.
func phantom(w, h, number int) (*imaging.Gray, *roi.Mask) {
	draw := rng.Stream(1, "bundle-vector", fmt.Sprint(number))
	img, mask := imaging.NewGray(w, h), roi.NewMask(w, h)
	across, down := (0.12+0.06*draw.Float64())*float64(w), (0.10+0.06*draw.Float64())*float64(h)
	tilt := draw.Float64() - 0.5
	bands, phase := 3+4*draw.Float64(), 6*draw.Float64()
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-float64(w)/2, float64(y)-float64(h)/2
			dx += tilt * dy
			level := 70 + 25*math.Sin(bands*float64(y)/float64(h)*math.Pi+phase)
			if (dx/across)*(dx/across)+(dy/down)*(dy/down) <= 1 {
				mask.Pix[y*w+x], level = 1, 0.35*level
			}
			speckle := math.Sqrt(-2 * math.Log(1-draw.Float64())) // Rayleigh
			img.Pix[y*w+x] = uint8(min(level*speckle, 255))
		}
	}
	return img, mask
}

func maskPicture(m *roi.Mask) *imaging.Gray {
	out := imaging.NewGray(m.W, m.H)
	for i, v := range m.Pix {
		out.Pix[i] = 255 * v
	}
	return out
}
