package study

import (
	"path/filepath"

	"sonotype/internal/artifact"
	"sonotype/report"
)

// agreementOf gathers what the report shows of subgroups and of burnt-in marks.
func (a *assembly) agreementOf() (g report.Agreement, err error) {
	g.Marks = a.evaluation.Marks.Sets
	err = artifact.ReadJSON(filepath.Join(a.run.dir(7, "evaluate"), subgroupsFile), &g.Subgroups)
	return g, err
}
