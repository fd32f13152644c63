//go:build unix

package kernel

import (
	"os"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded returns slices that end at (or begin behind) a page that may not be touched, so that one
// float read or written outside them is a fault.
type guarded struct {
	t      *testing.T
	page   int
	behind bool // slices begin behind the forbidden page instead of ending at one
	maps   [][]byte
}

func (g *guarded) alloc(n int) []float32 {
	size := (n*4 + g.page - 1) / g.page * g.page
	m, err := unix.Mmap(-1, 0, size+2*g.page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		g.t.Fatal(err)
	}
	g.maps = append(g.maps, m)
	for _, edge := range [][]byte{m[:g.page], m[g.page+size:]} {
		if err := unix.Mprotect(edge, unix.PROT_NONE); err != nil {
			g.t.Fatal(err)
		}
	}
	at := g.page
	if !g.behind {
		at += size - n*4
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[at])), n)
}

func (g *guarded) free() {
	for _, m := range g.maps {
		if err := unix.Munmap(m); err != nil {
			g.t.Fatal(err)
		}
	}
	g.maps = nil
}

// No kernel reads or writes outside the slices that it is given.
func TestKernelsStayInside(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for name, compare := range comparisons {
		t.Run(name, func(t *testing.T) {
			for _, s := range accelerated() {
				for seed := range uint64(60) {
					g := &guarded{t: t, page: os.Getpagesize(), behind: seed%2 == 1}
					compare(newTrial(t, seed, 2, g.alloc), s, For(Portable))
					g.free()
				}
			}
		})
	}
}
