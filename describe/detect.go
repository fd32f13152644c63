package describe

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"sonotype/internal/problem"
)

const (
	fewValues = 5  // a numeric column with at most this many distinct values is categorical ...
	perValue  = 2  // ... if it holds at least this many rows for each of them
	maxLevels = 20 // a text column with more distinct values is left out
)

// missingWords are the texts, lower case, that stand for a missing value.
var missingWords = []string{"", "na", "n/a", "nan", "null", ".", "?", "missing", "not available"}

// IsMissing reports whether a cell's text stands for a missing value: blank, NA, N/A, NaN, null, ".", "?",
// missing or not available, in any case.
func IsMissing(text string) bool {
	return slices.Contains(missingWords, strings.ToLower(strings.TrimSpace(text)))
}

// detect decides how a column is summarised, or why it is left out.
//
// Numeric: every non-missing value is a finite number. With at most 5 distinct values and at least 2 rows for
// each of them it is categorical (grades, stages, 0/1 flags). Left out: a column without values; text all
// different or whole numbers that count the rows up (identifiers); text with more than 20 levels; numbers mixed
// with text. A column whose Kind is set is never left out.
func detect(values []string) (kind Kind, leftOut string) {
	var present []string
	for _, v := range values {
		if !IsMissing(v) {
			present = append(present, strings.TrimSpace(v))
		}
	}
	if len(present) == 0 {
		return Auto, "no values"
	}
	distinct := sortedLevels(present)
	allDifferent := len(distinct) == len(present) && len(present) > 2
	numbers := 0
	for _, v := range present {
		if _, ok := number(v); ok {
			numbers++
		}
	}
	switch {
	case numbers == len(present) && allDifferent && counting(present):
		return Auto, "all values are different: consecutive whole numbers, an identifier"
	case numbers == len(present):
		if d := distinctNumbers(present); d <= fewValues && len(present) >= perValue*d {
			return Categorical, ""
		}
		return Numeric, ""
	case allDifferent:
		return Auto, "all values are different"
	case 2*numbers > len(present) && len(distinct) > fewValues:
		return Auto, fmt.Sprintf("%d of %d values are not numbers, for example %q", len(present)-numbers, len(present), firstText(present))
	case len(distinct) > maxLevels:
		return Auto, fmt.Sprintf("%d different texts", len(distinct))
	}
	return Categorical, ""
}

// number parses a plain finite decimal number.
func number(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "xXpP_") { // hexadecimal and digit separators are not data
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

func firstText(present []string) string {
	for _, v := range present {
		if _, ok := number(v); !ok {
			return v
		}
	}
	return ""
}

func distinctNumbers(present []string) int {
	seen := map[float64]bool{}
	for _, v := range present {
		f, _ := number(v)
		seen[f] = true
	}
	return len(seen)
}

// counting reports whether the values are consecutive whole numbers in some order.
func counting(present []string) bool {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range present {
		f, _ := number(v)
		if f != math.Trunc(f) {
			return false
		}
		lo, hi = min(lo, f), max(hi, f)
	}
	return hi-lo == float64(len(present)-1)
}

// sortedLevels returns the distinct texts: as numbers when all are, else alphabetically.
func sortedLevels(present []string) []string {
	levels := slices.Clone(present)
	slices.Sort(levels)
	levels = slices.Compact(levels)
	for _, l := range levels {
		if _, ok := number(l); !ok {
			return levels
		}
	}
	slices.SortStableFunc(levels, func(a, b string) int {
		x, _ := number(a)
		y, _ := number(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return levels
}

// parseNumbers turns a numeric column into values, NaN for missing.
func parseNumbers(c Column) ([]float64, error) {
	out := make([]float64, len(c.Values))
	for i, text := range c.Values {
		if IsMissing(text) {
			out[i] = math.NaN()
			continue
		}
		v, ok := number(text)
		if !ok {
			return nil, &problem.Error{What: fmt.Sprintf("column %q is declared numeric but holds text", c.Name),
				Expected: "a number or a missing value", Found: fmt.Sprintf("%q (value %d of the column)", text, i+1),
				Try: "correct the value, leave it blank, or declare the column categorical"}
		}
		out[i] = v
	}
	return out, nil
}

// FarFromNormal is the rule by which a rank test is printed beside the t test or ANOVA: some group of at least
// eight values has an absolute skewness above 1 or an excess kurtosis above 3 (bias-corrected sample values).
// A significance test of normality is not used: it rejects at any size of departure once n is large.
func FarFromNormal(groups [][]float64) bool {
	for _, g := range groups {
		if len(g) >= 8 && (math.Abs(stat.Skew(g, nil)) > 1 || stat.ExKurtosis(g, nil) > 3) {
			return true
		}
	}
	return false
}
