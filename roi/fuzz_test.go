package roi

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/internal/problem"
)

// seeds gives a target the good and hostile files whose names end in one of suffixes.
func seeds(f *testing.F, add func(data []byte), suffixes ...string) {
	wanted := func(name string) bool {
		for _, s := range suffixes {
			if strings.HasSuffix(name, s) {
				return true
			}
		}
		return false
	}
	for name, data := range hostile() {
		if wanted(name) {
			add(data)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "masks", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if wanted(name) {
			add(data)
		}
	}
}

// sound demands a mask that fits its description, or an error that names the file.
func sound(t *testing.T, m *Mask, info MaskInfo, err error) {
	t.Helper()
	if err != nil {
		if p, ok := problem.As(err); !ok || p.File != "fuzz.mask" {
			t.Fatalf("the error does not name the file: %v", err)
		}
		return
	}
	if len(m.Pix) != m.W*m.H || info.Width != m.W || info.Height != m.H || info.Empty != (info.Area == 0) {
		t.Fatalf("%d x %d with %d pixels, %+v", m.W, m.H, len(m.Pix), info)
	}
}

func FuzzNIfTI(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(data) }, ".nii", ".nii.gz")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, info, err := DecodeMask("fuzz.mask", data)
		sound(t, m, info, err)
		m, info, err = DecodeMask("fuzz.mask", gzipped(data))
		sound(t, m, info, err)
	})
}

// fuzzText fuzzes a text header together with the data file that it may name.
func fuzzText(f *testing.F, suffixes ...string) {
	seeds(f, func(data []byte) {
		f.Add(data, shape().Pix)
		f.Add(data, gzipped(shape().Pix))
		f.Add(data, zlibbed(shape().Pix))
	}, suffixes...)
	f.Fuzz(func(t *testing.T, header, body []byte) {
		m, info, err := decodeMask("fuzz.mask", bytes.NewReader(header), func(string) (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		})
		sound(t, m, info, err)
	})
}

func FuzzNRRD(f *testing.F)      { fuzzText(f, ".nrrd", ".nhdr") }
func FuzzMetaImage(f *testing.F) { fuzzText(f, ".mha", ".mhd") }

func FuzzRaster(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(data) }, ".png", ".bmp", ".tif")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, info, err := DecodeMask("fuzz.mask", data)
		sound(t, m, info, err)
	})
}
