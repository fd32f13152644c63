package report

import (
	"fmt"
	"strings"

	"sonotype/evaluate"
)

// calibrationInWords says whether predicted probabilities can be taken at their word; empty when that cannot be computed.
func calibrationInWords(c evaluate.Calibration) string {
	verdict, figures := calibrationVerdict(c)
	switch verdict {
	case "":
		return ""
	case calibrated:
		return "predicted probabilities showed no clear miscalibration (" + figures + ")"
	case undecided:
		return "whether predicted probabilities can be taken at their word cannot be told from these data (" + figures + ")"
	}
	return "predicted probabilities were " + verdict + " (" + figures + ")"
}

// Verdicts when no interval shows a fault: all are narrow enough to rule a grave one out, or they are not.
const (
	calibrated = "no clear fault"
	undecided  = "cannot be told: intervals too wide"
)

// Faults that matter. An interval that holds one of these and the perfect value too clears nobody: predictions half or
// twice as far from the average as they should be, or a fifth too few or a quarter too many patients found.
const (
	graveSlopeLo, graveSlopeHi = 0.5, 2.0
	graveOELo, graveOEHi       = 0.8, 1.25
)

// calibrationVerdict reads the intervals of observed:expected, intercept and slope: which way they miss the perfect value,
// or, when they hold it, whether they are narrow enough to say so.
func calibrationVerdict(c evaluate.Calibration) (verdict, figures string) {
	slope, oe := c.Slope, c.ObservedExpect
	if !computable(slope.Value, oe.Value) {
		return "", ""
	}
	figures = "observed:expected " + bracketed(oe) + ", slope " + bracketed(slope) + ", intercept " + bracketed(c.Intercept) + ", 95 % CIs in brackets"
	if c.Certain > 0 {
		figures += fmt.Sprintf("; slope and intercept without the %s predicted as exactly 0 or 1", count(c.Certain, "case"))
	}
	var faults []string
	switch {
	case oe.Hi < 1 || c.Intercept.Hi < 0:
		faults = append(faults, "too high on average")
	case oe.Lo > 1 || c.Intercept.Lo > 0:
		faults = append(faults, "too low on average")
	}
	switch {
	case slope.Hi < 1 && slope.Lo <= 0 && c.Certain == 0:
		faults = append(faults, "too extreme, not even shown to rise with the outcome")
	case slope.Hi < 1:
		faults = append(faults, "too extreme")
	case slope.Lo > 1:
		faults = append(faults, "too cautious")
	}
	if c.CertainWrong > 0 { // no logit, so that slope and intercept know nothing of them
		faults = append(faults, fmt.Sprintf("wrong in %d of the %s that they were certain of", c.CertainWrong, count(c.Certain, "case")))
	}
	switch {
	case len(faults) > 0:
		return strings.Join(faults, " and "), figures
	case slope.Lo >= graveSlopeLo && slope.Hi <= graveSlopeHi && oe.Lo >= graveOELo && oe.Hi <= graveOEHi:
		return calibrated, figures
	}
	return undecided, figures
}

// estimate prints "0.87 (0.55–1.19)", or with a negative end "0.01 (−0.90 to 0.92)".
func estimate(e evaluate.Estimate) string {
	if !computable(e.Value) {
		return dash
	}
	return fixed(float64(e.Value), 2) + " (" + signedInterval(float64(e.Lo), float64(e.Hi), 2) + ")"
}

// bracketed is estimate for text that stands in parentheses itself.
func bracketed(e evaluate.Estimate) string {
	return strings.NewReplacer("(", "[", ")", "]").Replace(estimate(e))
}

func signedInterval(lo, hi float64, decimals int) string {
	between := "–"
	if lo < 0 || hi < 0 {
		between = " to "
	}
	return fixed(lo, decimals) + between + fixed(hi, decimals)
}
