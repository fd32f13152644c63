package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/num"
	"sonotype/nn"
	"sonotype/weights"
)

// trainedRun is a folder like a run's 03-finetune, with a random DenseNet121 as ta and the stage's own JSON.
func trainedRun(t *testing.T) (dir string, x nn.Tensors) {
	t.Helper()
	c, err := densenet.DenseNet121.Config()
	if err != nil {
		t.Fatal(err)
	}
	c.Classes = 1
	x = weights.Random(densenet.Build(c, 64).Params(), 1)
	dir = filepath.Join(t.TempDir(), "03-finetune")
	card := weights.Card{
		Backbone: "densenet121", Licence: "ours", Classes: []string{"low", "high"},
		Preprocessing: weights.Preprocessing{Size: 64, Mean: weights.ImageNet.Mean, Std: weights.ImageNet.Std},
		Metrics:       map[string]num.Float{"heldout_auc": 0.8125, "internal_auc": num.NaN()},
		Training:      &weights.Training{Start: "random"},
	}
	if _, err := weights.SaveTrained(dir, "ta", x, card); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "finetune.json"), []byte(`{"regions":["ta"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, x
}

func TestWeightsListShowsMetrics(t *testing.T) {
	dir, _ := trainedRun(t)
	code, out, errOut := call(t, "weights", "list", "--weight-store", dir)
	if code != exitDone || !strings.Contains(out, "heldout_auc 0.812") || strings.Contains(out, "internal_auc") || strings.Contains(out, "finetune") {
		t.Errorf("exit code %d, %s %s", code, out, errOut)
	}
	if code, _, errOut := call(t, "weights", "verify", "--weight-store", dir); code != exitDone {
		t.Errorf("verify: exit code %d, %s", code, errOut)
	}
}

func TestWeightsImportKeepsTheCard(t *testing.T) {
	dir, _ := trainedRun(t)
	store := filepath.Join(t.TempDir(), "store")
	code, out, errOut := call(t, "weights", "import", filepath.Join(dir, "ta.safetensors"), "--name", "ki67", "--weight-store", store, "--json")
	var c weights.Card
	if err := json.Unmarshal([]byte(out), &c); code != exitDone || err != nil {
		t.Fatalf("exit code %d, %v, %s", code, err, errOut)
	}
	if c.Name != "ki67" || c.Licence != "ours" || c.Backbone != "densenet121" || c.Source != "trained from random" || c.Metrics["heldout_auc"] != 0.8125 {
		t.Errorf("card %+v", c)
	}
	if code, _, errOut := call(t, "weights", "verify", "--weight-store", store); code != exitDone {
		t.Errorf("verify: exit code %d, %s", code, errOut)
	}
}

func TestWeightsExport(t *testing.T) {
	dir, x := trainedRun(t)
	ta, out := filepath.Join(dir, "ta.safetensors"), t.TempDir()
	for what, c := range map[string]struct {
		args  []string
		file  string
		words []string
	}{
		"onnx by ending":     {[]string{ta, "--out", filepath.Join(out, "a.onnx")}, "a.onnx", []string{"N x 3 x 64 x 64", "logits", `["low","high"]`}},
		"onnx by name":       {[]string{"ta", "--weight-store", dir, "--format", "onnx", "--input", "96", "--out", filepath.Join(out, "b.onnx")}, "b.onnx", []string{"N x 3 x 96 x 96", `"size":96`}},
		"safetensors":        {[]string{ta, "--out", filepath.Join(out, "c.safetensors")}, "c.safetensors", []string{`"format":"pt"`, `"backbone":"densenet121"`}},
		"format over ending": {[]string{ta, "--format", "safetensors", "-o", filepath.Join(out, "d.onnx")}, "d.onnx", []string{`"format":"pt"`}},
	} {
		code, _, errOut := call(t, append([]string{"weights", "export"}, c.args...)...)
		b, err := os.ReadFile(filepath.Join(out, c.file))
		if code != exitDone || err != nil {
			t.Errorf("%s: exit code %d, %v, %s", what, code, err, errOut)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s: the file lacks %s", what, w)
			}
		}
	}
	got, _, err := weights.Load(filepath.Join(out, "c.safetensors"))
	if err != nil || weights.Hash(got) != weights.Hash(x) {
		t.Errorf("other values exported: %v", err)
	}
}

// A file without a card is known by its tensors; without a classifier the network has no logits.
func TestWeightsExportKnowsTheNetwork(t *testing.T) {
	dir := t.TempDir()
	x := weights.Random(densenet.Params(densenet.DenseNet169), 1)
	file, out := filepath.Join(dir, "x.safetensors"), filepath.Join(dir, "x.onnx")
	if err := weights.SaveSafetensors(file, x, nil); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := call(t, "weights", "export", file, "--out", out); code != exitDone {
		t.Fatalf("exit code %d, %s", code, errOut)
	}
	b, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(b), "densenet169") || strings.Contains(string(b), "logits") {
		t.Errorf("not DenseNet169 without classifier: %v", err)
	}
}

func TestWeightsExportRefuses(t *testing.T) {
	dir, _ := trainedRun(t)
	ta, onnx := filepath.Join(dir, "ta.safetensors"), filepath.Join(t.TempDir(), "x.onnx")
	for what, c := range map[string]struct {
		args []string
		code int
		word string
	}{
		"format":    {[]string{ta, "--format", "tflite"}, exitUsage, "neither safetensors nor onnx"},
		"itself":    {[]string{ta, "--out", ta}, exitUsage, "over itself"},
		"input":     {[]string{ta, "--out", onnx, "--input", "-1"}, exitUsage, "-1"},
		"small":     {[]string{ta, "--out", onnx, "--input", "5"}, exitFailed, "too small"},
		"backbone":  {[]string{ta, "--out", onnx, "--backbone", "resnet50"}, exitFailed, "resnet50"},
		"another":   {[]string{ta, "--out", onnx, "--backbone", "densenet169"}, exitFailed, "x.onnx"},
		"random":    {[]string{"random", "--out", onnx}, exitFailed, "seed"},
		"not there": {[]string{"ta", "--weight-store", t.TempDir(), "--out", onnx}, exitFailed, "no weights called"},
	} {
		code, _, errOut := call(t, append([]string{"weights", "export"}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.word) {
			t.Errorf("%s: exit code %d, want %d; %s", what, code, c.code, errOut)
		}
		if _, err := os.Stat(onnx); err == nil {
			t.Errorf("%s: a file was written", what)
		}
	}
}
