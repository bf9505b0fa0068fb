package planner

import (
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
)

// A value that no variable can carry is refused, by a rule that fits it; a value
// that is only unusual is not.
func TestValuesThatCannotBeCarried(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value string
		want  verdict.Block
	}{
		"plain":           {"canary", verdict.NotBlocked},
		"spaces":          {" canary ", verdict.NotBlocked},
		"tab":             {"canary\tcanary", verdict.NotBlocked},
		"escape":          {"canary\x1b[31m", verdict.NotBlocked},
		"other scripts":   {"ünïcode 😀", verdict.NotBlocked},
		"dollar":          {"$canary ${not one}", verdict.NotBlocked},
		"replacement":     {"canary \ufffd", verdict.NotBlocked},
		"empty":           {"", verdict.EmptyValue},
		"line feed":       {"canary\n", verdict.LineBreak},
		"carriage return": {"canary\rcanary", verdict.LineBreak},
		"zero byte":       {"canary\x00canary", verdict.LineBreak},
		"not UTF-8":       {"canary\xff", verdict.LineBreak},
		"half of a rune":  {"canary\xc3", verdict.LineBreak},
		"a reference":     {"canary-${OTHER}", verdict.UnresolvedReference},
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", test.value)
		g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs})
		wants := want.Of(g.Nodes[0], s.observe(g))
		if len(wants) != 1 || wants[0].Block != test.want {
			t.Errorf("%s: got %+v, want one key blocked by %q", name, wants, test.want)
		}
	}
}
