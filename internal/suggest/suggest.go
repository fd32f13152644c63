// Package suggest finds the word that a user probably meant.
package suggest

import "github.com/agnivade/levenshtein"

// Nearest returns the candidate closest to s by edit distance, or "" when none is close.
func Nearest(s string, candidates []string) string {
	best, limit := "", len(s)/2+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(s, c); d < limit {
			best, limit = c, d
		}
	}
	return best
}
