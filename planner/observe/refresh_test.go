package observe_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

// begin is when the services of these tests read at first.
var begin = newServices().at

// TestRefresh reads again what was read before a time, and nothing else.
func TestRefresh(t *testing.T) {
	t.Parallel()
	two := []*config.Sync{newSync("a", "/app", "web"), newSync("b", "/b", "web/Staging")}
	shared := []*config.Sync{newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging"), newSync("c", "/c", "web")}
	spelled := []*config.Sync{newSync("a", "/app", "web/Staging"), newSync("b", "/app", "web/"+stagingUUID)}
	off := newSync("z", "/z", "web")
	off.Enabled = set(false)
	staging := webUUID + "/" + stagingUUID
	for name, test := range map[string]struct {
		syncs  []*config.Sync
		id     string
		before time.Time
		want   []string
	}{
		"young enough":             {two, webUUID, begin, nil},
		"older":                    {two, webUUID, begin.Add(1), []string{"list dev:/app", "variables acme/web"}},
		"the other one":            {two, staging, begin.Add(1), []string{"list dev:/b", "variables acme/web/{staging}"}},
		"all folders that feed":    {shared, webUUID, begin.Add(1), []string{"list dev:/app", "list dev:/c", "variables acme/web"}},
		"one place, spelled twice": {spelled, staging, begin.Add(1), []string{"list dev:/app", "variables acme/web/{staging}"}},
		"a disabled sync":          {[]*config.Sync{two[0], off}, webUUID, begin.Add(1), []string{"list dev:/app", "variables acme/web"}},
		"not a destination":        {two, "{other}", begin.Add(1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServices()
			g, o := graphOf(test.syncs...), s.observer(8)
			r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
			s.made()
			s.at = begin.Add(time.Minute)
			if stale := stale(r, test.id, test.before); stale != (test.want != nil) {
				t.Errorf("stale: %v", stale)
			}
			view := r.Refresh(t.Context(), test.id, test.before.Add(observe.MaxAgeOfEvidence))
			if diff := cmp.Diff(test.want, s.made()); diff != "" {
				t.Error(diff)
			}
			for _, read := range view.Destinations {
				if again := read.ID == test.id && test.want != nil; read.Listing.ReadAt.Equal(s.at) != again {
					t.Errorf("%s was read at %v", read.Ref, read.Listing.ReadAt)
				}
			}
			if stale(r, test.id, test.before) {
				t.Error("still stale")
			}
			if r.Refresh(t.Context(), test.id, test.before.Add(observe.MaxAgeOfEvidence)); len(s.made()) > 0 {
				t.Error("read once more, although it is young now")
			}
		})
	}
}

// Only the old parts are read again: of a folder and a destination, the one that
// another refresh has not read since.
func TestOnlyOldParts(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging")), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.at = begin.Add(time.Minute)
	r.Refresh(t.Context(), webUUID, begin.Add(time.Second).Add(observe.MaxAgeOfEvidence))
	s.made()
	if !stale(r, webUUID+"/"+stagingUUID, begin.Add(time.Second)) {
		t.Error("the listing of Staging is not called stale")
	}
	view := r.Refresh(t.Context(), webUUID+"/"+stagingUUID, begin.Add(time.Second).Add(observe.MaxAgeOfEvidence))
	if diff := cmp.Diff([]string{"variables acme/web/{staging}"}, s.made()); diff != "" {
		t.Error(diff)
	}
	if got := view.Folders[app].Listing.ReadAt; !got.Equal(s.at) {
		t.Errorf("the folder was read at %v", got)
	}
}

// A folder alone may have grown old.
func TestAStaleFolder(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web")), s.observer(8)
	obs := o.Observe(t.Context(), g, nothing())
	obs.Destinations[ref("web", "")].Listing.ReadAt = begin.Add(time.Hour)
	r := observe.NewRefresher(o, g, nothing(), obs)
	s.made()
	if !stale(r, webUUID, begin.Add(1)) {
		t.Error("not stale")
	}
	if r.Refresh(t.Context(), webUUID, begin.Add(1).Add(observe.MaxAgeOfEvidence)); !slices.Equal(s.made(), []string{"list dev:/app"}) {
		t.Error("more than the folder was read again, or less")
	}
}

// Many destinations that are refreshed at a time read their folder once.
func TestRefreshTogether(t *testing.T) {
	t.Parallel()
	s := newServices()
	g := graphOf(newSync("a", "/app", "web"), newSync("b", "/app", "web/Staging"), newSync("c", "/app", "web/Production"))
	o := s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	s.at = begin.Add(time.Minute)
	s.during = func(string) { time.Sleep(20 * time.Millisecond) } // so that they meet
	var work sync.WaitGroup
	for _, id := range []string{webUUID, webUUID + "/" + stagingUUID, webUUID + "/" + productionUUID} {
		work.Go(func() {
			view := r.Refresh(context.Background(), id, begin.Add(time.Second).Add(observe.MaxAgeOfEvidence))
			if got := view.Folders[app].Listing.ReadAt; !got.Equal(s.at) {
				t.Errorf("%s sees the folder as of %v", id, got)
			}
		})
	}
	work.Wait()
	want := []string{"list dev:/app", "variables acme/web", "variables acme/web/{production}", "variables acme/web/{staging}"}
	if diff := cmp.Diff(want, s.made()); diff != "" {
		t.Error(diff)
	}
}

// What a refresh could not read is an error of the view; what was not read at
// first is not tried again, since the plan has called it an error already.
func TestRefreshFails(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.errs["list dev:/b"] = &providers.Error{Kind: providers.KindForbidden, Status: 403}
	g, o := graphOf(newSync("a", "/app", "web"), newSync("b", "/b", "web")), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	s.errs["variables acme/web"] = &providers.Error{Kind: providers.KindUnavailable, Status: 503}
	s.errs["list dev:/app"] = &providers.Error{Kind: providers.KindNotFound, Status: 404}
	view := r.Refresh(t.Context(), webUUID, begin.Add(1).Add(observe.MaxAgeOfEvidence))
	if diff := cmp.Diff([]string{"list dev:/app", "variables acme/web"}, s.made()); diff != "" {
		t.Error(diff)
	}
	read := view.Destinations[ref("web", "")]
	if providers.KindOf(read.Err) != providers.KindUnavailable || read.ID != webUUID || providers.KindOf(view.Folders[app].Err) != providers.KindNotFound {
		t.Errorf("destination %+v, folder %v", read, view.Folders[app].Err)
	}
	if stale(r, webUUID, begin.Add(time.Hour)) {
		t.Error("what failed is called stale")
	}
	if r.Refresh(t.Context(), webUUID, begin.Add(time.Hour).Add(observe.MaxAgeOfEvidence)); len(s.made()) > 0 {
		t.Error("what failed was read again")
	}
}

// A refresh in a run that ends is cancelled, without a request.
func TestRefreshCancelled(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web")), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	view := r.Refresh(ctx, webUUID, begin.Add(1).Add(observe.MaxAgeOfEvidence))
	if kind := providers.KindOf(view.Destinations[ref("web", "")].Err); kind != providers.KindCanceled {
		t.Errorf("destination: %v", kind)
	}
	if kind := providers.KindOf(view.Folders[app].Err); kind != providers.KindCanceled {
		t.Errorf("folder: %v", kind)
	}
	if _, err := r.Variables(ctx, ref("web", "")); providers.KindOf(err) != providers.KindCanceled {
		t.Errorf("listing: %v", err)
	}
	if calls := s.made(); len(calls) > 0 {
		t.Errorf("calls %q", calls)
	}
}

// An empty list is doubted after a refresh as it is at first.
func TestRefreshDoubtsAnEmptyListing(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web")), s.observer(8)
	state := remembers(webUUID, "", "{v1}")
	obs := o.Observe(t.Context(), g, state)
	if doubts := obs.Destinations[ref("web", "")].Listing.Doubts; len(doubts) > 0 {
		t.Fatalf("doubts %v", doubts)
	}
	r := observe.NewRefresher(o, g, state, obs)
	s.live["acme/web"] = nil
	doubts := r.Refresh(t.Context(), webUUID, begin.Add(1).Add(observe.MaxAgeOfEvidence)).Destinations[ref("web", "")].Listing.Doubts
	if len(doubts) != 1 || doubts[0].Kind != providers.DoubtEmpty {
		t.Errorf("doubts %v", doubts)
	}
}

// A view stays as it is while others read on.
func TestAViewIsASnapshot(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web")), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	view := r.Refresh(t.Context(), webUUID, begin)
	s.at = begin.Add(time.Minute)
	r.Refresh(t.Context(), webUUID, begin.Add(1).Add(observe.MaxAgeOfEvidence))
	if got := view.Destinations[ref("web", "")].Listing.ReadAt; !got.Equal(begin) {
		t.Errorf("the earlier view changed: %v", got)
	}
}

// Variables lists whatever the age.
func TestVariables(t *testing.T) {
	t.Parallel()
	s := newServices()
	g, o := graphOf(newSync("a", "/app", "web/Staging")), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	listing, err := r.Variables(t.Context(), ref("web", "Staging"))
	if err != nil || len(listing.Variables) != 1 || listing.Variables[0].UUID != "{v2}" {
		t.Errorf("got %+v, %v", listing, err)
	}
	if diff := cmp.Diff([]string{"variables acme/web/{staging}"}, s.made()); diff != "" {
		t.Error(diff)
	}
	if id := r.Identity(ref("web", "Staging")); id != webUUID+"/"+stagingUUID {
		t.Errorf("identity %s", id)
	}
	if id := r.Identity(ref("unknown", "")); id != "" {
		t.Errorf("an unknown destination has the identity %s", id)
	}
}

// The graph names each folder and destination once, sorted, and nothing of a
// disabled sync.
func TestGraph(t *testing.T) {
	t.Parallel()
	off := newSync("off", "/off", "off")
	off.Enabled = set(false)
	g := graphOf(newSync("a", "/b", "web/Staging"), newSync("b", "/a", "web"), newSync("c", "/a", "api"), newSync("d", "/b", "web"), off)
	var names []string
	for _, f := range g.Folders {
		names = append(names, f.String())
	}
	for _, d := range g.Destinations {
		names = append(names, d.String())
	}
	if got, want := strings.Join(names, ", "), "dev:/a, dev:/b, acme/api, acme/web, acme/web (Staging)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(g.Nodes) != 5 || g.Nodes[4].Destination != ref("off", "") {
		t.Errorf("nodes %+v", g.Nodes)
	}
}

// stale reports whether what a destination rests on was read before a time.
func stale(r *observe.Refresher, id string, before time.Time) bool {
	at := r.ReadAt(id)
	return !at.IsZero() && at.Before(before)
}
