package keyspace

import "strings"

// reservedPrefix begins, in any case, the names that Bitbucket keeps for itself.
const reservedPrefix = "BITBUCKET_"

// legalCharacters are all that a name may hold, the best-looking first.
const legalCharacters = "XYZABCDEFGHIJKLMNOPQRSTUVW_abcdefghijklmnopqrstuvwxyz0123456789"

// IsLegal reports whether Bitbucket surely takes a key as the name of a variable:
// letters, digits and underscores, no digit first, and not a name that Pipelines
// sets itself.
func IsLegal(key string) bool {
	if key == "" || isDigit(key[0]) || !isWord(key) || key == "CI" {
		return false
	}
	return len(key) < len(reservedPrefix) || !strings.EqualFold(key[:len(reservedPrefix)], reservedPrefix)
}

// isWord reports whether a text, which may be empty, holds legal characters only.
func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isDigit(c) && c != '_' && (fold(c) < 'a' || fold(c) > 'z') {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// fold returns a letter in lower case; other characters stay.
func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
