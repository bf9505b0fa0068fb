package keyspace

import (
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"strings"
	"testing"
)

// keyLength is the longest key that is enumerated. A shortest key of two spaces of
// this test is no longer: two affixes, a glob, and a letter for a star.
const keyLength = 7

// enumeration is every text over a small alphabet, and which globs match it, found
// by other code than that under test.
type enumeration struct {
	letters string // that spaces are made of; X stands for all others
	texts   []string
	legal   []bool // by text
	index   map[string]int
	affixes []string
	names   []string // not all of them legal
	globs   []string
	matches map[string][]bool // by glob
}

func enumerate(letters string) *enumeration {
	e := &enumeration{letters: letters, index: map[string]int{}, matches: map[string][]bool{}}
	e.texts = textsOver(letters+"X", keyLength)
	for i, text := range e.texts {
		e.index[text] = i
		e.legal = append(e.legal, isLegalName(text))
	}
	e.affixes, e.names, e.globs = textsOver(letters, 2), textsOver(letters+"-", 3)[1:], textsOver(letters+"*?", 3)[1:]
	for _, glob := range e.globs {
		row := make([]bool, len(e.texts))
		for i, text := range e.texts {
			row[i], _ = path.Match(glob, text)
		}
		e.matches[glob] = row
	}
	return e
}

// textsOver returns all texts over some letters up to a length, the empty one first.
func textsOver(letters string, length int) []string {
	texts := []string{""}
	for begin := 0; length > 0; length-- {
		end := len(texts)
		for _, text := range texts[begin:end] {
			for _, c := range letters {
				texts = append(texts, text+string(c))
			}
		}
		begin = end
	}
	return texts
}

var legalForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isLegalName(key string) bool {
	return legalForm.MatchString(key) && key != "CI" && !strings.HasPrefix(strings.ToUpper(key), "BITBUCKET_")
}

// has says of a legal key whether it is in a space, by the description of Space.
func has(s Space, key string, match func(glob, name string) bool) bool {
	name, ok := strings.CutPrefix(key, s.Prefix)
	if !ok || !strings.HasSuffix(name, s.Suffix) || len(name) == len(s.Suffix) {
		return false
	}
	name = strings.TrimSuffix(name, s.Suffix)
	for _, own := range s.Names {
		if own == name {
			return true
		}
	}
	in := false
	for _, glob := range s.Globs {
		in = in || match(glob, name)
	}
	for _, glob := range s.Except {
		in = in && !match(glob, name)
	}
	return in
}

func matchPath(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return ok && err == nil
}

// keys returns the enumerated keys of a space as a set of bits.
func (e *enumeration) keys(s Space) []uint64 {
	bits := make([]uint64, len(e.texts)/64+1)
	match := func(glob, name string) bool { return e.matches[glob][e.index[name]] }
	for _, name := range e.texts {
		key := s.Prefix + name + s.Suffix
		if len(key) > keyLength {
			break
		}
		if i := e.index[key]; e.legal[i] && has(s, key, match) {
			bits[i/64] |= 1 << (i % 64)
		}
	}
	return bits
}

// space makes up what a sync can produce.
func (e *enumeration) space(r *rand.Rand) Space {
	s := Space{Prefix: e.affixes[r.IntN(len(e.affixes))], Suffix: e.affixes[r.IntN(len(e.affixes))]}
	if r.IntN(2) == 0 {
		s.Prefix = ""
	}
	pick := func(from []string, most int) (some []string) {
		for range r.IntN(most + 1) {
			some = append(some, from[r.IntN(len(from))])
		}
		return some
	}
	s.Globs = pick(e.globs, 2)
	s.Names = pick(e.names, 1)
	s.Except = pick(e.globs, 2)
	return s
}

// ranges returns every range with short affixes.
func (e *enumeration) ranges() []Space {
	var ranges []Space
	for _, prefix := range e.affixes {
		for _, suffix := range e.affixes {
			ranges = append(ranges, Range(prefix, suffix))
		}
	}
	return ranges
}

// TestIntersectAgreesWithEnumeration compares the proof with brute force, in
// more than a million pairs of spaces: an example is in both spaces, and where
// there is none, no key is.
func TestIntersectAgreesWithEnumeration(t *testing.T) {
	t.Parallel()
	count := 3000
	if testing.Short() {
		count = 150
	}
	for _, letters := range []string{"AB_", "CI1"} {
		t.Run(letters, func(t *testing.T) {
			t.Parallel()
			e := enumerate(letters)
			r := rand.New(rand.NewPCG(1, 2))
			some := e.ranges()
			for range 80 {
				some = append(some, e.space(r))
			}
			keys := make([][]uint64, len(some))
			for i := range some {
				keys[i] = e.keys(some[i])
			}
			met, apart := 0, 0
			for range count {
				other := e.space(r)
				otherKeys := e.keys(other)
				for i, s := range some {
					if e.check(t, s, other, common(keys[i], otherKeys)) {
						met++
					} else {
						apart++
					}
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d pairs meet, %d do not", met, apart)
		})
	}
}

// check compares one answer with an enumerated key that is in both spaces, if any.
func (e *enumeration) check(t *testing.T, a, b Space, common int) bool {
	t.Helper()
	example, ok := Intersect(a, b)
	switch {
	case ok && !(isLegalName(example) && has(a, example, matchPath) && has(b, example, matchPath)):
		t.Errorf("%q is not in both of\n%+v\n%+v", example, a, b)
	case !ok && common >= 0:
		t.Errorf("no key is found, but %q is in both of\n%+v\n%+v", e.texts[common], a, b)
	}
	return ok
}

// common returns the first key of both sets, or -1.
func common(a, b []uint64) int {
	for i := range a {
		if both := a[i] & b[i]; both != 0 {
			for bit := range 64 {
				if both>>bit&1 == 1 {
					return 64*i + bit
				}
			}
		}
	}
	return -1
}

// TestContainsAgreesWithEnumeration: membership is what its description says.
func TestContainsAgreesWithEnumeration(t *testing.T) {
	t.Parallel()
	e := enumerate("CI1")
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		s := e.space(r)
		for range 300 {
			key := e.texts[r.IntN(len(e.texts))]
			if got, want := s.Contains(key), isLegalName(key) && has(s, key, matchPath); got != want {
				t.Fatalf("%q in %+v: %t, want %t", key, s, got, want)
			}
		}
	}
}

func ExampleIntersect() {
	fmt.Println(Intersect(Range("KMS_", ""), Range("", "_URL")))
	fmt.Println(Intersect(Range("KMS_", ""), Range("APP_", "")))
	// Output:
	// KMS_NAME_URL true
	//  false
}
