package planner

import (
	"errors"
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/providers"
)

// Two syncs that were found to overlap when their names were resolved: both fail,
// nothing of them is written or deleted, and the rest of the plan goes on.
func TestOverlapStopsBoth(t *testing.T) {
	t.Parallel()
	a, b, c := syncFrom("a", "/a", "Staging"), syncFrom("b", "/b", "Staging"), syncFrom("c", "/c", "Staging")
	s := newScene(a, b, c)
	s.secret("/a", "A", "1").secret("/b", "B", "1").secret("/c", "C", "1")
	s.owned("Staging", "GONE", "sync.a", "1")
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs})
	obs := s.observe(g)
	why := errors.New("they meet at KEY")
	obs.Overlaps = map[*config.Sync]error{a: why, b: why}
	p := Diff(g, obs, s.state(), sceneNow)
	for _, sync := range p.Syncs {
		failed := sync.Address != "sync.c"
		if (sync.Failure != nil) != failed || (sync.Status == plan.StatusError) != failed {
			t.Errorf("%s: %s, %v", sync.Address, sync.Status, sync.Failure)
		}
		if failed && (sync.Failure.Summary != "Syncs overlap" || sync.Failure.Detail != "they meet at KEY") {
			t.Errorf("%s: %+v", sync.Address, sync.Failure)
		}
		for _, change := range sync.Changes {
			if failed && change.Action.Writes() {
				t.Errorf("%s: %s of %s", sync.Address, change.Action, change.Key)
			}
		}
	}
	if got := said(p, "sync.c"); len(got) != 1 || got[0] != "C create missing" {
		t.Errorf("sync.c: %v", got)
	}
	if p.Complete {
		t.Error("the plan is complete")
	}
	if d := DiffDestination(g, obs, s.state(), idOf("Staging"), sceneNow); !errors.Is(d.Errs["sync.a"], why) || d.Errs["sync.c"] != nil {
		t.Errorf("errors %v", d.Errs)
	}
}

// A destination that is not there is named before the request that found out; other
// errors are shown as they are.
func TestDestinationNotFound(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"acme/web not found: deleted, renamed, or this token lost access (list variables: HTTP 404). Check the name, or leave the sync out with --exclude sync.a.": &providers.Error{
			Op: "list variables", Scope: "acme/web", Kind: providers.KindNotFound, Status: 404, Hint: "deleted, renamed, or this token lost access",
		},
		"list variables: no permission (HTTP 403)":                      &providers.Error{Op: "list variables", Kind: providers.KindForbidden, Status: 403},
		"find deployment environment: not found: the repository has QA": &providers.Error{Op: "find deployment environment", Kind: providers.KindNotFound, Hint: "the repository has QA"},
	} {
		s := newScene(syncFrom("a", "/a", "Staging"))
		s.broken["Staging"] = err
		if got := s.plan().Syncs[0].Failure; got == nil || got.Detail != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}
