package synth

import (
	"math"
	"testing"

	"sonotype/internal/rng"
)

func uniform(lines, samples int) *scene {
	g := grid{lines: lines, samples: samples, dx: 0.15, dz: 0.075}
	return &scene{grid: g, level: make([]float32, g.size()), mirror: make([]float32, g.size()),
		loss: make([]float32, g.size()), sparse: make([]uint8, g.size())}
}

var quiet = probe{mhz: 10, cycles: 2.4, fNumber: 2.4, focus: 18, blur: 14, looks: 1, penetration: 1000, noise: -200}

// inner collects the envelope away from the grid's borders.
func inner(g grid, env []float32) (mean, sd, power float64) {
	n := 0.0
	for line := 12; line < g.lines-12; line++ {
		for _, v := range g.row(env, line)[12 : g.samples-12] {
			mean += float64(v)
			power += float64(v) * float64(v)
			n++
		}
	}
	mean, power = mean/n, power/n
	return mean, math.Sqrt(power - mean*mean), power
}

// Fully developed speckle has a Rayleigh envelope: mean/SD = sqrt(pi/(4-pi)) = 1.913; unit scatterers give unit power.
func TestSpeckleIsRayleigh(t *testing.T) {
	s := uniform(220, 500)
	mean, sd, power := inner(s.grid, acquire(s, quiet, rng.Stream(1, "speckle")))
	if snr := mean / sd; math.Abs(snr-1.913) > 0.06 {
		t.Errorf("speckle SNR %.3f, want 1.913", snr)
	}
	if math.Abs(power-1) > 0.05 {
		t.Errorf("power %.3f, want 1", power)
	}
}

func TestSparseScatterersKeepPowerButNotRayleigh(t *testing.T) {
	s := uniform(220, 500)
	for i := range s.sparse {
		s.sparse[i] = 235
	}
	mean, sd, power := inner(s.grid, acquire(s, quiet, rng.Stream(1, "sparse")))
	if snr := mean / sd; snr > 1.75 {
		t.Errorf("speckle SNR %.3f of a sparse medium is not below Rayleigh's", snr)
	}
	if math.Abs(power-1) > 0.08 {
		t.Errorf("power %.3f, want 1", power)
	}
}

// Averaging n independent looks raises the speckle SNR by sqrt(n).
func TestCompounding(t *testing.T) {
	s, p := uniform(200, 400), quiet
	p.looks = 3
	mean, sd, _ := inner(s.grid, acquire(s, p, rng.Stream(1, "compound")))
	if snr := mean / sd; math.Abs(snr-1.913*math.Sqrt(3)) > 0.15 {
		t.Errorf("speckle SNR of 3 looks %.3f", snr)
	}
}

// A single reflector shows the point-spread function: its half-maximum widths are the pulse's and the beam's.
func TestPointSpread(t *testing.T) {
	s := uniform(161, 601)
	for i := range s.level {
		s.level[i] = -200
	}
	focusSample, line := int(quiet.focus/s.dz), 80
	s.mirror[line*s.samples+focusSample] = 1
	env := acquire(s, quiet, rng.Stream(1, "point"))
	peak := float64(s.row(env, line)[focusSample])
	width := func(at func(k int) float64, step float64) float64 {
		k := 1
		for at(k) > peak/2 {
			k++
		}
		a, b := at(k-1), at(k)
		return 2 * step * (float64(k-1) + (a-peak/2)/(a-b))
	}
	axial := width(func(k int) float64 { return float64(s.row(env, line)[focusSample+k]) }, s.dz)
	lateral := width(func(k int) float64 { return float64(s.row(env, line+k)[focusSample]) }, s.dx)
	if want := quiet.cycles * quiet.wavelength() / 2; math.Abs(axial-want) > 0.05*want {
		t.Errorf("axial width %.3f mm, want %.3f", axial, want)
	}
	if want := 1.2 * quiet.wavelength() * quiet.fNumber; math.Abs(lateral-want) > 0.1*want {
		t.Errorf("lateral width %.3f mm, want %.3f", lateral, want)
	}
}

// A layer that loses 1 dB a mm over 10 mm leaves 10 dB less behind it; level sets the echo in dB.
func TestAttenuationAndLevel(t *testing.T) {
	s := uniform(200, 500)
	for line := range s.lines {
		for z := s.sample(10); z < s.sample(20); z++ {
			s.loss[line*s.samples+z] = 1
			s.level[line*s.samples+z] = -6
		}
	}
	env := acquire(s, quiet, rng.Stream(1, "loss"))
	power := func(from, to float64) float64 {
		sum, n := 0.0, 0.0
		for line := 12; line < s.lines-12; line++ {
			for _, v := range s.row(env, line)[s.sample(from):s.sample(to)] {
				sum += float64(v) * float64(v)
				n++
			}
		}
		return 10 * math.Log10(sum/n)
	}
	if got := power(22, 36) - power(1, 9); math.Abs(got+10) > 0.3 {
		t.Errorf("behind the layer %.2f dB, want -10", got)
	}
	if got := power(14.5, 15.5) - power(1, 9); math.Abs(got+11) > 0.5 {
		t.Errorf("inside the layer %.2f dB, want -6-5", got)
	}
}

func TestElectronicNoise(t *testing.T) {
	s, p := uniform(120, 300), quiet
	for i := range s.level {
		s.level[i] = -200
	}
	p.noise = -40
	_, _, power := inner(s.grid, acquire(s, p, rng.Stream(1, "noise")))
	if db := 10 * math.Log10(power); math.Abs(db+40) > 0.3 {
		t.Errorf("noise %.2f dB, want -40", db)
	}
}
