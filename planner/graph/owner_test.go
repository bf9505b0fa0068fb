package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
)

func text(s string) config.Located[string] { return config.Located[string]{Value: s} }

func movedBlock(from, to string) *config.Moved { return &config.Moved{From: text(from), To: text(to)} }

func TestOwner(t *testing.T) {
	t.Parallel()
	g := graph.New(&config.Config{Name: text("shop"), Moved: []*config.Moved{
		movedBlock("sync.b", "sync.c"), movedBlock("sync.a", "sync.b"),
		movedBlock("sync.x", "sync.y"), movedBlock("sync.y", "sync.x"), // which config refuses
	}})
	for _, test := range []struct{ config, sync, want string }{
		{"shop", "sync.a", "sync.c"},
		{"shop", "sync.b", "sync.c"},
		{"shop", "sync.c", "sync.c"},
		{"", "sync.a", "sync.c"},
		{"", "sync.other", "sync.other"},
		{"blog", "sync.a", ""},
		{"blog", "sync.c", ""},
	} {
		if got := g.Owners(&ledger.Destination{}).Of(ledger.Owner{Config: test.config, Sync: test.sync}); got != test.want {
			t.Errorf("%s of %q is %q, want %q", test.sync, test.config, got, test.want)
		}
	}
	if got := g.Owners(&ledger.Destination{}).Of(ledger.Owner{Sync: "sync.x"}); got != "sync.x" && got != "sync.y" {
		t.Errorf("a circle leads to %q", got)
	}
	unnamed := graph.New(&config.Config{})
	if got := unnamed.Owners(&ledger.Destination{}).Of(ledger.Owner{Config: "shop", Sync: "sync.a"}); got != "" {
		t.Errorf("a record with a name is %q for a configuration without one", got)
	}
}

// left returns the ledger's entry of one place, with a record of each owner.
// A sync that owns keys in a destination takes none by a move there, at whichever
// link of a chain it stands; keys that were released, or never had an answer, and
// those of another configuration do not count.
func TestOwnersOfAMoveOntoASync(t *testing.T) {
	t.Parallel()
	g := graph.New(&config.Config{Name: text("shop"), Moved: []*config.Moved{movedBlock("sync.a", "sync.b"), movedBlock("sync.b", "sync.c")}})
	entry := func(sync string) *ledger.Entry {
		return &ledger.Entry{UUID: "{v}", Owner: ledger.Owner{Config: "shop", Sync: sync}}
	}
	odd := func(change func(*ledger.Entry)) *ledger.Entry { e := entry("sync.c"); change(e); return e }
	for name, test := range map[string]struct {
		entries   []*ledger.Entry
		a, b      string
		conflicts string
	}{
		"nobody":              {nil, "sync.c", "sync.c", ""},
		"the old one":         {[]*ledger.Entry{entry("sync.a")}, "sync.c", "sync.c", ""},
		"the last one":        {[]*ledger.Entry{entry("sync.a"), entry("sync.c"), entry("sync.c")}, "sync.a", "sync.b", "sync.a 1 sync.c 2"},
		"the middle one":      {[]*ledger.Entry{entry("sync.a"), entry("sync.a"), entry("sync.b")}, "sync.a", "sync.c", "sync.a 2 sync.b 1"},
		"both":                {[]*ledger.Entry{entry("sync.b"), entry("sync.c")}, "sync.a", "sync.b", "sync.b 1 sync.c 1"},
		"released":            {[]*ledger.Entry{entry("sync.a"), odd(func(e *ledger.Entry) { e.Released = true })}, "sync.c", "sync.c", ""},
		"without an answer":   {[]*ledger.Entry{entry("sync.a"), odd(func(e *ledger.Entry) { e.UUID = "" })}, "sync.c", "sync.c", ""},
		"another's":           {[]*ledger.Entry{entry("sync.a"), odd(func(e *ledger.Entry) { e.Owner.Config = "other" })}, "sync.c", "sync.c", ""},
		"one without a name":  {[]*ledger.Entry{entry("sync.a"), odd(func(e *ledger.Entry) { e.Owner.Config = "" })}, "sync.a", "sync.b", "sync.a 1 sync.c 1"},
		"somebody else's key": {[]*ledger.Entry{entry("sync.a"), entry("sync.other")}, "sync.c", "sync.c", ""},
	} {
		d := &ledger.Destination{Entries: map[string]*ledger.Entry{}}
		for i, e := range test.entries {
			d.Entries[string(rune('A'+i))] = e
		}
		o := g.Owners(d)
		if a, b := o.Of(ledger.Owner{Sync: "sync.a"}), o.Of(ledger.Owner{Config: "shop", Sync: "sync.b"}); a != test.a || b != test.b {
			t.Errorf("%s: a is %s and b is %s", name, a, b)
		}
		var conflicts []string
		for _, c := range o.Conflicts() {
			conflicts = append(conflicts, fmt.Sprint(c.Move.From.Value, " ", c.Keys, " ", c.To, " ", c.Own))
		}
		if got := strings.Join(conflicts, "; "); got != test.conflicts {
			t.Errorf("%s: conflicts %q", name, got)
		}
	}
}
