package spec

import (
	"fmt"
	"slices"

	"github.com/agext/levenshtein"
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
		if d := levenshtein.Distance(given, name, nil); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + fmt.Sprintf(format, best) + "?"
}
