package graph_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
)

func left(id, repository, environment, environmentUUID string, owners ...ledger.Owner) *ledger.Destination {
	d := &ledger.Destination{
		ID: id, RepositoryUUID: "{" + repository + "}", EnvironmentUUID: environmentUUID,
		Workspace: "acme", Repository: repository, Environment: environment, Entries: map[string]*ledger.Entry{},
	}
	for _, o := range owners {
		d.Entries[o.Config+o.Sync] = &ledger.Entry{Owner: o, UUID: "{v}"}
	}
	return d
}

func stateOf(destinations ...*ledger.Destination) *ledger.State {
	s := &ledger.State{Destinations: map[string]*ledger.Destination{}}
	for _, d := range destinations {
		s.Destinations[d.ID] = d
	}
	return s
}

// removed returns a removed block for all that sync.gone left, or for one place.
func removed(keep bool, destination string) *config.Removed {
	parts := append(strings.SplitN(destination, "/", 3), "", "")
	return &config.Removed{
		From: text("sync.gone"), Keep: config.Located[bool]{Value: keep}, Connection: "b",
		Workspace: parts[0], Repository: parts[1], Environment: parts[2],
	}
}

// leavings says which blocks decide where: "destination keep".
func leavings(g *graph.Graph) []string {
	var all []string
	for _, n := range g.Nodes {
		if n.Removed != nil {
			all = append(all, n.Destination.String()+map[bool]string{true: " keep", false: " delete"}[n.Removed.Keep.Value])
		}
	}
	return all
}

func TestLeavings(t *testing.T) {
	t.Parallel()
	gone := ledger.Owner{Sync: "sync.gone"}
	web, staging := left("1", "web", "", "", gone), left("2", "web", "Staging", "{s}", gone)
	twin, api := left("3", "web", "staging", "{t}", gone), left("4", "api", "", "", gone)
	for _, test := range []struct {
		name   string
		blocks []*config.Removed
		state  *ledger.State
		want   []string
	}{
		{"no block", nil, stateOf(web), nil},
		{"nothing was left", []*config.Removed{removed(true, "")}, stateOf(left("1", "web", "", "", ledger.Owner{Sync: "sync.other"})), nil},
		{"all of it", []*config.Removed{removed(true, "")}, stateOf(web, staging, api), []string{"acme/api keep", "acme/web keep", "acme/web ({s}) keep"}},
		{"one place", []*config.Removed{removed(false, "acme/web")}, stateOf(web, staging, api), []string{"acme/web delete"}},
		{"in another case", []*config.Removed{removed(false, "Acme/WEB/STAGING")}, stateOf(web, staging), []string{"acme/web ({s}) delete"}},
		{"by UUID", []*config.Removed{removed(false, "acme/web/{S}")}, stateOf(web, staging, twin), []string{"acme/web ({s}) delete"}},
		{"exact beats case", []*config.Removed{removed(false, "acme/web/staging")}, stateOf(staging, twin), []string{"acme/web ({t}) delete"}},
		{"by its slug", []*config.Removed{removed(false, "acme/web/eu-west")}, stateOf(staging, left("5", "web", "EU West", "{e}", gone)), []string{"acme/web ({e}) delete"}},
		{"no slug of it", []*config.Removed{removed(false, "acme/web/eu1")}, stateOf(left("5", "web", "eu-1", "{e}", gone)), nil},
		{"the better fit", []*config.Removed{removed(true, "acme/web/eu-1"), removed(false, "acme/web/eu 1")}, stateOf(left("5", "web", "eu-1", "{e}", gone)), []string{"acme/web ({e}) keep"}},
		{"the better fit first", []*config.Removed{removed(false, "acme/web/EU 1"), removed(true, "acme/web/EU-1")}, stateOf(left("5", "web", "eu-1", "{e}", gone)), []string{"acme/web ({e}) keep"}},
		{"two that differ", []*config.Removed{removed(true, "acme/web/eu-1"), removed(false, "acme/web/{E}")}, stateOf(left("5", "web", "eu-1", "{e}", gone)), nil},
		{"two that agree", []*config.Removed{removed(false, "acme/web/eu-1"), removed(false, "acme/web/{E}")}, stateOf(left("5", "web", "eu-1", "{e}", gone)), []string{"acme/web ({e}) delete"}},
		{"a slip beside another place", []*config.Removed{removed(false, "acme/web"), removed(true, "acme/wbe")}, stateOf(web, api), nil},
		{"two of one slug", []*config.Removed{removed(false, "acme/web/eu-west")}, stateOf(left("5", "web", "EU West", "{e}", gone), left("6", "web", "EU_West", "{f}", gone)), nil},
		{"the repository is no environment", []*config.Removed{removed(false, "acme/web")}, stateOf(staging), nil},
		{"neither is exact", []*config.Removed{removed(false, "acme/web/STAGING")}, stateOf(staging, twin), nil},
		{"the place beats all", []*config.Removed{removed(false, "acme/web"), removed(true, "")}, stateOf(web, api), []string{"acme/api keep", "acme/web delete"}},
		{"in either order", []*config.Removed{removed(true, ""), removed(false, "acme/web")}, stateOf(web, api), []string{"acme/api keep", "acme/web delete"}},
		{"a slip beside all", []*config.Removed{removed(false, ""), removed(true, "acme/wbe")}, stateOf(web, api), nil},
		{"a slip beside all that stays", []*config.Removed{removed(true, ""), removed(false, "acme/wbe")}, stateOf(web), []string{"acme/web keep"}},
		{"of another configuration", []*config.Removed{removed(true, "")}, stateOf(left("1", "web", "", "", ledger.Owner{Config: "blog", Sync: "sync.gone"})), nil},
		{"moved to what was removed", []*config.Removed{removed(true, "")}, stateOf(left("1", "web", "", "", ledger.Owner{Sync: "sync.before"})), []string{"acme/web keep"}},
	} {
		cfg := &config.Config{Removed: test.blocks, Moved: []*config.Moved{movedBlock("sync.before", "sync.gone")}}
		g := graph.New(cfg)
		with := g.Leavings(test.state)
		if diff := cmp.Diff(test.want, leavings(with)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if len(with.Destinations) != len(test.want) || len(with.Folders) != 0 || len(g.Nodes) != 0 {
			t.Errorf("%s: reads %v and %v", test.name, with.Destinations, with.Folders)
		}
		if diff := cmp.Diff(test.want, leavings(with.Leavings(test.state))); diff != "" {
			t.Errorf("%s: a second time: %s", test.name, diff)
		}
		if got := leavings(with.Leavings(stateOf())); got != nil {
			t.Errorf("%s: after all was settled: %v", test.name, got)
		}
	}
}

// TestLeavingsOfNothing: released keys, and a ledger that is not believed, need no
// listing.
func TestLeavingsOfNothing(t *testing.T) {
	t.Parallel()
	g := graph.New(&config.Config{Removed: []*config.Removed{removed(true, "")}})
	state := stateOf(left("1", "web", "", "", ledger.Owner{Sync: "sync.gone"}))
	state.Rolled = true
	if got := leavings(g.Leavings(state)); got != nil {
		t.Errorf("rolled back: %v", got)
	}
	state.Rolled = false
	state.Destinations["1"].Entries["sync.gone"].Released = true
	if got := leavings(g.Leavings(state)); got != nil {
		t.Errorf("released: %v", got)
	}
}

// TestLeavingsShareAList: where a sync writes to the repository anyway, its spelling
// is used, so that one list answers for both.
func TestLeavingsShareAList(t *testing.T) {
	t.Parallel()
	s := &config.Sync{Address: "sync.a", Enabled: config.Located[bool]{Value: true}, Destination: config.Destination{
		Connection: "b", Workspace: text("ACME"), Repository: text("Web"),
	}}
	g := graph.New(&config.Config{Syncs: []*config.Sync{s}, Removed: []*config.Removed{removed(true, "")}})
	with := g.Leavings(stateOf(left("1", "web", "", "", ledger.Owner{Sync: "sync.gone"})))
	if len(with.Nodes) != 2 || len(with.Destinations) != 1 || with.Destinations[0].Repository != "Web" {
		t.Errorf("reads %v for %d nodes", with.Destinations, len(with.Nodes))
	}
	if n := with.Declared("sync.gone"); n != nil {
		t.Errorf("a removed block counts as declared: %+v", n)
	}
}

// TestLeavingsAreChosen: --exclude takes a removed block out, and --target leaves
// those out whose place no target touches.
func TestLeavingsAreChosen(t *testing.T) {
	t.Parallel()
	state := stateOf(left("1", "web", "", "", ledger.Owner{Sync: "sync.gone"}), left("2", "api", "", "", ledger.Owner{Sync: "sync.gone"}))
	s := &config.Sync{Address: "sync.a", Enabled: config.Located[bool]{Value: true}, Destination: config.Destination{
		Connection: "b", Workspace: text("acme"), Repository: text("web"),
	}}
	for _, test := range []struct {
		target, exclude []string
		want            []string
	}{
		{nil, nil, []string{"acme/api keep", "acme/web keep"}},
		{nil, []string{"sync.gone"}, nil},
		{[]string{"sync.a"}, nil, []string{"acme/web keep"}},
		{[]string{"sync.gone"}, nil, []string{"acme/api keep", "acme/web keep"}},
	} {
		chosen, err := address.ParseSelection(test.target, test.exclude)
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(&config.Config{Syncs: []*config.Sync{s}, Removed: []*config.Removed{removed(true, "")}}).Select(chosen)
		if diff := cmp.Diff(test.want, leavings(g.Leavings(state))); diff != "" {
			t.Errorf("target %v, exclude %v: %s", test.target, test.exclude, diff)
		}
	}
}

// A removed block that names no destination of the ledger is stray, as long as its
// sync left keys elsewhere.
func TestStrays(t *testing.T) {
	t.Parallel()
	gone := ledger.Owner{Sync: "sync.gone"}
	web, staging := left("1", "web", "", "", gone), left("2", "web", "Staging", "{s}", gone)
	done := left("3", "api", "", "", gone)
	done.Entries["sync.gone"].Released = true
	rolled := stateOf(web)
	rolled.Rolled = true
	for _, test := range []struct {
		name  string
		block *config.Removed
		state *ledger.State
		want  string
	}{
		{"all", removed(false, ""), stateOf(web), ""},
		{"the place", removed(false, "acme/web"), stateOf(web), ""},
		{"a slip", removed(false, "acme/wbe"), stateOf(staging, web, done), "acme/web, acme/web (Staging)"},
		{"another environment", removed(true, "acme/web/Production"), stateOf(web, staging), "acme/web, acme/web (Staging)"},
		{"nothing is left", removed(false, "acme/wbe"), stateOf(done), ""},
		{"a ledger that is not believed", removed(false, "acme/wbe"), rolled, ""},
	} {
		var places []string
		for _, stray := range graph.New(&config.Config{Removed: []*config.Removed{test.block}}).Strays(test.state) {
			for _, d := range stray.Left {
				places = append(places, d.String())
			}
		}
		if got := strings.Join(places, ", "); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// Two blocks of one place that differ are told, with both.
func TestContradictions(t *testing.T) {
	t.Parallel()
	state := stateOf(left("5", "web", "eu-1", "{e}", ledger.Owner{Sync: "sync.gone"}))
	g := graph.New(&config.Config{Removed: []*config.Removed{removed(true, "acme/web/eu-1"), removed(false, "acme/web/{e}")}})
	strays := g.Strays(state)
	if len(strays) != 1 || !strays[0].Removed.Keep.Value || strays[0].Against == nil || strays[0].Against.Keep.Value || strays[0].Left[0].String() != "acme/web (eu-1)" {
		t.Errorf("got %+v", strays)
	}
}

// What a sync left is excluded and targeted by the name that its place was last seen
// with, and by its UUID.
func TestLeavingsByTheirPlace(t *testing.T) {
	t.Parallel()
	state := stateOf(left("2", "web", "Staging", "{s}", ledger.Owner{Sync: "sync.gone"}))
	for _, test := range []struct {
		target, exclude string
		want            []string
	}{
		{"", "acme/web/Staging", nil},
		{"", "acme/web/staging", nil},
		{"", "acme/web/{s}", nil},
		{"", "acme/web/Production", []string{"acme/web ({s}) keep"}},
		{"acme/web/Staging", "", []string{"acme/web ({s}) keep"}},
		{"acme/web", "", nil},
	} {
		chosen, err := address.ParseSelection(strings.Fields(test.target), strings.Fields(test.exclude))
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(&config.Config{Removed: []*config.Removed{removed(true, "")}}).Select(chosen).Leavings(state)
		var got []string
		for _, n := range g.Nodes {
			if n.Removed != nil && n.IsRead() {
				got = append(got, n.Destination.String()+" keep")
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("--target %q --exclude %q: %s", test.target, test.exclude, diff)
		}
	}
}
