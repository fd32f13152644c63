package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// SamePlan refuses to go on in a run folder whose study has other settings than p: what only adds to a study must not
// compute it anew because an override of `sonotype run` was forgotten. What robustness varies may differ.
func SamePlan(runDir string, p Plan) error {
	path := filepath.Join(runDir, "plan.json")
	var head struct {
		Preset string `json:"preset"`
	}
	err := artifact.ReadJSON(path, &head)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	old, unknown := DefaultPlan(head.Preset) // keys that an earlier version did not know have their defaults
	if err == nil && unknown == nil {
		err = artifact.ReadJSON(path, &old)
	}
	if err = errors.Join(err, unknown); err != nil {
		return &problem.Error{What: "cannot read the plan of the run", File: path, Err: err}
	}
	var now Plan
	b, err := json.Marshal(p) // as it would be read back
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &now); err != nil {
		return err
	}
	old.Robustness, now.Robustness = RobustnessPlan{}, RobustnessPlan{}
	var differ []string
	is := map[string]string{}
	for _, s := range allSettings(&now) {
		is[s.Name] = s.Value
	}
	for _, s := range allSettings(&old) {
		if is[s.Name] != s.Value {
			differ = append(differ, fmt.Sprintf("%s=%s there, %s here", s.Name, s.Value, is[s.Name]))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return &problem.Error{What: "the run folder holds a study with other settings", File: path, Found: strings.Join(differ[:min(3, len(differ))], "; "),
		Try: "give the --preset and --set of its `sonotype run`, or another --out"}
}
