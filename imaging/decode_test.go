package imaging

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"sonotype/internal/golden"
	"sonotype/internal/problem"
)

func TestGreyIsOpenCVs(t *testing.T) {
	o := loadOracle(t)
	var cube []uint8
	for r := 0; r < 256; r += 5 {
		for g := 0; g < 256; g += 5 {
			for b := 0; b < 256; b += 5 {
				cube = append(cube, luma(uint8(r), uint8(g), uint8(b)))
			}
		}
	}
	if sha(cube) != o.Grey.Cube {
		t.Error("the grey value of the colour cube differs from OpenCV's")
	}
	var noise []uint8
	r, g, b := pattern(301, 203, "noise", 1), pattern(301, 203, "noise", 2), pattern(301, 203, "noise", 3)
	for i := range r.Pix {
		noise = append(noise, luma(r.Pix[i], g.Pix[i], b.Pix[i]))
	}
	if sha(noise) != o.Grey.Noise {
		t.Error("the grey value of colour noise differs from OpenCV's")
	}
}

// sample fills img with a pattern through its colour model.
func sample(img interface {
	image.Image
	Set(x, y int, c color.Color)
}) image.Image {
	r, g, b := pattern(img.Bounds().Dx(), img.Bounds().Dy(), "smooth", 1), pattern(img.Bounds().Dx(), img.Bounds().Dy(), "smooth", 90), pattern(img.Bounds().Dx(), img.Bounds().Dy(), "noise", 3)
	for y := range r.H {
		for x := range r.W {
			i := y*r.W + x
			img.Set(x, y, color.NRGBA{r.Pix[i], g.Pix[i], b.Pix[i], 255})
		}
	}
	return img
}

var box = image.Rect(0, 0, 23, 17)

func ramp() color.Palette {
	var p color.Palette
	for i := range 200 {
		p = append(p, color.NRGBA{uint8(i), uint8(255 - i), uint8(i / 2), 255})
	}
	return p
}

type encoder func(*bytes.Buffer, image.Image) error

func pngTo(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }
func bmpTo(b *bytes.Buffer, m image.Image) error { return bmp.Encode(b, m) }
func tiffTo(b *bytes.Buffer, m image.Image) error {
	return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
}

// TestDecodeLossless holds every pixel type of the lossless formats against the colour model's own conversion.
func TestDecodeLossless(t *testing.T) {
	images := map[string]image.Image{
		"gray": sample(image.NewGray(box)), "gray16": sample(image.NewGray16(box)),
		"palette": sample(image.NewPaletted(box, ramp())),
		"nrgba":   sample(image.NewNRGBA(box)), "rgba": sample(image.NewRGBA(box)),
		"nrgba64": sample(image.NewNRGBA64(box)), "rgba64": sample(image.NewRGBA64(box)),
	}
	for format, enc := range map[string]encoder{"png": pngTo, "bmp": bmpTo, "tiff": tiffTo} {
		for name, m := range images {
			var b bytes.Buffer
			if err := enc(&b, m); err != nil {
				t.Fatal(format, name, err)
			}
			g, info, err := DecodeBytes(name, b.Bytes())
			if err != nil {
				t.Fatal(format, name, err)
			}
			if info.Format != format || info.Width != 23 || info.Height != 17 || g.W != 23 || g.H != 17 || info.Alpha {
				t.Errorf("%s %s: %+v", format, name, info)
			}
			wide := format != "bmp" && (strings.HasSuffix(name, "16") || strings.HasSuffix(name, "64"))
			if wide != (info.Bits == 16) || wide != (info.Peak > 255) {
				t.Errorf("%s %s: bits %d peak %d", format, name, info.Bits, info.Peak)
			}
			for i, v := range g.Pix {
				c := color.NRGBAModel.Convert(m.At(i%23, i/23)).(color.NRGBA)
				if want := luma(c.R, c.G, c.B); v != want {
					t.Fatalf("%s %s: pixel %d is %d, want %d", format, name, i, v, want)
				}
			}
		}
	}
}

func TestDecodeJPEG(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i % 64 * 4)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, grey, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	g, info, err := DecodeBytes("grey.jpg", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Pix {
		if d := int(v) - int(grey.Pix[i]); d < -4 || d > 4 {
			t.Fatalf("pixel %d: %d, encoded %d", i, v, grey.Pix[i])
		}
	}
	if info.Format != "jpeg" || info.ColourFraction != 0 {
		t.Errorf("%+v", info)
	}
	b.Reset()
	if err := jpeg.Encode(&b, sample(image.NewRGBA(image.Rect(0, 0, 64, 48))), nil); err != nil {
		t.Fatal(err)
	}
	if _, info, err = DecodeBytes("colour.jpg", b.Bytes()); err != nil || info.ColourFraction < 0.2 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestAlphaIsIgnoredAndReported(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	m.SetNRGBA(0, 0, color.NRGBA{90, 90, 90, 0})
	m.SetNRGBA(1, 0, color.NRGBA{10, 200, 10, 255})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	g, info, err := DecodeBytes("a.png", b.Bytes())
	if err != nil || g.Pix[0] != 90 || !info.Alpha || info.ColourFraction != 0.5 {
		t.Errorf("%v %+v %v", g, info, err)
	}
}

// TestDecodeMatchesOpenCV compares whole files: PNG exactly, JPEG within the decoders' difference.
func TestDecodeMatchesOpenCV(t *testing.T) {
	var o struct {
		golden.Meta
		Files []struct {
			File   string
			W, H   int
			Sha256 string
			Pixels []int
		}
	}
	golden.Load(t, "testdata/oracle/decode.json", &o)
	for _, f := range o.Files {
		g, _, err := Decode(filepath.Join("testdata", f.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if g.W != f.W || g.H != f.H {
			t.Errorf("%s: %d x %d", f.File, g.W, g.H)
		}
		if f.Sha256 != "" && sha(g.Pix) != f.Sha256 {
			t.Errorf("%s: pixels differ from OpenCV's", f.File)
		}
		worst := 0
		for i, p := range f.Pixels {
			worst = max(worst, int(g.Pix[i])-p, p-int(g.Pix[i]))
		}
		if float64(worst) > o.Tolerance {
			t.Errorf("%s: differs from OpenCV by %d levels", f.File, worst)
		}
	}
}

// pngHeader is a PNG that declares w x h pixels and holds none.
func pngHeader(w, h uint32, depth, colour, interlace byte) []byte {
	ihdr := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	ihdr = append(binary.BigEndian.AppendUint32(ihdr, h), depth, colour, 0, 0, interlace)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

func bmpHeader(w, h int32) []byte {
	b := make([]byte, 54)
	copy(b, "BM")
	binary.LittleEndian.PutUint32(b[10:], 54)
	binary.LittleEndian.PutUint32(b[14:], 40)
	binary.LittleEndian.PutUint32(b[18:], uint32(w))
	binary.LittleEndian.PutUint32(b[22:], uint32(h))
	binary.LittleEndian.PutUint16(b[26:], 1)
	binary.LittleEndian.PutUint16(b[28:], 24)
	return b
}

// jpegHeader is a progressive or baseline JPEG frame header of three full-size components.
func jpegHeader(w, h uint16, sof byte) []byte {
	b := []byte{0xff, 0xd8, 0xff, sof, 0, 17, 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), 3,
		1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0}
	return append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0)
}

func encoded(t testing.TB, enc encoder, m image.Image) []byte {
	var b bytes.Buffer
	if err := enc(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile are files that must give an error soon and cheaply.
func hostile(t testing.TB) map[string][]byte {
	good := encoded(t, pngTo, sample(image.NewRGBA(box)))
	goodTIFF := encoded(t, tiffTo, sample(image.NewGray(box)))
	goodBMP := encoded(t, bmpTo, sample(image.NewGray(box)))
	bigTIFF := bytes.Clone(goodTIFF)
	patchTIFF(bigTIFF, 256, 60000)
	patchTIFF(bigTIFF, 257, 60000)
	scans := jpegHeader(64, 64, 0xc2)
	for range 500 {
		scans = append(scans, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0)
	}
	return map[string][]byte{
		"empty": {}, "text": []byte("not an image"), "gif": []byte("GIF89a\x01\x00\x01\x00"),
		"truncated.png": good[:len(good)/2], "truncated.tif": goodTIFF[:len(goodTIFF)/2], "truncated.bmp": goodBMP[:len(goodBMP)-9],
		"huge.png": pngHeader(1<<31-1, 1<<31-1, 8, 0, 0), "bomb.png": pngHeader(60000, 60000, 8, 6, 0),
		"wide.png": pngHeader(64<<20+1, 1, 1, 0, 0), "deep.png": pngHeader(8000, 8000, 16, 6, 1), "zero.png": pngHeader(0, 5, 8, 0, 0),
		"huge.bmp": bmpHeader(1<<30, 1<<30), "lying.bmp": bmpHeader(8000, 8000), "negative.bmp": bmpHeader(-5, 5), "zero.bmp": bmpHeader(0, 0),
		"huge.jpg": jpegHeader(65535, 65535, 0xc0), "progressive.jpg": jpegHeader(8000, 8000, 0xc2), "scans.jpg": scans,
		"huge.tif": bigTIFF,
	}
}

// patchTIFF sets the value of a tag in a little-endian TIFF's first directory.
func patchTIFF(b []byte, tag uint16, v uint32) {
	at := binary.LittleEndian.Uint32(b[4:])
	n := int(binary.LittleEndian.Uint16(b[at:]))
	for i := range n {
		e := b[int(at)+2+12*i:]
		if binary.LittleEndian.Uint16(e) == tag {
			binary.LittleEndian.PutUint16(e[2:], 4)
			binary.LittleEndian.PutUint32(e[8:], v)
		}
	}
}

// allocated runs f and returns the bytes that it allocated in all.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

func TestHostileFilesGiveCheapErrorsThatNameThem(t *testing.T) {
	dir := t.TempDir()
	for name, data := range hostile(t) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		used := allocated(func() { _, _, err = Decode(path) })
		p, ok := problem.As(err)
		if !ok || p.File != path || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
		if used > 1<<20 {
			t.Errorf("%s: %d KB allocated before the error", name, used>>10)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing.png"), os.DevNull} {
		if _, _, err := Decode(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// TestLargestFilesStayUnderOneGigabyte decodes a well-formed file at the limit of what is let in.
func TestLargestFilesStayUnderOneGigabyte(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 64 megapixels")
	}
	data := encoded(t, pngTo, image.NewGray(image.Rect(0, 0, 8192, 8192)))
	var err error
	used := allocated(func() { _, _, err = DecodeBytes("limit.png", data) })
	if err != nil || used > 1<<30 {
		t.Errorf("%v, %d MB", err, used>>20)
	}
	// One strip of a TIFF that inflates to much more than its pixels need.
	data = encoded(t, tiffTo, image.NewGray(image.Rect(0, 0, 3000, 3000)))
	patchTIFF(data, 256, 1000)
	used = allocated(func() { _, _, _ = DecodeBytes("strip.tif", data) })
	if used > 1<<30 {
		t.Errorf("strip.tif: %d MB", used>>20)
	}
}

func FuzzPNG(f *testing.F)  { fuzzFormat(f, "png", pngTo) }
func FuzzBMP(f *testing.F)  { fuzzFormat(f, "bmp", bmpTo) }
func FuzzTIFF(f *testing.F) { fuzzFormat(f, "tiff", tiffTo) }
func FuzzJPEG(f *testing.F) {
	fuzzFormat(f, "jpeg", func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) })
}

// fuzzFormat seeds a target with the good and hostile files of one format.
func fuzzFormat(f *testing.F, format string, enc encoder) {
	for _, data := range hostile(f) {
		if sniff(data) == format {
			f.Add(data)
		}
	}
	for _, m := range []image.Image{sample(image.NewGray(box)), sample(image.NewRGBA(box)), sample(image.NewPaletted(box, ramp()))} {
		f.Add(encoded(f, enc, m))
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if sniff(data) == format {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, info, err := DecodeBytes("fuzz.img", data)
		if err != nil {
			if p, ok := problem.As(err); !ok || p.File != "fuzz.img" {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		if len(g.Pix) != g.W*g.H || g.W != info.Width || g.H != info.Height {
			t.Fatalf("%d x %d with %d pixels, info %+v", g.W, g.H, len(g.Pix), info)
		}
	})
}
