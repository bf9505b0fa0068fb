package observe_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/providers"
)

// Two names that lead to one repository UUID: neither is what it is taken for with
// certainty, so both are refused, and the others are read.
func TestTwoNamesOfOneRepository(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.uuids = map[string]string{"third": "{third}"}
	s.live["acme/third"] = []providers.Variable{{UUID: "{v9}", Key: "A", Secured: true}}
	g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "renamed/Production"), newSync("c", "/app", "third"))
	// One of them is known by its variable, without a request.
	obs := s.observer(8).Observe(t.Context(), g, remembers(webUUID, "", "{v1}"))
	for _, r := range g.Destinations {
		err := obs.Destinations[r].Err
		if r.Repository == "third" {
			if err != nil {
				t.Errorf("%s: %v", r, err)
			}
			continue
		}
		if providers.KindOf(err) != providers.KindAmbiguous || providers.InDoubt(err) || !strings.Contains(err.Error(), "acme/renamed and acme/web") {
			t.Errorf("%s: %v, want a conflict that names both", r, err)
		}
	}
}

// Names that differ by case only, and environments of one repository, are no two names.
func TestOneRepositorySpelledTwice(t *testing.T) {
	t.Parallel()
	s := newServices()
	g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "Web/Staging"), newSync("c", "/app", "web/Production"))
	for r, read := range s.observer(8).Observe(t.Context(), g, nothing()).Destinations {
		if read.Err != nil {
			t.Errorf("%s: %v", r, read.Err)
		}
	}
}

// The first folder of a KMS brings the login along. Until it is read the others wait
// outside of the limits: they take no place that Bitbucket could use.
func TestFoldersWaitForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServices()
		begun := time.Now()
		at := map[time.Duration][]string{}
		s.during = func(call string) {
			s.mu.Lock()
			kind, _, _ := strings.Cut(call, " ")
			at[time.Since(begun)] = append(at[time.Since(begun)], kind)
			s.mu.Unlock()
			if kind == "list" {
				time.Sleep(10 * time.Second)
			}
		}
		var syncs []*config.Sync
		for _, label := range []string{"a", "b", "c", "d"} {
			syncs = append(syncs, newSync(label, "/"+label, "web"))
		}
		s.observer(3).Observe(t.Context(), graphOf(syncs...), nothing())
		for when, calls := range at {
			slices.Sort(calls)
			want := map[time.Duration]string{0: "list repository variables", 10 * time.Second: "list list list"}[when]
			if got := strings.Join(calls, " "); got != want {
				t.Errorf("after %v: %s, want %q", when, got, want)
			}
		}
		if len(at) != 2 {
			t.Errorf("calls at %v", at)
		}
	})
}

// What a sync left in a repository that has another name now is read by that name,
// where a sync writes it; the old name need not be there.
func TestLeavingsOfARenamedRepository(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.errs["repository acme/web"] = &providers.Error{Op: "read repository", Kind: providers.KindNotFound, Status: 404}
	s.errs["variables acme/web"] = s.errs["repository acme/web"]
	state := remembers(webUUID, "", "{v1}")
	state.Destinations[webUUID].Entries["A"].Owner.Sync = "sync.gone"
	cfg := &config.Config{
		Syncs:   []*config.Sync{newSync("b", "/app", "renamed")},
		Removed: []*config.Removed{{From: set("sync.gone"), Keep: set(true), Connection: "b"}},
	}
	g := graph.New(cfg).Leavings(state)
	obs := s.observer(8).Observe(t.Context(), g, state)
	for r, read := range obs.Destinations {
		if read.Err != nil || read.ID != webUUID || read.Ref.Repository != "renamed" {
			t.Errorf("%s: %+v", r, read)
		}
	}
	if len(obs.Destinations) != 2 {
		t.Errorf("%d destinations", len(obs.Destinations))
	}
}
