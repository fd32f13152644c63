// Package suggest finds the words that a user probably meant.
package suggest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns at most n of have, those closest to want by edit distance first, case ignored.
func Nearest(want string, have []string, n int) []string {
	sorted := slices.Clone(have)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(distance(want, a), distance(want, b)) })
	return sorted[:min(n, len(sorted))]
}

// Close is Nearest for one word, "" when none is close enough to be meant.
func Close(want string, have []string) string {
	near := Nearest(want, have, 1)
	if len(near) == 0 || distance(want, near[0]) > len(want)/2 {
		return ""
	}
	return near[0]
}

// longest bounds the work on hostile words: beyond it only the start is compared.
const longest = 200

func distance(a, b string) int {
	return levenshtein.ComputeDistance(strings.ToLower(a[:min(len(a), longest)]), strings.ToLower(b[:min(len(b), longest)]))
}
