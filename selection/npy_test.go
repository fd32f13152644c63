package selection

import (
	"bytes"
	"slices"
	"testing"
)

func TestNPYRoundTrip(t *testing.T) {
	var b bytes.Buffer
	if err := writeNPY(&b, 2, 3, []float64{1, 2, 3, 4, 5, 6.5}); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 128+48 {
		t.Errorf("%d bytes, want a header of 128 and 48 of numbers", b.Len())
	}
	v, err := readNPY[float64](b.Bytes(), "x.npy", 2, 3)
	if err != nil || !slices.Equal(v, []float64{1, 2, 3, 4, 5, 6.5}) {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := readNPY[float32](b.Bytes(), "x.npy", 2, 3); err == nil {
		t.Error("another type: no error")
	}
	if _, err := readNPY[float64](b.Bytes(), "x.npy", 3, 2); err == nil {
		t.Error("another shape: no error")
	}
}

func FuzzReadNPY(f *testing.F) {
	var b bytes.Buffer
	if err := writeNPY(&b, 1, 4, []float32{1, 2, 3, 4}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(npyMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := readNPY[float32](data, "fuzz.npy", 1, 4)
		if err == nil && len(v) != 4 {
			t.Errorf("%d numbers of 4", len(v))
		}
	})
}
