package bundle

import (
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/imaging"
	"sonotype/roi"
)

// gaussian draws n rows of correlated statistics, of larger deviations than the least ones.
func gaussian(r *rand.Rand, n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		common := r.NormFloat64()
		for j := range StatisticNames {
			out[i] = append(out[i], float64(10*j)+float64(30*(j+1))*(common+r.NormFloat64()))
		}
	}
	return out
}

// A training case's distances are those to a reference fitted without it, as far as shrinkage allows.
func TestTrainingCasesAreJudgedAsIfLeftOut(t *testing.T) {
	x := gaussian(rand.New(rand.NewPCG(1, 1)), 60)
	all, err := FitFamiliar(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		rest := append(append([][]float64{}, x[:i]...), x[i+1:]...)
		without, err := FitFamiliar(rest, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, wantExtreme := without.strangeness(x[i])
		d, e := all.strangeness(x[i])
		if got := leftOut(d, len(x)); math.Abs(got/want-1) > 0.03 {
			t.Errorf("case %d: distance %g, %g when left out", i, got, want)
		}
		if got := leftOut(e, len(x)); math.Abs(got/wantExtreme-1) > 1e-9 {
			t.Errorf("case %d: extreme %g, %g when left out", i, got, wantExtreme)
		}
	}
}

// About one in fifty of new cases like the training cases is refused, and each one unlike them.
func TestFewFamiliarCasesAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := gaussian(r, 300)
	nearest := make([]float64, len(x))
	for i := range nearest {
		nearest[i] = 1 + r.Float64()
	}
	f, err := FitFamiliar(x, nearest)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	fresh := gaussian(r, 2000)
	for _, s := range fresh {
		if len(f.Judge(s, 1+r.Float64())) > 0 {
			refused++
		}
	}
	if share := float64(refused) / float64(len(fresh)); share > 0.05 {
		t.Errorf("%.3f of familiar cases are refused", share)
	}
	odd := append([]float64{}, x[0]...)
	odd[3] += 10_000
	if got := f.Judge(odd, 1); len(got) != 1 {
		t.Errorf("an odd image: %q", got)
	}
	if got := f.Judge(x[0], 99); len(got) != 1 {
		t.Errorf("unlike all training cases: %q", got)
	}
}

func TestTooFewTrainingCases(t *testing.T) {
	if _, err := FitFamiliar(gaussian(rand.New(rand.NewPCG(3, 3)), 10), nil); err == nil {
		t.Error("ten cases were enough")
	}
}

// What cannot be measured is 0, never NaN: an empty image, one of one grey.
func TestStatisticsAreAlwaysFinite(t *testing.T) {
	m := roi.NewMask(64, 64)
	for y := 20; y < 40; y++ {
		for x := 20; x < 40; x++ {
			m.Pix[y*64+x] = 1
		}
	}
	for _, grey := range []uint8{0, 128, 255} {
		img := imaging.NewGray(64, 64)
		for i := range img.Pix {
			img.Pix[i] = grey
		}
		r, err := roi.Prepare(img, m, [2]float64{}, "", roi.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		got := Measure(imaging.Info{}, r)
		if len(got) != len(StatisticNames) {
			t.Fatalf("%d statistics, %d names", len(got), len(StatisticNames))
		}
		for j, v := range got {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("grey %d: %s is %v", grey, StatisticNames[j], v)
			}
		}
	}
}

// A patient's own images are no neighbours, since a new case has none among the training cases.
func TestApartLeavesOutThePatient(t *testing.T) {
	n := Neighbours{}
	for _, x := range []float64{0, 0.1, 0.2, 5, 7, 9, 11, 13} {
		n.Cases = append(n.Cases, TrainingCase{Inputs: []float64{x}})
	}
	got := n.Apart([]string{"a", "a", "a", "b", "c", "d", "e", "f"})
	want := []float64{9, 8.9, 8.8} // to 5, 7, 9, 11 and 13
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-12 {
			t.Errorf("image %d of the patient: %v from the others, want %v", i, got[i], w)
		}
	}
	if w := (2 + 4 + 4.8 + 4.9 + 5) / 5; math.Abs(got[3]-w) > 1e-12 {
		t.Errorf("a patient with one image: %v from the others, want %v", got[3], w)
	}
}
