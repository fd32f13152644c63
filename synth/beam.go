package synth

import (
	"math"
	"math/rand/v2"
)

// speed of sound in mm/us.
const soundSpeed = 1.54

// probe is the transducer and receive chain as far as they shape the echo.
type probe struct {
	mhz         float64 // centre frequency
	cycles      float64 // length of the pulse in periods (full width at half maximum)
	fNumber     float64 // receive aperture: lateral width = 1.2 * wavelength * fNumber at the focus
	focus       float64 // mm, transmit focus
	blur        float64 // mm from the focus at which the beam is wider by sqrt(2)
	looks       int     // angles compounded
	penetration float64 // mm down to which the time-gain compensation keeps up
	noise       float64 // electronic noise, dB against glandular tissue at full gain
}

func (p probe) wavelength() float64 { return soundSpeed / p.mhz }

// acquire images a scene: every cell scatters with a random amplitude and a random phase (its depth inside the
// cell against the wavelength), interfaces coherently; the echo is that field convolved with the pulse along and
// the beam's width across the line, in complex baseband; its envelope is averaged over the compounded looks.
func acquire(s *scene, p probe, r *rand.Rand) []float32 {
	amp := s.amplitudes(p)
	pulse := gaussian(max(0.55, p.cycles*p.wavelength()/2/2.3548/s.dz))
	beam := p.lateral(s.grid)
	floor := float32(math.Pow(10, p.noise/20))
	re, im, tmp := make([]float32, s.size()), make([]float32, s.size()), make([]float32, s.size())
	env := make([]float32, s.size())
	for range p.looks {
		s.scatter(amp, re, im, r)
		for _, f := range [][]float32{re, im} {
			beam.across(s.grid, f, tmp)
			addNoise(tmp, floor, r)
			along(s.grid, tmp, f, pulse)
		}
		for i := range env {
			env[i] += float32(math.Sqrt(float64(re[i]*re[i] + im[i]*im[i])))
		}
	}
	scale := 1 / float32(p.looks)
	for i := range env {
		env[i] *= scale
	}
	return env
}

// amplitudes turns level and accumulated loss into the rms amplitude of each cell, mirrors' loss included in place.
func (s *scene) amplitudes(p probe) []float32 {
	lost := make([]float32, s.size())
	for line := range s.lines {
		acc := float32(0)
		row, loss := s.row(lost, line), s.row(s.loss, line)
		for z := range row {
			acc += loss[z] * float32(s.dz)
			row[z] = acc
		}
	}
	lost = smoothLines(s.grid, lost, int(math.Round(0.9/s.dx)))
	const nepers = math.Ln10 / 20
	amp := make([]float32, s.size())
	for line := range s.lines {
		base := line * s.samples
		for z := range s.samples {
			i := base + z
			beyond := max(0, s.z(z)-p.penetration)
			fade := nepers * (-float64(lost[i]) - 0.55*beyond)
			through := math.Exp(fade)
			s.mirror[i] *= float32(through)
			amp[i] = float32(through * math.Exp(nepers*float64(s.level[i])))
		}
	}
	return amp
}

// smoothLines averages each sample over 2*half+1 neighbouring lines: sound reaches a point over an aperture.
func smoothLines(g grid, f []float32, half int) []float32 {
	if half < 1 {
		return f
	}
	out, sum := make([]float32, len(f)), make([]float32, g.samples)
	clamp := func(line int) []float32 { return g.row(f, min(g.lines-1, max(0, line))) }
	for line := -half; line <= half; line++ {
		for z, v := range clamp(line) {
			sum[z] += v
		}
	}
	scale := 1 / float32(2*half+1)
	for line := range g.lines {
		row, gone, next := g.row(out, line), clamp(line-half), clamp(line+half+1)
		for z := range row {
			row[z] = sum[z] * scale
			sum[z] += next[z] - gone[z]
		}
	}
	return out
}

// scatter draws one look: amplitude times a complex number of unit power; empty cells leave more to the others.
func (s *scene) scatter(amp, re, im []float32, r *rand.Rand) {
	const unit = 1 / 9459.0 // the sum of two 14-bit uniforms has SD 6689; sqrt(1/2) for each quadrature
	var fill [256]float32
	for i := range fill {
		fill[i] = unit / float32(math.Sqrt(1-float64(i)/256))
	}
	for i, a := range amp {
		u := r.Uint64()
		if uint8(u>>56) < s.sparse[i] {
			re[i], im[i] = s.mirror[i], 0
			continue
		}
		a *= fill[s.sparse[i]]
		// two 14-bit uniforms added: triangular, Gaussian after the convolution
		x := int32(u&0x3fff) + int32(u>>14&0x3fff) - 0x3fff
		y := int32(u>>28&0x3fff) + int32(u>>42&0x3fff) - 0x3fff
		re[i], im[i] = a*float32(x)+s.mirror[i], a*float32(y)
	}
}

// addNoise adds electronic noise of the given rms before the receive filter.
func addNoise(f []float32, rms float32, r *rand.Rand) {
	scale := rms / 9459 // as in scatter
	for i := 0; i+1 < len(f); i += 2 {
		u := r.Uint64()
		f[i] += scale * float32(int32(u&0x3fff)+int32(u>>14&0x3fff)-0x3fff)
		f[i+1] += scale * float32(int32(u>>28&0x3fff)+int32(u>>42&0x3fff)-0x3fff)
	}
}

// gaussian is half a symmetric kernel (centre first) of the given SD in samples, of unit energy.
func gaussian(sd float64) []float32 {
	n := int(math.Ceil(2.8 * sd))
	w, energy := make([]float64, n+1), 0.0
	for i := range w {
		w[i] = math.Exp(-float64(i*i) / (2 * sd * sd))
		energy += w[i] * w[i]
		if i > 0 {
			energy += w[i] * w[i]
		}
	}
	out := make([]float32, n+1)
	for i := range w {
		out[i] = float32(w[i] / math.Sqrt(energy))
	}
	return out
}

// lateral is the beam's profile across the lines by depth: weights[k][sample] for the line k away.
type lateral struct{ weights [][]float32 }

// lateral widens the beam away from the focus as a Gaussian beam does.
func (p probe) lateral(g grid) lateral {
	waist := 1.2 * p.wavelength() * p.fNumber / 2.3548
	sd := func(z float64) float64 {
		u := (z - p.focus) / p.blur
		return max(0.55, waist*math.Sqrt(1+u*u)/g.dx)
	}
	widest := max(sd(0), sd(g.depth()))
	b := lateral{weights: make([][]float32, int(math.Ceil(2.8*widest))+1)}
	for k := range b.weights {
		b.weights[k] = make([]float32, g.samples)
	}
	for z := range g.samples {
		for k, w := range gaussian(sd(g.z(z))) {
			if k < len(b.weights) {
				b.weights[k][z] = w
			}
		}
	}
	return b
}

// across convolves f over the lines into out; lines beyond the array are silent.
func (b lateral) across(g grid, f, out []float32) {
	for line := range g.lines {
		row, centre := g.row(out, line), g.row(f, line)
		for z, w := range b.weights[0] {
			row[z] = w * centre[z]
		}
		for k := 1; k < len(b.weights); k++ {
			w := b.weights[k][:len(row)]
			switch {
			case line-k >= 0 && line+k < g.lines:
				left, right := g.row(f, line-k)[:len(row)], g.row(f, line+k)[:len(row)]
				for z := range row {
					row[z] += w[z] * (left[z] + right[z])
				}
			case line-k >= 0:
				accumulate(row, w, g.row(f, line-k))
			case line+k < g.lines:
				accumulate(row, w, g.row(f, line+k))
			}
		}
	}
}

func accumulate(row, w, f []float32) {
	for z := range row {
		row[z] += w[z] * f[z]
	}
}

// along convolves every line of f with the pulse into out.
func along(g grid, f, out, pulse []float32) {
	n := len(pulse) - 1
	padded := make([]float32, g.samples+2*n)
	for line := range g.lines {
		copy(padded[n:], g.row(f, line))
		row := g.row(out, line)
		c := padded[n : n+len(row)]
		for z := range row {
			row[z] = pulse[0] * c[z]
		}
		for k := 1; k <= n; k++ {
			w, up, down := pulse[k], padded[n-k:n-k+len(row)], padded[n+k:n+k+len(row)]
			for z := range row {
				row[z] += w * (up[z] + down[z])
			}
		}
	}
}
