package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sonotype/internal/problem"
)

// zipped makes a torch zip of one pickle and its storages.
func zipped(t testing.TB, method uint16, pickle string, storages map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, data string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(data))
	}
	add("a/data.pkl", pickle)
	for k, v := range storages {
		add("a/data/"+k, v)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(v int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(v))) }

// tensorPickle is {"w": one tensor} of float32 with the given numbers.
func tensorPickle(storage, offset, size, stride int) string {
	id := "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(storage) + "tQ"
	call := "ctorch._utils\n_rebuild_tensor_v2\n(" + id + number(offset) + number(size) + "\x85" + number(stride) + "\x85\x89}tR"
	return "\x80\x02}" + text("w") + call + "s."
}

// stHeader is a safetensors file with this header and data.
func stHeader(header, data string) []byte {
	return []byte(string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + data)
}

func hostileFiles(t testing.TB) map[string][]byte {
	four := map[string]string{"0": "\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f"}
	evil := "cos\nsystem\n(" + text("touch PWNED") + "tR."
	z := func(p string) []byte { return zipped(t, zip.Store, p, four) }
	good, err := os.ReadFile("testdata/zip_new.pth")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := os.ReadFile("testdata/legacy_new.pth")
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/3] ^= 1 // within a storage: the checksum sees it
	return map[string][]byte{
		"os.system, zip":             z("\x80\x02" + evil),
		"os.system, legacy":          []byte("\x80\x02" + evil),
		"builtins.eval":              z("\x80\x04\x8c\x08builtins\x8c\x04eval\x93" + text("1") + "\x85R."),
		"torch.load":                 z("\x80\x02ctorch\nload\n" + text("x") + "\x85R."),
		"a class as the file":        z("\x80\x02ccollections\nOrderedDict\n."),
		"INST opcode":                z("\x80\x02(ios\nsystem\n."),
		"OBJ opcode":                 z("\x80\x02(cos\nsystem\no."),
		"EXT opcode":                 z("\x80\x02\x82\x01."),
		"NEWOBJ opcode":              z("\x80\x02ctorch\nFloatStorage\n)\x81."),
		"build on a class":           z("\x80\x02ctorch\nFloatStorage\n}b."),
		"text of 4 GB":               z("\x80\x02X\xff\xff\xff\xff."),
		"long text, unknown opcode":  z("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\x7f."),
		"empty stack":                z("\x80\x02."),
		"pop of nothing":             z("\x80\x020."),
		"tuple without a mark":       z("\x80\x02t."),
		"memo never stored":          z("\x80\x02h\x07."),
		"key without value":          z("\x80\x02}(Nu."),
		"append to a number":         z("\x80\x02K\x01K\x02a."),
		"mark as the value":          z("\x80\x02(."),
		"cut pickle":                 z("\x80\x02}X\x05"),
		"an unhashable key":          z("\x80\x02}]Ns."),
		"a number for a tensor":      z("\x80\x02}" + text("w") + "K\x01s."),
		"nested doubling":            z("\x80\x02)" + strings.Repeat("q\x00h\x00\x86", 5000) + "q\x00}h\x00Ns."),
		"empty dictionary":           z("\x80\x02}."),
		"tensor beyond its storage":  z(tensorPickle(4, 2, 3, 1)),
		"negative offset":            z(tensorPickle(4, -1, 3, 1)),
		"negative stride":            z(tensorPickle(4, 3, 3, -1)),
		"huge by stride 0":           z(tensorPickle(4, 0, 1<<30, 0)),
		"huge stride":                z(tensorPickle(4, 0, 2, 1<<30)),
		"storage larger than record": z(tensorPickle(1<<20, 0, 4, 1)),
		"huge storage":               z(tensorPickle(1<<30, 0, 4, 1)),
		"negative storage":           z(tensorPickle(-4, 0, 4, 1)),
		"missing storage":            zipped(t, zip.Store, tensorPickle(4, 0, 4, 1), nil),
		"compressed storage":         zipped(t, zip.Deflate, tensorPickle(1<<20, 0, 4, 1), map[string]string{"0": strings.Repeat("\x00", 4<<20)}),
		"pickle bomb":                zipped(t, zip.Deflate, "\x80\x02"+strings.Repeat("]", 64<<20), nil),
		"empty pickle":               z(""),
		"cut zip":                    good[:len(good)/2],
		"changed zip":                flipped,
		"cut legacy":                 legacy[:len(legacy)-9],
		"legacy without storages":    legacy[:len(legacy)/3],
		"other pickle":               []byte("\x80\x02K\x07."),
		"empty file":                 {},
		"web page":                   []byte("<!DOCTYPE html><html>403 Forbidden</html>"),
		"git lfs":                    []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
		"st: huge header":            []byte("\xff\xff\xff\xff\xff\xff\xff\x7f{"),
		"st: header beyond file":     []byte("\xff\x00\x00\x00\x00\x00\x00\x00{}"),
		"st: no json":                stHeader("{nonsense", ""),
		"st: array":                  stHeader("{}[]   ", ""),
		"st: twice":                  stHeader(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "0000"),
		"st: overlap":                stHeader(`{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "00000000"),
		"st: gap":                    stHeader(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "00000000"),
		"st: surplus":                stHeader(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "00000000"),
		"st: outside":                stHeader(`{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}`, "0000"),
		"st: backwards":              stHeader(`{"w":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}`, "0000"),
		"st: one offset":             stHeader(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, "0000"),
		"st: wrong length":           stHeader(`{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, "0000"),
		"st: overflow":               stHeader(`{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, ""),
		"st: negative":               stHeader(`{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, "0000"),
		"st: type":                   stHeader(`{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}`, "00000000"),
		"st: nine dimensions":        stHeader(`{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`, "0000"),
	}
}

func TestHostileFilesGiveErrorsThatNameThem(t *testing.T) {
	dir := t.TempDir()
	for what, data := range hostileFiles(t) {
		path := filepath.Join(dir, strings.NewReplacer(":", "", ",", "", " ", "-").Replace(what)+".pth")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, _, err := Load(path)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: read as %v", what, got)
			continue
		}
		if p, ok := problem.As(err); !ok || p.File != path {
			t.Errorf("%s: the error does not name the file: %v", what, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
			t.Errorf("%s: %d MB allocated", what, used>>20)
		}
	}
}

// A file of a gigabyte of zeros costs nothing on disk; no part of it may be taken into memory.
func TestSparseFileAndOddFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sparse.pth")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skip(err)
	}
	for _, p := range []string{path, dir, filepath.Join(dir, "none.pth"), os.DevNull} {
		if _, _, err := Load(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// The names of both schemes in one file, and one tensor under many names.
func TestDuplicatesAndSharedTensors(t *testing.T) {
	one := strings.TrimSuffix(strings.TrimPrefix(tensorPickle(4, 0, 4, 1), "\x80\x02}"+text("w")), "s.")
	ones := map[string]string{"0": "\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f"}
	pair := func(a, b string) []byte {
		return zipped(t, zip.Store, "\x80\x02}("+text(a)+one+"q\x01"+text(b)+"h\x01u.", ones)
	}
	path := filepath.Join(t.TempDir(), "x.pth")
	read := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load(path)
		return err
	}
	if err := read(pair("denselayer1.norm.1.weight", "denselayer1.norm1.weight")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("both names: %v", err)
	}
	if err := read(pair("a", "b")); err != nil {
		t.Errorf("shared tensor: %v", err)
	}
}
