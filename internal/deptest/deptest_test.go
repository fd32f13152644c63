// Package deptest holds the test of the import direction; architecture is what the imports say.
package deptest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what a package may import of this module and of others, and why.
type rule struct {
	pkg    string // a package and all below it
	allow  []string
	reason string
}

var rules = []rule{
	{"cmd", []string{"cli"}, "main only hands over to the command line"},
	{"selection", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"classify", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"evaluate", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"survival", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"samplesize", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"checklist", []string{"internal"}, "a checklist is answered from a typed summary, whoever filled it"},
	{"impute", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"clinical", []string{"internal", "impute"}, "pure numbers: imputed copies are pooled by impute's rules"},
	{"audit", []string{"internal", "describe", "evaluate"}, "an audit knows printed figures, no study and no patients"},
	{"describe", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"nn", []string{"internal", "nn"}, "the engine knows graphs, not studies"},
	{"densenet", []string{"internal", "nn"}, "a network is a graph"},
	{"weights", []string{"internal", "nn"}, "weights are tensors with names"},
	{"features", []string{"internal", "nn"}, "features come out of a network, whatever it looked at"},
	{"finetune", []string{"internal", "nn", "densenet", "weights", "imaging", "roi", "evaluate"}, "training knows crops and labels, no cohort and no study"},
	{"explain", []string{"internal", "imaging"}, "maps come out of numbers and are drawn over a crop"},
	{"imaging", []string{"internal", "imaging"}, "images know nothing of tumours"},
	{"roi", []string{"internal", "imaging", "roi"}, "regions are cut from images"},
	{"cohort", []string{"internal", "imaging", "roi", "cohort"}, "checking a cohort reads its images and outlines, nothing more"},
	{"datasets", []string{"internal", "cohort"}, "an importer writes tables"},
	{"bundle", []string{"internal", "nn", "densenet", "weights", "imaging", "roi", "selection", "classify", "evaluate", "survival", "explain"}, "what serves a hospital knows no study, no cohort and no training"},
	{"serve", []string{"internal", "bundle", "imaging", "roi", "serve", "evaluate", "survival", "report"}, "what serves a hospital knows no study, no cohort and no training"},
	{"synth", []string{"internal", "imaging", "roi"}, "the synthetic cohort is data for the study, and knows nothing of it"},
	{"agreement", []string{"internal", "roi"}, "agreement compares readings and outlines; it knows no study"},
	{"harmonise", []string{"internal"}, "pure numbers: no files of other packages, no images, no network"},
	{"report", []string{"internal", "agreement", "describe", "evaluate", "survival", "clinical", "samplesize", "checklist", "report", "audit"}, "the report formats results; it never computes"},
	{"internal", []string{"internal"}, "helpers know no domain"},
}

// nobodyImports lists the ends of the line: only the packages named may import them.
var nobodyImports = map[string][]string{
	"cli":   {"cmd"},
	"study": {"cli"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportDirection(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "sonotype/")
		for _, imp := range p.Imports {
			imp, own := strings.CutPrefix(imp, "sonotype/")
			if !own || imp == name {
				continue
			}
			if importers, ok := nobodyImports[top(imp)]; ok && !slices.Contains(importers, top(name)) && top(imp) != top(name) {
				t.Errorf("%s imports %s: only %s may", name, imp, strings.Join(importers, ", "))
			}
			for _, r := range rules {
				if top(name) == r.pkg && top(imp) != r.pkg && !slices.Contains(r.allow, top(imp)) {
					t.Errorf("%s imports %s: %s", name, imp, r.reason)
				}
			}
		}
	}
}

func top(path string) string {
	head, _, _ := strings.Cut(path, "/")
	return head
}

// packages asks the go command for every package of the module with what it imports outside its tests.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "sonotype/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}
