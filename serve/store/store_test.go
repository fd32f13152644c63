package store

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func database(dir string) string { return filepath.Join(dir, "cases with space?.db") }

func open(t *testing.T, dir string, keep bool) *Store {
	t.Helper()
	v, err := OpenVault(filepath.Join(dir, "key"), keep)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(database(dir), v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must[T any](t *testing.T) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func TestCaseComesBackAsItWasAdded(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), true)
	image := []byte("an image")
	c := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Patient: "Li Na 1970", Image: image, Device: "Philips", PixelMM: 0.07}))
	if c.Patient != "Li Na 1970" || c.Device != "Philips" || *c.PixelMM != 0.07 || c.Biopsy != nil || c.Reader != "mei" {
		t.Errorf("case %+v", c)
	}
	if got := must[[]byte](t)(s.Image(ctx, c.ID)); !bytes.Equal(got, image) {
		t.Errorf("image %q", got)
	}
	o := must[Outline](t)(s.AddOutline(ctx, "mei", c.ID, []byte("a mask"), ""))
	if got := must[[]byte](t)(s.Mask(ctx, c.ID, o.ID)); string(got) != "a mask" {
		t.Errorf("mask %q", got)
	}
	p := must[Prediction](t)(s.AddPrediction(ctx, "mei", c.ID, o.ID, "b", []byte(`{"score":0.5}`)))
	all := must[[]Prediction](t)(s.Predictions(ctx, c.ID))
	if len(all) != 1 || all[0].ID != p.ID || string(all[0].Result) != `{"score":0.5}` || !all[0].Created.Equal(p.Created) {
		t.Errorf("predictions %+v", all)
	}
	again := must[Prediction](t)(s.AddPrediction(ctx, "mei", c.ID, o.ID, "b", []byte(`{"score":0.6}`)))
	if last := must[Prediction](t)(s.LastPrediction(ctx, c.ID)); last.ID != again.ID {
		t.Errorf("last prediction %+v, want %s", last, again.ID)
	}
	if err := s.SetBiopsy(ctx, "mei", c.ID, 35); err != nil {
		t.Fatal(err)
	}
	if list := must[[]Case](t)(s.Cases(ctx, 0, 10)); len(list) != 1 || *list[0].Biopsy != 35 {
		t.Errorf("cases %+v", list)
	}
	if err := s.DeleteCase(ctx, "mei", c.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Mask(ctx, c.ID, o.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("mask of a deleted case: %v", err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	_, caseErr := s.Case(ctx, "x")
	_, imageErr := s.Image(ctx, "x")
	_, outlineErr := s.AddOutline(ctx, "mei", "x", nil, "")
	_, predictionErr := s.AddPrediction(ctx, "mei", "x", "y", "b", nil)
	_, readerErr := s.Reader(ctx, "x")
	_, sessionErr := s.SignedIn(ctx, "x")
	for name, err := range map[string]error{"case": caseErr, "image": imageErr, "outline": outlineErr, "prediction": predictionErr,
		"biopsy": s.SetBiopsy(ctx, "mei", "x", 1), "delete": s.DeleteCase(ctx, "mei", "x"), "reader": readerErr,
		"session": sessionErr, "remove": s.RemoveReader(ctx, "mei", "x")} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Sending an upload again gives the first answer; another upload under the same key is refused.
func TestUploadsAreIdempotent(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	n := NewCase{Patient: "P1", Image: []byte("a"), PixelMM: math.NaN(), Key: "k"}
	first := must[Case](t)(s.AddCase(ctx, "mei", n))
	if again := must[Case](t)(s.AddCase(ctx, "mei", n)); again.ID != first.ID {
		t.Errorf("again %s, first %s", again.ID, first.ID)
	}
	if other := must[Case](t)(s.AddCase(ctx, "tom", n)); other.ID == first.ID {
		t.Error("another reader's key gave the first reader's case")
	}
	n.PixelMM = 0.5
	if _, err := s.AddCase(ctx, "mei", n); !errors.Is(err, ErrConflict) {
		t.Errorf("the key with another pixel size: %v", err)
	}
	n.PixelMM, n.Patient = math.NaN(), "P2"
	if _, err := s.AddCase(ctx, "mei", n); !errors.Is(err, ErrConflict) {
		t.Errorf("the key with another patient: %v", err)
	}
	o := must[Outline](t)(s.AddOutline(ctx, "mei", first.ID, []byte("m"), "k2"))
	if again := must[Outline](t)(s.AddOutline(ctx, "mei", first.ID, []byte("m"), "k2")); again.ID != o.ID {
		t.Error("an outline was added twice")
	}
}

// No identifier stands in the files, with either way of hiding it; pseudonyms are equal for equal patients.
func TestIdentifiersNeverReachTheDisk(t *testing.T) {
	for _, keep := range []bool{false, true} {
		ctx, dir := context.Background(), t.TempDir()
		s := open(t, dir, keep)
		a := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Patient: "Zhang-Wei-4711", Image: []byte("a"), Key: "k"}))
		b := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Patient: "Zhang-Wei-4711", Image: []byte("b")}))
		if a.Patient != b.Patient || (a.Patient == "Zhang-Wei-4711") != keep {
			t.Errorf("keep %v: %q and %q", keep, a.Patient, b.Patient)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 2 {
			t.Fatalf("files %v, %v", files, err)
		}
		for _, f := range files {
			if bytes.Contains(must[[]byte](t)(os.ReadFile(f)), []byte("Zhang-Wei")) {
				t.Errorf("keep %v: the identifier stands in %s", keep, filepath.Base(f))
			}
		}
	}
}

// What was deleted stands in no file once the log has been worked off.
func TestDeletedImageIsOverwritten(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s := open(t, dir, false)
	image := bytes.Repeat([]byte("lesion of a patient"), 5000)
	c := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Image: image}))
	if err := s.DeleteCase(ctx, "mei", c.ID); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, f := range must[[]string](t)(filepath.Glob(filepath.Join(dir, "*"))) {
		if bytes.Contains(must[[]byte](t)(os.ReadFile(f)), image[:100]) {
			t.Errorf("%s still holds the image", filepath.Base(f))
		}
	}
}

func TestSealedIdentifierNeedsItsKeyAndItsCase(t *testing.T) {
	dir := t.TempDir()
	v := must[*Vault](t)(OpenVault(filepath.Join(dir, "a"), true))
	sealed := v.hide("P1", "case-1")
	if got, err := v.show(sealed, "case-1"); err != nil || got != "P1" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := v.show(sealed, "case-2"); err == nil {
		t.Error("an identifier moved to another case was shown")
	}
	if _, err := must[*Vault](t)(OpenVault(filepath.Join(dir, "b"), true)).show(sealed, "case-1"); err == nil {
		t.Error("another key opened it")
	}
	plain := must[*Vault](t)(OpenVault(filepath.Join(dir, "a"), false))
	if got, err := plain.show(sealed, "case-1"); err != nil || got != "P1" {
		t.Errorf("opened for pseudonyms: %q, %v", got, err)
	}
	if alias := plain.hide("P1", "case-3"); must[string](t)(v.show(alias, "case-3")) != string(alias) {
		t.Error("a pseudonym is not shown where identifiers are kept")
	}
	if err := os.WriteFile(filepath.Join(dir, "bad"), []byte("12"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenVault(filepath.Join(dir, "bad"), true); err == nil || !strings.Contains(err.Error(), "64 hexadecimal") {
		t.Errorf("a bad key file: %v", err)
	}
	if info := must[os.FileInfo](t)(os.Stat(filepath.Join(dir, "a"))); info.Mode().Perm() != 0o600 {
		t.Errorf("key file mode %v", info.Mode())
	}
}

func TestAuditLogBetraysChanges(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	for range 5 {
		must[Case](t)(s.AddCase(ctx, "mei", NewCase{Image: []byte("a")}))
	}
	n, last, err := s.VerifyAudit(ctx)
	if err != nil || n != 5 || last == "" {
		t.Fatalf("%d entries, %v", n, err)
	}
	if page := must[[]Entry](t)(s.Audit(ctx, 4, 2)); len(page) != 2 || page[0].Seq != 3 || page[1].Seq != 2 {
		t.Errorf("page %+v", page)
	}
	for _, change := range []string{"UPDATE audit SET actor = 'eve' WHERE seq = 3", "DELETE FROM audit WHERE seq = 3"} {
		if _, err := s.write.Exec(change); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := s.write.Exec("DROP TRIGGER audit_is_append_only_update; UPDATE audit SET actor = 'eve' WHERE seq = 3"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.VerifyAudit(ctx); err == nil || !strings.Contains(err.Error(), "entry 3") {
		t.Errorf("a changed log: %v", err)
	}
}

func TestReadersSessionsAndLocks(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return clock }
	if err := s.SetReader(ctx, "setup", "mei", RoleReader, "hash"); err != nil {
		t.Fatal(err)
	}
	if err := s.AddSession(ctx, "mei", "token", time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := must[Reader](t)(s.SignedIn(ctx, "token")); got.Name != "mei" {
		t.Errorf("signed in %+v", got)
	}
	for range 3 {
		if err := s.Failed(ctx, "mei", 3, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if r := must[Reader](t)(s.Reader(ctx, "mei")); !r.Locked.Equal(clock.Add(time.Minute)) || r.Failed != 0 {
		t.Errorf("after three failures %+v", r)
	}
	clock = clock.Add(time.Hour)
	if _, err := s.SignedIn(ctx, "token"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old session: %v", err)
	}
	if err := s.AddSession(ctx, "mei", "token2", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.SetReader(ctx, "setup", "mei", RoleAdmin, "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignedIn(ctx, "token2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a session outlived the password: %v", err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s := open(t, dir, true)
	c := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Patient: "P1", Image: []byte("a")}))
	copy := filepath.Join(dir, "copy.db")
	if err := Backup(ctx, database(dir), copy); err != nil {
		t.Fatal(err)
	}
	if err := Backup(ctx, database(dir), copy); err == nil {
		t.Error("a back-up overwrote a file")
	}
	for _, f := range []string{copy, database(dir)} {
		if info := must[os.FileInfo](t)(os.Stat(f)); info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", f, info.Mode())
		}
	}
	lost := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Patient: "P2", Image: []byte("b")}))
	if err := Restore(ctx, copy, database(dir)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("restored under a server: %v", err)
	}
	s.Close()
	if err := Backup(ctx, database(dir), filepath.Join(dir, "stopped.db")); err != nil {
		t.Errorf("back-up while no server runs: %v", err)
	}
	for range 2 { // a second time, over what the first set aside
		if err := Restore(ctx, copy, database(dir)); err != nil {
			t.Fatal(err)
		}
	}
	must[os.FileInfo](t)(os.Stat(database(dir) + ".before-restore"))
	s = open(t, dir, true)
	if got := must[Case](t)(s.Case(ctx, c.ID)); got.Patient != "P1" {
		t.Errorf("restored %+v", got)
	}
	if _, err := s.Case(ctx, lost.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a case added after the back-up: %v", err)
	}
	b := must[[]byte](t)(os.ReadFile(copy))
	for i := 100; i < len(b); i += 4096 {
		b[i] ^= 0xff
	}
	if err := os.WriteFile(copy, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Restore(ctx, copy, database(dir)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged back-up: %v", err)
	}
}

// A full disk (here: a limit on the file's pages) is an error with a name, and leaves the database whole.
func TestFullDiskIsSaid(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	kept := must[Case](t)(s.AddCase(ctx, "mei", NewCase{Image: []byte("a")}))
	if _, err := s.write.Exec("PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddCase(ctx, "mei", NewCase{Image: make([]byte, 1<<20)}); !errors.Is(err, ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	must[Case](t)(s.Case(ctx, kept.ID))
	if n, _, err := s.VerifyAudit(ctx); n != 1 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	ctx, s := context.Background(), open(t, t.TempDir(), false)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				c, err := s.AddCase(ctx, "mei", NewCase{Image: []byte("a")})
				if err == nil {
					_, err = s.Case(ctx, c.ID)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, _, err := s.VerifyAudit(ctx); n != 160 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

// TestKilledWriterLosesNothing kills a process that adds cases: every case that it reported is there.
func TestKilledWriterLosesNothing(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_WRITER"); dir != "" {
		s := open(t, dir, false)
		for {
			c, err := s.AddCase(context.Background(), "mei", NewCase{Image: make([]byte, 50_000)})
			if err != nil {
				t.Fatal(err)
			}
			os.Stdout.WriteString("added " + c.ID + "\n")
		}
	}
	dir := t.TempDir()
	var out bytes.Buffer
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriterLosesNothing$")
		cmd.Env, cmd.Stdout = append(os.Environ(), "STORE_TEST_WRITER="+dir), &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}
	s := open(t, dir, false)
	n := 0
	for line := range strings.Lines(out.String()) {
		id, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "added ")
		if !ok || len(id) != 32 || !strings.HasSuffix(line, "\n") {
			continue // cut short by the kill
		}
		n++
		if _, err := s.Case(context.Background(), id); err != nil {
			t.Errorf("case %s: %v", id, err)
		}
	}
	if n == 0 {
		t.Fatalf("the writer reported nothing: %q", out.String())
	}
	if err := Check(context.Background(), database(dir)); err != nil {
		t.Error(err)
	}
}

func TestAnotherVersionIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, false)
	if _, err := s.write.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(database(dir), s.vault); err == nil || !strings.Contains(err.Error(), "version is 99") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(database(dir), []byte("this is no database at all, not even a little one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(database(dir), s.vault); err == nil {
		t.Error("a text file was opened")
	}
}
