package weights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/internal/num"
)

func trainedCard() Card {
	return Card{
		Backbone: "densenet169", Classes: []string{"low", "high"}, DataHash: "d", PatientsHash: "p",
		Preprocessing: Preprocessing{Size: 96, Mean: ImageNet.Mean, Std: ImageNet.Std},
		Training:      &Training{Start: "random", Recipe: "focal loss", Optimizer: "adam", Epochs: 9, Kept: 7, Seed: 3},
		Metrics:       map[string]num.Float{"heldout_auc": 0.75, "heldout_loss": num.NaN()},
	}
}

func TestTrainedWeightsAreAStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "03-finetune")
	x := Random(smallSpecs, 1)
	saved, err := SaveTrained(dir, "ta", x, trainedCard())
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []struct{ store, name string }{{dir, "ta"}, {t.TempDir(), filepath.Join(dir, "ta.safetensors")}} {
		got, c, err := Store{Dir: what.store}.Open(what.name, smallSpecs, 0)
		if err != nil {
			t.Fatal(err)
		}
		if Hash(got) != Hash(x) || c.TensorsHash != Hash(x) || c.FileSHA256 != saved.FileSHA256 {
			t.Errorf("%s: other values than saved", what.name)
		}
		if c.Name != "ta" || c.Format != FormatTrained || c.Source != "trained from random" || c.Licence != LicenceUnknown ||
			c.Preprocessing.Size != 96 || *c.Training != *trainedCard().Training || c.Backbone != "densenet169" || c.Classes[1] != "high" ||
			c.DataHash != "d" || c.PatientsHash != "p" || c.Metrics["heldout_auc"] != 0.75 || !c.Metrics["heldout_loss"].IsNaN() {
			t.Errorf("%s: card %+v", what.name, c)
		}
	}
	before, _ := os.ReadFile(filepath.Join(dir, "ta.json"))
	if _, err := SaveTrained(dir, "ta", x, trainedCard()); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "ta.json")); string(after) != string(before) {
		t.Error("the same weights give another card")
	}
	if _, err := SaveTrained(dir, "../ta", x, trainedCard()); err == nil {
		t.Error("saved outside the folder")
	}
}

func TestOpenByPathHeedsTheCard(t *testing.T) {
	for what, c := range map[string]struct {
		file string
		edit func([]byte) []byte
		word string // of the error; "" = none
	}{
		"a value":       {"ta.safetensors", func(b []byte) []byte { b[len(b)-2] ^= 1; return b }, "changed tensors"},
		"another name":  {"ta.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), `"ta"`, `"pta"`, 1)) }, "belongs to other weights"},
		"not a card":    {"ta.json", func([]byte) []byte { return []byte(`{"architectures":["x"]}`) }, ""},
		"not even JSON": {"ta.json", func([]byte) []byte { return []byte("notes") }, ""},
	} {
		dir := t.TempDir()
		if _, err := SaveTrained(dir, "ta", Random(smallSpecs, 1), trainedCard()); err != nil {
			t.Fatal(err)
		}
		change(t, filepath.Join(dir, c.file), c.edit)
		_, _, err := Store{Dir: t.TempDir()}.Open(filepath.Join(dir, "ta.safetensors"), smallSpecs, 0)
		if (c.word == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v, want %q", what, err, c.word)
		}
	}
}

// A card written before networks could be trained here has none of their fields.
func TestOldCardsStayReadable(t *testing.T) {
	s, c := storeWith(t, "zip_new.pth", "mine")
	b, err := os.ReadFile(s.card("mine"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"backbone", "classes", "training", "data_hash", "patients_hash", "metrics"} {
		if strings.Contains(string(b), `"`+field+`"`) {
			t.Errorf("an imported card has %q", field)
		}
	}
	if c.Training != nil || c.Metrics != nil {
		t.Errorf("card %+v", c)
	}
}
