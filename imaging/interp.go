package imaging

import "fmt"

// Interp is an interpolation rule of OpenCV's resize.
type Interp int

const (
	Linear  Interp = iota // INTER_LINEAR, 11-bit fixed-point weights
	Cubic                 // INTER_CUBIC, a = -0.75
	Area                  // INTER_AREA, pixel coverage when shrinking
	Nearest               // INTER_NEAREST, floor(x * scale)
)

var interpNames = [...]string{"linear", "cubic", "area", "nearest"}

// String returns the name that ParseInterp reads.
func (i Interp) String() string {
	if i < 0 || int(i) >= len(interpNames) {
		return fmt.Sprintf("Interp(%d)", int(i))
	}
	return interpNames[i]
}

// ParseInterp reads "linear", "cubic", "area" or "nearest".
func ParseInterp(s string) (Interp, error) {
	for i, n := range interpNames {
		if s == n {
			return Interp(i), nil
		}
	}
	return 0, fmt.Errorf("unknown interpolation %q: linear, cubic, area or nearest", s)
}
