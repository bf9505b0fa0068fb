package observe_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

// accounts are two accounts: what one reads, the other does not.
func accounts(first, second *services) *observe.Observer {
	o := first.observer(8)
	o.Sources["l"], o.Readers["c"] = second, second
	return o
}

// Two kms blocks or connections of one account share reads, at first and when they
// are read again; those of two accounts do not.
func TestBlocksOfOneAccountShareReads(t *testing.T) {
	t.Parallel()
	syncs := func() []*config.Sync {
		second := newSync("b", "/app", "web/Staging")
		second.Sources[0].KMS, second.Destination.Connection = "l", "c"
		third := newSync("c", "/app", "web")
		third.Sources[0].KMS, third.Destination.Connection = "l", "c"
		return []*config.Sync{newSync("a", "/app", "web"), second, third}
	}
	again := func(s *services, o *observe.Observer) []string {
		g := graphOf(syncs()...)
		r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
		calls := s.made()
		s.at = begin.Add(time.Minute)
		view := r.Refresh(t.Context(), webUUID, begin.Add(time.Second).Add(observe.MaxAgeOfEvidence))
		for at, read := range view.Destinations {
			if read.Err != nil || read.ID == webUUID && !read.Listing.ReadAt.Equal(s.at) {
				t.Errorf("%s through %q was read at %v, error %v", at, at.Connection, read.Listing.ReadAt, read.Err)
			}
		}
		for at, read := range view.Folders {
			if !read.Listing.ReadAt.Equal(s.at) {
				t.Errorf("%s of %q was read at %v", at, at.KMS, read.Listing.ReadAt)
			}
		}
		return append(append(calls, "then"), s.made()...)
	}
	one := newServices()
	want := []string{
		"environments acme/web", "list dev:/app", "repository acme/web", "variables acme/web", "variables acme/web/{staging}",
		"then", "list dev:/app", "variables acme/web",
	}
	if diff := cmp.Diff(want, again(one, one.observer(8))); diff != "" {
		t.Errorf("one account: %s", diff)
	}
	first, second := newServices(), newServices()
	second.at = begin.Add(time.Minute)
	if diff := cmp.Diff([]string{"list dev:/app", "repository acme/web", "variables acme/web", "then", "list dev:/app", "variables acme/web"}, again(first, accounts(first, second))); diff != "" {
		t.Errorf("the first of two accounts: %s", diff)
	}
	want = []string{"environments acme/web", "list dev:/app", "repository acme/web", "variables acme/web", "variables acme/web/{staging}"}
	if diff := cmp.Diff(want, second.made()); diff != "" {
		t.Errorf("the second of two accounts: %s", diff)
	}
}

// A destination that could not be identified has no id, so that nobody takes its
// list for that of a known one; others of the ledger stay as they are.
func TestAnUnidentifiedDestination(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.errs["repository acme/web"] = &providers.Error{Kind: providers.KindForbidden, Status: 403}
	g, o := graphOf(newSync("a", "/app", "web")), s.observer(8)
	state := remembers(webUUID, "", "{gone}")
	obs := o.Observe(t.Context(), g, state)
	read := obs.Destinations[ref("web", "")]
	if read.ID != "" || read.RepositoryUUID != "" || providers.KindOf(read.Err) != providers.KindForbidden {
		t.Errorf("id %q, error %v", read.ID, read.Err)
	}
	r := observe.NewRefresher(o, g, state, obs)
	s.made()
	if r.Refresh(t.Context(), webUUID, begin.Add(time.Hour).Add(observe.MaxAgeOfEvidence)); len(s.made()) > 0 {
		t.Error("what was not identified was read again")
	}
	if id := r.Identity(ref("web", "")); id != "" {
		t.Errorf("identity %q", id)
	}
}

// Two environments of one name: neither is picked. What is written like a UUID is
// one, also where a name looks like it.
func TestAmbiguousEnvironments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		written string
		there   []providers.Environment
		want    string // UUID
		kind    providers.Kind
		named   []string
	}{
		"two of one name": {
			"Staging",
			[]providers.Environment{{UUID: "{one}", Name: "Staging"}, {UUID: "{two}", Name: "Staging"}},
			"", providers.KindAmbiguous,
			[]string{"{one}", "{two}", "acme/web (Staging)"},
		},
		"one of two by UUID":        {"{two}", []providers.Environment{{UUID: "{one}", Name: "Staging"}, {UUID: "{two}", Name: "Staging"}}, "{two}", "", nil},
		"a UUID in capitals":        {"{TWO}", []providers.Environment{{UUID: "{one}", Name: "Staging"}, {UUID: "{two}", Name: "Test"}}, "{two}", "", nil},
		"a name like a UUID":        {"{two}", []providers.Environment{{UUID: "{one}", Name: "{two}"}, {UUID: "{two}", Name: "Test"}}, "{two}", "", nil},
		"only a name like that":     {"{two}", []providers.Environment{{UUID: "{one}", Name: "{two}"}}, "", providers.KindNotFound, nil},
		"a UUID without braces":     {"two", []providers.Environment{{UUID: "{two}", Name: "Test"}}, "", providers.KindNotFound, nil},
		"names that differ by case": {"Staging", []providers.Environment{{UUID: "{one}", Name: "staging"}, {UUID: "{two}", Name: "Staging"}}, "{two}", "", nil},
	} {
		s := newServices()
		s.environments = test.there
		g := graphOf(newSync("a", "/app", "web/"+test.written))
		read := s.observer(8).Observe(t.Context(), g, nothing()).Destinations[g.Destinations[0]]
		if providers.KindOf(read.Err) != test.kind || read.EnvironmentUUID != test.want || (test.want == "") != (read.ID == "") {
			t.Errorf("%s: environment %q, id %q, error %v", name, read.EnvironmentUUID, read.ID, read.Err)
		}
		for _, text := range test.named {
			if !strings.Contains(read.Err.Error(), text) {
				t.Errorf("%s: the error does not name %s: %v", name, text, read.Err)
			}
		}
		if calls := s.made(); test.want == "" && slices.ContainsFunc(calls, func(call string) bool { return strings.HasPrefix(call, "variables") }) {
			t.Errorf("%s: calls %q", name, calls)
		}
	}
}
