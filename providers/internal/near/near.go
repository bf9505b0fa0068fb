// Package near says which names there are instead of one that is not there.
package near

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// shown is how many names are listed at most.
const shown = 20

// slug is the form of the names that are shown. A service may send anything.
var slug = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Instead returns a sentence like "The project has no environment devv; did you mean
// "dev"? It has dev, prod." for a name that is not among names; "" when it is, or when
// there are none. owner and thing are "the project" and "environment" there.
func Instead(owner, thing, given string, names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slug.MatchString(name) })
	if len(names) == 0 || slices.Contains(names, given) {
		return ""
	}
	slices.Sort(names)
	text := fmt.Sprintf("%s has no %s %s", owner, thing, given)
	if name := nearest(given, names); name != "" {
		text += fmt.Sprintf("; did you mean %q? It", name)
	} else {
		text += "; it"
	}
	text += " has " + strings.Join(names[:min(shown, len(names))], ", ")
	if n := len(names) - shown; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text + "."
}

// nearest returns the name most like the given one, the first of several, or "" when
// none is near.
func nearest(given string, names []string) string {
	best, distance := "", len(given)/3+2
	for _, name := range names {
		if d := levenshtein.Distance(given, name, nil); d < distance {
			best, distance = name, d
		}
	}
	return best
}
