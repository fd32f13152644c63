package finetune

import (
	"math"
	"math/rand/v2"
)

// The size of a grain, px: speckle is wider across the beam than along it.
const (
	grainWidth  = 4
	grainHeight = 2
)

// grain makes speckle of mean 0 and variance 1, row by row: the mean over a window of grainWidth x grainHeight of
// independent uniform numbers, scaled. Eight such numbers make a distribution close to normal, within 4.9.
type grain struct {
	draw  *rand.Rand
	rows  [grainHeight][]uint32 // sums along the rows of the window, by row modulo its height
	next  int
	plain []uint16 // uniform numbers of a row
}

func newGrain(r *rand.Rand, width int) *grain {
	g := &grain{draw: r, plain: make([]uint16, (width+grainWidth+2)/4*4)}
	for i := range g.rows {
		g.rows[i] = make([]uint32, width)
	}
	for range grainHeight - 1 {
		g.sums()
	}
	return g
}

// sums draws a row of uniform numbers, four from 64 bits, and writes its sums over grainWidth.
func (g *grain) sums() {
	for i := 0; i < len(g.plain); i += 4 {
		u := g.draw.Uint64()
		g.plain[i], g.plain[i+1], g.plain[i+2], g.plain[i+3] = uint16(u), uint16(u>>16), uint16(u>>32), uint16(u>>48)
	}
	row := g.rows[g.next]
	g.next = (g.next + 1) % grainHeight
	for x := range row {
		sum := uint32(0)
		for _, v := range g.plain[x : x+grainWidth] {
			sum += uint32(v)
		}
		row[x] = sum
	}
}

// row fills dst with the next row.
func (g *grain) row(dst []float32) {
	g.sums()
	const (
		n    = grainWidth * grainHeight
		mean = n * math.MaxUint16 / 2.0
	)
	scale := float32(1 / math.Sqrt(n*(1<<32-1)/12.0))
	for x := range dst {
		sum := uint32(0)
		for _, r := range g.rows {
			sum += r[x]
		}
		dst[x] = (float32(sum) - mean) * scale
	}
}
