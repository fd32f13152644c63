package study

import (
	"fmt"
	"path"

	"sonotype/bundle"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/report"
)

// frozen describes fitted models of the finished line for package bundle, with paths below the run folder. A network that
// was not trained here has no file in the run: its weights come with the manifest.
func (r *Run) frozen(keys []report.Key, e *evaluation, selected map[string]selectionSummary) (bundle.Manifest, map[string]nn.Tensors, error) {
	m := bundle.NewManifest()
	if r.Plan.harmonises() {
		return m, nil, &problem.Error{
			What:     "a harmonised model cannot score images by itself",
			Expected: "`harmonise: none`", Found: "`harmonise: combat`, whose shift depends on the " + r.Plan.HarmoniseBy + " that an image comes from",
			Try: "run the study without harmonisation to score new images or other outlines",
		}
	}
	m.Geometry, m.Backbone, m.Layer = r.Plan.geometry(), r.Plan.Network.Backbone, r.Plan.Network.Layer
	brought := map[string]nn.Tensors{}
	for _, region := range regions {
		w, err := r.network(region, finalFit)
		if err != nil {
			return m, nil, err
		}
		n := bundle.Network{TensorsHash: w.card.TensorsHash}
		if r.Plan.trains() {
			n.File = "03-finetune/" + r.Plan.networkOf(region) + ".safetensors"
		} else {
			brought[region] = w.tensors
		}
		m.Networks[region] = n
		m.Reductions[region] = "05-selection/" + fitName(finalFit) + "/" + region + "-pca"
	}
	for _, key := range keys {
		if err := keep(&m, key.Features, selected[key.Features]); err != nil {
			return m, nil, err
		}
		model := bundle.Model{Features: key.Features, Name: key.Model, Threshold: e.Thresholds[key],
			File: path.Join("06-classify", "models", fmt.Sprintf("%s-%s.json", key.Features, key.Model))}
		if rc, ok := e.Recal[key]; ok {
			model.Recalibrated = &rc
		}
		m.Models = append(m.Models, model)
	}
	return m, brought, nil
}

// keep lists the components that the selection left to the models on a feature set.
func keep(m *bundle.Manifest, set string, s selectionSummary) error {
	if m.Kept[set] != nil {
		return nil
	}
	for _, j := range s.Lasso.Kept {
		c, err := bundle.ParseComponent(s.Names[j])
		if err != nil {
			return err
		}
		m.Kept[set] = append(m.Kept[set], c)
	}
	return nil
}
