package spec

import (
	"fmt"
	"slices"
)

// maxSuggestion bounds the work: what is longer, in bytes, is no slip of the hand.
const maxSuggestion = 128

// DidYouMean returns " Did you mean …?" for the name most like the given one, or
// "" when none is near. format writes the name, as in "kms.%s".
func DidYouMean(given string, names []string, format string) string {
	if len(given) > maxSuggestion {
		return ""
	}
	best, distance := "", len(given)/3+2
	slices.Sort(names)
	for _, name := range names {
		if len(name) > maxSuggestion {
			continue
		}
		if d := editDistance(given, name); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + fmt.Sprintf(format, best) + "?"
}

// editDistance is the Levenshtein distance, counted in characters.
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			cost := diagonal
			if r != s {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
