package identity_test

import (
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/identity"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// knows returns a ledger of destinations: id, then what an address would say.
func knows(places map[string]string) *ledger.State {
	s := &ledger.State{Destinations: map[string]*ledger.Destination{}}
	for id, name := range places {
		d := &ledger.Destination{ID: id, RepositoryUUID: identity.RootOf(id)}
		_, d.EnvironmentUUID, _ = strings.Cut(id, "/")
		parts := append(strings.SplitN(name, "/", 3), "", "")
		if d.Workspace, d.Repository, d.Environment = parts[0], parts[1], parts[2]; d.Repository == "" {
			d.RepositoryUUID = ""
		}
		s.Destinations[id] = d
	}
	return s
}

// refused fails unless err is a conflict that says everything in want.
func refused(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	if providers.KindOf(err) != providers.KindAmbiguous {
		t.Errorf("%s: got %v, want a conflict", name, err)
		return
	}
	for _, part := range append(strings.Split(want, "; "), "nothing is written there") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %q is not said: %v", name, part, err)
		}
	}
}

func TestSameRepository(t *testing.T) {
	t.Parallel()
	web := graph.DestinationRef{Workspace: "acme", Repository: "web", Environment: "Staging"}
	for name, test := range map[string]struct {
		ref   graph.DestinationRef
		state map[string]string
		want  string
	}{
		"unknown":          {web, map[string]string{"{x}": "acme/other"}, ""},
		"the same":         {web, map[string]string{"{now}": "acme/web", "{old}": "acme/web"}, ""},
		"by its place":     {web, map[string]string{"{now}/{e}": "acme/web/Staging", "{old}": "acme/web"}, ""},
		"another":          {web, map[string]string{"{old}": "Acme/Web"}, "identify repository; acme/web; it was {old} and is {now} now; kmsync ledger rm Acme/Web"},
		"its environments": {web, map[string]string{"{old}/{e}": "acme/web/A", "{old}/{f}": "acme/web/B"}, "kmsync ledger rm 'acme/web/*'"},
		"both":             {web, map[string]string{"{old}": "acme/web", "{old}/{f}": "acme/web/B"}, "kmsync ledger rm acme/web 'acme/web/*'"},
		"several":          {web, map[string]string{"{b}": "acme/web", "{a}/{f}": "acme/web/B"}, "it was {a} and is {now} now"},
		"a workspace":      {graph.DestinationRef{Workspace: "acme"}, map[string]string{"{old}": "acme"}, "identify workspace; it was {old}; kmsync ledger rm acme"},
	} {
		err := identity.SameRepository(knows(test.state), test.ref, "{now}")
		refused(t, name, err, test.want)
		if err != nil && strings.HasSuffix(test.want, "web") && strings.Contains(err.Error(), "/*") {
			t.Errorf("%s: it names what the ledger does not know, which ledger rm refuses: %v", name, err)
		}
	}
	refused(t, "unknown, in the middle of a run", identity.OtherRepository(knows(nil), web, "{old}", "{now}"), "it was {old} and is {now} now; run kmsync again")
}

func TestSameEnvironment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		state       map[string]string
		environment string
		want        string
	}{
		"unknown":               {map[string]string{"{web}": "acme/web"}, "{now}", ""},
		"the same":              {map[string]string{"{web}/{now}": "acme/web/Staging"}, "{now}", ""},
		"renamed":               {map[string]string{"{web}/{now}": "acme/web/Test"}, "{now}", ""},
		"another case, known":   {map[string]string{"{web}/{now}": "acme/web/Staging", "{web}/{old}": "acme/web/staging"}, "{now}", ""},
		"of another repository": {map[string]string{"{other}/{old}": "acme/web/Staging"}, "{now}", ""},
		"of another name":       {map[string]string{"{web}/{old}": "acme/web/Test"}, "{now}", ""},
		"no environment":        {map[string]string{"{web}/{old}": "acme/web/Staging"}, "", ""},
		"made again": {
			map[string]string{"{web}/{old}": "acme/web/Staging"},
			"{now}",
			"identify deployment environment; acme/web (Staging); it was {old} and is {now} now; kmsync ledger rm acme/web/Staging",
		},
		"two swapped their names": {
			map[string]string{"{web}/{now}": "acme/web/Test", "{web}/{old}": "acme/web/Staging"},
			"{now}", "it was {old} and is {now} now; kmsync ledger rm acme/web/Staging",
		},
		"known by another case":           {map[string]string{"{web}/{old}": "acme/web/STAGING"}, "{now}", "kmsync ledger rm acme/web/STAGING"},
		"known by its slug":               {map[string]string{"{web}/{old}": "acme/web/Sta ging"}, "{now}", "kmsync ledger rm 'acme/web/Sta ging'"},
		"under the repository's old name": {map[string]string{"{web}/{old}": "acme/www/Staging"}, "{now}", "kmsync ledger rm acme/www/Staging"},
	} {
		ref := graph.DestinationRef{Workspace: "acme", Repository: "web", Environment: "Staging"}
		refused(t, name, identity.SameEnvironment(knows(test.state), ref, "{web}", test.environment), test.want)
	}
	blank := identity.SameEnvironment(knows(map[string]string{"{web}/{old}": "acme/web/Test 2"}),
		graph.DestinationRef{Workspace: "acme", Repository: "web", Environment: "Test 2"}, "{web}", "{now}")
	refused(t, "a blank", blank, "kmsync ledger rm 'acme/web/Test 2'")
}
