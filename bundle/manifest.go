// Package bundle scores a lesion with a study's frozen model: an image, its outline and the files of a finished study
// flow in; regions, features and the model's score flow out, equal to the study's to the last bit.
package bundle

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sonotype/densenet"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// Regions are the two views of a lesion that the networks see.
var Regions = []string{"ta", "pta"}

// Manifest says how an image becomes a score, and where the fitted parts lie. Paths are those of the tree that holds the
// manifest, with forward slashes.
type Manifest struct {
	Version    int                    `json:"version"`
	Geometry   roi.Geometry           `json:"geometry"`
	Backbone   string                 `json:"backbone"` // densenet169 | densenet121
	Layer      string                 `json:"layer"`    // features | avgpool
	Networks   map[string]Network     `json:"networks"`
	Reductions map[string]string      `json:"reductions"` // region -> folder of its z-score and components
	Kept       map[string][]Component `json:"kept"`       // feature set -> the model's inputs, in their order
	Models     []Model                `json:"models"`
}

// Network is the network of a region.
type Network struct {
	File        string `json:"file,omitempty"` // "" when the caller brings the weights
	TensorsHash string `json:"tensors_hash"`
}

// Component is one input of a model: a component of a region's features, from 1.
type Component struct {
	Region string `json:"region"`
	Number int    `json:"number"`
}

// Model is a fitted classifier with what was fixed on training patients.
type Model struct {
	Features     string                  `json:"features"` // ta | pta | fusion
	Name         string                  `json:"name"`     // lr, svm, ...
	File         string                  `json:"file"`
	Threshold    num.Float               `json:"threshold"`              // a score above it is called positive
	Recalibrated *evaluate.Recalibration `json:"recalibrated,omitempty"` // of scores that are no probabilities
}

// Key is "features/model", e.g. fusion/svm.
func (m Model) Key() string { return m.Features + "/" + m.Name }

// manifestVersion is the form of the manifest that this program writes and reads.
const manifestVersion = 1

// NewManifest is an empty manifest of the present version.
func NewManifest() Manifest {
	return Manifest{Version: manifestVersion, Networks: map[string]Network{}, Reductions: map[string]string{}, Kept: map[string][]Component{}}
}

// ParseComponent reads a component's name, e.g. ta_012.
func ParseComponent(name string) (Component, error) {
	var c Component
	region, number, ok := strings.Cut(name, "_")
	c.Region = region
	if _, err := fmt.Sscanf(number, "%d", &c.Number); err != nil || !ok || !slices.Contains(Regions, region) || c.Number < 1 {
		return c, &problem.Error{What: "not the name of a component", Expected: "e.g. ta_012", Found: name}
	}
	return c, nil
}

// readManifest reads and checks a manifest.
func readManifest(files fs.FS, name string) (Manifest, error) {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return Manifest{}, &problem.Error{What: "cannot read the model's manifest", File: name, Err: err}
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, &problem.Error{What: "the model's manifest is damaged", File: name, Err: err}
	}
	if err := m.check(); err != nil {
		p, _ := problem.As(err)
		p.File = name
		return Manifest{}, p
	}
	return m, nil
}

// check refuses what no program of this version writes.
func (m *Manifest) check() error {
	bad := func(what, expected string, found any) error {
		return &problem.Error{What: "the model's manifest cannot be used: " + what, Expected: expected, Found: fmt.Sprint(found)}
	}
	if m.Version != manifestVersion {
		return bad("its version", fmt.Sprint(manifestVersion), m.Version)
	}
	if err := m.Geometry.Validate(); err != nil {
		return err
	}
	if !slices.Contains(densenet.Variants(), densenet.Variant(m.Backbone)) || m.Geometry.Input%32 != 0 {
		return bad("its network", "a known network and an input whose side is a multiple of 32", fmt.Sprintf("%s, %d px", m.Backbone, m.Geometry.Input))
	}
	if m.Layer != "features" && m.Layer != "avgpool" {
		return bad("its layer", "features or avgpool", m.Layer)
	}
	if len(m.Models) == 0 {
		return bad("its models", "at least one", "none")
	}
	for _, model := range m.Models {
		inputs, ok := m.Kept[model.Features]
		if !ok || len(inputs) == 0 {
			return bad("the inputs of "+model.Key(), "a list of components", "none")
		}
		for _, c := range inputs {
			if m.Reductions[c.Region] == "" || m.Networks[c.Region].TensorsHash == "" || c.Number < 1 {
				return bad("an input of "+model.Key(), "a component of a region with a network and a reduction", fmt.Sprintf("%s %d", c.Region, c.Number))
			}
		}
	}
	return m.checkPaths()
}

// checkPaths refuses a path that could lead out of the tree.
func (m *Manifest) checkPaths() error {
	var paths []string
	for _, n := range m.Networks {
		if n.File != "" {
			paths = append(paths, n.File)
		}
	}
	for _, dir := range m.Reductions {
		paths = append(paths, dir)
	}
	for _, model := range m.Models {
		paths = append(paths, model.File)
	}
	for _, p := range paths {
		if !fs.ValidPath(p) || path.Clean(p) == "." {
			return &problem.Error{What: "the model's manifest names a file outside it", Found: p}
		}
	}
	return nil
}

// regions lists the regions that the models look at.
func (m *Manifest) regions() []string {
	return slices.DeleteFunc(slices.Clone(Regions), func(region string) bool {
		return !slices.ContainsFunc(m.Models, func(model Model) bool {
			return slices.ContainsFunc(m.Kept[model.Features], func(c Component) bool { return c.Region == region })
		})
	})
}
