package bundle

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"sonotype/roi"
)

func validManifest() Manifest {
	m := NewManifest()
	m.Geometry, m.Backbone, m.Layer = roi.Defaults(), "densenet121", "avgpool"
	for _, region := range Regions {
		m.Networks[region] = Network{File: region + ".safetensors", TensorsHash: strings.Repeat("0", 64)}
		m.Reductions[region] = region + "-pca"
	}
	m.Kept["fusion"] = []Component{{"ta", 1}, {"pta", 3}}
	m.Models = []Model{{Features: "fusion", Name: "lr", File: "fusion-lr.json", Threshold: 0.5}}
	return m
}

func TestManifestIsChecked(t *testing.T) {
	m := validManifest()
	if err := m.check(); err != nil {
		t.Fatalf("a valid manifest: %v", err)
	}
	for what, spoil := range map[string]func(*Manifest){
		"another version":       func(m *Manifest) { m.Version++ },
		"no geometry":           func(m *Manifest) { m.Geometry = roi.Geometry{} },
		"an odd input":          func(m *Manifest) { m.Geometry.Input = 100 },
		"an unknown network":    func(m *Manifest) { m.Backbone = "resnet" },
		"an unknown layer":      func(m *Manifest) { m.Layer = "logits" },
		"no models":             func(m *Manifest) { m.Models = nil },
		"no inputs":             func(m *Manifest) { m.Kept = map[string][]Component{"fusion": {}} },
		"an unknown region":     func(m *Manifest) { m.Kept["fusion"][0].Region = "lung" },
		"component 0":           func(m *Manifest) { m.Kept["fusion"][1].Number = 0 },
		"a model outside":       func(m *Manifest) { m.Models[0].File = "../../etc/passwd" },
		"a reduction at root":   func(m *Manifest) { m.Reductions["ta"] = "/ta" },
		"a network outside":     func(m *Manifest) { m.Networks["ta"] = Network{File: "a/../../b", TensorsHash: "0"} },
		"a network without one": func(m *Manifest) { m.Networks["pta"] = Network{} },
	} {
		m := validManifest()
		spoil(&m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenScorer(fstest.MapFS{"m.json": {Data: b}}, "m.json", Options{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func TestOpenScorerNamesWhatIsMissing(t *testing.T) {
	b, err := json.Marshal(validManifest())
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"no manifest":      {fstest.MapFS{}, "cannot read the model's manifest"},
		"damaged manifest": {fstest.MapFS{"m.json": {Data: b[:40]}}, "damaged"},
		"no network":       {fstest.MapFS{"m.json": {Data: b}}, "ta.safetensors"},
		"no weights":       {fstest.MapFS{"m.json": {Data: b}, "ta.safetensors": {Data: []byte("nothing")}}, "not a weight file"},
	} {
		if _, err := OpenScorer(c.files, "m.json", Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestParseComponent(t *testing.T) {
	for name, want := range map[string]Component{"ta_001": {"ta", 1}, "pta_256": {"pta", 256}} {
		if got, err := ParseComponent(name); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "ta", "ta_", "ta_0", "ta_-1", "lung_1", "ta_x"} {
		if got, err := ParseComponent(name); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
	}
}
