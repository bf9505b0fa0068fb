package keyspace

import (
	"strings"
	"testing"
)

// TestExamples: an example is one that people would write, where one can be.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		a, b Space
		want string // "" where there is none
	}{
		{"everything", Range("", ""), Range("", ""), "NAME"},
		{"a prefix", Range("KMS_", ""), Range("", ""), "KMS_NAME"},
		{"one prefix begins with the other", Range("KMS_", ""), Range("KMS_DB_", ""), "KMS_DB_NAME"},
		{"one suffix ends with the other", Range("", "_DEV"), Range("", "DEV"), "NAME_DEV"},
		{"prefix and suffix", Range("KMS_", ""), Range("", "_dev"), "KMS_NAME_dev"},
		{"other prefixes", Range("KMS_", ""), Range("APP_", ""), ""},
		{"other suffixes", Range("", "_dev"), Range("", "_qa"), ""},
		{"case counts", Range("KMS_", ""), Range("kms_", ""), ""},
		{"names", Range("KMS_", ""), Space{Names: []string{"DB_URL", "KMS_URL", "KMS_KEY"}}, "KMS_URL"},
		{"names that are not claimed", Range("KMS_", ""), Space{Names: []string{"DB_URL", "KMS_"}}, ""},
		{"names with a prefix", Range("KMS_DB", ""), Space{Prefix: "KMS_", Names: []string{"KEY", "DB_URL"}}, "KMS_DB_URL"},
		{"an illegal name", Range("", ""), Space{Names: []string{"DB-URL", "1ST", "CI", "bitbucket_x", ""}}, ""},
		{"a name without a character", Range("", ""), Space{Prefix: "A", Names: []string{""}}, ""},
		{"a glob", Range("KMS_", ""), Space{Globs: []string{"*_URL"}}, "KMS_NAME_URL"},
		{"a glob of a letter", Range("", ""), Space{Globs: []string{"DB_?"}}, "DB_X"},
		{"a glob that is too short", Range("KMS_", ""), Space{Globs: []string{"KMS?"}}, ""},
		{"the second glob", Range("KMS_", ""), Space{Globs: []string{"APP_*", "KMS*"}}, "KMS_NAME"},
		{"a glob that matches nothing", Range("", ""), Space{Globs: []string{""}}, ""},
		{"except", Range("KMS_", ""), Space{Globs: []string{"*"}, Except: []string{"KMS_*"}}, ""},
		{"except a part", Range("KMS_", ""), Space{Globs: []string{"*"}, Except: []string{"KMS_N*"}}, "KMS_KEY"},
		{"except does not hold for names", Range("", ""), Space{Names: []string{"A"}, Except: []string{"A"}}, "A"},
		{"nothing", Range("", ""), Space{}, ""},
		{"reserved", Range("BITBUCKET_", ""), Range("", ""), ""},
		{"reserved in any case", Range("bitBucket_", ""), Range("", ""), ""},
		{"almost reserved", Range("BITBUCKET", ""), Range("", ""), "BITBUCKETNAME"},
		{"reserved in the end", Range("BITBUCKET", ""), Space{Globs: []string{"*_?"}}, "BITBUCKETX_X"},
		{"only what is reserved", Range("BITBUCKET", ""), Space{Globs: []string{"BITBUCKET_?"}}, ""},
		{"CI", Range("C", ""), Space{Globs: []string{"?I"}}, ""},
		{"a prefix that makes no name", Range("1_", ""), Range("", ""), ""},
		{"a suffix that makes no name", Range("", "-dev"), Range("", ""), ""},
		{"wildcards in a prefix", Range("*", ""), Range("", ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]Space{{c.a, c.b}, {c.b, c.a}} {
				if got, ok := Intersect(pair[0], pair[1]); got != c.want || ok != (c.want != "") {
					t.Errorf("%q, %t; want %q", got, ok, c.want)
				}
			}
		})
	}
}

// TestEveryLetterIsUsed: a search works as well where no character is left that
// the globs do not hold.
func TestEveryLetterIsUsed(t *testing.T) {
	t.Parallel()
	var except []string
	for _, c := range legalCharacters {
		if c != 'q' {
			except = append(except, "*"+string(c)+"*")
		}
	}
	all := Space{Globs: []string{"*"}, Except: except}
	if got, ok := Intersect(Range("", ""), all); got != "q" || !ok {
		t.Errorf("%q, %t; want q", got, ok)
	}
	all.Except = append(all.Except, "*q*")
	if got, ok := Intersect(Range("", ""), all); ok {
		t.Errorf("%q is excepted", got)
	}
}

// entangled returns a space whose search has a state for every way in which the
// last twenty characters can be As. Its shortest keys have 25 characters.
func entangled() Space {
	s := Space{Globs: []string{"*A*A*A*A*"}, Except: []string{"*A" + strings.Repeat("?", 20) + "*"}}
	for length := range 25 {
		s.Except = append(s.Except, strings.Repeat("?", length))
	}
	return s
}

// TestLimits: what would take too long is not called apart, and no key is made up.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Space{
		"entangled": entangled(),
		"long":      {Globs: []string{strings.Repeat("?", maxGlob) + "A*"}},
	} {
		if got, ok := Intersect(Range("", ""), s); got != "" || !ok {
			t.Errorf("%s: %q, %t; want no answer", name, got, ok)
		}
	}
	known := entangled()
	known.Globs = append(known.Globs, "B"+strings.Repeat("?", 24))
	if got, ok := Intersect(Range("", ""), known); got == "" || !ok {
		t.Error("a glob that is proven to meet is passed over after one that is not")
	}
}

// TestLimitOfAll: the work of a prover is limited, not only that of a search.
func TestLimitOfAll(t *testing.T) {
	t.Parallel()
	var v Prover
	apart := Space{Globs: []string{"A?"}} // needs a search: three characters, or two
	three := Range("A", "A")
	if got, ok := v.Intersect(three, apart); ok {
		t.Errorf("%q is in both", got)
	}
	if v.spent == 0 {
		t.Error("nothing is counted")
	}
	v.spent = maxSpent
	if got, ok := v.Intersect(three, apart); got != "" || !ok {
		t.Errorf("%q, %t; want no answer", got, ok)
	}
	if got, ok := v.Intersect(Range("A", ""), apart); got != "AX" || !ok {
		t.Errorf("%q, %t; want AX, which needs no search", got, ok)
	}
}

// TestID: spaces that differ have another ID.
func TestID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	spaces := []Space{
		{},
		{Prefix: "A"},
		{Suffix: "A"},
		{Names: []string{"A"}},
		{Globs: []string{"A"}},
		{Except: []string{"A"}},
		{Names: []string{"A", "B"}},
		{Names: []string{"AB"}},
		{Names: []string{"A\"\"B"}},
		{Names: []string{"A"}, Globs: []string{"B"}},
	}
	for _, s := range spaces {
		seen[s.ID()] = true
	}
	if len(seen) != len(spaces) {
		t.Errorf("%d spaces have %d IDs", len(spaces), len(seen))
	}
}
