package flags

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

// A variable stands for a flag; that of a list holds several addresses, and one
// without any is not taken for none.
func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]string{
		"":                                nil,
		"sync.a":                          {"sync.a"},
		"sync.a,sync.b":                   {"sync.a", "sync.b"},
		"sync.a\n sync.b \n":              {"sync.a", "sync.b"},
		`sync.x["a,b"],acme/web/EU West`:  {`sync.x["a,b"]`, "acme/web/EU West"},
		"sync.x[\"a\"]\r\n,KEY":           {`sync.x["a"]`, "KEY"},
		",":                               {""},
		" \n":                             {""},
		`sync.x["a\b"],dev:/a`:            {`sync.x["a\b"]`, "dev:/a"},
		"acme/web (Production),STRIPE_*,": {"acme/web (Production)", "STRIPE_*"},
	} {
		var given struct {
			Target []string `sep:"none"`
			Other  string
		}
		parser, err := kong.New(&given, kong.Resolvers(FromEnvironment(func(name string) string {
			return map[string]string{"KMSYNC_TARGET": value, "KMSYNC_OTHER": "a,b"}[name]
		})))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(nil); err != nil {
			t.Errorf("%q: %v", value, err)
		}
		if !slices.Equal(given.Target, want) || given.Other != "a,b" {
			t.Errorf("%q gives %q and %q", value, given.Target, given.Other)
		}
		if _, err := parser.Parse([]string{"--target", "typed,once"}); err != nil || !slices.Equal(given.Target, []string{"typed,once"}) {
			t.Errorf("typed: %q, %v", given.Target, err)
		}
	}
}
