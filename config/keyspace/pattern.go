package keyspace

import "strings"

const wildcards = "*?"

// patternOf returns the glob of whole keys that a space makes of one for names.
// A name has at least one character, which a glob of stars alone does not say.
func (s Space) patternOf(glob string) string {
	if strings.Trim(glob, "*") == "" && glob != "" {
		glob = "?*"
	}
	for strings.Contains(glob, "**") {
		glob = strings.ReplaceAll(glob, "**", "*")
	}
	return s.Prefix + glob + s.Suffix
}

// matches reports whether a glob, in which * and ? are special, matches a text of
// single-byte characters.
func matches(glob, text string) bool {
	star, resume := -1, 0 // the last star, and the text after what it stands for
	g, t := 0, 0
	for t < len(text) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, resume = g, t
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == text[t]):
			g++
			t++
		case star >= 0:
			resume++
			g, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}

// headOf returns what stands before the first wildcard: all, where there is none.
func headOf(glob string) string {
	if i := strings.IndexAny(glob, wildcards); i >= 0 {
		return glob[:i]
	}
	return glob
}

// tailOf returns what stands after the last wildcard: all, where there is none.
func tailOf(glob string) string { return glob[strings.LastIndexAny(glob, wildcards)+1:] }

// agree reports whether one of two texts, each of two parts, begins with the other.
// Else nothing begins with both.
func agree(a1, a2, b1, b2 string) bool {
	for i := range min(len(a1)+len(a2), len(b1)+len(b2)) {
		if at(a1, a2, i) != at(b1, b2, i) {
			return false
		}
	}
	return true
}

// at returns a character of a text of two parts.
func at(first, second string, i int) byte {
	if i < len(first) {
		return first[i]
	}
	return second[i-len(first)]
}

func longer(a, b string) string {
	if len(a) < len(b) {
		return b
	}
	return a
}

// longerTail returns the longer of two ends, or false where neither ends with the
// other: then nothing ends with both.
func longerTail(a, b string) (string, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	return a, strings.HasSuffix(a, b)
}

// fill puts a word for every star and a letter for every question mark.
func fill(glob, word string) string {
	return strings.ReplaceAll(strings.ReplaceAll(glob, "*", word), "?", "X")
}

// steps returns the places in a glob after one more character, -1 for none; the
// first is -1 only where both are. The glob holds no two stars in a row.
func steps(glob string, at int, c byte) [2]int {
	next := [2]int{-1, -1}
	n := 0
	if at < len(glob) && glob[at] == '*' {
		next[n] = at
		n++
		at++
	}
	if at < len(glob) && (glob[at] == '?' || glob[at] == c) {
		next[n] = at + 1
	}
	return next
}

// literalAt returns the legal character that a glob takes at a place, or 0 where
// it takes none or any.
func literalAt(glob string, at int) byte {
	if at < len(glob) && glob[at] == '*' {
		at++
	}
	if at < len(glob) && isWord(glob[at:at+1]) {
		return glob[at]
	}
	return 0
}

// isRest reports whether nothing needs to follow a place in a glob.
func isRest(glob string, at int) bool {
	return at == len(glob) || at == len(glob)-1 && glob[at] == '*'
}
