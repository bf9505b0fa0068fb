package planner

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/providers"
)

// destroy plans to delete what the syncs own. Nothing of a source is there to be read.
func (s *scene) destroy(t *testing.T, target, exclude string) *plan.Plan {
	t.Helper()
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs, Removed: s.config.Removed})
	if target != "" || exclude != "" {
		g = g.Select(chosen(t, s.syncs, target, exclude).Selection)
	}
	g = g.Allow(s.allowed).Destroy().Leavings(s.state())
	if len(g.Folders)+len(g.Trees) > 0 {
		t.Fatalf("destroy would read %v and %v", g.Folders, g.Trees)
	}
	s.folders = nil
	obs := s.observe(g)
	return Diff(g, obs, s.state(), sceneNow)
}

// TestDestroy: what goes, what stays, and by which rule.
func TestDestroy(t *testing.T) {
	t.Parallel()
	two := func() *scene {
		s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", "")).secret("/a", "A", "1").secret("/b", "B", "1")
		return s.owned("", "A", "sync.a", "1").owned("", "B", "sync.b", "1").variable("", "HAND")
	}
	a, b := []string{"A delete destroyed"}, []string{"B delete destroyed"}
	for name, test := range map[string]struct {
		change          func(*scene)
		target, exclude string
		a, b            []string
	}{
		"all":         {func(*scene) {}, "", "", a, b},
		"one":         {func(*scene) {}, "sync.a", "", a, nil},
		"not one":     {func(*scene) {}, "", "sync.b", a, nil},
		"a key":       {func(*scene) {}, "sync.b/B", "", nil, b},
		"protected":   {func(s *scene) { s.syncs[0].Options.Protect = []config.Located[string]{set("?")} }, "", "", []string{"A keep protected"}, []string{"B keep protected"}},
		"kept":        {func(s *scene) { s.syncs[0].Options.DisableSecretDeletion = set(true) }, "", "", []string{"A keep deletion_disabled"}, b},
		"disabled":    {func(s *scene) { s.syncs[0].Enabled = set(false) }, "", "", nil, b},
		"by its name": {func(s *scene) { s.syncs[0].Enabled = set(false) }, "sync.a", "", a, nil},
		"by a glob":   {func(s *scene) { s.syncs[0].Enabled = set(false) }, "sync.*", "", nil, b},
		"released":    {func(s *scene) { s.entries[""]["A"].Released = true }, "", "", []string{"A keep released"}, b},
		"made again":  {func(s *scene) { s.entries[""]["A"].UUID = "{other}" }, "", "", []string{"A forget gone_outside"}, b},
		"theirs":      {func(s *scene) { s.entries[""]["A"].Owner.Config = "theirs" }, "", "", nil, b},
		"of one who left": {func(s *scene) {
			s.entries[""]["A"].Owner.Sync = "sync.gone"
			s.config.Removed = []*config.Removed{removedBlock("sync.gone", false, "")}
		}, "", "", nil, b},
		"overwriting": {func(s *scene) { s.syncs[0].Options.OverwriteDestination = set(true) }, "", "", a, b},
		"a doubt": {
			func(s *scene) { s.doubts[""] = []providers.Doubt{{Detail: "Pages are missing."}} },
			"", "",
			[]string{"A delete destroyed doubt"},
			[]string{"B delete destroyed doubt"},
		},
	} {
		s := two()
		test.change(s)
		p := s.destroy(t, test.target, test.exclude)
		if diff := cmp.Diff(test.a, said(p, "sync.a")); diff != "" {
			t.Errorf("%s, sync.a: %s", name, diff)
		}
		if diff := cmp.Diff(test.b, said(p, "sync.b")); diff != "" {
			t.Errorf("%s, sync.b: %s", name, diff)
		}
		if left := said(p, "sync.gone"); left != nil {
			t.Errorf("%s: a removed block takes part: %q", name, left)
		}
		if !p.Destroy {
			t.Errorf("%s: the plan does not say what it is", name)
		}
	}
}

// The guards hold a destroy too: all of a destination is more than a share of it.
func TestDestroyIsCounted(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", ""))
	for _, key := range []string{"A", "B", "C", "D", "E", "F"} {
		s.owned("", key, "sync.a", "1")
	}
	if sum := s.destroy(t, "", "").Summary(); sum.Delete != 0 || sum.Blocked != 6 {
		t.Errorf("without a number: %+v", sum)
	}
	// What was released, or is another configuration's, is no part of what is owned.
	s.owned("", "G", "sync.a", "1").owned("", "H", "sync.a", "1")
	s.entries[""]["G"].Released, s.entries[""]["H"].Owner.Config = true, "theirs"
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs}).Destroy()
	if d := DiffDestination(g, s.observe(g), s.state(), repositoryUUID, sceneNow); d.Claimed != 6 {
		t.Errorf("claimed %d", d.Claimed)
	}
	six := 6
	s.allowed = &six
	if sum := s.destroy(t, "", "").Summary(); sum.Delete != 6 || sum.Blocked != 0 {
		t.Errorf("with it: %+v", sum)
	}
}

// An older copy of the ledger that nobody has accepted stops every delete and no write,
// also in later runs, when its records were set aside.
func TestAnUnacceptedLedger(t *testing.T) {
	t.Parallel()
	for unaccepted, want := range map[bool]string{true: "GONE delete gone_from_source doubt", false: "GONE delete gone_from_source"} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "NEW", "1").owned("", "GONE", "sync.a", "1")
		s.unaccepted = unaccepted
		p := s.plan()
		if diff := cmp.Diff([]string{want, "NEW create missing"}, said(p, "sync.a")); diff != "" || p.Complete == unaccepted {
			t.Errorf("unaccepted %v: complete %v %s", unaccepted, p.Complete, diff)
		}
	}
}
