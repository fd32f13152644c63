package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sample writes a bundle's file with three entries and returns its path.
func sample(t testing.TB) string {
	t.Helper()
	var b Builder
	b.AddBytes("models/m.json", []byte(`{"a": 1}`))
	b.AddBytes("empty", nil)
	b.AddJSON("card.json", Card{Title: "made up"})
	file := filepath.Join(t.TempDir(), "sample.sono")
	if _, err := b.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func keys(t testing.TB) (private, public string) {
	t.Helper()
	dir := t.TempDir()
	private, public = filepath.Join(dir, "k.key"), filepath.Join(dir, "k.pub")
	if _, err := WriteKeys(private, public); err != nil {
		t.Fatal(err)
	}
	return private, public
}

// signed is a sample with a signature, and its key.
func signed(t testing.TB) (string, ed25519.PublicKey) {
	t.Helper()
	file := sample(t)
	private, public := keys(t)
	key, err := ReadPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(file, file, key); err != nil {
		t.Fatal(err)
	}
	trusted, err := ReadPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return file, trusted
}

// whole opens and verifies bytes as a bundle.
func whole(data []byte, trust ...ed25519.PublicKey) error {
	a, err := readArchive(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		err = a.trustedBy(trust)
	}
	if err == nil {
		err = a.verify(nil)
	}
	return err
}

func contents(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each byte of a bundle, its signature included, is covered: no change, no cut and no addition passes.
func TestEveryByteIsVerified(t *testing.T) {
	t.Parallel()
	file, key := signed(t)
	good := contents(t, file)
	if err := whole(good, key); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, flip := range []byte{1, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			if whole(bad) == nil {
				t.Errorf("byte %d of %d was changed and nobody noticed", i, len(good))
			}
		}
		if cut := good[:i]; whole(cut, key) == nil {
			t.Errorf("cut to %d of %d bytes and nobody noticed", i, len(good))
		}
	}
	if whole(append(bytes.Clone(good), 0)) == nil {
		t.Error("a byte was added and nobody noticed")
	}
	unsigned := good[:int64(len(good))-signatureSize]
	if err := whole(unsigned); err != nil {
		t.Errorf("without its signature: %v", err)
	}
	if whole(unsigned, key) == nil {
		t.Error("the signature was taken away and nobody noticed")
	}
}

func TestBuilderIsDeterministicAndReadsBack(t *testing.T) {
	t.Parallel()
	file := sample(t)
	var other Builder // in another order, partly from a file
	from := filepath.Join(t.TempDir(), "m")
	if err := os.WriteFile(from, []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	other.AddJSON("card.json", Card{Title: "made up"})
	other.AddFile("models/m.json", from)
	other.AddBytes("empty", nil)
	again := filepath.Join(t.TempDir(), "again.sono")
	hash, err := other.WriteFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contents(t, file), contents(t, again)) {
		t.Error("the order of adding changes the file")
	}
	a, f, err := openArchive(again)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if hex.EncodeToString(a.hash[:]) != hash {
		t.Error("WriteFile returns another hash than the file has")
	}
	for name, want := range map[string]string{"models/m.json": `{"a": 1}`, "empty": ""} {
		for _, files := range []fs.FS{a, other.Files()} {
			if got, err := fs.ReadFile(files, name); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	if _, err := fs.ReadFile(a, "card"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing entry: %v", err)
	}
}

func TestBuilderRefuses(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(b *Builder){
		"a name twice":       func(b *Builder) { b.AddBytes("a", nil); b.AddBytes("a", nil) },
		"a path outside":     func(b *Builder) { b.AddBytes("../a", nil) },
		"a file that is not": func(b *Builder) { b.AddFile("a", filepath.Join(t.TempDir(), "none")) },
		"JSON that is none":  func(b *Builder) { b.AddJSON("a", func() {}) },
	} {
		var b Builder
		add(&b)
		if _, err := b.WriteFile(filepath.Join(t.TempDir(), "x.sono")); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	var b Builder
	file := filepath.Join(t.TempDir(), "changing")
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if text == "one" {
			b.AddFile("a", file)
		}
	}
	if _, err := b.WriteFile(filepath.Join(t.TempDir(), "x.sono")); err == nil {
		t.Error("a file that changed in between was accepted")
	}
}

// forge writes an archive with an index of one's own and a head that is right.
func forge(index string, rest string) []byte {
	head := binary.LittleEndian.AppendUint32([]byte(magic), formatVersion)
	head = append(binary.LittleEndian.AppendUint32(head, uint32(len(index))), index...)
	sum := sha256.Sum256(head)
	return append(append(head, sum[:]...), rest...)
}

func TestReaderRefusesImpossibleIndexes(t *testing.T) {
	t.Parallel()
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	entry := func(name string, size int, hash string) string {
		return fmt.Sprintf(`{"name":%q,"size":%d,"sha256":%q}`, name, size, hash)
	}
	list := func(entries ...string) string { return `{"entries":[` + strings.Join(entries, ",") + `]}` }
	if err := whole(forge(list(entry("a", 1, sum("x"))), "x")); err != nil {
		t.Fatalf("a sound one: %v", err)
	}
	for what, data := range map[string][]byte{
		"a path outside":     forge(list(entry("../a", 1, sum("x"))), "x"),
		"an absolute path":   forge(list(entry("/a", 1, sum("x"))), "x"),
		"a name twice":       forge(list(entry("a", 1, sum("x")), entry("a", 1, sum("x"))), "xx"),
		"names out of order": forge(list(entry("b", 1, sum("x")), entry("a", 1, sum("x"))), "xx"),
		"a negative size":    forge(list(entry("a", -1, sum("x"))), "x"),
		"a huge size":        forge(list(entry("a", 1<<40, sum("x"))), "x"),
		"no sum":             forge(list(entry("a", 1, "")), "x"),
		"an unknown key":     forge(`{"entries":[],"run":"x"}`, ""),
		"two values":         forge(`{"entries":[]}{}`, ""),
		"no JSON":            forge("entries", ""),
		"more than listed":   forge(list(entry("a", 1, sum("x"))), "xy"),
		"another version":    append([]byte(magic), 2, 0, 0, 0, 0, 0, 0, 0),
		"nothing":            nil,
		"a zip":              []byte("PK\x03\x04 and more than sixteen bytes"),
	} {
		if whole(data) == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

// Trust is in a key, and keys are files that OpenSSL reads.
func TestSignatures(t *testing.T) {
	t.Parallel()
	file, key := signed(t)
	_, other := signed(t)
	data := contents(t, file)
	for name, c := range map[string]struct {
		trust []ed25519.PublicKey
		ok    bool
	}{
		"nobody asked": {nil, true}, "the key": {[]ed25519.PublicKey{key}, true},
		"one of two": {[]ed25519.PublicKey{other, key}, true}, "another key": {[]ed25519.PublicKey{other}, false},
	} {
		if err := whole(data, c.trust...); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	before, err := readArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := keys(t)
	again, err := ReadPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Sign(file, file, again)
	if err != nil {
		t.Fatal(err)
	}
	resigned := contents(t, file)
	after, err := readArchive(bytes.NewReader(resigned), int64(len(resigned)))
	if err != nil {
		t.Fatal(err)
	}
	if after.hash != before.hash || len(resigned) != len(data) || after.signature.KeyID != s.KeyID || s.KeyID == before.signature.KeyID {
		t.Error("signing again must change the signature alone")
	}
}

func TestKeysAreOpenSSLs(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl here")
	}
	private, public := keys(t)
	out, err := exec.Command(openssl, "pkey", "-in", private, "-pubout").CombinedOutput()
	if err != nil || string(out) != string(contents(t, public)) {
		t.Errorf("%v: %s", err, out)
	}
	st, err := os.Stat(private)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the private key is open to others: %v, %v", st.Mode(), err)
	}
	if _, err := WriteKeys(private, public); err == nil {
		t.Error("keys were written over")
	}
	if _, err := ReadPublicKey(private); err == nil {
		t.Error("a private key passed as a public one")
	}
}

// A file that is no bundle, or a damaged one, is an ErrVerification; a missing file is not.
func TestOpenTellsDamageFromAbsence(t *testing.T) {
	t.Parallel()
	file := sample(t)
	var bad *ErrVerification
	if _, err := Open(file, OpenOptions{}); !errors.As(err, &bad) || !strings.Contains(err.Error(), file) {
		t.Errorf("a bundle without a model: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.sono"), OpenOptions{}); err == nil || errors.As(err, &bad) {
		t.Errorf("a missing file: %v", err)
	}
	data := contents(t, file)
	data[len(data)-1] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(file); !errors.As(err, &bad) || !strings.Contains(err.Error(), "models/m.json") {
		t.Errorf("a damaged entry: %v", err)
	}
}

// FuzzArchive reads anything as a bundle: no panic, and what passes is what a writer writes.
func FuzzArchive(f *testing.F) {
	f.Add(contents(f, sample(f)))
	file, _ := signed(f)
	f.Add(contents(f, file))
	f.Add(forge(`{"entries":[]}`, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if whole(data) != nil {
			return
		}
		a, err := readArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var b Builder
		for _, e := range a.entries {
			content, err := a.ReadFile(e.Name)
			if err != nil {
				t.Fatal(err)
			}
			b.AddBytes(e.Name, content)
		}
		if _, _, err := b.head(); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
