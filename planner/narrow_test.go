package planner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// chosen returns the graph of syncs, narrowed to space-separated addresses.
func chosen(t *testing.T, syncs []*config.Sync, target, exclude string) *graph.Graph {
	t.Helper()
	g := graph.New(&config.Config{Deletes: usual, Syncs: syncs})
	s, err := address.ParseSelection(strings.Fields(target), strings.Fields(exclude))
	if err == nil {
		s, err = s.Resolve(g.Names(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g.Select(s)
}

func (s *scene) planOf(t *testing.T, target, exclude string) *plan.Plan {
	t.Helper()
	g := chosen(t, s.syncs, target, exclude)
	return Diff(g, s.observe(g), s.state(), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
}

// everything returns the changes of a plan, and the statuses of its syncs.
func everything(p *plan.Plan) string {
	var out []string
	for _, s := range p.Syncs {
		out = append(out, s.Address+" "+string(s.Status))
		out = append(out, said(p, s.Address)...)
	}
	return strings.Join(out, "\n")
}

// shop is two syncs of one place and one of another, each with something to do.
func shop() *scene {
	s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", ""), syncFrom("c", "/c", "Staging"))
	s.secret("/a", "NEW_A", "1").secret("/a", "MORE_A", "2").secret("/b", "NEW_B", "3").secret("/c", "NEW_C", "4")
	return s.owned("", "OLD_A", "sync.a", "x").owned("", "OLD_B", "sync.b", "x").owned("Staging", "OLD_C", "sync.c", "x")
}

// What a plan of each selection holds, and what it says about the rest.
func TestNarrow(t *testing.T) {
	t.Parallel()
	a := "sync.a planned\nMORE_A create missing\nNEW_A create missing\nOLD_A delete gone_from_source"
	c := "\nsync.c planned\nNEW_C create missing\nOLD_C delete gone_from_source"
	for _, test := range []struct{ target, exclude, want, finding string }{
		{
			"sync.a", "", a + "\nsync.b planned",
			"This plan is for --target sync.a only. 2 more changes are not targeted. 1 sync writes elsewhere and was not read. To plan everything, leave --target and --exclude out.",
		},
		{
			"sync.c", "", strings.TrimPrefix(c, "\n"),
			"This plan is for --target sync.c only. 2 syncs write elsewhere and were not read. To plan everything, leave --target and --exclude out.",
		},
		{
			"sync.a/NEW_A", "", "sync.a planned\nNEW_A create missing\nsync.b planned",
			"This plan is for --target sync.a/NEW_A only. 4 more changes are not targeted. 1 sync writes elsewhere and was not read. To plan everything, leave --target and --exclude out.",
		},
		{
			"", "OLD_*", "sync.a planned\nMORE_A create missing\nNEW_A create missing\nsync.b planned\nNEW_B create missing\nsync.c planned\nNEW_C create missing",
			"3 changes are left out by --exclude. To plan everything, leave --target and --exclude out.",
		},
		{
			"", "sync.b",
			"sync.a planned\nMORE_A create missing\nNEW_A create missing\nOLD_A keep sync_not_read\nsync.b excluded" + c, "",
		},
		{
			"sync.a", "sync.b sync.a/MORE_A",
			"sync.a planned\nNEW_A create missing\nOLD_A keep sync_not_read\nsync.b excluded",
			"This plan is for --target sync.a only. 1 sync writes elsewhere and was not read. 1 change is left out by --exclude. To plan everything, leave --target and --exclude out.",
		},
	} {
		p := shop().planOf(t, test.target, test.exclude)
		if diff := cmp.Diff(test.want, everything(p)); diff != "" {
			t.Errorf("--target %s --exclude %s (-want +got):\n%s", test.target, test.exclude, diff)
		}
		said := ""
		for _, f := range p.Findings {
			if f.Kind == verdict.FindNotSelected {
				said += f.Detail
			}
		}
		if said != test.finding {
			t.Errorf("--target %s --exclude %s: it says\n%s, want\n%s", test.target, test.exclude, said, test.finding)
		}
	}
}

// The counts, the digest and the requests are those of what is chosen.
func TestNarrowedCounts(t *testing.T) {
	t.Parallel()
	p := shop().planOf(t, "sync.a/NEW_A", "")
	if s := p.Summary(); s.Create != 1 || s.Blocked != 0 || p.Requests.ToApply != 1 {
		t.Errorf("summary %+v, %d requests", s, p.Requests.ToApply)
	}
	if p.Digest == shop().plan().Digest || p.Digest != shop().planOf(t, "NEW_A", "").Digest {
		t.Error("the digest is not that of what is chosen")
	}
}

// A key that an excluded sync wrote is refused to others, and is not left behind
// where nothing of its destination is read.
func TestExcludedOwnsItsKeys(t *testing.T) {
	t.Parallel()
	s := shop().secret("/a", "OLD_B", "y")
	if c := changeOf(t, s.planOf(t, "", "sync.b"), "sync.a", "OLD_B"); c.BlockedBy != verdict.OwnedByInactive || c.Detail != "sync.b" {
		t.Errorf("a key of an excluded sync: %+v", c)
	}
	for _, selection := range [][2]string{{"", "sync.c"}, {"sync.a", ""}} {
		if left := s.planOf(t, selection[0], selection[1]).LeftBehind; len(left) > 0 {
			t.Errorf("%v: left behind %+v", selection, left)
		}
	}
}

// What a sync left behind is named where a target names that sync or the place.
func TestNarrowedLeftBehind(t *testing.T) {
	t.Parallel()
	s := shop().owned("", "LEFT", "sync.gone", "x")
	for target, want := range map[string]int{"": 1, "sync.a": 0, "acme/web": 1, "sync.*": 1, "sync.c": 0} {
		if got := len(s.planOf(t, target, "").LeftBehind); got != want {
			t.Errorf("--target %q: %d left behind, want %d", target, got, want)
		}
	}
}

// The range of an excluded sync is kept however its environment is spelt, and
// whatever is out of its range is not.
func TestExcludedRange(t *testing.T) {
	t.Parallel()
	for spelling, kept := range map[string]bool{"Staging": true, "staging": true, "{Staging}": true, "Production": false, "": false} {
		other := syncFrom("x", "/x", spelling)
		other.Options.KeySchema = schemaOf(t, "X_{{secretKey}}")
		s := newScene(syncFrom("c", "/c", "Staging"), other)
		s.secret("/c", "KEY", "1").owned("Staging", "X_OLD", "sync.c", "x").owned("Staging", "OLD", "sync.c", "x")
		p := s.planOf(t, "", "sync.x")
		want := verdict.GoneFromSource
		if kept {
			want = verdict.SyncNotRead
		}
		if c := changeOf(t, p, "sync.c", "X_OLD"); c.Reason != want || (kept && c.Detail != "it may belong to sync.x, which is excluded") {
			t.Errorf("spelt %q: %s %q", spelling, c.Reason, c.Detail)
		}
		if c := changeOf(t, p, "sync.c", "OLD"); c.Reason != verdict.GoneFromSource {
			t.Errorf("spelt %q, out of range: %s", spelling, c.Reason)
		}
	}
}

// In every small world, a plan of single keys is the whole plan without the others;
// excluding a sync that may have every key plans no delete, and writes nothing that
// the sync wrote.
func TestEveryNarrowedWorld(t *testing.T) {
	t.Parallel()
	n := 0
	worlds([][]option{sourceOptions(), liveOptions(), ledgerOptions()}, func(name func() string, w *world) {
		if n++; n%3 != 0 {
			return
		}
		whole := w.plan()
		plan := func(target, exclude string) *plan.Plan {
			g := chosen(t, w.syncs, target, exclude)
			return Diff(g, w.observation(g), w.state(), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
		}
		if diff := cmp.Diff(of(whole, func(key string) bool { return key == "KEY" }), of(plan("KEY", ""), all)); diff != "" {
			t.Fatalf("targeted%s\n%s", name(), diff)
		}
		if diff := cmp.Diff(of(whole, func(key string) bool { return key != "KEY" }), of(plan("", "KEY"), all)); diff != "" {
			t.Fatalf("excluded%s\n%s", name(), diff)
		}
		w.syncs = append(w.syncs, newSync("off"))
		for _, s := range plan("", "sync.off").Syncs {
			for _, c := range s.Changes {
				e := w.entries[c.Key]
				ours := e == nil || e.Owner.Sync != "sync.off"
				if c.Action == verdict.Delete || (c.BlockedBy == verdict.NotBlocked && (c.Action.Writes() || c.Action.LedgerOnly()) && !ours) {
					t.Fatalf("a sync is excluded%s\n%+v", name(), c)
				}
			}
		}
	})
}

func all(string) bool { return true }

// of returns the changes of a plan whose key is asked for.
func of(p *plan.Plan, asked func(key string) bool) []plan.Change {
	var changes []plan.Change
	for _, s := range p.Syncs {
		changes = append(changes, slices.DeleteFunc(slices.Clone(s.Changes), func(c plan.Change) bool { return !asked(c.Key) })...)
	}
	return changes
}

// Another spelling of a place that is read shares it, so that its keys decide too.
func TestTargetReadsWhoSharesThePlace(t *testing.T) {
	t.Parallel()
	other := syncFrom("b", "/b", "staging")
	other.Destination.Repository = set("WEB")
	s := newScene(syncFrom("a", "/a", "Staging"), other)
	s.secret("/a", "KEY", "1").secret("/b", "KEY", "2")
	s.doubts["staging"] = []providers.Doubt{}
	g := chosen(t, s.syncs, "sync.a", "")
	obs := s.observe(g)
	for _, read := range obs.Destinations { // Bitbucket finds both under one UUID
		read.ID, read.EnvironmentUUID = idOf("Staging"), "{Staging}"
	}
	p := Diff(g, obs, &ledger.State{Serial: 1, Key: testKey}, time.Time{})
	if c := changeOf(t, p, "sync.a", "KEY"); c.BlockedBy != verdict.DuplicateKey {
		t.Errorf("the other sync's key was not seen: %+v", c)
	}
	if got := said(p, "sync.b"); len(got) > 0 {
		t.Errorf("what is not targeted is planned: %v", got)
	}
}

// A key that is kept is no change that could be missed, and a finding on a key that
// is not chosen is left out with it.
func TestNarrowedFindings(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""))
	s.secret("/a", "OPEN", "1").secret("/a", "KEY", "2").variable("", "PINNED")
	s.syncs[0].Options.Protect = []config.Located[string]{set("PINNED")}
	s.live[""] = append(s.live[""], providers.Variable{UUID: "{OPEN}", Key: "OPEN"})
	for target, want := range map[string]int{"KEY": 0, "OPEN": 1} {
		p := s.planOf(t, target, "")
		found := 0
		for _, f := range p.Findings {
			if f.Kind == verdict.FindNotSecured {
				found++
			}
		}
		if found != want || !strings.Contains(p.Findings[0].Detail, " 1 more change is not targeted.") {
			t.Errorf("--target %s: %+v", target, p.Findings)
		}
	}
}

// The old name of a key stays where a selection leaves the new one out.
func TestNarrowedRename(t *testing.T) {
	t.Parallel()
	for _, selection := range [][2]string{{"", "sync.a/NEW"}, {"sync.a/KEY", ""}} {
		p := renaming().planOf(t, selection[0], selection[1])
		if diff := cmp.Diff("sync.a planned\nKEY keep rename_waits", everything(p)); diff != "" {
			t.Errorf("%q: %s", selection, diff)
		}
	}
}

// A sync that is not targeted and writes elsewhere today has no say over a key that
// it wrote here before: the plan of a target says what the whole plan says. Where
// its name may lead here, it has; and what a removed block says of it waits.
func TestTargetAndAKeyOfASyncElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := syncFrom("c", "/c", "")
	elsewhere.Destination.Repository = set("api")
	s := newScene(syncFrom("a", "/a", ""), elsewhere).secret("/a", "KEY", "1").owned("", "KEY", "sync.c", "1").owned("", "REST", "sync.c", "x")
	if c := changeOf(t, s.planOf(t, "acme/web", ""), "sync.a", "KEY"); c.Action != verdict.Adopt || c.BlockedBy != "" {
		t.Errorf("the sync writes elsewhere: %+v", c)
	}
	removed := []*config.Removed{removedBlock("sync.c", false, "acme/web")}
	for target, want := range map[string][]string{"acme/web": nil, "": {"REST delete sync_removed doubt"}} {
		g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs, Removed: removed})
		if target != "" {
			g = g.Select(chosen(t, s.syncs, target, "").Selection)
		}
		g = g.Leavings(s.state())
		obs := s.observe(g)
		for ref, read := range obs.Destinations {
			if ref.Repository == "api" {
				*read = observe.DestinationRead{Ref: ref, ID: "{api}", RepositoryUUID: "{api}"}
			}
		}
		if diff := cmp.Diff(want, said(Diff(g, obs, s.state(), sceneNow), "sync.c")); diff != "" {
			t.Errorf("--target %q: %s", target, diff)
		}
	}
	here := syncFrom("c", "/c", "prod-1")
	s = newScene(syncFrom("a", "/a", "Production"), here).secret("/a", "KEY", "1")
	s.owned("Production", "KEY", "sync.c", "1").owned("Production", "REST", "sync.a", "x")
	g := chosen(t, s.syncs, "sync.a", "")
	obs := s.observe(g)
	for _, read := range obs.Destinations { // a slug that the name does not tell
		read.EnvironmentSlug = "prod-1"
	}
	p := Diff(g, obs, s.state(), sceneNow)
	if c := changeOf(t, p, "sync.a", "REST"); c.Reason != verdict.SyncNotRead || c.Detail != "it may belong to sync.c, which is not targeted" {
		t.Errorf("a key in range of a sync that may write here: %+v", c)
	}
}

// So does each older name, where there are several.
func TestNarrowedRenameOfTwoNames(t *testing.T) {
	t.Parallel()
	for _, selection := range [][2]string{{"", "sync.a/NEW"}, {"sync.a/*KEY", ""}} {
		s := renaming()
		older := s.owned("", "OLDER_KEY", "sync.a", "1").entries[""]["OLDER_KEY"]
		older.Source = s.entries[""]["KEY"].Source
		p := s.planOf(t, selection[0], selection[1])
		if diff := cmp.Diff("sync.a planned\nKEY keep rename_waits\nOLDER_KEY keep rename_waits", everything(p)); diff != "" {
			t.Errorf("%q: %s", selection, diff)
		}
	}
}
