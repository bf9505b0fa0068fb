package observe_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// TestRequests counts what a configuration and a ledger lead to: design §10.
func TestRequests(t *testing.T) {
	t.Parallel()
	off := newSync("off", "/off", "web/Nowhere")
	off.Enabled = set(false)
	for name, test := range map[string]struct {
		syncs []*config.Sync
		state *ledger.State
		want  []string
	}{
		"nothing":         {nil, nothing(), nil},
		"a disabled sync": {[]*config.Sync{off}, nothing(), nil},
		"one sync, no ledger": {
			[]*config.Sync{newSync("a", "/app", "web")},
			nothing(),
			[]string{"list dev:/app", "repository acme/web", "variables acme/web"},
		},
		"a recorded variable is live": {
			[]*config.Sync{newSync("a", "/app", "web")},
			remembers(webUUID, "", "{v1}"),
			[]string{"list dev:/app", "variables acme/web"},
		},
		"no recorded variable is live": {
			[]*config.Sync{newSync("a", "/app", "web")},
			remembers(webUUID, "", "{gone}"),
			[]string{"list dev:/app", "repository acme/web", "variables acme/web"},
		},
		"a create in doubt proves nothing": {
			[]*config.Sync{newSync("a", "/app", "web")},
			remembers(webUUID, "", ""),
			[]string{"list dev:/app", "repository acme/web", "variables acme/web"},
		},
		"two syncs, one folder, one destination": {
			[]*config.Sync{newSync("a", "/app", "web"), newSync("b", "/app", "web")},
			nothing(),
			[]string{"list dev:/app", "repository acme/web", "variables acme/web"},
		},
		"two folders": {
			[]*config.Sync{newSync("a", "/app", "web"), newSync("b", "/b", "web")},
			remembers(webUUID, "", "{v1}"),
			[]string{"list dev:/app", "list dev:/b", "variables acme/web"},
		},
		"environments are listed once": {
			[]*config.Sync{newSync("a", "/app", "web/Staging"), newSync("b", "/app", "web/Production"), newSync("c", "/app", "web")},
			nothing(),
			[]string{
				"environments acme/web", "list dev:/app", "repository acme/web",
				"variables acme/web", "variables acme/web/{production}", "variables acme/web/{staging}",
			},
		},
		"two spellings of one environment": {
			[]*config.Sync{newSync("a", "/app", "web/Staging"), newSync("b", "/app", "web/"+stagingUUID)},
			nothing(),
			[]string{"environments acme/web", "list dev:/app", "repository acme/web", "variables acme/web/{staging}"},
		},
		"an environment proves the repository": {
			[]*config.Sync{newSync("a", "/app", "web/Staging"), newSync("b", "/app", "web")},
			remembers(webUUID, stagingUUID, "{v2}"),
			[]string{"environments acme/web", "list dev:/app", "variables acme/web", "variables acme/web/{staging}"},
		},
		"a variable proves nothing in another environment": {
			[]*config.Sync{newSync("a", "/app", "web/Production")},
			remembers(webUUID, stagingUUID, "{v3}"),
			[]string{"environments acme/web", "list dev:/app", "repository acme/web", "variables acme/web/{production}"},
		},
		"two repositories": {
			[]*config.Sync{newSync("a", "/app", "web"), newSync("b", "/app", "renamed")},
			remembers(webUUID, "", "{v1}"),
			[]string{"list dev:/app", "repository acme/renamed", "variables acme/renamed", "variables acme/web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServices()
			s.uuids = map[string]string{"renamed": "{renamed}"}
			obs := s.observer(8).Observe(t.Context(), graphOf(test.syncs...), test.state)
			if diff := cmp.Diff(test.want, s.made()); diff != "" {
				t.Error(diff)
			}
			for _, read := range obs.Destinations {
				if uuid := map[string]string{"web": webUUID, "renamed": "{renamed}"}[read.Ref.Repository]; read.Err != nil || read.RepositoryUUID != uuid {
					t.Errorf("%s: UUID %q, error %v", read.Ref, read.RepositoryUUID, read.Err)
				}
			}
		})
	}
}

// TestIdentity says which destination a name leads to.
func TestIdentity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		destination string
		state       *ledger.State
		id          string
		named       string // the environment's real name
	}{
		"repository":              {"web", nothing(), webUUID, ""},
		"environment by name":     {"web/Staging", nothing(), webUUID + "/" + stagingUUID, "Staging"},
		"environment by UUID":     {"web/" + stagingUUID, nothing(), webUUID + "/" + stagingUUID, "Staging"},
		"proven by a variable":    {"web", remembers("{from the ledger}", "", "{v1}"), "{from the ledger}", ""},
		"asked for, and the same": {"web", remembers(webUUID, "", "{gone}"), webUUID, ""},
		"renamed":                 {"renamed", remembers(webUUID, "", "{v1}"), webUUID, ""},
		"renamed, environment":    {"renamed/Production", remembers(webUUID, productionUUID, "{v3}"), webUUID + "/" + productionUUID, "Production"},
	} {
		s := newServices()
		g := graphOf(newSync("a", "/app", test.destination))
		read := s.observer(8).Observe(t.Context(), g, test.state).Destinations[g.Destinations[0]]
		if read.Err != nil || read.ID != test.id || read.Ref.Environment != test.named {
			t.Errorf("%s: id %q, environment %q, error %v; want %q and %q", name, read.ID, read.Ref.Environment, read.Err, test.id, test.named)
		}
		_, environmentUUID, _ := strings.Cut(test.id, "/")
		if read.EnvironmentUUID != environmentUUID || read.Scope.Environment != environmentUUID {
			t.Errorf("%s: environment %q, scope %+v; want %q", name, read.EnvironmentUUID, read.Scope, environmentUUID)
		}
		if len(read.Listing.Variables) != 1 || len(read.Listing.Doubts) != 0 {
			t.Errorf("%s: listing %+v", name, read.Listing)
		}
	}
}

// A repository of a known name with another UUID was deleted and made again: it
// is refused, with both.
func TestAnotherRepositoryOfTheSameName(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.uuid = "{made-again}"
	g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging"))
	obs := s.observer(8).Observe(t.Context(), g, remembers(webUUID, "", "{gone}"))
	for _, read := range obs.Destinations {
		if providers.KindOf(read.Err) != providers.KindAmbiguous {
			t.Fatalf("%s: %v, want a conflict", read.Ref, read.Err)
		}
		for _, name := range []string{webUUID, "{made-again}", "kmsync ledger rm acme/web"} {
			if !strings.Contains(read.Err.Error(), name) {
				t.Errorf("the error does not name %s: %v", name, read.Err)
			}
		}
		if read.ID != "" {
			t.Errorf("a refused repository has the id %s", read.ID)
		}
	}
}

// An environment of a known name with another UUID is refused alone, with both; one
// that was renamed is the same.
func TestAnotherEnvironmentOfTheSameName(t *testing.T) {
	t.Parallel()
	state := remembers(webUUID, stagingUUID, "{v2}")
	state.Destinations[webUUID+"/"+stagingUUID].Environment = "Staging"
	g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging"))
	for _, now := range []string{stagingUUID, "{made-again}"} {
		s := newServices()
		s.environments[1].UUID = now
		obs := s.observer(8).Observe(t.Context(), g, state)
		if read := obs.Destinations[ref("web", "")]; read.Err != nil || read.ID != webUUID {
			t.Errorf("the repository itself: %+v", read)
		}
		read := obs.Destinations[ref("web", "Staging")]
		if now == stagingUUID {
			if read.Err != nil {
				t.Errorf("the same: %v", read.Err)
			}
			continue
		}
		if providers.KindOf(read.Err) != providers.KindAmbiguous || read.ID != "" {
			t.Fatalf("got %+v, want a conflict", read)
		}
		for _, part := range []string{stagingUUID, "{made-again}", "kmsync ledger rm acme/web/Staging"} {
			if !strings.Contains(read.Err.Error(), part) {
				t.Errorf("the error does not name %s: %v", part, read.Err)
			}
		}
	}
	s := newServices()
	s.environments[1].Name, s.environments[1].Slug = "Test", "test"
	read := s.observer(8).Observe(t.Context(), graphOf(newSync("b", "/app", "web/Test")), state).Destinations[ref("web", "Test")]
	if read.Err != nil || read.ID != webUUID+"/"+stagingUUID {
		t.Errorf("renamed: %+v", read)
	}
}

// TestUnknownEnvironment: the error lists the names that exist; other
// destinations of the repository are read.
func TestUnknownEnvironment(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"stag", "Stagin", "{nowhere}"} {
		s := newServices()
		g := graphOf(newSync("a", "/app", "web/"+written), newSync("b", "/app", "web"))
		obs := s.observer(8).Observe(t.Context(), g, nothing())
		err := obs.Destinations[ref("web", written)].Err
		if providers.KindOf(err) != providers.KindNotFound || !strings.Contains(err.Error(), "Production, Staging") || !strings.Contains(err.Error(), written) {
			t.Errorf("%s: got %v", written, err)
		}
		if read := obs.Destinations[ref("web", "")]; read.Err != nil || read.ID != webUUID {
			t.Errorf("%s: the repository itself: %+v", written, read)
		}
	}
	s := newServices()
	s.environments = nil
	g := graphOf(newSync("a", "/app", "web/Staging"))
	err := s.observer(8).Observe(t.Context(), g, nothing()).Destinations[ref("web", "Staging")].Err
	if err == nil || !strings.Contains(err.Error(), "has no deployment environment") {
		t.Errorf("got %v", err)
	}
}

// A failed read is part of the observation, and stops what it concerns only.
func TestFailedReads(t *testing.T) {
	t.Parallel()
	denied := &providers.Error{Op: "read", Kind: providers.KindForbidden, Status: 403}
	for call, failed := range map[string][]string{
		"list dev:/app":                nil,
		"variables acme/web":           {"acme/web"},
		"variables acme/web/{staging}": {"acme/web (Staging)"},
		"environments acme/web":        {"acme/web (Staging)"},
		"repository acme/web":          {"acme/web", "acme/web (Staging)"},
	} {
		s := newServices()
		s.uuids = map[string]string{"renamed": "{renamed}"}
		s.errs[call] = denied
		g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging"), newSync("c", "/c", "renamed"))
		obs := s.observer(8).Observe(t.Context(), g, nothing())
		got := map[string]bool{}
		for _, read := range obs.Destinations {
			if read.Err != nil {
				got[read.Ref.String()] = true
			}
			if read.Err != nil && providers.KindOf(read.Err) != providers.KindForbidden {
				t.Errorf("%s: %s has %v", call, read.Ref, read.Err)
			}
		}
		want := map[string]bool{}
		for _, name := range failed {
			want[name] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: failed %v, want %v", call, got, want)
		}
		if err := obs.Folders[app].Err; (err != nil) != (call == "list dev:/app") {
			t.Errorf("%s: folder %v", call, err)
		}
		if err := obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: "/c"}].Err; err != nil {
			t.Errorf("%s: another folder %v", call, err)
		}
	}
}

// Nothing of a repository can be listed: then it is not asked who it is.
func TestAnUnreadableRepositoryIsNotIdentified(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.errs["variables acme/web"] = &providers.Error{Kind: providers.KindNotFound, Status: 404}
	s.observer(8).Observe(t.Context(), graphOf(newSync("a", "/app", "web")), remembers(webUUID, "", "{v1}"))
	if diff := cmp.Diff([]string{"list dev:/app", "variables acme/web"}, s.made()); diff != "" {
		t.Error(diff)
	}
}

// TestEmptyListing: an empty list where the ledger knows variables is doubted.
func TestEmptyListing(t *testing.T) {
	t.Parallel()
	inDoubt := remembers(webUUID, "", "")
	for name, test := range map[string]struct {
		state *ledger.State
		live  []providers.Variable
		want  bool
	}{
		"known, and empty":          {remembers(webUUID, "", "{gone}"), nil, true},
		"known, and not empty":      {remembers(webUUID, "", "{gone}"), []providers.Variable{{UUID: "{x}", Key: "X"}}, false},
		"nothing known":             {nothing(), nil, false},
		"known in another place":    {remembers(webUUID, stagingUUID, "{gone}"), nil, false},
		"only a create in doubt":    {inDoubt, nil, false},
		"known, and what was there": {remembers(webUUID, "", "{v1}"), []providers.Variable{{UUID: "{v1}", Key: "A"}}, false},
	} {
		s := newServices()
		s.live["acme/web"] = test.live
		read := s.observer(8).Observe(t.Context(), graphOf(newSync("a", "/app", "web")), test.state).Destinations[ref("web", "")]
		doubted := len(read.Listing.Doubts) == 1 && read.Listing.Doubts[0].Kind == providers.DoubtEmpty
		if read.Err != nil || doubted != test.want || (!test.want && len(read.Listing.Doubts) > 0) {
			t.Errorf("%s: error %v, doubts %+v", name, read.Err, read.Listing.Doubts)
		}
		if test.want && (!strings.Contains(read.Listing.Doubts[0].Detail, "acme/web") || !strings.Contains(read.Listing.Doubts[0].Detail, "knows 1")) {
			t.Errorf("%s: %q does not say what and how many", name, read.Listing.Doubts[0].Detail)
		}
	}
}

// A run that ends leaves cancelled reads, sends nothing more and does not panic.
func TestCancelled(t *testing.T) {
	t.Parallel()
	syncs := []*config.Sync{newSync("a", "/app", "web"), newSync("b", "/b", "web/Staging"), newSync("c", "/c", "renamed")}
	for _, at := range []string{"", "list dev:/app", "environments acme/web", "variables acme/web", "variables acme/web/{staging}", "repository acme/renamed"} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newServices()
		s.during = func(call string) {
			if call == at {
				cancel()
			}
		}
		if at == "" {
			cancel()
		}
		obs := s.observer(1).Observe(ctx, graphOf(syncs...), remembers(webUUID, "", "{gone}"))
		cancel()
		calls := s.made()
		ended, all := 0, len(obs.Folders)+len(obs.Destinations)
		// A read that has no error was really made.
		check := func(err error, call string) {
			switch {
			case err == nil && !slices.Contains(calls, call):
				t.Errorf("cancelled at %q: %q was never made, and has no error", at, call)
			case err != nil && providers.KindOf(err) != providers.KindCanceled:
				t.Errorf("cancelled at %q: %v", at, err)
			case err != nil:
				ended++
			}
		}
		for ref, read := range obs.Folders {
			check(read.Err, "list "+ref.String())
		}
		for _, read := range obs.Destinations {
			call := "variables acme/" + read.Ref.Repository
			if read.Ref.Environment != "" {
				call += "/" + stagingUUID
			}
			check(read.Err, call)
		}
		if ended == 0 || (at == "" && (ended != all || len(calls) > 0)) {
			t.Errorf("cancelled at %q: %d of %d reads ended, calls %q", at, ended, all, calls)
		}
	}
}

// A listing that was never sent is no empty listing, even where the repository was
// identified before the run ended.
func TestCancelledBeforeTheListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newServices()
		s.during = func(call string) {
			if call == "environments acme/web" {
				time.Sleep(time.Second) // the GET of the repository is done by then
				cancel()
			}
		}
		obs := s.observer(8).Observe(ctx, graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging")), nothing())
		for _, read := range obs.Destinations {
			if providers.KindOf(read.Err) != providers.KindCanceled {
				t.Errorf("%s: %v, variables %v", read.Ref, read.Err, read.Listing.Variables)
			}
		}
		if calls := s.made(); slices.Contains(calls, "variables acme/web") || !slices.Contains(calls, "repository acme/web") {
			t.Errorf("calls %q", calls)
		}
	})
}

// TestParallelReads: as many requests at a time as allowed, in all and to one
// repository, and no more.
func TestParallelReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ parallelism, repositories, environments, all, one int }{
		{8, 1, 9, 4, 4}, {8, 5, 3, 8, 4}, {2, 5, 3, 2, 2}, {0, 2, 2, 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServices()
			s.environments = nil
			var syncs []*config.Sync
			for e := range test.environments {
				name := fmt.Sprintf("e%d", e)
				s.environments = append(s.environments, providers.Environment{UUID: "{" + name + "}", Name: name})
				for r := range test.repositories {
					syncs = append(syncs, newSync(fmt.Sprintf("s%d%d", r, e), "/app", fmt.Sprintf("r%d/%s", r, name)))
				}
			}
			var mu sync.Mutex
			now, most := map[string]int{}, map[string]int{}
			count := func(by int, names ...string) {
				mu.Lock()
				defer mu.Unlock()
				for _, name := range names {
					now[name] += by
					most[name] = max(most[name], now[name])
				}
			}
			s.during = func(call string) {
				repository, _, _ := strings.Cut(strings.TrimPrefix(strings.Fields(call)[1], "acme/"), "/")
				count(1, "all", repository)
				time.Sleep(time.Second)
				count(-1, "all", repository)
			}
			s.observer(test.parallelism).Observe(t.Context(), graphOf(syncs...), nothing())
			one := 0
			for name, n := range most {
				if strings.HasPrefix(name, "r") {
					one = max(one, n)
				}
			}
			if most["all"] != test.all || one > test.one || (test.repositories == 1 && one != test.one) {
				t.Errorf("%+v: %d at a time, %d to one repository", test, most["all"], one)
			}
		})
	}
}
