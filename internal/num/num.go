// Package num holds the number type of result files: NaN and infinities travel through JSON as null.
package num

import (
	"encoding/json"
	"math"
)

// Float is a float64 whose NaN and infinite values are JSON null, and null reads back as NaN.
type Float float64

// NaN is the value that stands for "cannot be computed".
func NaN() Float { return Float(math.NaN()) }

// IsNaN reports whether the value is missing.
func (f Float) IsNaN() bool { return math.IsNaN(float64(f)) }

// Finite reports whether x is neither NaN nor infinite.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// MarshalJSON writes null for NaN and infinities.
func (f Float) MarshalJSON() ([]byte, error) {
	if !Finite(float64(f)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads a number, or null as NaN.
func (f *Float) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = NaN()
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}
