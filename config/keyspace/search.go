package keyspace

import (
	"slices"
	"strings"
)

// words are what examples are made of where any text will do.
var words = [...]string{"NAME", "KEY", ""}

const (
	maxStates = 20_000    // of one search
	maxSpent  = 2_000_000 // of all searches of a prover
	maxGlob   = 0xFE00    // length of a glob that is searched
)

// intersectGlobs returns a key that is in both spaces by these globs of theirs; ""
// and true where that is not known.
func (v *Prover) intersectGlobs(a, b Space, one, other string) (string, bool) {
	if one == "" || other == "" || !agree(a.Prefix, headOf(one), b.Prefix, headOf(other)) {
		return "", false
	}
	p, q := a.patternOf(one), b.patternOf(other)
	head := longer(headOf(p), headOf(q))
	tail, ok := longerTail(tailOf(p), tailOf(q))
	if !ok {
		return "", false
	}
	if max(len(p), len(q)) > maxGlob {
		return "", true
	}
	var never []rule
	for _, s := range [...]Space{a, b} {
		for _, glob := range s.Except {
			r := rule{glob: s.patternOf(glob)}
			if r.covers(head, tail) {
				return "", false
			}
			if len(r.glob) <= maxGlob && r.concerns(head, tail) {
				never = append(never, r)
			}
		}
	}
	if key, ok := fromWords(a, b, p, q, head, tail); ok {
		return key, true
	}
	s := newSearch(p, q, never)
	key, ok := s.run(min(maxStates, maxSpent-v.spent))
	v.spent += len(s.states)
	return key, ok
}

// fromWords returns the first key made of words that is in both spaces by the globs
// p and q.
func fromWords(a, b Space, p, q, head, tail string) (string, bool) {
	fits := func(key string) bool {
		return matches(p, key) && matches(q, key) && a.Contains(key) && b.Contains(key)
	}
	for _, word := range words {
		if key := head + word + tail; fits(key) {
			return key, true
		}
	}
	for _, word := range words {
		for _, glob := range [...]string{p, q} {
			if key := fill(glob, word); fits(key) {
				return key, true
			}
		}
	}
	return "", false
}

// search looks for a shortest key that matches two globs and no rule, character by
// character, breadth first. Each state is a place in either glob and, for each
// rule, the set of places where a match of it may stand.
type search struct {
	p, q   string
	never  []rule
	spare  byte // a letter that neither globs nor rules hold; 0 where there is none
	states []state
	seen   map[place]bool
}

// state is a place that was reached, and how.
type state struct {
	place
	from int  // index of the state before; -1 at the start
	by   byte // the character that led here
}

// place is where a search is.
type place struct {
	p, q  int
	never string // the sets of the rules, as advance writes them
}

func newSearch(p, q string, never []rule) *search {
	s := &search{p: p, q: q, never: append(never, reserved[:]...), seen: map[place]bool{}}
	held := p + q
	for _, r := range s.never {
		held += r.glob
	}
	held += strings.ToUpper(held) + strings.ToLower(held)
	for i := range len(legalCharacters) {
		if c := legalCharacters[i]; s.spare == 0 && !isDigit(c) && strings.IndexByte(held, c) < 0 {
			s.spare = c
		}
	}
	return s
}

// run returns the key found, or false where there is none; "" and true where the
// search had to stop at the limit of states.
func (s *search) run(limit int) (key string, ok bool) {
	s.reach(state{place: place{never: s.startOfRules()}, from: -1})
	for i := 0; i < len(s.states); i++ {
		if s.isEnd(s.states[i].place) {
			return s.keyOf(i), true
		}
		if len(s.states) > limit {
			return "", true
		}
		s.expand(i)
	}
	return "", false
}

// expand reaches every state that one more character leads to. The start is never
// reached again: the rules about reserved names have moved on then.
func (s *search) expand(i int) {
	from := s.states[i]
	choices := s.choices(from.place)
	for k := range len(choices) {
		c := choices[k]
		nextP, nextQ := steps(s.p, from.p, c), steps(s.q, from.q, c)
		if nextP[0] < 0 || nextQ[0] < 0 || i == 0 && isDigit(c) {
			continue
		}
		never, lost := s.advance(from.never, c)
		for _, p := range nextP {
			for _, q := range nextQ {
				if p >= 0 && q >= 0 && !lost {
					s.reach(state{place: place{p, q, never}, from: i, by: c})
				}
			}
		}
	}
}

// choices returns the characters that need trying: the spare one, and what either
// glob has at its place. Where both globs take another character by a wildcard,
// the spare one does as well: it leads to the same places and matches fewer rules.
func (s *search) choices(at place) string {
	if s.spare == 0 {
		return legalCharacters
	}
	choices := append(make([]byte, 0, 3), s.spare)
	for _, c := range [...]byte{literalAt(s.p, at.p), literalAt(s.q, at.q)} {
		if c != 0 && !slices.Contains(choices, c) {
			choices = append(choices, c)
		}
	}
	return string(choices)
}

func (s *search) reach(next state) {
	if !s.seen[next.place] {
		s.seen[next.place] = true
		s.states = append(s.states, next)
	}
}

// isEnd reports whether a key may end here.
func (s *search) isEnd(at place) bool {
	return isRest(s.p, at.p) && isRest(s.q, at.q) && !s.isForbidden(at.never)
}

// keyOf returns the characters that led to a state.
func (s *search) keyOf(i int) string {
	var key []byte
	for ; s.states[i].from >= 0; i = s.states[i].from {
		key = append(key, s.states[i].by)
	}
	slices.Reverse(key)
	return string(key)
}
