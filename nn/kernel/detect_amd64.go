package kernel

import "golang.org/x/sys/cpu"

// Detect returns the best level that processor and operating system support
// (x/sys/cpu reports AVX levels only where the system saves their registers).
func Detect() ISA {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return Portable
	case cpu.X86.HasAVX512F:
		return AVX512
	default:
		return AVX2
	}
}
