package synth

import (
	"math"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sonotype/internal/rng"
)

// auc is the probability that a positive scores above a negative.
func auc(score []float64, positive []bool) float64 {
	wins, pairs := 0.0, 0.0
	for i, a := range score {
		for j, b := range score {
			if positive[i] && !positive[j] {
				pairs++
				switch {
				case a > b:
					wins++
				case a == b:
					wins += 0.5
				}
			}
		}
	}
	return wins / pairs
}

// logistic fits weights (intercept last) by Newton steps with a small ridge; test-only.
func logistic(x [][]float64, y []bool) []float64 {
	p := len(x[0]) + 1
	w := make([]float64, p)
	for range 25 {
		h, g := mat.NewSymDense(p, nil), mat.NewVecDense(p, nil)
		for i, row := range x {
			v := append(slices.Clone(row), 1)
			q := 1 / (1 + math.Exp(-dot(w, v)))
			t := 0.0
			if y[i] {
				t = 1
			}
			g.AddScaledVec(g, t-q, mat.NewVecDense(p, v))
			h.SymRankOne(h, q*(1-q), mat.NewVecDense(p, v))
		}
		for k := range p {
			h.SetSym(k, k, h.At(k, k)+1)
			g.SetVec(k, g.AtVec(k)-w[k])
		}
		var chol mat.Cholesky
		var step mat.VecDense
		if !chol.Factorize(h) || chol.SolveVecTo(&step, g) != nil {
			return w
		}
		for k := range w {
			w[k] += step.AtVec(k)
		}
	}
	return w
}

func dot(w, v []float64) float64 {
	s := 0.0
	for k := range v {
		s += w[k] * v[k]
	}
	return s
}

// crossValidated returns each case's score from a fit on the other four fifths.
func crossValidated(x [][]float64, y []bool) []float64 {
	score := make([]float64, len(x))
	for fold := range 5 {
		var tx [][]float64
		var ty []bool
		for i := range x {
			if i%5 != fold {
				tx, ty = append(tx, x[i]), append(ty, y[i])
			}
		}
		w := logistic(tx, ty)
		for i := fold; i < len(x); i += 5 {
			score[i] = dot(w, append(slices.Clone(x[i]), 1))
		}
	}
	return score
}

// ring grows the mask by r px (Euclidean) and takes the mask out.
func ring(mask []uint8, w, h, r int) []uint8 {
	out := make([]uint8, len(mask))
	for y := range h {
		for x := range w {
			if mask[y*w+x] == 0 || (x > 0 && x < w-1 && mask[y*w+x-1]+mask[y*w+x+1] == 2 && y > 0 && y < h-1 && mask[(y-1)*w+x]+mask[(y+1)*w+x] == 2) {
				continue // only the mask's border pixels reach outside
			}
			for j := -r; j <= r; j++ {
				for i := -r; i <= r; i++ {
					if u, v := x+i, y+j; i*i+j*j <= r*r && u >= 0 && v >= 0 && u < w && v < h {
						out[v*w+u] = 1
					}
				}
			}
		}
	}
	for i, m := range mask {
		if m == 1 {
			out[i] = 0
		}
	}
	return out
}

// describe gives mean, SD and root-mean-square gradient of the grey values in a region.
func describe(e exam, region []uint8) []float64 {
	w := e.image.Rect.Dx()
	var v []float64
	energy := 0.0
	for i, m := range region {
		if m == 0 || i < w || i >= len(region)-w {
			continue
		}
		px := e.image.Pix
		v = append(v, float64(px[i]))
		gx, gy := float64(px[i+1])-float64(px[i-1]), float64(px[i+w])-float64(px[i-w])
		energy += gx*gx + gy*gy
	}
	mean, sd := stat.MeanStdDev(v, nil)
	return []float64{mean, sd, math.Sqrt(energy / float64(len(v)))}
}

func standardise(x [][]float64) {
	for k := range x[0] {
		column := make([]float64, len(x))
		for i := range x {
			column[i] = x[i][k]
		}
		mean, sd := stat.MeanStdDev(column, nil)
		for i := range x {
			x[i][k] = (x[i][k] - mean) / sd
		}
	}
}

// Six hand-made features of tumour and ring must find the planted signal, about as strong as planned and never all of it.
func TestPlantedSignalIsFoundAndBounded(t *testing.T) {
	c := Config{Patients: 400, Seed: 11, Width: 320, Height: 240}
	patients := drawCohort(c.Patients, c.Seed)
	tumour, margin, both := make([][]float64, len(patients)), make([][]float64, len(patients)), make([][]float64, len(patients))
	high := make([]bool, len(patients))
	var group errgroup.Group
	group.SetLimit(2)
	for i, p := range patients {
		group.Go(func() error {
			e := render(p, c)
			tumour[i] = describe(e, e.mask)
			margin[i] = describe(e, ring(e.mask, c.Width, c.Height, 5)) // 5 px here are 10 at full size
			both[i] = append(slices.Clone(tumour[i]), margin[i]...)
			high[i] = p.high
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name     string
		x        [][]float64
		low, cap float64
	}{{"tumour", tumour, 0.70, 0.86}, {"ring", margin, 0.60, 0.80}, {"both", both, 0.72, 0.88}} {
		standardise(v.x)
		got := auc(crossValidated(v.x, high), high)
		t.Logf("%s: cross-validated AUC %.3f", v.name, got)
		if got < v.low || got > v.cap {
			t.Errorf("%s: AUC %.3f outside %.2f-%.2f", v.name, got, v.low, v.cap)
		}
	}
}

// What the latent scores themselves tell caps any reader of the images.
func TestLatentScores(t *testing.T) {
	c := Config{Patients: 4000, Seed: 2}
	latents := Latents(c)
	var z, tumour, margin []float64
	var high []bool
	for _, l := range latents {
		z, tumour, margin = append(z, l.Score), append(tumour, l.Tumour), append(margin, l.Margin)
		high = append(high, l.Ki67 > Cutoff)
	}
	if r := stat.Correlation(z, tumour, nil); math.Abs(r-TumourVisibility) > 0.03 {
		t.Errorf("tumour score correlates at %.3f", r)
	}
	if r := stat.Correlation(z, margin, nil); math.Abs(r-MarginVisibility) > 0.03 {
		t.Errorf("margin score correlates at %.3f", r)
	}
	best := make([]float64, len(z)) // weights of the two scores in the best linear reader
	for i := range best {
		best[i] = tumour[i]*TumourVisibility/(1-TumourVisibility*TumourVisibility) + margin[i]*MarginVisibility/(1-MarginVisibility*MarginVisibility)
	}
	t.Logf("ceilings: tumour %.3f, margin %.3f, both %.3f", auc(tumour, high), auc(margin, high), auc(best, high))
	if a := auc(best, high); a < 0.8 || a > 0.95 {
		t.Errorf("ceiling %.3f", a)
	}
}

// Streams are named by patient: a patient's truth does not depend on how the cohort is worked off.
func TestLatentsRepeat(t *testing.T) {
	c := Config{Patients: 30, Seed: 5}
	if !slices.Equal(Latents(c), Latents(c)) {
		t.Error("Latents differ between calls")
	}
	p := drawCohort(c.Patients, c.Seed)[3]
	if got := drawLatent(p, rng.Stream(c.Seed, "synth", "latent", p.id)); got != Latents(c)[3] {
		t.Errorf("%+v", got)
	}
}
