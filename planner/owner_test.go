package planner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// moves returns moved blocks from pairs of addresses.
func moves(pairs ...[2]string) []*config.Moved {
	var all []*config.Moved
	for _, p := range pairs {
		all = append(all, &config.Moved{From: set(p[0]), To: set(p[1]), Range: set(0).Range})
	}
	return all
}

func removedBlock(from string, keep bool, destination string) *config.Removed {
	r := &config.Removed{From: set(from), Keep: set(keep), Connection: "b", Range: set(0).Range}
	if destination == "acme/web" {
		r.Workspace, r.Repository = "acme", "web"
	}
	return r
}

// ownersOptions are the records of one key: who wrote it, under which name of the
// configuration, and what became of it.
func ownersOptions() []option {
	var options []option
	for _, name := range []string{"", "mine", "another"} {
		for _, sync := range []string{"sync.a", "sync.old", "sync.older", "sync.gone", "sync.off"} {
			for bits := range 1 << 3 {
				options = append(options, option{fmt.Sprintf("record of %s of %q %03b", sync, name, bits), func(w *world) {
					e := &ledger.Entry{
						Key: "KEY", Owner: ledger.Owner{Config: name, Sync: sync}, UUID: liveUUID, Secured: true, KeyID: testKey.ID(),
						Fingerprint: testKey.Fingerprint(repositoryUUID, "KEY", secret.New("value")),
						Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "KEY", ID: "s1", Version: 1},
						InDoubt:     bits&1 != 0, Released: bits&2 != 0,
					}
					if bits&4 != 0 {
						e.Fingerprint = testKey.Fingerprint(repositoryUUID, "KEY", secret.New("old value"))
					}
					w.entries["KEY"] = e
				}})
			}
		}
	}
	return options
}

// blocksOptions are the configurations: with and without a name, moves to the sync
// that wants the key, to one that is turned off, and what was removed.
func blocksOptions() []option {
	var options []option
	for _, name := range []string{"", "mine"} {
		for m, moved := range [][]*config.Moved{nil, moves([2]string{"sync.older", "sync.old"}, [2]string{"sync.old", "sync.a"}), moves([2]string{"sync.old", "sync.off"})} {
			for r, removed := range [][]*config.Removed{nil, {removedBlock("sync.gone", true, "")}, {removedBlock("sync.gone", true, ""), removedBlock("sync.gone", false, "acme/web")}} {
				options = append(options, option{fmt.Sprintf("name %q, moves %d, removals %d", name, m, r), func(w *world) {
					off := newSync("off")
					off.Enabled = set(false)
					w.syncs = append(w.syncs, off)
					w.config = config.Config{Name: config.Located[string]{Value: name}, Moved: moved, Removed: removed}
				}})
			}
		}
	}
	return options
}

// TestEveryOwner plans every small world in which a record names an old address, no
// configuration, another one, or a sync that was removed.
func TestEveryOwner(t *testing.T) {
	t.Parallel()
	sources := sourceOptions()
	wanted := []option{sources[0], sources[5], sources[8]}
	live := liveOptions()[:2]
	n := 0
	worlds([][]option{wanted, live, ownersOptions(), blocksOptions()}, func(name func() string, w *world) {
		n++
		if testing.Short() && n%7 != 0 {
			return
		}
		w.checkOwner(t, name)
		w.check(t, name)
	})
	if n < 10_000 {
		t.Fatalf("only %d worlds", n)
	}
}

// checkOwner holds a plan against that of the same world in which the record names
// its owner as it is called today and nothing was moved: all is the same, but that
// a key which would be unchanged is taken over in the ledger.
func (w *world) checkOwner(t *testing.T, name func() string) {
	t.Helper()
	e := w.entries["KEY"]
	today := *w
	today.config.Moved = nil
	entry := *e
	today.entries = map[string]*ledger.Entry{"KEY": &entry}
	if e.Owner.Config == "" || e.Owner.Config == w.config.Name.Value {
		entry.Owner = ledger.Owner{Config: w.config.Name.Value, Sync: movedTo(w.config.Moved, e.Owner.Sync)}
	}
	foreign := e.Owner.Config != "" && e.Owner.Config != w.config.Name.Value
	got, want := w.plan(), today.plan()
	c, ok := findChange(got, "KEY")
	switch {
	case foreign && ok && c.Action != verdict.Keep:
		t.Fatalf("another configuration's record is touched\nworld%s\n%+v", name(), c)
	case foreign && len(got.LeftBehind) > 0:
		t.Fatalf("another configuration's key counts as left behind\nworld%s", name())
	case ok && c.Action == verdict.Release && (movedTo(w.config.Moved, e.Owner.Sync) != "sync.gone" || len(w.config.Removed) != 1):
		t.Fatalf("a key is given up that no block speaks of\nworld%s\n%+v", name(), c)
	case entry.Owner != e.Owner && ok && c.Action == verdict.Adopt && want.Syncs[0].Unchanged == 1:
		return // the ledger follows
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(plan.Change{}, "Detail"), cmpopts.IgnoreFields(plan.Plan{}, "Digest")); diff != "" {
		t.Fatalf("the plan differs from that of the world as it is today\nworld%s\n%s", name(), diff)
	}
}

// movedTo follows moves the plain way.
func movedTo(moved []*config.Moved, address string) string {
	for range 3 {
		for _, m := range moved {
			if m.From.Value == address {
				address = m.To.Value
			}
		}
	}
	return address
}

func findChange(p *plan.Plan, key string) (plan.Change, bool) {
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if c.Key == key {
				return c, true
			}
		}
	}
	return plan.Change{}, false
}

// TestWhyTheLedgerFollows names the place of the move, the configuration, or that a
// key is wanted again.
func TestWhyTheLedgerFollows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		owner    ledger.Owner
		released bool
		want     string
	}{
		{ledger.Owner{Config: "mine", Sync: "sync.old"}, false, "moved from sync.old (main.sync.hcl:1)"},
		{ledger.Owner{Sync: "sync.a"}, false, "now of the configuration mine"},
		{ledger.Owner{Sync: "sync.old"}, true, "moved from sync.old (main.sync.hcl:1); now of the configuration mine; wanted again after it was released"},
		{ledger.Owner{Sync: "sync.left"}, false, "adopted from sync.left"},
	} {
		w := &world{syncs: []*config.Sync{newSync("a")}, entries: map[string]*ledger.Entry{}}
		sourceOptions()[0].apply(w)
		liveOptions()[1].apply(w)
		ownersOptions()[0].apply(w)
		w.entries["KEY"].Owner, w.entries["KEY"].Released = test.owner, test.released
		w.config = config.Config{Name: set("mine"), Moved: moves([2]string{"sync.old", "sync.a"})}
		if c := changeOf(t, w.plan(), "sync.a", "KEY"); c.Action != verdict.Adopt || c.Detail != test.want {
			t.Errorf("%+v: %s %q, want %q", test.owner, c.Action, c.Detail, test.want)
		}
	}
}

// TestAnotherConfigurationIsNamed, and so is this one.
func TestAnotherConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mine": `sync.a of the configuration "theirs", and this one is "mine"`,
		"":     `sync.a of the configuration "theirs", and this one has no name`,
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "x").owned("", "KEY", "sync.a", "x")
		s.entries[""]["KEY"].Owner.Config = "theirs"
		s.config.Name.Value = name
		if c := changeOf(t, s.plan(), "sync.a", "KEY"); c.BlockedBy != verdict.OwnedElsewhere || c.Detail != want {
			t.Errorf("%q: %s %q, want %q", name, c.BlockedBy, c.Detail, want)
		}
	}
}

// TestRemovedBesideTheSync: a sync that changed its destination has two parts, one
// for what it feeds, and one for what the removed block says of the place before.
func TestRemovedBesideTheSync(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "Staging")).secret("/a", "KEY", "x").owned("", "KEY", "sync.a", "x").
		owned("", "OTHERS", "sync.left", "x").variable("", "BY_HAND")
	if got := s.plan().LeftBehind; len(got) != 2 || got[0].Sync != "sync.a" || got[0].Keys != 1 {
		t.Errorf("without the block: left behind %+v", got)
	}
	s.config.Removed = []*config.Removed{removedBlock("sync.a", true, "acme/web")}
	p := s.plan()
	if len(p.Syncs) != 2 || p.Syncs[0].Destination.Environment != "" || len(p.Syncs[0].Sources) != 0 || p.Syncs[1].Destination.Environment != "Staging" {
		t.Fatalf("got %+v", p.Syncs)
	}
	if diff := cmp.Diff([]string{"KEY release sync_removed", "KEY create missing"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if p.Unmanaged != 1 {
		t.Errorf("%d unmanaged, want the one made by hand", p.Unmanaged)
	}
	if got := p.LeftBehind; len(got) != 1 || got[0].Sync != "sync.left" {
		t.Errorf("left behind %+v", got)
	}
	// A listing that failed is an error of the block, and nothing is judged by it.
	s.broken[""] = &providers.Error{Op: "list variables", Kind: providers.KindForbidden}
	p = s.plan()
	if p.Complete || p.Syncs[0].Failure == nil || p.Syncs[0].Failure.Range.Filename == "" || len(p.Syncs[0].Changes) > 0 {
		t.Errorf("not readable: %+v", p.Syncs[0])
	}
	if len(p.LeftBehind) != 2 {
		t.Errorf("not readable: left behind %+v", p.LeftBehind)
	}
}

// TestUnreadSyncIsNamed: what is kept for the sake of a sync that was not read names
// that one, whoever owns the key.
func TestUnreadSyncIsNamed(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", "")).secret("/a", "OTHER", "x").owned("", "KEY", "sync.a", "x")
	s.folders["/b"] = &resolve.Read{Err: &providers.Error{Op: "list secrets", Kind: providers.KindForbidden}}
	c := changeOf(t, s.plan(), "sync.a", "KEY")
	if c.Reason != verdict.SyncNotRead || c.Detail != "it may belong to sync.b" {
		t.Errorf("got %s %q", c.Reason, c.Detail)
	}
}

// TestRemovedWhereTheSyncIs: a block that speaks of the place that its sync still
// feeds decides nothing, and is not shown.
func TestRemovedWhereTheSyncIs(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).secret("/a", "OTHER", "x").owned("", "KEY", "sync.a", "x")
	s.config.Removed = []*config.Removed{removedBlock("sync.a", true, "acme/web")}
	p := s.plan()
	if len(p.Syncs) != 1 || len(p.Syncs[0].Sources) != 1 {
		t.Errorf("got %+v", p.Syncs)
	}
	if diff := cmp.Diff([]string{"KEY delete gone_from_source", "OTHER create missing"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
}

// TestRemovedBesideOverwrite: a removed block has no options of its own. What somebody
// made again by hand is not what the removed sync left, and is kept as the sync says
// that claims the range.
func TestRemovedBesideOverwrite(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("z", "/a", "")).secret("/a", "OTHER", "x").owned("", "KEY", "sync.gone", "x").owned("", "LEFT", "sync.gone", "x")
	s.entries[""]["KEY"].UUID = "{made before}"
	s.syncs[0].Options.OverwriteDestination, s.syncs[0].Options.DisableSecretDeletion = set(true), set(true)
	s.config.Removed = []*config.Removed{removedBlock("sync.gone", true, "")}
	if c, ok := findChange(s.plan(), "KEY"); !ok || c.Action != verdict.Keep || c.Reason != verdict.DeletionDisabled {
		t.Errorf("got %s %s", c.Action, c.Reason)
	}
}

// TestForeignKeysElsewhere: where nothing is read, another configuration's keys do not
// count as left behind either.
func TestForeignKeysElsewhere(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).secret("/a", "OTHER", "x")
	s.record("Staging", "KEY", "sync.gone", "x").Owner.Config = "theirs"
	s.record("Staging", "OURS", "sync.gone", "x")
	if got := s.plan().LeftBehind; len(got) != 1 || got[0].Keys != 1 || got[0].Sync != "sync.gone" {
		t.Errorf("left behind %+v", got)
	}
}

// TestHomeOfTheHomeless: what no sync of a destination owns is shown under a sync, not
// under a removed block that speaks of another's keys.
func TestHomeOfTheHomeless(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("z", "/a", "")).secret("/a", "OTHER", "x").owned("", "LEFT", "sync.gone", "x")
	s.record("", "VANISHED", "sync.older", "x")
	s.config.Removed = []*config.Removed{removedBlock("sync.gone", true, "")}
	if c := changeOf(t, s.plan(), "sync.z", "VANISHED"); c.Action != verdict.Forget {
		t.Errorf("got %s", c.Action)
	}
}

// TestForeignTwin: a variable of another configuration whose name differs by case is
// not ours to rename.
func TestForeignTwin(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]verdict.Block{"": verdict.NotBlocked, "theirs": verdict.CaseClash} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "x").owned("", "Key", "sync.a", "x")
		s.entries[""]["Key"].Owner.Config, s.entries[""]["Key"].Source.ID = name, "/a/KEY"
		if c := changeOf(t, s.plan(), "sync.a", "KEY"); c.BlockedBy != want {
			t.Errorf("%q: blocked by %s, want %s", name, c.BlockedBy, want)
		}
	}
}

// A move onto a sync that owns keys itself: what that wants it adopts, the rest is
// left behind, and a finding says so; nothing would be deleted. Without keys of its
// own all are taken over.
func TestAMoveOntoASyncWithKeys(t *testing.T) {
	t.Parallel()
	onto := func(own bool) *plan.Plan {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "SHARED", "1").secret("/a", "OWN", "2")
		s.owned("", "SHARED", "sync.old", "1").owned("", "ONLY_OLD", "sync.old", "x")
		if own {
			s.owned("", "OWN", "sync.a", "2")
		}
		s.config.Moved = moves([2]string{"sync.old", "sync.a"})
		return s.plan()
	}
	p := onto(true)
	if diff := cmp.Diff([]string{"SHARED adopt adopted"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	web := graph.DestinationRef{Workspace: "acme", Repository: "web"}
	if diff := cmp.Diff([]plan.Remnant{{Sync: "sync.old", Destination: web, Keys: 1}}, p.LeftBehind); diff != "" {
		t.Error(diff)
	}
	if len(p.Findings) != 1 || p.Findings[0].Kind != verdict.FindMove || p.Findings[0].Address != "sync.a" ||
		!strings.Contains(p.Findings[0].Detail, "owns 1 key in acme/web itself, so the 2 keys of sync.old there are not moved") {
		t.Errorf("findings %+v", p.Findings)
	}
	p = onto(false)
	if diff := cmp.Diff([]string{"ONLY_OLD delete gone_from_source", "OWN create missing", "SHARED adopt adopted"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if len(p.Findings)+len(p.LeftBehind) > 0 {
		t.Errorf("findings %+v, left behind %+v", p.Findings, p.LeftBehind)
	}
}

// A removed block that names a place where nothing is known is a finding with the
// places where there is something, and what the sync left stays.
func TestAStrayRemoval(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1").owned("", "LEFT", "sync.gone", "x")
	stray := removedBlock("sync.gone", true, "")
	stray.Workspace, stray.Repository, stray.Destination = "acme", "wbe", set("acme/wbe")
	s.config.Removed = []*config.Removed{stray, removedBlock("sync.gone", false, "")}
	p := s.plan()
	if len(p.Findings) != 1 || p.Findings[0].Kind != verdict.FindRemoved || p.Findings[0].Address != "sync.gone" ||
		!strings.Contains(p.Findings[0].Detail, "names acme/wbe, where") || !strings.HasSuffix(p.Findings[0].Detail, "left keys: acme/web.") {
		t.Errorf("findings %+v", p.Findings)
	}
	if s := p.Summary(); s.LeftBehind != 1 || s.Blocked+s.Release > 0 {
		t.Errorf("summary %+v", s)
	}
}
