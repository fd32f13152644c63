package nn

import "sonotype/nn/kernel"

// ISA is an instruction-set level that kernels exist for.
type ISA = kernel.ISA

// The levels, from the slowest: each runs on machines that offer the later ones.
const (
	Portable = kernel.Portable
	AVX2     = kernel.AVX2
	AVX512   = kernel.AVX512
)

// Detect returns the best level that processor and operating system support.
func Detect() ISA { return kernel.Detect() }

// ParseISA reads "auto", "portable", "avx2" or "avx512"; "auto" is Detect's answer.
// It does not check that this machine has the level: Compile does.
func ParseISA(s string) (ISA, error) { return kernel.ParseISA(s) }
