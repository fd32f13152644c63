package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sonotype/internal/artifact"
	"sonotype/report"
)

// Stage 09 writes the report, its figures and tables, and results.json. It computes nothing.
func reportStage() *stage {
	return &stage{
		number: 9, name: "report", version: 3,
		needs:   []string{"cohort", "roi", "finetune", "features", "selection", "classify", "evaluate", "clinical", "survival"},
		params:  func(p *Plan) any { return p },
		outside: outsideReport,
		run:     runReport,
	}
}

// outsideReport hashes what the report shows beside the stages' files: the ledger, and what was computed after the line.
func outsideReport(_ context.Context, r *Run) (any, error) {
	hashes := map[string]string{"version": r.Version}
	files := []string{filepath.Join(r.RunDir, ledgerFile)}
	after, err := os.ReadDir(filepath.Join(r.RunDir, robustnessDir))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, f := range after {
		if filepath.Ext(f.Name()) == ".json" {
			files = append(files, filepath.Join(r.RunDir, robustnessDir, f.Name()))
		}
	}
	for _, f := range files {
		h, err := artifact.HashFile(f)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		hashes[filepath.Base(f)] = h
	}
	return hashes, nil
}

func runReport(ctx context.Context, r *Run, out string) error {
	a := &assembly{run: r}
	if err := a.load(); err != nil {
		return err
	}
	s, err := a.study(ctx)
	if err != nil {
		return err
	}
	if err := report.Write(out, s, r.Observer.Progress); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "results.json"), a.results(s))
}

// Summary is what the command line says at the end.
type Summary struct {
	Headline string
	Warnings []string
	Excluded []string
	Evidence []string // what --repeats, --permutations and --leaky found
	Frozen   string   // where the frozen model lies and what half precision changed, or why there is none
}

// publish copies the report to the top of the run folder and adds the timing to results.json.
func (r *Run) publish() (Summary, error) {
	dir := r.dir(9, "report")
	var results map[string]any
	if err := artifact.ReadJSON(filepath.Join(dir, "results.json"), &results); err != nil {
		return Summary{}, err
	}
	timing := map[string]float64{}
	for name, s := range r.seconds {
		timing[name+"_s"] = s
	}
	results["timing"] = timing
	if err := artifact.WriteJSON(filepath.Join(r.RunDir, "results.json"), results); err != nil {
		return Summary{}, err
	}
	if err := artifact.Copy(filepath.Join(r.RunDir, "report.html"), filepath.Join(dir, "report.html")); err != nil {
		return Summary{}, err
	}
	var s Summary
	s.Headline, _ = results["headline"].(string)
	for _, w := range results["warnings"].([]any) {
		s.Warnings = append(s.Warnings, fmt.Sprint(w))
	}
	h, err := r.honesty()
	if err != nil {
		return s, err
	}
	s.Evidence = h.inWords(r.Evidence)
	if s.Frozen, err = r.frozenInWords(); err != nil {
		return s, err
	}
	c, err := r.analysed()
	if err != nil {
		return s, err
	}
	for _, e := range c.Excluded() {
		s.Excluded = append(s.Excluded, fmt.Sprintf("%s, row %d, patient %s: %s", e.Table, e.Line, e.Patient, e.Reason))
	}
	return s, nil
}
