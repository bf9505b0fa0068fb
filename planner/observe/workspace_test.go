package observe_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

// ofWorkspace returns a sync to the own variables of acme.
func ofWorkspace(label string) *config.Sync {
	s := newSync(label, "/app", "")
	s.Destination.WorkspaceScope = set(true)
	return s
}

// withWorkspace has one variable of the workspace besides.
func withWorkspace() *services {
	s := newServices()
	s.live["acme/"] = []providers.Variable{{UUID: "{v9}", Key: "A", Secured: true}}
	return s
}

// knowsWorkspace returns a ledger that knows one variable of a workspace called acme.
func knowsWorkspace(uuid, variable string) *ledger.State {
	return &ledger.State{Destinations: map[string]*ledger.Destination{uuid: {
		ID: uuid, Workspace: "acme", Entries: map[string]*ledger.Entry{"A": {Key: "A", UUID: variable}},
	}}}
}

// The workspace's own variables are a destination of their own, whose identity is
// the workspace's UUID: read once where the ledger does not know the name, or no
// recorded variable is live. What is known of a repository proves nothing of it.
func TestWorkspaceIsIdentified(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		state *ledger.State
		reads bool
		kind  providers.Kind
	}{
		"not known":                     {nothing(), true, ""},
		"a live variable proves it":     {knowsWorkspace(workspaceUUID, "{v9}"), false, ""},
		"none is live":                  {knowsWorkspace(workspaceUUID, "{gone}"), true, ""},
		"another workspace's name":      {knowsWorkspace("{other}", "{gone}"), true, providers.KindAmbiguous},
		"only a repository is known":    {remembers(webUUID, "", "{v9}"), true, ""},
		"a repository called as it, no": {remembers("{other}", "", "{v9}"), true, ""},
	} {
		s := withWorkspace()
		g := graphOf(ofWorkspace("a"), ofWorkspace("b"))
		read := s.observer(8).Observe(t.Context(), g, test.state).Destinations[ref("", "")]
		calls := []string{"list dev:/app", "variables acme/"}
		if test.reads {
			calls = append(calls, "workspace acme")
		}
		if diff := cmp.Diff(calls, s.made()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if providers.KindOf(read.Err) != test.kind {
			t.Fatalf("%s: %v", name, read.Err)
		}
		if test.kind != "" {
			if text := read.Err.Error(); !strings.Contains(text, "identify workspace of acme (workspace)") || !strings.Contains(text, "{other}") {
				t.Errorf("%s: %s", name, text)
			}
			continue
		}
		if read.ID != workspaceUUID || read.RepositoryUUID != "" || read.Ref.String() != "acme (workspace)" || len(read.Listing.Variables) != 1 {
			t.Errorf("%s: %+v", name, read)
		}
	}
}

// A workspace and its repositories are read side by side, and read again apart.
func TestWorkspaceIsReadAgain(t *testing.T) {
	t.Parallel()
	s := withWorkspace()
	o, g := s.observer(8), graphOf(ofWorkspace("a"), newSync("b", "/app", "web"))
	obs := o.Observe(t.Context(), g, nothing())
	want := []string{"list dev:/app", "repository acme/web", "variables acme/", "variables acme/web", "workspace acme"}
	if diff := cmp.Diff(want, s.made()); diff != "" {
		t.Error(diff)
	}
	r := observe.NewRefresher(o, g, nothing(), obs)
	s.at = begin.Add(time.Minute)
	r.Refresh(t.Context(), workspaceUUID, s.at)
	if diff := cmp.Diff([]string{"list dev:/app", "variables acme/"}, s.made()); diff != "" {
		t.Error(diff)
	}
	s.live["acme/"] = nil
	s.at = begin.Add(2 * time.Minute)
	view := r.Refresh(t.Context(), workspaceUUID, s.at)
	if diff := cmp.Diff([]string{"list dev:/app", "variables acme/", "workspace acme"}, s.made()); diff != "" {
		t.Error(diff)
	}
	if err := view.Destinations[ref("", "")].Err; err != nil {
		t.Error(err)
	}
	s.otherSpace, s.at = "{other}", begin.Add(3*time.Minute)
	view = r.Refresh(t.Context(), workspaceUUID, s.at)
	if err := view.Destinations[ref("", "")].Err; providers.KindOf(err) != providers.KindAmbiguous {
		t.Errorf("another workspace of that name: %v", err)
	}
}

// An environment is found by its name, else by its slug, else ignoring case; what
// decides must decide alone. Case of the repository does not matter either.
func TestEnvironmentSpellings(t *testing.T) {
	t.Parallel()
	there := []providers.Environment{
		{UUID: "{1}", Name: "Staging", Slug: "staging"},
		{UUID: "{2}", Name: "Staging EU", Slug: "staging-eu"},
		{UUID: "{3}", Name: "staging-eu", Slug: "staging-eu-2"},
		{UUID: "{4}", Name: "Live", Slug: "production"},
		{UUID: "{5}", Name: "QA", Slug: "qa"},
		{UUID: "{6}", Name: "Qa", Slug: "qa-2"},
		{UUID: "{7}", Name: "one", Slug: "same"},
		{UUID: "{8}", Name: "two", Slug: "same"},
	}
	for written, test := range map[string]struct {
		uuid string
		kind providers.Kind
		text []string
	}{
		"Staging":      {"{1}", "", nil},
		"staging":      {"{1}", "", nil}, // its slug
		"STAGING":      {"{1}", "", nil},
		"staging eu":   {"{2}", "", nil},
		"staging-eu":   {"{3}", "", nil}, // a name beats a slug
		"production":   {"{4}", "", nil},
		"PRODUCTION":   {"{4}", "", nil}, // a slug in another case
		"qa":           {"{5}", "", nil}, // a slug beats two names in another case
		"qA":           {"", providers.KindAmbiguous, []string{"two environments fit", "QA {5}", "Qa {6}"}},
		"same":         {"", providers.KindAmbiguous, []string{"two environments fit", "one {7}", "two {8}"}},
		"Stagging":     {"", providers.KindNotFound, []string{`did you mean "Staging"?`, "Live, QA, Qa, Staging"}},
		"Nowhere":      {"", providers.KindNotFound, []string{"the repository has "}},
		"{2}":          {"{2}", "", nil},
		"{Staging EU}": {"", providers.KindNotFound, nil},
	} {
		s := newServices()
		s.environments = slices.SortedFunc(slices.Values(there), func(a, b providers.Environment) int { return strings.Compare(a.Name, b.Name) })
		g := graphOf(newSync("a", "/app", "web/"+written))
		read := s.observer(8).Observe(t.Context(), g, nothing()).Destinations[g.Destinations[0]]
		if read.EnvironmentUUID != test.uuid || providers.KindOf(read.Err) != test.kind {
			t.Errorf("%s: %q, %v", written, read.EnvironmentUUID, read.Err)
		}
		for _, text := range test.text {
			if !strings.Contains(read.Err.Error(), text) {
				t.Errorf("%s: no %q in: %v", written, text, read.Err)
			}
		}
	}
}

// Of many environments an error names some.
func TestManyEnvironments(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.environments = nil
	for i := range 30 {
		s.environments = append(s.environments, providers.Environment{UUID: "{" + string(rune('a'+i)) + "}", Name: "review-" + string(rune('a'+i))})
	}
	g := graphOf(newSync("a", "/app", "web/Nowhere"))
	err := s.observer(8).Observe(t.Context(), g, nothing()).Destinations[g.Destinations[0]].Err
	if text := err.Error(); !strings.Contains(text, "review-l and 18 more") || strings.Contains(text, "review-m") || strings.Contains(text, "did you mean") {
		t.Error(text)
	}
}

// Two syncs that turn out to write to one place are asked for overlaps then: of
// spellings that differ, of a repository that was renamed, and with a disabled one.
func TestOverlapsAfterNamesAreResolved(t *testing.T) {
	t.Parallel()
	overwrites := func(label, destination string) *config.Sync {
		s := newSync(label, "/app", destination)
		s.Options.OverwriteDestination = set(true)
		return s
	}
	disabled := func(s *config.Sync) *config.Sync {
		s.Enabled.Value = false
		return s
	}
	for name, test := range map[string]struct {
		a, b *config.Sync
		want bool
	}{
		"a name and a UUID":           {overwrites("a", "web/Staging"), newSync("b", "/app", "web/"+stagingUUID), true},
		"a slug and a name":           {newSync("a", "/app", "web/staging"), overwrites("b", "web/Staging"), true},
		"a repository that moved":     {overwrites("a", "web"), newSync("b", "/app", "renamed"), true},
		"two environments":            {overwrites("a", "web/Staging"), newSync("b", "/app", "web/production"), false},
		"an environment and none":     {overwrites("a", "web/Staging"), newSync("b", "/app", "web"), false},
		"neither overwrites":          {newSync("a", "/app", "web/staging"), newSync("b", "/app", "web/Staging"), false},
		"one spelling, found before":  {overwrites("a", "web/Staging"), newSync("b", "/app", "Web/Staging"), false},
		"the second is disabled":      {overwrites("a", "web/Staging"), disabled(newSync("b", "/app", "web/staging")), true},
		"the first is disabled":       {disabled(overwrites("a", "web/"+stagingUUID)), newSync("b", "/app", "web/Staging"), true},
		"disabled, another":           {overwrites("a", "web/Staging"), disabled(newSync("b", "/app", "web/"+productionUUID)), false},
		"both are disabled":           {disabled(overwrites("a", "web/Staging")), disabled(newSync("b", "/app", "web/staging")), false},
		"the workspace, a repository": {ofWorkspace("a"), overwrites("b", "web"), false},
	} {
		s := withWorkspace()
		test.a.Range, test.b.Range = test.a.Enabled.Range, test.b.Enabled.Range
		obs := s.observer(8).Observe(t.Context(), graphOf(test.a, test.b), nothing())
		if got := obs.Overlaps[test.a] != nil && obs.Overlaps[test.b] != nil; got != test.want || (len(obs.Overlaps) > 0) != test.want {
			t.Errorf("%s: %v", name, obs.Overlaps)
		}
		if err := obs.Overlaps[test.a]; test.want && (!strings.Contains(err.Error(), "sync.a (main.sync.hcl:1)") ||
			!strings.Contains(err.Error(), "sync.b (main.sync.hcl:1)") || !strings.Contains(err.Error(), "such as ")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two workspaces are two places. A workspace and a repository of one UUID are not what
// they seem.
func TestWorkspacesAreToldApart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		uuid    string // of the repository
		refused bool
	}{"their own UUIDs": {webUUID, false}, "one UUID": {workspaceUUID, true}} {
		s := withWorkspace()
		s.uuid = test.uuid
		beta := ofWorkspace("b")
		beta.Destination.Workspace = set("beta")
		s.uuidOf = map[string]string{"beta": "{beta}"}
		g := graphOf(ofWorkspace("a"), beta, newSync("c", "/app", "web"))
		obs := s.observer(8).Observe(t.Context(), g, nothing())
		for ref, read := range obs.Destinations {
			if got := providers.KindOf(read.Err) == providers.KindAmbiguous; got != (test.refused && ref.Workspace == "acme") {
				t.Errorf("%s: %s: %v", name, ref, read.Err)
			}
		}
	}
}
