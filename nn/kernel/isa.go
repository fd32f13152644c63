package kernel

import "sonotype/internal/problem"

// ISA is an instruction-set level that kernels exist for.
type ISA int

// The levels, from the slowest.
const (
	Portable ISA = iota // Go code, any processor
	AVX2                // x86-64 with AVX2 and FMA
	AVX512              // x86-64 with AVX-512F
)

var isaNames = [...]string{Portable: "portable", AVX2: "avx2", AVX512: "avx512"}

// String is the level's name on the command line.
func (i ISA) String() string {
	if i < 0 || int(i) >= len(isaNames) {
		return "unknown"
	}
	return isaNames[i]
}

// MarshalText writes the level's name.
func (i ISA) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// ParseISA reads a level's name, or "auto" as Detect's answer.
func ParseISA(s string) (ISA, error) {
	if s == "auto" {
		return Detect(), nil
	}
	for i, name := range isaNames {
		if s == name {
			return ISA(i), nil
		}
	}
	return Portable, &problem.Error{
		What: "unknown instruction set", Found: s,
		Expected: "auto, portable, avx2 or avx512",
		Try:      "leave it at auto",
	}
}

// Available lists the levels that this machine runs, from the slowest.
func Available() []ISA {
	var all []ISA
	for i := Portable; i <= Detect(); i++ {
		all = append(all, i)
	}
	return all
}
