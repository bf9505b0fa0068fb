package kms

import (
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
)

// A project that is looked up by slug names its environments: an error about a folder
// says whether its environment is one of them. What cannot be read of them is no error.
func TestEnvironmentThatTheProjectLacks(t *testing.T) {
	t.Parallel()
	const missing = `{"reqId":"req-1","statusCode":404,"message":"canary","error":"SecretPathNotFound"}`
	for environments, want := range map[string]string{
		`[{"slug":"prod"},{"slug":"development"}]`: `The project has no environment prdo; did you mean "prod"? It has development, prod.`,
		`[{"slug":"prdo"}]`:                        "",
		`[]`:                                       "",
		`"canary"`:                                 "",
		`[{"slug":"canary value"}]`:                "",
	} {
		s := serve(t, map[string][]reply{
			projectRoute: {{body: `{"id":"` + projectID + `","environments":` + environments + `}`}},
			listRoute:    {{status: 404, body: missing}},
		})
		_, err := s.client(func(o *Options) { o.Project = "payments" }).List(t.Context(), providers.Folder{Environment: "prdo", Path: "/"})
		e := wantKind(t, err, providers.KindNotFound)
		if got := strings.TrimSpace(strings.TrimPrefix(e.Hint, hintNoFolder)); got != want {
			t.Errorf("%s: %q, want %q", environments, got, want)
		}
	}
	s := serve(t, map[string][]reply{
		projectRoute: {{body: `{"id":"` + projectID + `","environments":[{"slug":"prod"}]}`}},
		listRoute:    {{status: 403, body: `{"reqId":"req-1","statusCode":403,"message":"canary","error":"PermissionDenied"}`}},
	})
	_, err := s.client(func(o *Options) { o.Project = "payments" }).List(t.Context(), providers.Folder{Environment: "prdo", Path: "/"})
	if e := wantKind(t, err, providers.KindForbidden); strings.Contains(e.Hint, "has no environment") {
		t.Errorf("a missing right is told as a missing environment: %q", e.Hint)
	}
}
