package synth

import (
	"math"
	"math/rand/v2"
	"slices"
)

// angles is the number of directions at which a contour's radius is tabulated.
const angles = 720

// lesion is a star-shaped mass: its radius by direction around (x, z), all in mm.
type lesion struct {
	x, z     float64
	radius   [angles]float64 // the tissue's true border
	drawn    [angles]float64 // the reader's contour: smoother, a little outside
	farthest float64         // mm, the drawn contour's largest radius
	soft     float64         // width of the border in mm
	signs
	calcs int // micro-calcifications
}

// drawLesion shapes a mass of half-width a and half-height b (mm) at (x, z).
func drawLesion(x, z, a, b float64, s signs, r *rand.Rand) *lesion {
	l := &lesion{x: x, z: z, signs: s, soft: 1.0 + 1.6*r.Float64()}
	turn := 0.25 * r.NormFloat64()
	type wave struct{ k, amp, phase float64 }
	var waves []wave
	for k := 2.0; k <= 9; k++ {
		waves = append(waves, wave{k, s.roughness * r.NormFloat64() / math.Pow(k/2, 1.2), 2 * math.Pi * r.Float64()})
	}
	spikes := drawSpikes(s.roughness, r)
	for i := range l.radius {
		t := 2 * math.Pi * float64(i) / angles
		c, d := math.Cos(t-turn)/a, math.Sin(t-turn)/b
		rel := 1.0
		for _, w := range waves {
			rel += w.amp * math.Cos(w.k*t+w.phase)
		}
		for _, p := range spikes {
			rel += p.height * math.Exp(-math.Abs(wrap(t-p.at))/p.width)
		}
		l.radius[i] = max(0.55, min(1.45, rel)) / math.Hypot(c, d)
	}
	l.drawContour(r)
	if r.Float64() < 0.35 {
		l.calcs = 3 + r.IntN(14)
	}
	return l
}

type spike struct{ at, width, height float64 }

// drawSpikes draws the angular corners and spicules of a rough contour; smooth masses have none.
func drawSpikes(rough float64, r *rand.Rand) []spike {
	n := r.IntN(2 + int(40*rough))
	out := make([]spike, n)
	for i := range out {
		out[i] = spike{at: 2 * math.Pi * r.Float64(), width: 0.06 + 0.12*r.Float64(), height: (0.06 + 0.20*r.Float64()) * min(1.5, rough/roughness)}
	}
	return out
}

// wrap brings an angle into -pi..pi.
func wrap(t float64) float64 { return math.Remainder(t, 2*math.Pi) }

// drawContour traces the border as a reader does: cutting spicules short, 2 % outside, with a slow hand error of 2 %.
func (l *lesion) drawContour(r *rand.Rand) {
	const reach = 14 // tabulated directions each side, 7 degrees
	phase, k := 2*math.Pi*r.Float64(), float64(2+r.IntN(3))
	wide := 1.02 + 0.015*r.NormFloat64()
	for i := range l.drawn {
		sum := 0.0
		for j := -reach; j <= reach; j++ {
			sum += l.radius[(i+j+angles)%angles]
		}
		hand := wide + 0.02*math.Cos(k*2*math.Pi*float64(i)/angles+phase)
		l.drawn[i] = hand * sum / (2*reach + 1)
	}
	l.farthest = slices.Max(l.drawn[:])
}

// direction is a place between two tabulated angles: f of the way from i to i+1.
type direction struct {
	i int
	f float64
}

// towards gives the direction of (dx, dz).
func towards(dx, dz float64) direction {
	t := math.Atan2(dz, dx) / (2 * math.Pi) * angles
	if t < 0 {
		t += angles
	}
	i := int(t)
	return direction{i % angles, t - float64(i)}
}

// at interpolates a table over the angles.
func at(table *[angles]float64, d direction) float64 {
	return table[d.i]*(1-d.f) + table[(d.i+1)%angles]*d.f
}

// contains reports whether the reader's contour holds the point (mm).
func (l *lesion) contains(x, z float64) bool {
	dx, dz := x-l.x, z-l.z
	d2 := dx*dx + dz*dz
	if d2 >= l.farthest*l.farthest {
		return false
	}
	limit := at(&l.drawn, towards(dx, dz))
	return d2 < limit*limit
}

// paint puts the lesion into the scene: inside level and texture, echogenic rim, loss of sound through it, calcifications.
func (l *lesion) paint(s *scene, r *rand.Rand) {
	b := l.newBrush(s.grid, r)
	far := slices.Max(l.radius[:]) + 3*l.haloWidth
	loss := float32(l.posterior / (l.radius[angles/4] + l.radius[3*angles/4]))
	for line := s.line(l.x - far); line <= s.line(l.x+far); line++ {
		base, dx := line*s.samples, s.x(line)-l.x
		for z := s.sample(l.z - far); z <= s.sample(l.z+far); z++ {
			dz := s.z(z) - l.z
			if dx*dx+dz*dz > far*far {
				continue
			}
			i := base + z
			inside, rim := b.cover(l, i, dx, dz)
			s.level[i] += rim * (float32(l.halo) - s.level[i])
			s.mirror[i] *= 1 - rim
			if inside == 0 {
				continue
			}
			s.level[i] += (b.level(l, i) - s.level[i]) * inside
			s.mirror[i] *= (1 - inside) * (1 - inside)
			s.loss[i] += (loss - s.loss[i]) * inside
			s.sparse[i] = uint8(float32(s.sparse[i])*(1-inside) + 40*inside)
		}
	}
	l.calcify(s, r)
	l.edgeShadows(s)
}

// brush holds the random fields that a lesion is painted with.
type brush struct {
	fine, coarse []float32       // texture inside
	fray         []float32       // wandering of the border
	width        float32         // mm (SD) of that wandering
	halo, blur   [angles]float64 // where around the border the rim shows, where the border is indistinct
}

func (l *lesion) newBrush(g grid, r *rand.Rand) *brush {
	return &brush{
		fine: noise(g, 1.5, 1.1, nil, r), coarse: noise(g, 3.2, 2.4, nil, r), fray: noise(g, 1.1, 0.8, nil, r),
		width: float32(0.15 + 1.8*l.roughness), halo: aroundBorder(r), blur: aroundBorder(r),
	}
}

// level is the backscatter inside the lesion in dB.
func (b *brush) level(l *lesion, i int) float32 {
	return float32(l.level) + float32(l.texture)*0.75*(b.fine[i]+b.coarse[i]) + 1.2*b.fray[i]
}

// cover gives the share of lesion (0-1) and the share of echogenic rim outside it at one point. The border blurs mostly
// inwards; the rim is full at the border and gone at twice its width.
func (b *brush) cover(l *lesion, i int, dx, dz float64) (inside, rim float32) {
	d := towards(dx, dz)
	out := math.Hypot(dx, dz) - at(&l.radius, d) + float64(b.width*b.fray[i]) // mm outside the border
	soft := l.soft * max(0.3, 2*at(&b.blur, d)-1)
	inside = float32(min(1, max(0, 0.25-out/soft)))
	inside *= inside * (3 - 2*inside)
	if u := max(0, out) / l.haloWidth; u < 2.5 {
		rim = float32(min(1, rimShare*at(&b.halo, d)*math.Exp(-0.7*u*u)))
	}
	return inside, rim
}

// aroundBorder is a slow random factor of mean 1 by direction.
func aroundBorder(r *rand.Rand) [angles]float64 {
	var phase [3]float64
	for k := range phase {
		phase[k] = 2 * math.Pi * r.Float64()
	}
	var out [angles]float64
	for i := range out {
		out[i] = 1
		for k, p := range phase {
			out[i] += 0.2 * math.Cos(2*math.Pi*float64((k+1)*i)/angles+p)
		}
	}
	return out
}

// calcify scatters micro-calcifications: single bright points in the inner half.
func (l *lesion) calcify(s *scene, r *rand.Rand) {
	for range l.calcs {
		t, u := 2*math.Pi*r.Float64(), 0.75*math.Sqrt(r.Float64())
		x := l.x + u*l.radius[int(t/(2*math.Pi)*angles)%angles]*math.Cos(t)
		z := l.z + u*l.radius[int(t/(2*math.Pi)*angles)%angles]*math.Sin(t)
		s.mirror[s.line(x)*s.samples+s.sample(z)] += float32(1.2 + 1.6*r.Float64())
	}
}

// edgeShadows bends sound away at the flanks of a smooth mass: a thin darker band under each lateral edge.
func (l *lesion) edgeShadows(s *scene) {
	strength := 3 * max(0, 1-l.roughness/(1.2*roughness)) // dB
	if strength == 0 {
		return
	}
	for _, side := range []float64{-l.radius[angles/2], l.radius[0]} {
		for line := s.line(l.x + side - 1); line <= s.line(l.x+side+1); line++ {
			u := (s.x(line) - l.x - side) / 0.5
			loss := float32(strength * math.Exp(-u*u) / 2)
			for z := s.sample(l.z); z < s.sample(l.z+2); z++ {
				s.loss[line*s.samples+z] += loss
			}
		}
	}
}
