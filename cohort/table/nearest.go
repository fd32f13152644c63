package table

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns at most n names of have, those closest to want by edit distance first, case ignored.
func Nearest(want string, have []string, n int) []string {
	type candidate struct {
		name     string
		distance int
	}
	const longest = 200 // names beyond this length are compared by their start only
	w := []rune(strings.ToLower(want))
	c := make([]candidate, len(have))
	for i, h := range have {
		r := []rune(strings.ToLower(h))
		c[i] = candidate{h, editDistance(w[:min(len(w), longest)], r[:min(len(r), longest)])}
	}
	slices.SortStableFunc(c, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, n)
	for _, x := range c[:min(n, len(c))] {
		names = append(names, x.name)
	}
	return names
}

// editDistance is Levenshtein's distance, kept in one row of the table.
func editDistance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ca := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, cb := range b {
			substitute := diagonal
			if ca != cb {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
