package study

import (
	"math"
	"strings"

	"sonotype/cohort/table"
)

// Molecular subtypes by oestrogen (ER), progesterone (PR) and HER2 receptors, without Ki-67, which may be the outcome.
var subtypes = []string{"HR+/HER2−", "HER2+", "triple negative"}

// status is a receptor's: unknown, negative or positive.
type status int

const (
	statusUnknown status = iota
	statusNegative
	statusPositive
)

// hormoneStatus reads a cell of the ER or PR column: words, or a percentage of stained cells, positive from 1 % on
// (ASCO/CAP), which also reads 0 and 1 as negative and positive. A number between 0 and 1 could be a share or a per
// cent: unknown.
func hormoneStatus(cell string) status {
	if s := inWords(cell); s != statusUnknown {
		return s
	}
	switch v, err := table.Number(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(cell), "%"))); {
	case err != nil || math.IsNaN(v) || v < 0 || v > 100 || v > 0 && v < 1:
		return statusUnknown
	case v == 0:
		return statusNegative
	}
	return statusPositive
}

// her2Status reads a cell of the HER2 column: words, where low means not amplified and is negative, or the score of
// immunohistochemistry: 0 and 1+ negative, 3+ positive, 2+ open until hybridisation is done and so unknown. A bare 1 is
// positive in a column of zeros and ones (scored = false), else 1+.
func her2Status(cell string, scored bool) status {
	text := strings.ToLower(strings.TrimSpace(cell))
	switch text {
	case "low":
		return statusNegative
	case "0", "1+":
		return statusNegative
	case "2", "2+":
		return statusUnknown
	case "3", "3+":
		return statusPositive
	case "1":
		if scored {
			return statusNegative
		}
		return statusPositive
	}
	return inWords(cell)
}

// her2Scored says whether a HER2 column holds scores of immunohistochemistry, not zeros and ones.
func her2Scored(cells []string) bool {
	for _, c := range cells {
		switch strings.TrimSpace(c) {
		case "1+", "2", "2+", "3", "3+":
			return true
		}
	}
	return false
}

func inWords(cell string) status {
	switch strings.ToLower(strings.TrimSpace(cell)) {
	case "negative", "neg", "-", "−", "no", "false", "absent":
		return statusNegative
	case "positive", "pos", "+", "yes", "true", "present", "low", "medium", "high", "amplified":
		return statusPositive
	}
	return statusUnknown
}

// subtype is the index into subtypes, or -1 where the receptors do not settle it: HER2 decides alone when positive.
func subtype(er, pr, her2 status) int {
	switch {
	case her2 == statusPositive:
		return 1
	case her2 == statusUnknown:
		return -1
	case er == statusPositive || pr == statusPositive:
		return 0
	case er == statusNegative && pr == statusNegative:
		return 2
	}
	return -1
}
