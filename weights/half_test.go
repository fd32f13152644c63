package weights

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"sonotype/internal/rng"
	"sonotype/nn"
)

// Every binary16 number comes back, and whatever lies between two of them goes to the nearer one, in the middle to the
// even one.
func TestFloatToHalfRoundsToNearestEven(t *testing.T) {
	for h := range uint32(0x7c00) { // from zero to the largest, one by one
		a, b := halfToFloat(uint16(h)), halfToFloat(uint16(h+1))
		if got := floatToHalf(a); got != uint16(h) {
			t.Fatalf("%v becomes %#x, want %#x", a, got, h)
		}
		if got := floatToHalf(-a); got != uint16(h)|0x8000 {
			t.Fatalf("%v becomes %#x, want %#x", -a, got, h|0x8000)
		}
		if h == 0x7bff { // the next is infinity
			continue
		}
		middle := float32((float64(a) + float64(b)) / 2)
		even := uint16(h + h&1)
		for v, want := range map[float32]uint16{
			middle: even, math.Nextafter32(middle, 0): uint16(h), math.Nextafter32(middle, maxHalf): uint16(h + 1),
		} {
			if got := floatToHalf(v); got != want {
				t.Fatalf("%v, between %v and %v, becomes %#x, want %#x", v, a, b, got, want)
			}
		}
	}
	for v, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, float32(math.Inf(-1)): 0xfc00, 1e-30: 0} {
		if got := floatToHalf(v); got != want {
			t.Errorf("%v becomes %#x, want %#x", v, got, want)
		}
	}
	if h := floatToHalf(float32(math.NaN())); !math.IsNaN(float64(halfToFloat(h))) {
		t.Errorf("NaN becomes %#x", h)
	}
}

// A file of half precision holds what Halved says, in about half the bytes.
func TestHalfPrecisionFile(t *testing.T) {
	r := rng.Stream(1, "halves")
	full := nn.Tensors{"conv": {Shape: []int{40, 30, 3, 3}}, "norm": {Shape: []int{40}}, "linear": {Shape: []int{1, 40}}}
	for name, x := range full {
		x.Data = make([]float32, x.Len())
		for i := range x.Data {
			x.Data[i] = float32(r.NormFloat64() / 1000)
		}
		full[name] = x
	}
	want, err := Halved(full)
	if err != nil {
		t.Fatal(err)
	}
	var one, half bytes.Buffer
	for b, p := range map[*bytes.Buffer]Precision{&one: Single, &half: Half} {
		if err := EncodeSafetensors(b, full, nil, p); err != nil {
			t.Fatal(err)
		}
	}
	if float64(half.Len()) > 0.52*float64(one.Len()) {
		t.Errorf("%d bytes of %d", half.Len(), one.Len())
	}
	file := filepath.Join(t.TempDir(), "half.safetensors")
	if err := os.WriteFile(file, half.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if Hash(got) != Hash(want) {
		t.Error("the file gives other values than Halved")
	}
	if Hash(nn.Tensors{"norm": got["norm"]}) != Hash(nn.Tensors{"norm": full["norm"]}) {
		t.Error("a tensor of one dimension was rounded")
	}
	full["conv"].Data[7] = 70000
	if _, err := Halved(full); err == nil {
		t.Error("a value beyond the range passed")
	}
}
