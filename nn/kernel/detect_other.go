//go:build !amd64

package kernel

// Detect returns Portable: only x86-64 has assembly.
func Detect() ISA { return Portable }
