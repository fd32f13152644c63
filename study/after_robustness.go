package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/report"
)

// robustnessPart is one of the study's decisions that is varied after the line.
type robustnessPart struct {
	name    string
	version int
	params  func(p *Plan) any
	run     func(r *Run, ctx context.Context, f *frozenModel) error
}

// robustnessParts are the parts in their order.
func robustnessParts() []robustnessPart {
	return []robustnessPart{
		{"widths", 1, func(p *Plan) any { return []any{p.Robustness.WidthsPX, p.Robustness.WidthsMM, p.Robustness.Retrain} }, (*Run).sweepWidths},
		{"outlines", 1, func(p *Plan) any { return p.Robustness.Outlines }, (*Run).sweepOutlines},
		{"cutoffs", 1, func(p *Plan) any { return p.Robustness.Cutoffs }, (*Run).sweepCutoffs},
		{"centres", 1, func(*Plan) any { return nil }, (*Run).sweepCentres},
	}
}

// RobustnessParts lists the names of what robustness can vary.
func RobustnessParts() []string {
	var names []string
	for _, p := range robustnessParts() {
		names = append(names, p.name)
	}
	return names
}

// validateParts refuses a part that does not exist.
func validateParts(names []string) error {
	for _, n := range names {
		if !slices.Contains(RobustnessParts(), n) {
			return &problem.Error{What: "unknown part of the robustness analysis", Expected: strings.Join(RobustnessParts(), ", "), Found: n}
		}
	}
	return nil
}

// frozenModel is the study's primary model with what was fixed on training patients.
type frozenModel struct {
	key        report.Key
	evaluation *evaluation
	scores     map[string]map[report.Key]scored
}

func (r *Run) frozenModel() (*frozenModel, error) {
	var e evaluation
	if err := artifact.ReadJSON(filepath.Join(r.dir(7, "evaluate"), "evaluation.json"), &e); err != nil {
		return nil, err
	}
	s, err := r.scores("scores.csv")
	return &frozenModel{e.Primary, &e, s}, err
}

// robustnessKey identifies everything that a part depends on.
func (r *Run) robustnessKey(p robustnessPart, f *frozenModel) (string, error) {
	return artifact.HashJSON(map[string]any{
		"name": p.name, "version": p.version, "params": p.params(&r.Plan), "primary": f.key, "threshold": f.evaluation.Thresholds[f.key],
		"plan":   []any{r.Plan.Cohorts, r.Plan.Development, r.Plan.Outcome.Outcome, r.Plan.Region, r.Plan.Split, r.Plan.Seed},
		"inputs": []string{r.digests["cohort"], r.digests["roi"], r.digests["features"], r.digests["classify"]},
	})
}

// robustness computes the parts that were asked for.
func (r *Run) robustness(ctx context.Context, names []string) error {
	f, err := r.frozenModel()
	if err != nil {
		return err
	}
	for _, p := range robustnessParts() {
		if !slices.Contains(names, p.name) {
			continue
		}
		key, err := r.robustnessKey(p, f)
		if err != nil {
			return err
		}
		err = r.keyedJob(p.name, key, func() (bool, error) {
			if old, err := readPart(r, p.name, key); old != nil || err != nil {
				return true, err
			}
			return false, p.run(r, ctx, f)
		})
		if err != nil {
			return fmt.Errorf("robustness, %s: %w", p.name, err)
		}
	}
	return nil
}

func (r *Run) partPath(name string) string {
	return filepath.Join(r.RunDir, robustnessDir, name+".json")
}

// readPart reads a finished part as it stands in its file, nil if there is none or if it was made from something else.
func readPart(r *Run, name, key string) ([]byte, error) {
	b, err := os.ReadFile(r.partPath(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var head struct {
		Key string `json:"key"`
	}
	if err := artifact.ReadJSON(r.partPath(name), &head); err != nil || head.Key != key {
		return nil, nil // damaged or outdated: computed anew
	}
	return b, nil
}

// robustnessResults are the parts that the run holds, each as long as it was made from what the run holds now.
func (r *Run) robustnessResults() (*report.Robustness, error) {
	f, err := r.frozenModel()
	if err != nil {
		return nil, err
	}
	out, found := &report.Robustness{}, false
	for _, p := range robustnessParts() {
		key, err := r.robustnessKey(p, f)
		if err != nil {
			return nil, err
		}
		b, err := readPart(r, p.name, key)
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		found = true
		into := map[string]any{"widths": &out.Widths, "outlines": &out.Outlines, "cutoffs": &out.Cutoffs, "centres": &out.Centres}[p.name]
		if err := artifact.ReadJSON(r.partPath(p.name), into); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, nil
	}
	return out, nil
}
