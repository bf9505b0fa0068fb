// Package keyspace decides whether two sets of destination keys have a key in
// common, and shows one. It knows which names Bitbucket takes, and nothing of
// files or services.
//
// [Prover.Intersect] is where to start.
package keyspace

import (
	"slices"
	"strconv"
	"strings"
)

// Space is a set of destination keys. A key is in it if Bitbucket takes it as a
// name, and it is Prefix, a name of at least one character and Suffix, where the
// name is one of Names, or matches one of Globs and none of Except. In globs only
// * and ? are special. The zero Space is empty.
type Space struct {
	Prefix, Suffix string
	Names          []string
	Globs          []string
	Except         []string // globs that hold for Globs, not for Names
}

// Range returns the space of all keys with a prefix and a suffix: what a key
// schema can make of any secret.
func Range(prefix, suffix string) Space {
	return Space{Prefix: prefix, Suffix: suffix, Globs: []string{"*"}}
}

// Contains reports whether a key is in the space.
func (s Space) Contains(key string) bool {
	name, ok := s.cut(key)
	if !ok || !IsLegal(key) {
		return false
	}
	return slices.Contains(s.Names, name) || matchesAny(s.Globs, name) && !matchesAny(s.Except, name)
}

// cut returns the name of at least one character that makes the key.
func (s Space) cut(key string) (name string, ok bool) {
	if len(key) <= len(s.Prefix)+len(s.Suffix) || !strings.HasPrefix(key, s.Prefix) || !strings.HasSuffix(key, s.Suffix) {
		return "", false
	}
	return key[len(s.Prefix) : len(key)-len(s.Suffix)], true
}

// ID returns a text that is the same for equal spaces only. Order counts.
func (s Space) ID() string {
	var b strings.Builder
	for _, list := range [][]string{{s.Prefix, s.Suffix}, s.Names, s.Globs, s.Except} {
		b.WriteString(strconv.Itoa(len(list)))
		for _, text := range list {
			b.WriteString(strconv.Quote(text))
		}
	}
	return b.String()
}

// Prover decides about many pairs of spaces, with one limit on all its work. The
// zero Prover is ready; it is for one goroutine.
type Prover struct{ spent int }

// Intersect returns a key that both spaces contain, or false where there is none:
// then no key is in both, whatever secrets there will be. The key is one of Names
// where it can be, else one that is made of words, else a shortest one.
//
// The answer is exact. Where globs are so entangled that the search would pass its
// limit, the answer is "" and true: the spaces are not proven apart, and no key is
// known.
func (p *Prover) Intersect(a, b Space) (example string, ok bool) {
	if !agree(a.Prefix, "", b.Prefix, "") || !a.isPossible() || !b.isPossible() {
		return "", false
	}
	if key, ok := a.firstNameIn(b); ok {
		return key, true
	}
	if key, ok := b.firstNameIn(a); ok {
		return key, true
	}
	unknown := false
	for _, one := range a.Globs {
		for _, other := range b.Globs {
			key, ok := p.intersectGlobs(a, b, one, other)
			if key != "" {
				return key, true
			}
			unknown = unknown || ok
		}
	}
	return "", unknown
}

// Intersect is that of a fresh [Prover].
func Intersect(a, b Space) (example string, ok bool) { return new(Prover).Intersect(a, b) }

// isPossible reports whether the fixed parts can be those of a legal name.
func (s Space) isPossible() bool {
	return isWord(s.Prefix) && isWord(s.Suffix) && (s.Prefix == "" || !isDigit(s.Prefix[0]))
}

// firstNameIn returns the first key made of Names that another space contains.
func (s Space) firstNameIn(other Space) (key string, ok bool) {
	for _, name := range s.Names {
		// Most names are told apart by the prefix, before a key is made of them.
		if !agree(s.Prefix, name, other.Prefix, "") {
			continue
		}
		if key := s.Prefix + name + s.Suffix; name != "" && other.Contains(key) {
			return key, true
		}
	}
	return "", false
}

func matchesAny(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return matches(glob, name) })
}
