package roi

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/problem"
)

func TestWriteNIfTIRoundTrips(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"m.nii", "m.nii.gz"} {
		path := filepath.Join(dir, name)
		if err := WriteNIfTI(path, shape(), [2]float64{0.08, 0.09}); err != nil {
			t.Fatal(err)
		}
		m, info, err := ReadMask(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Pix, shape().Pix) || math.Abs(info.Spacing[1]-0.09) > 1e-8 || info.NonBinary {
			t.Errorf("%s: %+v", name, info)
		}
	}
	path := filepath.Join(dir, "none.nii.gz")
	if err := WriteNIfTI(path, shape(), [2]float64{}); err != nil {
		t.Fatal(err)
	}
	if _, info, err := ReadMask(path); err != nil || info.Spacing != [2]float64{} {
		t.Errorf("%+v, %v", info, err)
	}
	if err := WriteNIfTI(path, NewMask(40000, 1), [2]float64{}); err == nil {
		t.Error("40000 columns do not fit NIfTI-1")
	}
}

func TestRefusedMasks(t *testing.T) {
	for _, name := range loadMasks(t).Bad {
		checkRefused(t, filepath.Join("testdata", "masks", name))
	}
}

// checkRefused demands an error that names the file, at little cost.
func checkRefused(t *testing.T, path string) {
	t.Helper()
	var err error
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	_, _, err = ReadMask(path)
	runtime.ReadMemStats(&b)
	p, ok := problem.As(err)
	if !ok || p.File != path || !strings.Contains(err.Error(), path) {
		t.Errorf("%s: the error does not name the file: %v", path, err)
	}
	if used := b.TotalAlloc - a.TotalAlloc; used > 200<<20 {
		t.Errorf("%s: %d MB allocated", path, used>>20)
	}
}

// patched is a NIfTI file of shape with bytes replaced at offsets of its header.
func patched(edits ...func([]byte)) []byte {
	b := append(niftiBytes(37, 23, [2]float64{0.1, 0.2}), shape().Pix...)
	for _, e := range edits {
		e(b)
	}
	return b
}

func short(at int, v int16) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint16(b[at:], uint16(v)) }
}

func float(at int, v float32) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], math.Float32bits(v)) }
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	return packed(&out, gzip.NewWriter(&out), b)
}

func zlibbed(b []byte) []byte {
	var out bytes.Buffer
	return packed(&out, zlib.NewWriter(&out), b)
}

// packed writes b through z, which writes to out; neither can fail in memory.
func packed(out *bytes.Buffer, z io.WriteCloser, b []byte) []byte {
	_, errWrite := z.Write(b)
	if err := errors.Join(errWrite, z.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func nrrdText(fields string, body []byte) []byte {
	return append([]byte("NRRD0004\n"+fields+"\n\n"), body...)
}

func metaText(fields string, body []byte) []byte {
	return append([]byte("ObjectType = Image\n"+fields+"\nElementDataFile = LOCAL\n"), body...)
}

// hostile are files that lie, end early or ask for too much.
func hostile() map[string][]byte {
	const nrrdOK = "type: uchar\ndimension: 2\nsizes: 37 23\nencoding: "
	const metaOK = "NDims = 2\nDimSize = 37 23\nElementType = MET_UCHAR"
	good := patched()
	zip := gzipped(good)
	badSum := bytes.Clone(zip)
	badSum[len(badSum)-6] ^= 1
	nan := patched(short(niftiType, 16), short(niftiBitpix, 32), short(niftiDim+2, 5), short(niftiDim+4, 5))
	binary.LittleEndian.PutUint32(nan[niftiData:], math.Float32bits(float32(math.NaN())))
	return map[string][]byte{
		"empty.nii": {}, "text.nii": []byte("hello"), "half.nii": good[:500], "header.nii": good[:200],
		"half.nii.gz": zip[:len(zip)/2], "crc.nii.gz": badSum, "notail.nii.gz": zip[:len(zip)-3], "other.gz": gzipped([]byte(strings.Repeat("x", 1000))),
		"huge.nii":     patched(short(niftiDim+2, 32767), short(niftiDim+4, 32767)),
		"bomb.nii.gz":  gzipped(append(patched(short(niftiDim+2, 32767), short(niftiDim+4, 32767)), make([]byte, 4<<20)...)),
		"limit.nii":    patched(short(niftiDim+2, 8192), short(niftiDim+4, 8192)),
		"slices.nii":   patched(short(niftiDim, 3), short(niftiDim+2, 8192), short(niftiDim+4, 8192), short(niftiDim+6, 32767)),
		"negative.nii": patched(short(niftiDim+2, -37)), "zero.nii": patched(short(niftiDim+2, 0)), "dims.nii": patched(short(niftiDim, 99)),
		"one.nii": patched(short(niftiDim, 1)), "time.nii": patched(short(niftiDim, 4), short(niftiDim+8, 2)),
		"type.nii": patched(short(niftiType, 128), short(niftiBitpix, 24)), "bitpix.nii": patched(short(niftiBitpix, 16)),
		"offset.nii": patched(float(niftiVox, 1e30)), "offset2.nii": patched(float(niftiVox, -4)), "offset3.nii": patched(float(niftiVox, 352.5)),
		"offset4.nii": patched(float(niftiVox, float32(math.NaN()))), "slope.nii": patched(float(niftiSlope, float32(math.Inf(1)))),
		"pair.nii": patched(func(b []byte) { copy(b[niftiMagic:], "ni1") }), "magic.nii": patched(func(b []byte) { b[niftiMagic] = 'x' }),
		"nan.nii": nan,

		"half.nrrd": nrrdText(nrrdOK+"raw", make([]byte, 400)), "noblank.nrrd": []byte("NRRD0004\n" + nrrdOK + "raw"),
		"huge.nrrd":  nrrdText("type: uchar\ndimension: 2\nsizes: 999999999999 999999999999\nencoding: raw", nil),
		"over.nrrd":  nrrdText("type: uchar\ndimension: 3\nsizes: 4611686018427387904 4 4\nencoding: raw", nil),
		"neg.nrrd":   nrrdText("type: uchar\ndimension: 2\nsizes: -3 5\nencoding: raw", nil),
		"dim.nrrd":   nrrdText("type: uchar\ndimension: 16\nsizes: 37 23\nencoding: raw", nil),
		"sizes.nrrd": nrrdText("type: uchar\ndimension: 3\nsizes: 37 23\nencoding: raw", nil),
		"type.nrrd":  nrrdText("type: block\ndimension: 2\nsizes: 37 23\nencoding: raw", nil),
		"bzip.nrrd":  nrrdText(nrrdOK+"bzip2", nil), "hex.nrrd": nrrdText(nrrdOK+"hex", nil),
		"endian.nrrd": nrrdText("type: short\ndimension: 2\nsizes: 37 23\nencoding: raw", make([]byte, 2000)),
		"kinds.nrrd":  nrrdText(strings.Replace(nrrdOK, "encoding", "kinds: vector domain\nencoding", 1)+"raw", make([]byte, 2000)),
		"gzip.nrrd":   nrrdText(nrrdOK+"gzip", zip[:20]),
		"ascii.nrrd":  nrrdText(nrrdOK+"ascii", []byte("1 0 zero")), "long.nrrd": nrrdText(nrrdOK+"ascii", []byte(strings.Repeat("1", 5000))),
		"skip.nrrd": nrrdText("byte skip: -1\n"+nrrdOK+"raw", make([]byte, 900)), "skip2.nrrd": nrrdText("byte skip: 999999999999\n"+nrrdOK+"raw", make([]byte, 900)),
		"lines.nrrd":  nrrdText("line skip: 7\n"+nrrdOK+"raw", make([]byte, 900)),
		"escape.nhdr": nrrdText("data file: ../../../etc/passwd\n"+nrrdOK+"raw", nil), "abs.nhdr": nrrdText("data file: /etc/passwd\n"+nrrdOK+"raw", nil),
		"missing.nhdr": nrrdText("data file: none.raw\n"+nrrdOK+"raw", nil), "list.nhdr": nrrdText("data file: LIST\n"+nrrdOK+"raw", nil),
		"dir.nhdr":  nrrdText("data file: .\n"+nrrdOK+"raw", nil),
		"head.nrrd": append([]byte("NRRD0004\n"), bytes.Repeat([]byte("#"), 2<<20)...), "line.nrrd": nrrdText("nonsense", nil),

		"half.mha": metaText(metaOK, make([]byte, 400)), "huge.mha": metaText("NDims = 2\nDimSize = 99999999 99999999\nElementType = MET_UCHAR", nil),
		"type.mha": metaText("NDims = 2\nDimSize = 37 23\nElementType = MET_STRING", make([]byte, 2000)),
		"dims.mha": metaText("NDims = 3\nDimSize = 37 23\nElementType = MET_UCHAR", make([]byte, 2000)),
		"rgb.mha":  metaText("ElementNumberOfChannels = 3\n"+metaOK, make([]byte, 4000)),
		"zlib.mha": metaText("CompressedData = True\n"+metaOK, []byte("not zlib")), "short.mha": metaText("CompressedData = True\n"+metaOK, zlibbed(make([]byte, 300))),
		"text.mha": []byte("hello"), "none.mhd": []byte("NDims = 2\nDimSize = 37 23\nElementType = MET_UCHAR\n"),
		"escape.mhd": []byte(metaOK + "\nElementDataFile = ../x.raw\n"), "list.mhd": []byte(metaOK + "\nElementDataFile = LIST\na.raw\n"),
		"missing.mhd": []byte(metaOK + "\nElementDataFile = x.raw\n"), "size.mha": metaText("HeaderSize = -1\n"+metaOK, make([]byte, 2000)),

		"bad.png": []byte("\x89PNG\r\n\x1a\nxxxx"), "unknown.bin": bytes.Repeat([]byte{7}, 5000),
	}
}

func TestHostileMasksGiveErrorsThatNameThem(t *testing.T) {
	dir := t.TempDir()
	for name, data := range hostile() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		checkRefused(t, path)
	}
	checkRefused(t, dir)
	checkRefused(t, filepath.Join(dir, "absent.nii.gz"))
}

// TestLargestMaskStaysUnderOneGigabyte reads the costliest file that is let in: 64 megapixels with alpha.
func TestLargestMaskStaysUnderOneGigabyte(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 64 megapixels")
	}
	img := image.NewNRGBA(image.Rect(0, 0, 8192, 8192))
	img.Pix[3] = 255
	var file bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	img = nil
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	m, info, err := DecodeMask("limit.png", file.Bytes())
	runtime.ReadMemStats(&b)
	if err != nil || m.Area() != 1 || info.Rule != "alpha >= 128" {
		t.Errorf("%+v, %v", info, err)
	}
	if used := b.TotalAlloc - a.TotalAlloc; used > 1<<30 {
		t.Errorf("%d MB allocated", used>>20)
	}
}

func TestMetaImageAndNRRDVariants(t *testing.T) {
	want := shape()
	var ascii strings.Builder
	for i, v := range want.Pix {
		fmt.Fprint(&ascii, v, map[bool]string{true: "\n", false: " "}[i%37 == 36])
	}
	reversed := make([]byte, 0, 2*len(want.Pix))
	for _, v := range want.Pix {
		reversed = append(reversed, 0, v)
	}
	const nrrd2 = "dimension: 2\nsizes: 37 23\nspacings: 0.1 0.2\n"
	for name, data := range map[string][]byte{
		"crlf.nrrd":   bytes.ReplaceAll(nrrdText("type: uchar\n"+nrrd2+"encoding: ascii", []byte(ascii.String())), []byte("\n"), []byte("\r\n")),
		"skip.nrrd":   nrrdText("type: uchar\n"+nrrd2+"line skip: 2\nbyte skip: 3\nencoding: raw", append([]byte("a\nb\nxyz"), want.Pix...)),
		"gzip.nrrd":   nrrdText("type: ushort\nendian: big\n"+nrrd2+"key:=value: x\n# note\nbyte skip: 5\nencoding: gz", gzipped(append([]byte("12345"), reversed...))),
		"big.mha":     metaText("NDims = 2\nDimSize = 37 23\nElementSpacing = 0.1 0.2\nBinaryDataByteOrderMSB = True\nElementType = MET_SHORT", reversed),
		"ascii.mha":   metaText("NDims = 2\nDimSize = 37 23\nElementSize = 9 9\nElementSpacing = 0.1 0.2\nBinaryData = False\nElementType = MET_UCHAR", []byte(ascii.String())),
		"header.mha":  metaText("NDims = 3\nDimSize = 37 23 1\nHeaderSize = 4\nElementSpacing = 0.1 0.2 1\nElementType = MET_UCHAR", append([]byte("skip"), want.Pix...)),
		"zlib.mha":    metaText("NDims = 2\nDimSize = 37 23\nElementSpacing = 0.1 0.2\nCompressedData = True\nElementType = MET_UCHAR", zlibbed(want.Pix)),
		"trailer.nii": append(patched(), "more"...),
	} {
		m, info, err := DecodeMask(name, data)
		if err != nil || !bytes.Equal(m.Pix, want.Pix) || math.Abs(info.Spacing[0]-0.1) > 1e-7 || math.Abs(info.Spacing[1]-0.2) > 1e-7 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

func TestDetachedDataAtTheEndOfItsFile(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"x.raw":  append([]byte("a header of some length"), shape().Pix...),
		"a.nhdr": nrrdText("type: uchar\ndimension: 2\nsizes: 37 23\nencoding: raw\nbyte skip: -1\ndata file: x.raw", nil),
		"a.mhd":  []byte("NDims = 2\nDimSize = 37 23\nElementType = MET_UCHAR\nHeaderSize = -1\nElementDataFile = x.raw\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.nhdr", "a.mhd"} {
		m, _, err := ReadMask(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(m.Pix, shape().Pix) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBUSBRAMasksAreBinary(t *testing.T) {
	readAll(t, golden.Data(t, "bus-bra", "Masks"), "*.png", 1875, "value >= 128")
}

func TestBrEaSTMasksAreInAlpha(t *testing.T) {
	readAll(t, golden.Data(t, "breast-lesions-usg", "images_and_masks"), "*_tumor.png", 124, "alpha >= 128")
}

// readAll reads every mask of a data set by the expected rule; only one BrEaST mask is known to be non-binary.
func readAll(t *testing.T, dir, pattern string, atLeast int, rule string) {
	files, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil || len(files) < atLeast {
		t.Fatalf("%d masks in %s, expected %d: %v", len(files), dir, atLeast, err)
	}
	nonBinary := 0
	for _, f := range files {
		_, info, err := ReadMask(filepath.Join(dir, f))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Empty || info.Rule != rule {
			t.Errorf("%s: %+v", f, info)
		}
		if info.NonBinary {
			nonBinary++
			t.Logf("%s: %v", f, info.Labels)
		}
	}
	if nonBinary > 1 {
		t.Errorf("%d of %d masks are not binary", nonBinary, len(files))
	}
}
