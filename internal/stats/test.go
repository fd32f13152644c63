// Package stats holds what evaluate, survival and describe share: values and groups in, ranks, tail probabilities and the result of a hypothesis test out.
package stats

import "sonotype/internal/num"

// Test is the result of one hypothesis test. P is two-sided and unrounded; null where it cannot be computed, with the reason in Note.
type Test struct {
	Name      string    `json:"name"` // e.g. "Welch t", "chi-square", "Fisher exact"
	Statistic num.Float `json:"statistic"`
	DF        num.Float `json:"df"`  // null for tests without degrees of freedom
	DF2       num.Float `json:"df2"` // denominator degrees of freedom of an F test, else null
	P         num.Float `json:"p"`
	Exact     bool      `json:"exact"` // P comes from the full permutation distribution
	Note      string    `json:"note,omitempty"`
}

// NotComputable is a test result without a p-value, and the reason.
func NotComputable(name, note string) Test {
	return Test{Name: name, Statistic: num.NaN(), DF: num.NaN(), DF2: num.NaN(), P: num.NaN(), Note: note}
}
