package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/report"
)

// Evidence asks for what is computed after the line, on top of what it has written, and shown in the same report.
type Evidence struct {
	Repeats      int  // of nested cross-validation over the development patients; 0: none
	Permutations int  // of the labels, each with a nested cross-validation; 0: none
	Leaky        bool // the classical leaks beside the honest figures

	Robustness []string // parts of the robustness analysis: the study's decisions varied one by one
}

// Validate refuses counts that say nothing.
func (e Evidence) Validate() error {
	for name, n := range map[string]int{"repeats": e.Repeats, "permutations": e.Permutations} {
		if n < 0 || n > 10_000 {
			return &problem.Error{What: "the number of " + name + " is impossible", Expected: "0 to 10000", Found: fmt.Sprint(n)}
		}
	}
	if e.Permutations == 1 {
		return &problem.Error{What: "one permutation has no standard error", Expected: "0, or 2 and more; 50 is a good number", Found: "1"}
	}
	return validateParts(e.Robustness)
}

// evidence computes what was asked for.
func (r *Run) evidence(ctx context.Context) error {
	if r.Evidence.Repeats > 0 {
		if err := r.nested(ctx, r.Evidence.Repeats); err != nil {
			return fmt.Errorf("nested cross-validation: %w", err)
		}
	}
	if r.Evidence.Permutations > 0 {
		if err := r.permuted(ctx, r.Evidence.Permutations); err != nil {
			return fmt.Errorf("permuted labels: %w", err)
		}
	}
	if r.Evidence.Leaky {
		if err := r.leaky(ctx); err != nil {
			return fmt.Errorf("leaks: %w", err)
		}
	}
	if len(r.Evidence.Robustness) > 0 {
		return r.robustness(ctx, r.Evidence.Robustness)
	}
	return nil
}

// honesty is what the report shows of the computations after the line: each as long as it was made from what the run
// holds now.
type honesty struct {
	Nested   *report.Nested   `json:"nested,omitempty"`
	Permuted *report.Permuted `json:"permuted,omitempty"`
	Leaky    *report.Leaky    `json:"leaky,omitempty"`
}

func (r *Run) honesty() (h honesty, err error) {
	if h.Nested, err = current(r, nestedName, nestedVersion, func(n *report.Nested) string { return n.Key }); err != nil {
		return h, err
	}
	if h.Permuted, err = current(r, permutedName, permutedVersion, func(p *report.Permuted) string { return p.Key }); err != nil {
		return h, err
	}
	h.Leaky, err = current(r, leakyName, leakyVersion, func(l *report.Leaky) string { return l.Key })
	return h, err
}

// current reads a result, nil if there is none or if it was made from something else.
func current[T any](r *Run, name string, version int, keyOf func(*T) string) (*T, error) {
	key, err := r.nestedKey(name, version)
	if err != nil {
		return nil, err
	}
	var v T
	err = artifact.ReadJSON(filepath.Join(r.RunDir, robustnessDir, name+".json"), &v)
	if os.IsNotExist(err) || err == nil && keyOf(&v) != key {
		return nil, nil
	}
	return &v, err
}

// inWords is what the command line says of them.
func (h honesty) inWords(asked Evidence) []string {
	var out []string
	if n := h.Nested; n != nil && asked.Repeats > 0 {
		out = append(out, fmt.Sprintf("nested cross-validation, %d repeats: median AUC %.3f (95 %% of the repeats from %.3f to %.3f)", n.Chosen.N, n.Chosen.Median, n.Chosen.Lo, n.Chosen.Hi))
	}
	if h.Permuted != nil && asked.Permutations > 0 {
		out = append(out, permutedInWords(h.Permuted))
	}
	if h.Leaky != nil && asked.Leaky {
		out = append(out, leakyInWords(h.Leaky)...)
	}
	return out
}
