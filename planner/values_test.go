package planner

import (
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/observe"
)

// A value that no variable can carry is refused, by a rule that fits it; a value
// that is only unusual is not.
func TestValuesThatCannotBeCarried(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value string
		want  Block
	}{
		"plain":           {"canary", NotBlocked},
		"spaces":          {" canary ", NotBlocked},
		"tab":             {"canary\tcanary", NotBlocked},
		"escape":          {"canary\x1b[31m", NotBlocked},
		"other scripts":   {"ünïcode 😀", NotBlocked},
		"dollar":          {"$canary ${not one}", NotBlocked},
		"replacement":     {"canary \ufffd", NotBlocked},
		"empty":           {"", EmptyValue},
		"line feed":       {"canary\n", LineBreak},
		"carriage return": {"canary\rcanary", LineBreak},
		"zero byte":       {"canary\x00canary", NotSupportedYet},
		"not UTF-8":       {"canary\xff", NotSupportedYet},
		"half of a rune":  {"canary\xc3", NotSupportedYet},
		"a reference":     {"canary-${OTHER}", NotSupportedYet},
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", test.value)
		g := observe.NewGraph(&config.Config{Syncs: s.syncs})
		wants := wantsOf(g.Nodes[0], s.observe(g))
		if len(wants) != 1 || wants[0].Block != test.want {
			t.Errorf("%s: got %+v, want one key blocked by %q", name, wants, test.want)
		}
	}
}
