package graph

import (
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
)

func located[T any](v T) config.Located[T] { return config.Located[T]{Value: v} }

func declare(label, path, repository, environment string) *config.Sync {
	return &config.Sync{
		Address: "sync." + label, Enabled: located(true),
		Sources:     []*config.Source{{KMS: "k", Environment: located("dev"), SecretPath: located(path)}},
		Destination: config.Destination{Connection: "b", Workspace: located("acme"), Repository: located(repository), DeploymentEnvironment: located(environment)},
	}
}

// What is read for a selection: all of a touched place, nothing of others, and
// nothing on behalf of what is excluded.
func TestSelect(t *testing.T) {
	t.Parallel()
	off := declare("off", "/off", "web", "")
	off.Enabled = located(false)
	g := New(&config.Config{Syncs: []*config.Sync{
		declare("a", "/a", "web", ""), declare("b", "/b", "WEB", ""), declare("c", "/c", "web", "Staging"),
		declare("d", "/d", "api", ""), declare("e", "/a", "api", ""), off,
	}})
	for _, test := range []struct{ target, exclude, folders, destinations string }{
		{"", "", "dev:/a dev:/b dev:/c dev:/d", "acme/WEB acme/api acme/web acme/web (Staging)"},
		{"sync.a", "", "dev:/a dev:/b", "acme/WEB acme/web"},
		{"sync.a", "sync.b", "dev:/a", "acme/web"},
		{"acme/api", "", "dev:/a dev:/d", "acme/api"},
		{"", "sync.e", "dev:/a dev:/b dev:/c dev:/d", "acme/WEB acme/api acme/web acme/web (Staging)"},
		{"", "sync.d sync.e", "dev:/a dev:/b dev:/c", "acme/WEB acme/web acme/web (Staging)"},
		{"", "sync.c KEY", "dev:/a dev:/b dev:/d", "acme/WEB acme/api acme/web"},
		{"dev:/d", "", "dev:/a dev:/d", "acme/api"},
		{"sync.off", "", "dev:/a dev:/b", "acme/WEB acme/web"},
		{"", "acme/web/staging", "dev:/a dev:/b dev:/d", "acme/WEB acme/api acme/web"}, // the name in another case
		{"", "acme/web/{1a}", "dev:/a dev:/b dev:/d", "acme/WEB acme/api acme/web"},    // which it is, is not known
		{"", "acme/web/Production", "dev:/a dev:/b dev:/c dev:/d", "acme/WEB acme/api acme/web acme/web (Staging)"},
	} {
		s, err := address.ParseSelection(strings.Fields(test.target), strings.Fields(test.exclude))
		if err != nil {
			t.Fatal(err)
		}
		chosen := g.Select(s)
		var folders, destinations []string
		for _, f := range chosen.Folders {
			folders = append(folders, f.String())
		}
		for _, d := range chosen.Destinations {
			destinations = append(destinations, d.String())
		}
		if got := strings.Join(folders, " "); got != test.folders {
			t.Errorf("%+v reads %s", test, got)
		}
		if got := strings.Join(destinations, " "); got != test.destinations {
			t.Errorf("%+v reads %s", test, got)
		}
		if len(chosen.Nodes) != len(g.Nodes) || g.Nodes[0].Choice != Chosen || len(g.Destinations) != 4 {
			t.Errorf("%+v: the graph before changed, or syncs are missing", test)
		}
	}
}

func TestMayBe(t *testing.T) {
	t.Parallel()
	web := func(environment string) DestinationRef {
		return DestinationRef{Workspace: "acme", Repository: "web", Environment: environment}
	}
	for _, test := range []struct {
		a, b DestinationRef
		uuid string
		want bool
	}{
		{web(""), web(""), "", true},
		{web(""), DestinationRef{Workspace: "ACME", Repository: "Web"}, "", true},
		{web(""), DestinationRef{Workspace: "acme", Repository: "api"}, "", false},
		{web(""), DestinationRef{Workspace: "acme"}, "", false},
		{web(""), web("Staging"), "", false},
		{web("Staging"), web("staging"), "", true},
		{web("EU West"), web("eu-west"), "", true},
		{web("Staging"), web("Production"), "", false},
		{web("{1a}"), web("Staging"), "", true},
		{web("{1a}"), web("Staging"), "{1A}", true},
		{web("{1a}"), web("Staging"), "{2b}", false},
		{web("{1a}"), web("{2b}"), "", false},
	} {
		if got := test.a.MayBe(test.b, test.uuid); got != test.want {
			t.Errorf("%s and %s %s: %v", test.a, test.b, test.uuid, got)
		}
	}
}
