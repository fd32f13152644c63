package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/bundle"
	"sonotype/cohort/table"
	"sonotype/nn"
	"sonotype/serve"
)

// A case's prediction is the same from the command line and over HTTP, to the last bit; study's tests hold the bundle's
// score to the study's.
func TestPredictionIsTheSameOverHTTP(t *testing.T) {
	t.Parallel()
	folder, model := frozen(t)
	rows, err := table.Read(filepath.Join(folder, "cohort.csv"), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(model, bundle.OpenOptions{ISA: nn.Detect()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	data := dataFlags{dir: t.TempDir()}
	db, err := data.open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := serve.New(serve.Config{Addr: "127.0.0.1:0"}, serve.NewService(db, b, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	image, err := rows.Require("image")
	if err != nil {
		t.Fatal(err)
	}
	mask, err := rows.Require("mask")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows.Rows[:3] {
		img, outline := filepath.Join(folder, row[image]), filepath.Join(folder, row[mask])
		code, out, errOut := call(t, "predict", model, "--image", img, "--mask", outline, "--json")
		if code != 0 {
			t.Fatalf("predict: %d %s", code, errOut)
		}
		var told bundle.Prediction
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatal(err)
		}
		got := post(t, server.URL+"/api/predict", img, outline)
		if math.Float64bits(float64(got.Score)) != math.Float64bits(float64(told.Score)) || got.Abstained != told.Abstained {
			t.Errorf("%s: %v over HTTP, %v from the command line", row[image], got, told)
		}
	}
}

func post(t *testing.T, url, image, mask string) bundle.Prediction {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for field, name := range map[string]string{"image": image, "mask": mask} {
		part, err := w.CreateFormFile(field, filepath.Base(name))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	answer, err := http.Post(url, w.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, %v", answer.StatusCode, text, err)
	}
	var p bundle.Prediction
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestServeRefusals(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--bundle is missing":    {"serve"},
		"cannot open the bundle": {"serve", "--bundle", filepath.Join(dir, "none.sono")},
		"is not whole|cannot":    {"serve", "check", "--data", dir},
		"the back-up|cannot":     {"serve", "restore", filepath.Join(dir, "none.db"), "--data", dir},
		"arg(s)":                 {"serve", "backup", "--data", dir},
	} {
		code, _, errOut := call(t, args...)
		found := false
		for part := range strings.SplitSeq(want, "|") {
			found = found || strings.Contains(errOut, part)
		}
		if code == 0 || !found {
			t.Errorf("%v: exit %d, %s; want %q", args, code, errOut, want)
		}
	}
}

func TestServeBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if db, err := (&dataFlags{dir: data}).open(); err != nil {
		t.Fatal(err)
	} else if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy.db")
	for _, args := range [][]string{{"backup", copied}, {"check"}, {"restore", copied}, {"check"}} {
		if code, _, errOut := call(t, append(append([]string{"serve"}, args...), "--data", data)...); code != 0 {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
	other := filepath.Join(dir, "other")
	if code, _, errOut := call(t, "serve", "backup", filepath.Join(dir, "nothing.db"), "--data", other); code == 0 || !strings.Contains(errOut, "cannot read the database") {
		t.Errorf("back-up of no database: exit %d, %s", code, errOut)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a back-up made a data folder")
	}
	if err := os.Remove(filepath.Join(data, "key")); err != nil {
		t.Fatal(err)
	}
	if _, err := (&dataFlags{dir: data}).open(); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("a database without its key: %v", err)
	}
}
