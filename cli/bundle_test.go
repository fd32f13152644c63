package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/bundle"
)

// frozen runs a tiny study and returns its folder and its bundle.
func frozen(t *testing.T) (cohort, model string) {
	t.Helper()
	dir := t.TempDir()
	cohort, run := filepath.Join(dir, "cohort"), filepath.Join(dir, "run")
	if code, _, errOut := call(t, "synth", "--patients", "40", "--seed", "3", "--out", cohort); code != exitDone {
		t.Fatal(errOut)
	}
	args := []string{"run", filepath.Join(cohort, "study.yaml"), "--out", run}
	for _, set := range []string{
		"network.backbone=densenet121", "network.input=32", "network.layer=avgpool", "network.train.epochs=0", "image.width=240", "image.height=180",
		"selection.components=10", "selection.folds=4", "split.folds=3", "classify.models=[lr]", "evaluate.bootstrap=200", "report.gallery=2",
	} {
		args = append(args, "--set", set)
	}
	if code, _, errOut := call(t, args...); code != exitDone {
		t.Fatal(errOut)
	}
	return cohort, filepath.Join(run, "10-bundle", "model.sono")
}

// A bundle is signed, verified and shown; a changed byte, a missing signature and a strange key are exit code 12.
func TestBundleCommands(t *testing.T) {
	_, made := frozen(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	expect := func(want int, args ...string) (out string) {
		t.Helper()
		code, out, errOut := call(t, args...)
		if code != want {
			t.Fatalf("sonotype %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, errOut)
		}
		return out
	}
	for _, name := range []string{"a", "b"} {
		expect(exitDone, "bundle", "keygen", in(name))
	}
	expect(exitFailed, "bundle", "keygen", in("a")) // a key is never written over
	expect(exitUsage, "bundle", "sign", made)
	expect(exitUsage, "bundle", "sign", made, "--key", in("a.key"), "--out", made) // an artefact of the run
	expect(exitDone, "bundle", "sign", made, "--key", in("a.key"), "--out", in("m.sono"))
	expect(exitDone, "bundle", "verify", in("m.sono"), "--trust", in("b.pub"), "--trust", in("a.pub"))
	expect(exitBundle, "bundle", "verify", in("m.sono"), "--trust", in("b.pub"))
	expect(exitBundle, "bundle", "verify", made, "--trust", in("a.pub"))
	expect(exitFailed, "bundle", "verify", in("none.sono"))
	expect(exitBundle, "bundle", "verify", in("a.pub"))

	var shown struct {
		Bundle    string
		Signature struct {
			KeyID string `json:"key_id"`
		}
		Card    struct{ Model string }
		Entries []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(expect(exitDone, "bundle", "inspect", in("m.sono"), "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Bundle) != 64 || len(shown.Signature.KeyID) != 64 || shown.Card.Model != "lr" || len(shown.Entries) < 10 {
		t.Errorf("%+v", shown)
	}
	if out := expect(exitDone, "bundle", "inspect", made); !strings.Contains(out, shown.Bundle) || !strings.Contains(out, "not signed") {
		t.Error(out)
	}

	good, err := os.ReadFile(in("m.sono"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{9, 20, len(good) / 2, len(good) - 10} {
		good[at] ^= 4
		if err := os.WriteFile(in("bad.sono"), good, 0o600); err != nil {
			t.Fatal(err)
		}
		good[at] ^= 4
		expect(exitBundle, "bundle", "verify", in("bad.sono"))
	}

	for what, change := range map[string][2]string{ // whole by their hashes, but not what they should be
		"another score":    {"vectors.json", `"score": 0.`},
		"another input":    {"vectors.json", `"inputs": [`},
		"another network":  {"manifest.json", `"tensors_hash": "`},
		"another geometry": {"manifest.json", `"mean_filter": `},
	} {
		forge(t, made, in("forged.sono"), change[0], change[1])
		if code, _, errOut := call(t, "bundle", "verify", in("forged.sono")); code != exitBundle {
			t.Errorf("%s: exit code %d, %s", what, code, errOut)
		}
	}
}

// forge writes a bundle again, with right hashes, but the first digit after a piece of text in one of its entries changed.
func forge(t *testing.T, from, to, entry, after string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	at := 16 + int(binary.LittleEndian.Uint32(b[12:]))
	var index struct{ Entries []bundle.Entry }
	if err := json.Unmarshal(b[16:at], &index); err != nil {
		t.Fatal(err)
	}
	at += sha256.Size
	var forged bundle.Builder
	for _, e := range index.Entries {
		data := b[at : at+int(e.Size)]
		at += int(e.Size)
		if e.Name == entry {
			digit := bytes.Index(data, []byte(after)) + len(after)
			digit += bytes.IndexAny(data[digit:], "123456789")
			data[digit] = '1' + (data[digit]-'1'+2)%9
		}
		forged.AddBytes(e.Name, data)
	}
	if _, err := forged.WriteFile(to); err != nil {
		t.Fatal(err)
	}
}
