package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/golden"
	"sonotype/nn"
)

// wanted is what an oracle found in a file for one tensor: its shape and the SHA-256 of its float32 values.
type wanted struct {
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

type pthOracle struct {
	Meta       golden.Meta                  `json:"meta"`
	Files      map[string]map[string]wanted `json:"files"`
	HalfSHA256 string                       `json:"half_sha256"`
	Hash       string                       `json:"hash"`
}

func dataSHA256(x []float32) string {
	s := sha256.Sum256(appendFloats(nil, x))
	return hex.EncodeToString(s[:])
}

func compare(t *testing.T, got nn.Tensors, want map[string]wanted) {
	t.Helper()
	if a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
		t.Fatalf("names\n got %v\nwant %v", a, b)
	}
	for name, w := range want {
		if !slices.Equal(got[name].Shape, w.Shape) || dataSHA256(got[name].Data) != w.SHA256 {
			t.Errorf("%s: shape %v, want %v; values %v", name, got[name].Shape, w.Shape, got[name].Data)
		}
	}
}

func TestLoadAgreesWithTorch(t *testing.T) {
	var o pthOracle
	golden.Load(t, "testdata/oracle/pth.json", &o)
	if len(o.Files) != 12 {
		t.Fatalf("%d files", len(o.Files))
	}
	for file, want := range o.Files {
		t.Run(file, func(t *testing.T) {
			got, info, err := Load(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, want)
			if zip := strings.HasPrefix(file, "zip"); (info.Format == FormatZip) != zip || (info.Format == FormatLegacy) == zip {
				t.Errorf("format %q", info.Format)
			}
			if old := strings.Contains(file, "_old"); (info.Renamed == 20) != old {
				t.Errorf("renamed %d", info.Renamed)
			}
			for _, name := range info.Ignored {
				if !strings.HasSuffix(name, "num_batches_tracked") {
					t.Errorf("ignored %s", name)
				}
			}
		})
	}
	got, info, err := Load("testdata/zip_new.pth")
	if err != nil {
		t.Fatal(err)
	}
	if h := Hash(got); h != o.Hash {
		t.Errorf("hash %s, want %s", h, o.Hash)
	}
	if info.DTypes["F32"] != len(got) || len(info.Ignored) != 7 {
		t.Errorf("info %+v", info)
	}
}

func TestNumberTypes(t *testing.T) {
	for file, name := range map[string]string{"zip_f16.pth": "F16", "legacy_bf16.pth": "BF16", "zip_f64.pth": "F64"} {
		_, info, err := Load(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if len(info.DTypes) != 1 || info.DTypes[name] == 0 {
			t.Errorf("%s: %v", file, info.DTypes)
		}
	}
	var o pthOracle
	golden.Load(t, "testdata/oracle/pth.json", &o)
	var all []float32
	for h := range 1 << 16 {
		if v := halfToFloat(uint16(h)); !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) {
			all = append(all, v)
		}
	}
	if dataSHA256(all) != o.HalfSHA256 {
		t.Error("fp16 to fp32 differs from numpy")
	}
	if v := halfToFloat(0xfc00); !math.IsInf(float64(v), -1) {
		t.Errorf("-inf became %v", v)
	}
	if v := halfToFloat(0x7e00); !math.IsNaN(float64(v)) {
		t.Errorf("NaN became %v", v)
	}
}

func TestSafetensorsAgreesWithTheLibrary(t *testing.T) {
	var o struct {
		Types map[string]wanted `json:"types"`
	}
	golden.Load(t, "testdata/oracle/safetensors.json", &o)
	got, info, err := Load("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, o.Types)
	if !slices.Equal(info.Ignored, []string{"count", "flags"}) {
		t.Errorf("ignored %v", info.Ignored)
	}
}

// formula makes tensor k of the safetensors oracle.
func formula(k int, shape ...int) nn.Tensor {
	t := nn.Tensor{Shape: shape}
	for i := range t.Len() {
		t.Data = append(t.Data, float32((i*37+k*11)%101-50)/64)
	}
	return t
}

func sameTensors() nn.Tensors {
	return nn.Tensors{"a.weight": formula(0, 2, 3, 1, 1), "b.bias": formula(1, 5), "c<&>é.scalar": formula(2), "d.empty": formula(3, 0, 4)}
}

func TestSafetensorsBytesAreTheLibrarys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := SaveSafetensors(path, sameTensors(), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/same.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	in := sameTensors()
	if err := SaveSafetensors(path, in, nil); err != nil {
		t.Fatal(err)
	}
	out, info, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if Hash(in) != Hash(out) || info.Format != FormatSafetensors {
		t.Errorf("%v\n%v", in, out)
	}
	b, _ := os.ReadFile(path)
	if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
		t.Errorf("data start at %d", 8+n)
	}
	if err := SaveSafetensors(path, nn.Tensors{"x": {Shape: []int{3}, Data: []float32{1}}}, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a tensor with too few values: %v", err)
	}
}

func TestHashSeesEverything(t *testing.T) {
	base := Hash(sameTensors())
	for what, change := range map[string]func(nn.Tensors){
		"a value": func(x nn.Tensors) { x["b.bias"].Data[3]++ },
		"a shape": func(x nn.Tensors) { v := x["a.weight"]; v.Shape = []int{3, 2, 1, 1}; x["a.weight"] = v },
		"a name":  func(x nn.Tensors) { x["e.empty"] = x["d.empty"]; delete(x, "d.empty") },
	} {
		x := sameTensors()
		if change(x); Hash(x) == base {
			t.Errorf("the hash does not see %s", what)
		}
	}
}
