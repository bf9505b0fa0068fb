package bitbucket_test

import (
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	space     = "/2.0/workspaces/acme"
	spaceVars = space + "/pipelines-config/variables"
)

// The variables of a workspace behave like those of a repository and are apart from
// them; the effects name no repository.
func TestWorkspaceVariables(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if body := b.want(b.do("GET", space, ""), 200); body["uuid"] != "{00000000-0000-4000-8000-0000000000f1}" || body["slug"] != "acme" {
		t.Errorf("workspace %v", body)
	}
	made := b.want(b.do("POST", spaceVars, `{"key":"REGION","value":"covert","secured":true}`), 201)
	if _, shown := made["value"]; shown {
		t.Errorf("a secured value shows: %v", made)
	}
	uuid, _ := made["uuid"].(string)
	b.wantCode(b.do("POST", spaceVars, `{"key":"region","value":"v"}`), 409, "variable-service.variable.duplicate")
	b.want(b.do("PUT", spaceVars+"/%7B"+uuid[1:37]+"%7D", `{"value":"w"}`), 200)
	b.wantCode(b.do("PUT", spaceVars+"/"+openUUID, `{"value":"w"}`), 404, "variable-service.variable.not-found")
	if got := b.keys(spaceVars); got != "REGION" {
		t.Errorf("the workspace has %q", got)
	}
	if got := b.keys(repoVars); got != "REGION TOKEN" {
		t.Errorf("the repository has %q", got)
	}
	if got, want := b.effects(), "create acme// >REGION; update acme// >REGION"; got != want {
		t.Errorf("effects %q, want %q", got, want)
	}
}

// To identify a workspace takes a right of its own, which classic scopes do not know.
func TestWorkspaceScopes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	granular := basic("b@acme.example", "granular")
	b.want(b.do("GET", space, "", "Authorization", "Bearer reader"), 200)
	b.want(b.do("GET", spaceVars, "", "Authorization", "Bearer reader"), 200)
	for path, required := range map[string]string{space: "read:workspace:bitbucket", spaceVars: "read:pipeline:bitbucket"} {
		body := b.want(b.do("GET", path, "", "Authorization", granular), 403)
		if got, _ := at(body, "error", "detail", "required").([]any); len(got) != 1 || got[0] != required {
			t.Errorf("%s requires %v", path, got)
		}
	}
	b.want(b.do("POST", spaceVars, `{"key":"A","value":"v"}`, "Authorization", "Bearer reader"), 403)
	if b.effects() != "" {
		t.Error("a refused write had an effect")
	}
}

// An access token of one repository reaches that one, and nothing of the workspace.
func TestTokenOfARepository(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w *world.Bitbucket) {
		w.Tokens = append(w.Tokens, world.Token{AccessToken: "one", Repository: "acme/web"})
		w.Workspaces[0].Repositories = append(w.Workspaces[0].Repositories, world.Repository{Slug: "other"})
	})
	for path, status := range map[string]int{
		repoVars: 200, envVars: 200, "/2.0/repositories/acme/other": 404, space: 403, spaceVars: 403,
		"/2.0/repositories/%7B00000000-0000-4000-8000-0000000000f1%7D/web": 200,
	} {
		if body := b.want(b.do("GET", path, "", "Authorization", "Bearer one"), status); status == 403 &&
			at(body, "error", "message") != "This API is not accessible by this authentication mechanism" {
			t.Errorf("%s: %v", path, body)
		}
	}
	b.want(b.do("POST", spaceVars, `{"key":"A","value":"v"}`, "Authorization", "Bearer one"), 403)
	if b.effects() != "" {
		t.Error("a refused write had an effect")
	}
}
