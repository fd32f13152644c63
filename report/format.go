package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"sonotype/internal/num"
)

// dash stands for what cannot be computed; its note is the cell's title.
const dash = "–"

// isNumber says whether a value can be printed.
func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// share prints a value between 0 and 1 with three decimals, as 0.811.
func share(v num.Float) string { return fixed(float64(v), 3) }

func fixed(v float64, decimals int) string {
	if !isNumber(v) {
		return dash
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

// significant prints three significant digits without an exponent where that stays short: 2.31, 0.0123, 148.
func significant(v float64) string {
	switch a := math.Abs(v); {
	case !isNumber(v):
		return dash
	case a == 0:
		return "0"
	case a >= 1e7 || a < 1e-4:
		return strings.ReplaceAll(strconv.FormatFloat(v, 'e', 2, 64), "-", "−")
	case a >= 1000:
		return fixed(v, 0)
	default:
		a, _ = strconv.ParseFloat(strconv.FormatFloat(a, 'e', 2, 64), 64) // 0.9999 is 1.00
		return fixed(v, max(0, 2-int(math.Floor(math.Log10(a)))))
	}
}

// interval prints "0.752–0.870", or a dash when an end is missing.
func interval(lo, hi num.Float) string {
	if !isNumber(float64(lo)) || !isNumber(float64(hi)) {
		return dash
	}
	return share(lo) + "–" + share(hi)
}

// ratioInterval is interval for ratios, with three significant digits.
func ratioInterval(lo, hi num.Float) string {
	if !isNumber(float64(lo)) || !isNumber(float64(hi)) {
		return dash
	}
	return significant(float64(lo)) + "–" + significant(float64(hi))
}

// pValue prints "0.005", "0.12" as "0.120", and "<0.001" for anything smaller.
func pValue(p num.Float) string {
	switch {
	case !isNumber(float64(p)):
		return dash
	case p < 0.001:
		return "<0.001"
	case p > 0.999:
		return ">0.999"
	}
	return fixed(float64(p), 3)
}

// pEquals prints "P = 0.005" or "P < 0.001".
func pEquals(p num.Float) string {
	s := pValue(p)
	if strings.ContainsAny(s, "<>") {
		return "P " + s[:1] + " " + s[1:]
	}
	return "P = " + s
}

// count prints "1 patient", "12 patients".
func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// percent prints n of total as "12.3"; a dash of nothing.
func percent(n, total int) string {
	if total == 0 {
		return dash
	}
	return fixed(100*float64(n)/float64(total), 1)
}
