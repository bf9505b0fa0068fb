package planner

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

var forbidden = &providers.Error{Op: "list secrets", Scope: "dev:/a", Kind: providers.KindForbidden, Status: 403}

// A key of two syncs is refused under both, each naming the other, and counted
// once. Nothing else of them is stopped.
func TestAKeyOfTwoSyncs(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", "")).
		secret("/a", "KEY", "1").secret("/b", "KEY", "2").secret("/a", "ONE", "3").secret("/b", "TWO", "4")
	p := s.plan()
	if diff := cmp.Diff([]string{"KEY keep refused duplicate_key", "ONE create missing"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"KEY keep refused duplicate_key", "TWO create missing"}, said(p, "sync.b")); diff != "" {
		t.Error(diff)
	}
	for address, other := range map[string]string{"sync.a": "sync.b", "sync.b": "sync.a"} {
		if c := changeOf(t, p, address, "KEY"); !strings.Contains(c.Detail, other) || !strings.Contains(c.Detail, "dev:/a") || !strings.Contains(c.Detail, "dev:/b") {
			t.Errorf("%s says %q, which does not name %s and both folders", address, c.Detail, other)
		}
	}
	if sum := p.Summary(); sum.Blocked != 1 || sum.Create != 2 || p.Requests.ToApply != 2 {
		t.Errorf("summary %+v, to apply %d", sum, p.Requests.ToApply)
	}
}

// The same key in two destinations is two keys.
func TestAKeyInTwoDestinations(t *testing.T) {
	t.Parallel()
	p := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/a", "Staging")).secret("/a", "KEY", "1").plan()
	if sum := p.Summary(); sum.Create != 2 || sum.Blocked != 0 {
		t.Errorf("summary %+v", sum)
	}
}

// TestAKeyThatMoved: a key that another sync wants now is adopted without a write
// when the value is the same, and updated when it is not.
func TestAKeyThatMoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		owner, value string
		want         []string
		detail       string
	}{
		"from a declared sync":           {"sync.a", "same", []string{"KEY adopt adopted"}, "adopted from sync.a"},
		"from a sync that left":          {"sync.left", "same", []string{"KEY adopt adopted"}, "adopted from sync.left"},
		"with another value":             {"sync.a", "other", []string{"KEY update source_changed"}, "it was KEY of dev:/a before"},
		"it has been this sync's":        {"sync.b", "same", nil, ""},
		"from a sync of another place":   {"sync.c", "same", []string{"KEY adopt adopted"}, "adopted from sync.c"},
		"from a sync that is turned off": {"sync.off", "same", []string{"KEY keep refused owned_by_inactive"}, "sync.off"},
	} {
		off := syncFrom("off", "/off", "")
		off.Enabled = set(false)
		s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", ""), syncFrom("c", "/b", "Staging"), off).
			secret("/b", "KEY", "same").secret("/a", "OTHER", "x").owned("", "KEY", test.owner, test.value)
		p := s.plan()
		if diff := cmp.Diff(test.want, said(p, "sync.b")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if test.want == nil {
			continue
		}
		c := changeOf(t, p, "sync.b", "KEY")
		if c.Detail != test.detail || c.VariableUUID != "{KEY}" || c.SecretID != "/b/KEY" {
			t.Errorf("%s: change %+v", name, c)
		}
		if c.Action == verdict.Adopt && p.Summary().Adopt != 1 {
			t.Errorf("%s: summary %+v", name, p.Summary())
		}
	}
}

// A sync whose source cannot be read is an error, keeps its range, and does not
// stop the others.
func TestAnUnreadSyncKeepsItsRange(t *testing.T) {
	t.Parallel()
	a := syncFrom("a", "/a", "")
	a.Options.KeySchema = schemaOf(t, "A_{{secretKey}}")
	s := newScene(a, syncFrom("b", "/b", "")).secret("/b", "NEW", "1").
		variable("", "A_UNKNOWN").variable("", "UNKNOWN").owned("", "A_MINE", "sync.a", "x").owned("", "GONE", "sync.b", "y").owned("", "A_GONE", "sync.b", "z")
	s.folders["/a"] = &resolve.Read{Err: forbidden}
	p := s.plan()
	// A_MINE is the sync's own: untouched, counted. A_UNKNOWN may be.
	if diff := cmp.Diff([]string{"A_UNKNOWN keep sync_not_read"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	want := []string{"A_GONE keep sync_not_read", "GONE delete gone_from_source doubt", "NEW create missing"}
	if diff := cmp.Diff(want, said(p, "sync.b")); diff != "" {
		t.Error(diff)
	}
	got := p.Syncs[0]
	if got.Status != plan.StatusError || got.Failure == nil || got.Failure.Summary != "Cannot read the source" ||
		!strings.Contains(got.Failure.Detail, "no permission (HTTP 403)") || got.Kept != 1 {
		t.Errorf("sync.a: %+v, failure %+v", got, got.Failure)
	}
	if p.Complete || !p.CanApply() || p.Summary().SyncErrors != 1 || p.Unmanaged != 1 {
		t.Errorf("complete %v, summary %+v", p.Complete, p.Summary())
	}
}

// A destination that cannot be read is an error of its syncs, with nothing planned
// there.
func TestAnUnreadDestination(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "Staging"), syncFrom("b", "/a", "")).secret("/a", "KEY", "1").owned("Staging", "KEY", "sync.a", "0")
	s.broken["Staging"] = &providers.Error{Op: "list variables", Kind: providers.KindNotFound, Status: 404}
	p := s.plan()
	if got := p.Syncs[0]; got.Status != plan.StatusError || got.Failure.Summary != "Cannot read the destination" || len(got.Changes) > 0 {
		t.Errorf("sync.a: %+v", got)
	}
	if diff := cmp.Diff([]string{"KEY create missing"}, said(p, "sync.b")); diff != "" {
		t.Error(diff)
	}
	if p.Complete || len(p.LeftBehind) > 0 {
		t.Errorf("complete %v, left behind %v: it may well be the same destination", p.Complete, p.LeftBehind)
	}
}

// A sync that can be read at neither end says so of both.
func TestUnreadAtBothEnds(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "Staging"))
	s.folders["/a"] = &resolve.Read{Err: forbidden}
	s.broken["Staging"] = &providers.Error{Op: "list variables", Kind: providers.KindNotFound, Status: 404}
	got := s.plan().Syncs[0].Failure
	if got == nil || got.Summary != "Cannot read the source and the destination" || got.Range != s.syncs[0].Sources[0].Range ||
		!strings.Contains(got.Detail, "no permission (HTTP 403)") || !strings.Contains(got.Detail, "; acme/web not found: ") {
		t.Errorf("got %+v", got)
	}
}

// A key that Bitbucket lists twice is refused as a doubt: which one a build sees is
// not known. Its neighbours are written.
func TestAKeyListedTwice(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").secret("/a", "OTHER", "1").owned("", "KEY", "sync.a", "0")
	s.live[""] = append(s.live[""], providers.Variable{UUID: "{again}", Key: "KEY", Secured: true})
	p := s.plan()
	if diff := cmp.Diff([]string{"KEY keep refused doubt", "OTHER create missing"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if c := changeOf(t, p, "sync.a", "KEY"); !strings.Contains(c.Detail, "twice") {
		t.Errorf("detail %q", c.Detail)
	}
	// The same one twice is no doubt of this kind.
	s.live[""][1].UUID = s.live[""][0].UUID
	if diff := cmp.Diff([]string{"KEY update source_changed", "OTHER create missing"}, said(s.plan(), "sync.a")); diff != "" {
		t.Error(diff)
	}
}

// TestLeftBehind: what a sync left is counted from the destination where it was
// read, and else from the ledger; with no other trace in the plan.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""), syncFrom("moved", "/a", "")).secret("/a", "X", "1")
	s.syncs = s.syncs[:1]
	s.owned("", "ONE", "sync.left", "v").owned("", "TWO", "sync.left", "v").owned("", "X", "sync.a", "1")
	s.record("", "GONE", "sync.left", "v") // not live any more: forgotten, not left behind
	s.owned("", "FREE", "sync.left", "v")
	s.entries[""]["FREE"].Released = true
	s.record("Production", "KEY", "sync.a", "v")               // a left this destination
	s.record("Production", "LOST", "sync.left", "v").UUID = "" // a create in doubt is not ours for sure
	s.record("Production", "FREE", "sync.left", "v").Released = true
	s.record("Production", "OLD", "sync.left", "v")
	p := s.plan()
	web := graph.DestinationRef{Workspace: "acme", Repository: "web"}
	production := web
	production.Environment = "Production"
	want := []plan.Remnant{
		{Sync: "sync.a", Destination: production, Keys: 1}, {Sync: "sync.left", Destination: web, Keys: 2}, {Sync: "sync.left", Destination: production, Keys: 1},
	}
	if diff := cmp.Diff(want, p.LeftBehind); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"FREE keep released", "GONE forget gone_outside"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if p.Summary().LeftBehind != 4 {
		t.Errorf("summary %+v", p.Summary())
	}
	s.rolled = true
	if p := s.plan(); len(p.LeftBehind) > 0 || !slices.Contains(said(p, "sync.a"), "X update never_recorded") {
		t.Errorf("a ledger that is not believed: left behind %v, changes %v", p.LeftBehind, said(p, "sync.a"))
	}
}

// A sync that is turned off or not read has left nothing behind.
func TestAnInactiveOwnerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	off := syncFrom("off", "/off", "Production")
	off.Enabled = set(false)
	s := newScene(syncFrom("a", "/a", ""), off).secret("/a", "X", "1").owned("", "KEPT", "sync.off", "v")
	s.record("Production", "KEY", "sync.off", "v")
	p := s.plan()
	if len(p.LeftBehind) > 0 || p.Syncs[0].Kept != 1 || p.Summary().Kept != 1 || p.Syncs[1].Status != plan.StatusDisabled {
		t.Errorf("left behind %v, kept %d, syncs %+v", p.LeftBehind, p.Syncs[0].Kept, p.Syncs)
	}
}

// TestDoubts: each doubt is a finding once, and makes the plan incomplete.
func TestDoubts(t *testing.T) {
	t.Parallel()
	doubt := func(kind providers.DoubtKind) []providers.Doubt {
		return []providers.Doubt{{Kind: kind, Detail: "Not all is proven."}}
	}
	for name, test := range map[string]struct {
		change func(*scene)
		want   []string
	}{
		"none":        {func(*scene) {}, nil},
		"of a folder": {func(s *scene) { s.folders["/a"].Listing.Doubts = doubt(providers.DoubtIncomplete) }, []string{"sync.a: Not all is proven."}},
		"of imports":  {func(s *scene) { s.folders["/a"].Listing.Doubts = doubt(providers.DoubtImports) }, []string{"sync.a: Not all is proven."}},
		"of imports that count not": {func(s *scene) {
			s.folders["/a"].Listing.Doubts = doubt(providers.DoubtImports)
			s.syncs[0].Sources[0].IncludeImports = set(false)
			s.syncs[1].Sources[0].IncludeImports = set(false)
		}, nil},
		"another, where imports count not": {func(s *scene) {
			s.folders["/a"].Listing.Doubts = doubt(providers.DoubtIncomplete)
			s.syncs[0].Sources[0].IncludeImports = set(false)
		}, []string{"sync.a: Not all is proven."}},
		"of imports, for one of two": {func(s *scene) {
			s.folders["/a"].Listing.Doubts = doubt(providers.DoubtImports)
			s.syncs[0].Sources[0].IncludeImports = set(false)
		}, []string{"sync.b: Not all is proven."}},
		"of a destination": {func(s *scene) { s.doubts["Staging"] = doubt(providers.DoubtIncomplete) }, []string{"sync.b: Not all is proven."}},
		"an empty folder": {func(s *scene) { s.folders["/a"].Listing.Secrets = nil }, []string{
			"sync.a: dev:/a holds no secret. If that is meant, set allow_empty = true in the options of sync.a.",
			"sync.b: dev:/a holds no secret. If that is meant, set allow_empty = true in the options of sync.b.",
		}},
		"an empty folder that may be": {func(s *scene) {
			s.folders["/a"].Listing.Secrets = nil
			s.syncs[0].Options.AllowEmpty, s.syncs[1].Options.AllowEmpty = set(true), set(true)
		}, nil},
		"of a sync that is turned off": {func(s *scene) {
			s.folders["/a"].Listing.Doubts = doubt(providers.DoubtIncomplete)
			s.syncs[0].Enabled, s.syncs[1].Enabled = set(false), set(false)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/a", "Staging")).secret("/a", "KEY", "1")
			test.change(s)
			p := s.plan()
			var got []string
			for _, f := range p.Findings {
				if f.Kind != verdict.FindDoubt || f.Severity != plan.Warning || f.Range.Filename == "" {
					t.Errorf("finding %+v", f)
				}
				got = append(got, f.Address+": "+f.Detail)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if p.Complete != (test.want == nil) {
				t.Errorf("complete: %v", p.Complete)
			}
		})
	}
}

// TestSize: a create that passes what a build can carry is refused, smaller ones
// and updates go on; what is over already is a finding.
func TestSize(t *testing.T) {
	t.Parallel()
	big := func(n int) string { return strings.Repeat("x", n) }
	const limit = want.MaxBuildSize
	for name, test := range map[string]struct {
		change func(*scene)
		want   []string // of sync.a, to Staging
		over   bool
	}{
		"just fits":                {func(s *scene) { s.secret("/a", "A", big(limit-1)) }, []string{"A create missing"}, false},
		"one too many":             {func(s *scene) { s.secret("/a", "A", big(limit)) }, []string{"A keep refused size"}, false},
		"characters, not bytes":    {func(s *scene) { s.secret("/a", "A", strings.Repeat("é", limit-1)) }, []string{"A create missing"}, false},
		"the smaller one still":    {func(s *scene) { s.secret("/a", "A", big(limit)).secret("/a", "B", "small") }, []string{"A keep refused size", "B create missing"}, false},
		"an update goes on":        {func(s *scene) { s.secret("/a", "A", big(limit)).variable("Staging", "A") }, []string{"A update never_recorded"}, true},
		"no room beside an update": {func(s *scene) { s.secret("/a", "A", big(limit-1)).variable("Staging", "A").secret("/a", "B", "x") }, []string{"A update never_recorded", "B keep refused size"}, false},
		"names of others count":    {func(s *scene) { s.secret("/a", "A", big(limit-1)).variable("Staging", "Z") }, []string{"A keep refused size"}, false},
		"readable values count": {func(s *scene) {
			s.secret("/a", "A", big(10))
			s.live["Staging"] = []providers.Variable{{UUID: "{Z}", Key: "Z", Value: secret.New(big(limit - 11))}}
		}, []string{"A keep refused size"}, false},
		"so do those of the repository": {func(s *scene) {
			s.syncs = append(s.syncs, syncFrom("repository", "/r", ""))
			s.secret("/a", "A", big(limit/2)).secret("/r", "R", big(limit/2))
		}, []string{"A keep refused size"}, false},
		"and those of the workspace": {func(s *scene) {
			s.syncs = append(s.syncs, toWorkspace(syncFrom("shared", "/r", "")))
			s.secret("/a", "A", big(limit/2)).secret("/r", "R", big(limit/2))
		}, []string{"A keep refused size"}, false},
		"and of both together": {func(s *scene) {
			s.syncs = append(s.syncs, toWorkspace(syncFrom("shared", "/s", "")), syncFrom("repository", "/r", ""))
			s.secret("/a", "A", big(limit/3)).secret("/r", "R", big(limit/3)).secret("/s", "S", big(limit/3))
		}, []string{"A keep refused size"}, false},
		"the workspace itself sees its own": {func(s *scene) {
			s.syncs = append(s.syncs, syncFrom("repository", "/r", ""))
			toWorkspace(s.syncs[0])
			s.secret("/a", "A", big(limit/2)).secret("/r", "R", big(limit/2))
		}, []string{"A create missing"}, false},
		"and not of another environment": {func(s *scene) {
			s.syncs = append(s.syncs, syncFrom("other", "/r", "Production"))
			s.secret("/a", "A", big(limit/2)).secret("/r", "R", big(limit/2))
		}, []string{"A create missing"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(syncFrom("a", "/a", "Staging"))
			test.change(s)
			p := s.plan()
			if diff := cmp.Diff(test.want, said(p, "sync.a")); diff != "" {
				t.Error(diff)
			}
			over := slices.ContainsFunc(p.Findings, func(f plan.Finding) bool { return f.Kind == verdict.FindSize && f.Address == "sync.a" })
			if over != test.over {
				t.Errorf("findings %+v", p.Findings)
			}
		})
	}
}

// TestCase: keys that differ by case only are refused, whoever has the other one.
func TestCase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*scene)
		want   []string
		detail string
	}{
		"two secrets": {
			func(s *scene) { s.secret("/a", "KEY", "1").secret("/a", "key", "2") },
			[]string{"KEY keep refused case_clash", "key keep refused case_clash"},
			"it differs from key by case only",
		},
		"of two syncs": {func(s *scene) {
			s.syncs = append(s.syncs, syncFrom("b", "/b", ""))
			s.secret("/a", "KEY", "1").secret("/b", "key", "2")
		}, []string{"KEY keep refused case_clash"}, "it differs from key by case only"},
		"a variable that is not ours": {
			func(s *scene) { s.secret("/a", "KEY", "1").variable("", "Key") },
			[]string{"KEY keep refused case_clash"},
			"it differs by case only from the variable Key, which is there already",
		},
		"a variable of ours, of another secret": {
			func(s *scene) { s.secret("/a", "KEY", "1").owned("", "Key", "sync.a", "1") },
			[]string{"KEY keep refused case_clash", "Key delete gone_from_source refused_key"},
			"it differs by case only from the variable Key, which is there already",
		},
		"a variable of ours, of the secret": {func(s *scene) { twin(s) }, []string{"KEY rename renamed"}, "in dev:/a"},
		"one of another folder": {
			func(s *scene) { twin(s).entries[""]["Key"].Source.Path = "/b" },
			[]string{"KEY keep refused case_clash", "Key delete not_included refused_key"},
			"it differs by case only from the variable Key, which is there already",
		},
		"one that was made again": {
			func(s *scene) { twin(s).entries[""]["Key"].UUID = "{other}" },
			[]string{"KEY keep refused case_clash", "Key forget gone_outside"},
			"it differs by case only from the variable Key, which is there already",
		},
		"one that deletion_disabled keeps": {
			func(s *scene) { twin(s); s.syncs[0].Options.DisableSecretDeletion = set(true) },
			[]string{"KEY keep refused case_clash", "Key keep deletion_disabled"},
			"it differs by case only from Key, which stays (deletion_disabled)",
		},
		"one that is protected": {
			func(s *scene) { twin(s); s.syncs[0].Options.Protect = []config.Located[string]{set("Key")} },
			[]string{"KEY keep refused case_clash", "Key keep protected"},
			"it differs by case only from Key, which stays (protected)",
		},
		"one of another sync": {
			func(s *scene) { twin(s).entries[""]["Key"].Owner.Sync = "sync.gone" },
			[]string{"KEY keep refused case_clash"},
			"it differs by case only from the variable Key, which is there already",
		},
		"a variable of ours, beside the key": {
			func(s *scene) { twin(s).owned("", "KEY", "sync.a", "1") },
			[]string{"Key delete renamed"},
			"",
		},
		"with a doubt": {
			func(s *scene) { twin(s).doubts[""] = []providers.Doubt{{Detail: "Some are missing."}} },
			[]string{"KEY rename renamed doubt"},
			"in dev:/a",
		},
		"the key itself": {func(s *scene) { s.secret("/a", "KEY", "1").variable("", "KEY") }, []string{"KEY update never_recorded"}, ""},
	} {
		s := newScene(syncFrom("a", "/a", ""))
		test.change(s)
		p := s.plan()
		if diff := cmp.Diff(test.want, said(p, "sync.a")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if test.detail == "" {
			continue
		}
		if got := changeOf(t, p, "sync.a", "KEY").Detail; got != test.detail {
			t.Errorf("%s: detail %q, want %q", name, got, test.detail)
		}
	}
}

// twin gives a secret a name that differs from that of its variable by case only.
func twin(s *scene) *scene {
	s.secret("/a", "KEY", "1").owned("", "Key", "sync.a", "1").entries[""]["Key"].Source.ID = "/a/KEY"
	return s
}

// TestFindings: what a verdict brings along, with the place to look at.
func TestFindings(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", "Staging")).secret("/a", "OPEN", "1").secret("/a", "GUARDED", "2").secret("/b", "B", "3")
	s.doubts["Staging"] = []providers.Doubt{{Kind: providers.DoubtIncomplete, Detail: "Not all of acme/web (Staging) was seen."}}
	s.live[""] = []providers.Variable{{UUID: "{OPEN}", Key: "OPEN", Value: secret.New("1")}, {UUID: "{LOST}", Key: "LOST", Secured: true}}
	s.record("", "LOST", "sync.a", "x").UUID = ""
	s.entries[""]["LOST"].InDoubt = true
	glob := set("GUARD*")
	glob.Range.Start.Line = 7
	s.syncs[0].Options.Protect = []config.Located[string]{glob}
	p := s.plan()
	type brief struct {
		Kind     verdict.FindingKind
		Severity plan.Severity
		Key      string
		Line     int
	}
	var got []brief
	for _, f := range p.Findings {
		got = append(got, brief{f.Kind, f.Severity, f.Key, f.Range.Start.Line})
		if (f.Address == "sync.b") != (f.Kind == verdict.FindDoubt) || !strings.Contains(f.Detail, "acme/web") {
			t.Errorf("finding %+v", f)
		}
	}
	want := []brief{
		{verdict.FindProtectedMissing, plan.Warning, "GUARDED", 7},
		{verdict.FindUnconfirmed, plan.Warning, "LOST", 1},
		{verdict.FindNotSecured, plan.Security, "OPEN", 1},
		{verdict.FindDoubt, plan.Warning, "", 1}, // of sync.b: findings are sorted by sync and key
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"LOST keep unconfirmed", "OPEN update not_secured"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
}

// Two spellings of one environment are one destination: what one sync gives and
// the other gives too is refused, and named by the environment's real name.
func TestTwoSpellings(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "Staging"), syncFrom("b", "/b", "{Staging}")).secret("/a", "KEY", "1").secret("/b", "KEY", "2").secret("/b", "B", "3")
	s.variable("Staging", "MANUAL")
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs})
	obs := s.observe(g)
	for _, read := range obs.Destinations {
		read.Ref.Environment, read.EnvironmentUUID, read.ID = "Staging", "{Staging}", idOf("Staging")
		read.Listing.Variables = s.live["Staging"]
	}
	p := Diff(g, obs, &ledger.State{Key: testKey}, sceneNow)
	if sum := p.Summary(); sum.Blocked != 1 || sum.Create != 1 || sum.Unmanaged != 1 {
		t.Errorf("summary %+v", sum)
	}
	for _, sync := range p.Syncs {
		if sync.Destination.Environment != "Staging" || sync.Unmanaged != 1 {
			t.Errorf("%s: %s, unmanaged %d", sync.Address, sync.Destination, sync.Unmanaged)
		}
	}
}

// Another secret behind a key that is there is told, with the one before, and is part
// of what a reviewer decides; a rotation, or a secret made again, is not.
func TestAnotherSecretBehindAKey(t *testing.T) {
	t.Parallel()
	digests := map[string]string{}
	for name, change := range map[string]func(*scene){
		"a rotation": func(*scene) {},
		"made again": func(s *scene) { s.folders["/a"].Listing.Secrets[0].ID = "other" },
		"another name": func(s *scene) {
			s.syncs[0].Sources[0].Rename = map[string]config.Located[string]{"OTHER": set("KEY")}
			s.syncs[0].Sources[0].Exclude = []config.Located[string]{set("KEY")}
		},
		"another folder": func(s *scene) { s.entries[""]["KEY"].Source.Path = "/before" },
		"another KMS":    func(s *scene) { s.entries[""]["KEY"].Source.KMS = "l" },
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "new").secret("/a", "OTHER", "evil").owned("", "KEY", "sync.a", "old").owned("", "OTHER", "sync.a", "evil")
		change(s)
		p := s.plan()
		c := changeOf(t, p, "sync.a", "KEY")
		want := map[string]string{"another name": "KEY of dev:/a", "another folder": "KEY of dev:/before", "another KMS": "KEY of dev:/a (kms.l)"}[name]
		detail := ""
		if want != "" {
			detail = "it was " + want + " before"
		}
		if c.Action != verdict.Update || c.Replaces != want || c.Detail != detail || (want != "") != (c.OldVersion == 0) {
			t.Errorf("%s: %+v", name, c)
		}
		digests[name] = p.Digest
	}
	if digests["a rotation"] != digests["made again"] {
		t.Error("a secret made again changes the digest")
	}
	for _, name := range []string{"another folder", "another KMS", "another name"} {
		if digests[name] == digests["a rotation"] {
			t.Errorf("%s: the digest does not see it", name)
		}
	}
}

// A repository that is not there is named with one of a near name that was read.
func TestDidYouMeanTheRepository(t *testing.T) {
	t.Parallel()
	wrong := syncFrom("b", "/a", "")
	wrong.Destination.Repository = set("wbe")
	s := newScene(syncFrom("a", "/a", ""), wrong).secret("/a", "KEY", "1")
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs})
	obs := s.observe(g)
	for ref, read := range obs.Destinations {
		if ref.Repository == "wbe" {
			*read = observe.DestinationRead{Ref: ref, Err: &providers.Error{Op: "read repository", Kind: providers.KindNotFound, Status: 404, Hint: "deleted, renamed, or this token lost access"}}
		}
	}
	for _, sync := range Diff(g, obs, s.state(), sceneNow).Syncs {
		if sync.Address == "sync.b" && !strings.Contains(sync.Failure.Detail, `acme/wbe not found: deleted, renamed, or this token lost access (read repository: HTTP 404). Did you mean "web"? Check`) {
			t.Errorf("got %+v", sync.Failure)
		}
	}
}
