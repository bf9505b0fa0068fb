package keyspace

import "strings"

// rule is a glob that a key must not match.
type rule struct {
	glob string
	fold bool // in any case; the glob is in lower case
}

// reserved are the names that Pipelines sets itself.
var reserved = [...]rule{{glob: "CI"}, {glob: strings.ToLower(reservedPrefix) + "*", fold: true}}

// covers reports whether the rule surely matches every key with that beginning and
// that end.
func (r rule) covers(head, tail string) bool {
	first, last := headOf(r.glob), tailOf(r.glob)
	return len(first) == len(r.glob)-1 && r.glob[len(first)] == '*' && strings.HasPrefix(head, first) ||
		len(last) == len(r.glob)-1 && r.glob[0] == '*' && strings.HasSuffix(tail, last)
}

// concerns reports whether the rule may match a key with that beginning and that
// end.
func (r rule) concerns(head, tail string) bool {
	_, end := longerTail(tailOf(r.glob), tail)
	return end && agree(headOf(r.glob), "", head, "")
}

// The places in the glob of a rule where a match may stand are written as two
// bytes each, in order, and end with two bytes 0xFF, so that they can be compared
// as text.

const endOfSet = 0xFF

func appendPlace(set []byte, at int) []byte { return append(set, byte(at>>8), byte(at)) }

// startOfRules returns the sets before the first character.
func (s *search) startOfRules() string {
	var sets []byte
	for range s.never {
		sets = append(appendPlace(sets, 0), endOfSet, endOfSet)
	}
	return string(sets)
}

// advance moves the sets of all rules over one more character. A key is lost when
// a rule matches it and whatever follows.
func (s *search) advance(sets string, c byte) (next string, lost bool) {
	moved := make([]byte, 0, len(sets)+4*len(s.never))
	i := 0
	for _, r := range s.never {
		begin := len(moved)
		for ; sets[i] != endOfSet; i += 2 {
			moved = r.move(moved, begin, placeAt(sets, i), c)
		}
		i += 2
		lost = lost || len(moved) > begin && placeAt(string(moved[begin:begin+2]), 0) == len(r.glob)-1 && strings.HasSuffix(r.glob, "*")
		moved = append(moved, endOfSet, endOfSet)
	}
	return string(moved), lost
}

func placeAt(sets string, i int) int { return int(sets[i])<<8 | int(sets[i+1]) }

// move adds the places after one more character to the set that begins there.
// Places before a star that was reached are dropped: what could still match from
// them matches from the star too. So a star can only be the first of a set, and
// the order is kept.
func (r rule) move(set []byte, begin, at int, c byte) []byte {
	if r.fold {
		c = fold(c)
	}
	for _, next := range steps(r.glob, at, c) {
		if next < 0 {
			continue
		}
		if next < len(r.glob) && r.glob[next] == '*' {
			set = set[:begin]
		}
		set = appendPlace(set, next)
	}
	return set
}

// isForbidden reports whether one of the rules matches what was read so far.
func (s *search) isForbidden(sets string) bool {
	i := 0
	for _, r := range s.never {
		for ; sets[i] != endOfSet; i += 2 {
			if isRest(r.glob, placeAt(sets, i)) {
				return true
			}
		}
		i += 2
	}
	return false
}
