package synth

import (
	"math"
	"math/rand/v2"
)

// scene is the tissue as the beam meets it, over the acquisition grid.
type scene struct {
	grid
	level  []float32 // diffuse backscatter in dB against fibroglandular tissue
	mirror []float32 // amplitude of coherent reflectors (interfaces, calcifications); 1 = rms of glandular scatter
	loss   []float32 // two-way attenuation beyond what the time-gain compensation makes up, dB a mm
	sparse []uint8   // share of empty scatterer cells in 1/256: 0 = fully developed speckle
}

// anatomy is where the layers lie, in mm below the transducer, at the image's centre.
type anatomy struct {
	skinTop, skinBottom     float64
	glandTop, glandBottom   float64
	muscleTop, muscleBottom float64
	density                 float64 // 0 fatty breast .. 1 dense
}

// layers are the interfaces, one depth (mm) a line, from the skin down.
type layers struct {
	skinTop, skinBottom, glandTop, glandBottom, muscleTop, muscleBottom []float64
	chest                                                               []float64 // ribs and pleura
	rib                                                                 []bool    // the line meets a rib
	bend                                                                []float64 // mm by which a line lies deeper, ligaments left out
}

// tissue is the acoustic character of a layer.
type tissue struct {
	level  float64 // dB
	slow   float64 // SD in dB of lobules, several mm
	fibre  float64 // SD in dB of short fibres along the layer
	loss   float64 // dB a mm beyond the time-gain compensation
	sparse uint8
}

var (
	gel       = tissue{level: -30, fibre: 3, sparse: 128}
	skin      = tissue{level: -4, slow: 1, fibre: 2, loss: 0.05, sparse: 32}
	fat       = tissue{level: -12, slow: 1.5, fibre: 1.8, loss: 0.03, sparse: 150}
	gland     = tissue{level: 0, slow: 2.8, fibre: 3.2, loss: 0.08, sparse: 100}
	deepFat   = tissue{level: -10, slow: 2, fibre: 2.5, loss: 0.06, sparse: 150}
	muscle    = tissue{level: -9, slow: 2, fibre: 3.5, loss: 0.12, sparse: 100}
	chestWall = tissue{level: -12, slow: 2, fibre: 2, loss: 0.7, sparse: 100}
)

// boneLoss is the attenuation behind a rib in dB a mm.
const boneLoss = 3.0

// buildScene lays the breast's layers, without the lesion.
func buildScene(g grid, a anatomy, r *rand.Rand) *scene {
	s := &scene{grid: g, level: make([]float32, g.size()), mirror: make([]float32, g.size()),
		loss: make([]float32, g.size()), sparse: make([]uint8, g.size())}
	l := drawLayers(g, a, r)
	s.fill(l, a, r)
	s.addSheets(l, r)
	s.addInterface(l.skinTop, 0.20, 1.8, 0.25, r)
	s.addInterface(l.skinBottom, 0.16, 1.1, 0.5, r)
	s.addInterface(l.glandTop, 0.16, 0.8, 1, r)
	s.addInterface(l.glandBottom, 0.14, 0.6, 1, r)
	s.addInterface(l.muscleTop, 0.18, 1.3, 0.8, r)
	s.addInterface(l.muscleBottom, 0.18, 1.0, 0.9, r)
	s.addInterface(l.chest, 0.25, 2.2, 0.6, r)
	s.addContact(r)
	return s
}

// drawLayers bends the layers: slow undulation, a common tilt, and the fat-gland border drawn up into Cooper's ligaments.
func drawLayers(g grid, a anatomy, r *rand.Rand) *layers {
	tilt := 0.05 * r.NormFloat64()
	bow := curve(g, 14, r)
	bend := func(base, share, sd, scale float64) []float64 {
		own := curve(g, scale, r)
		out := make([]float64, g.lines)
		for i := range out {
			out[i] = base + share*(tilt*(g.x(i)-g.width()/2)+0.9*bow[i]) + sd*own[i]
		}
		return out
	}
	l := &layers{
		skinTop:      bend(a.skinTop, 0.02, 0.03, 12),
		skinBottom:   bend(a.skinBottom, 0.06, 0.10, 8),
		glandTop:     bend(a.glandTop, 0.9, 0.35, 4),
		glandBottom:  bend(a.glandBottom, 1.0, 0.45, 7),
		muscleTop:    bend(a.muscleTop, 1.1, 0.25, 12),
		muscleBottom: bend(a.muscleBottom, 1.2, 0.35, 12),
	}
	reach := min(3.5, 0.6*(a.glandTop-a.skinBottom)) * (0.3 + 0.7*r.Float64())
	arches := curve(g, 4+4*r.Float64(), r)
	for i := range l.glandTop {
		l.bend = append(l.bend, l.glandTop[i]-a.glandTop)
		l.glandTop[i] -= reach * max(0, 1-1.2*math.Sqrt(math.Abs(arches[i])))
		l.glandTop[i] = max(l.glandTop[i], l.skinBottom[i]+0.3)
		l.glandBottom[i] = max(l.glandBottom[i], l.glandTop[i]+1)
		l.muscleTop[i] = max(l.muscleTop[i], l.glandBottom[i]+0.4)
		l.muscleBottom[i] = max(l.muscleBottom[i], l.muscleTop[i]+2)
	}
	l.drawChest(g, r)
	return l
}

// drawChest lays ribs (convex, shadowing) and pleura under the muscle.
func (l *layers) drawChest(g grid, r *rand.Rand) {
	l.chest, l.rib = make([]float64, g.lines), make([]bool, g.lines)
	gap := 1 + 4*r.Float64()
	spacing, half := 22+8*r.Float64(), 5+2*r.Float64()
	first := spacing * r.Float64()
	for i := range l.chest {
		away := math.Mod(g.x(i)-first+10*spacing, spacing) - spacing/2
		l.chest[i] = l.muscleBottom[i] + gap + 3
		if u := away / half; math.Abs(u) < 1 {
			l.rib[i] = true
			l.chest[i] -= 3 * math.Sqrt(1-u*u)
		}
	}
}

// fill writes the diffuse part: each layer's level, its lobules and fibres, and its attenuation. Borders are frayed by
// the fine fields, as tissue interlocks.
func (s *scene) fill(l *layers, a anatomy, r *rand.Rand) {
	slow := noise(s.grid, 5, 1.9, l.bend, r)
	mid := noise(s.grid, 1.7, 0.7, l.bend, r)
	broad := noise(s.grid, 11, 6, nil, r)
	fibre := noise(s.grid, 1.6, 0.24, l.bend, r)
	island := float32(-0.2 - 1.6*a.density) // below this the gland gives way to fat
	kinds := [...]tissue{gel, skin, fat, gland, deepFat, muscle, muscle, chestWall}
	fray := [...]float64{0.02, 0.05, 0.35, 0.35, 0.2, 0.2, 0.15}
	for line := range s.lines {
		bounds := [...]float64{l.skinTop[line], l.skinBottom[line], l.glandTop[line], l.glandBottom[line],
			l.muscleTop[line], l.muscleBottom[line], l.chest[line], math.Inf(1)}
		k, base := 0, line*s.samples
		for z := range s.samples {
			i := base + z
			for k < len(fray) && s.z(z) >= bounds[k]+fray[k]*float64(mid[i]) {
				k++
			}
			t := &kinds[k]
			v := float32(t.level) + float32(t.slow)*(0.8*slow[i]+0.6*mid[i]) + float32(t.fibre)*fibre[i] + 1.8*broad[i]
			s.sparse[i], s.loss[i] = t.sparse, float32(t.loss)
			switch {
			case k == 3 && slow[i] < island:
				v += min(1, (island-slow[i])*2) * float32(fat.level-gland.level) * 0.8
				s.sparse[i] = fat.sparse
			case k == 7 && l.rib[line]:
				s.loss[i] = float32(boneLoss)
			}
			s.level[i] = v
		}
	}
}

// addSheets draws the thin reflecting strands: septa in fat, stroma in the gland, striae in muscle. They are rough: part
// of their echo is coherent, part raises the diffuse scatter around.
func (s *scene) addSheets(l *layers, r *rand.Rand) {
	septa := sheets(s.grid, noise(s.grid, 6, 1.9, l.bend, r), 0.13)
	stroma := sheets(s.grid, noise(s.grid, 3.5, 0.9, l.bend, r), 0.15)
	striae := sheets(s.grid, noise(s.grid, 7, 0.6, l.tilted(s.grid, r), r), 0.12)
	strength := noise(s.grid, 2.6, 1.2, l.bend, r)
	for line := range s.lines {
		base := line * s.samples
		top, bottom, deep := s.sample(l.skinBottom[line]), s.sample(l.glandTop[line]), s.sample(l.glandBottom[line])
		muscleTop, muscleEnd := s.sample(l.muscleTop[line]), s.sample(l.chest[line])
		add := func(from, to int, f []float32, gain, boost float32) {
			for i := base + from; i < base+to; i++ {
				if f[i] > 0 {
					k := f[i] * max(0, 0.35+0.8*strength[i])
					s.mirror[i] += k * gain
					s.level[i] += min(16, k*boost)
				}
			}
		}
		add(top, bottom, septa, 0.45, 14)
		add(bottom, deep, stroma, 0.5, 8)
		add(deep, muscleTop, septa, 0.45, 12)
		add(muscleTop, muscleEnd, striae, 0.4, 12)
	}
}

// tilted follows the muscle's upper fascia and adds the fibres' own slope.
func (l *layers) tilted(g grid, r *rand.Rand) []float64 {
	slope := 0.08 * r.NormFloat64()
	out := make([]float64, g.lines)
	for i := range out {
		out[i] = l.muscleTop[i] - l.muscleTop[g.lines/2] + slope*(g.x(i)-g.width()/2)
	}
	return out
}

// addInterface draws a reflecting border of the given thickness (mm) and amplitude; patchy (0-1) lets it come and go.
func (s *scene) addInterface(depth []float64, thickness, amplitude, patchy float64, r *rand.Rand) {
	strength, rough, jitter := curve(s.grid, 5, r), curve(s.grid, 0.8, r), curve(s.grid, 0.9, r)
	for line := range s.lines {
		slope := (depth[min(line+1, s.lines-1)] - depth[max(line-1, 0)]) / (2 * s.dx)
		cos2 := 1 / (1 + slope*slope)
		a := amplitude * cos2 * cos2 * max(0.05, 1+patchy*(0.7*strength[line]+0.7*rough[line]-0.3))
		base := line * s.samples
		for z := s.sample(depth[line] - 3*thickness); z <= s.sample(depth[line]+3*thickness); z++ {
			d := (s.z(z)-depth[line])/thickness - 0.8*patchy*jitter[line]
			e := a * math.Exp(-d*d)
			s.mirror[base+z] += float32(0.6 * e)
			s.level[base+z] += float32(min(14, 9*e))
		}
	}
}

// addContact lets single lines lose signal near the surface (hair, air, a ligament's shadow), seen as vertical streaks;
// and what reflects much lets less through.
func (s *scene) addContact(r *rand.Rand) {
	broad, narrow := curve(s.grid, 6, r), curve(s.grid, 1.3, r)
	for line := range s.lines {
		lost := max(0, 3*(broad[line]-0.5)) + max(0, 2.2*narrow[line]) // dB
		base := line * s.samples
		from, to := s.sample(0.5), s.sample(6)
		for z := from; z < to; z++ {
			s.loss[base+z] += float32(lost / 5.5)
		}
		for z := range s.samples {
			s.loss[base+z] += 1.2 * min(2, s.mirror[base+z])
		}
	}
}
