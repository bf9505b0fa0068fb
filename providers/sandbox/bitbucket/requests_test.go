package bitbucket_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func basic(email, token string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+token))
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.want(b.do("GET", repoVars, "", "Authorization", basic("a@acme.example", "person")), 200)
	for name, header := range map[string]string{
		"nothing": "", "wrong token": basic("a@acme.example", "x"), "another's": basic("b@acme.example", "person"), "no e-mail": basic("", ""),
	} {
		w := b.do("GET", repoVars, "", "Authorization", header)
		if w.Code != 401 || w.Body.Len() != 0 || w.Header().Get("WWW-Authenticate") != `Basic realm="Bitbucket.org HTTP"` {
			t.Errorf("%s: %d %q %v", name, w.Code, w.Body, w.Header())
		}
	}
	for _, token := range []string{"x", "", "person"} { // an API token is no Bearer token
		body := b.want(b.do("GET", repoVars, "", "Authorization", "Bearer "+token), 401)
		if body["type"] != "error" {
			t.Errorf("%q: %v", token, body)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	granular := basic("b@acme.example", "granular")
	tests := []struct {
		method, path, auth string
		required           string // empty: allowed
	}{
		{"GET", repoVars, "Bearer reader", ""},
		{"GET", repo, "Bearer reader", ""},
		{"GET", envVars, "Bearer reader", ""},
		{"POST", repoVars, "Bearer reader", "pipeline:variable"},
		{"PUT", envVars + "/" + openUUID, "Bearer reader", "pipeline:variable"},
		{"DELETE", repoVars + "/" + openUUID, "Bearer reader", "pipeline:variable"},
		{"POST", repoVars, granular, ""},
		{"GET", repoVars, granular, "read:pipeline:bitbucket"}, // scopes do not include each other
		{"GET", repo + "/environments", granular, "read:pipeline:bitbucket"},
		{"GET", repo, granular, "read:repository:bitbucket"},
	}
	for _, tt := range tests {
		b := newBench(t)
		w := b.do(tt.method, tt.path, `{"key":"A","value":"v"}`, "Authorization", tt.auth)
		if tt.required == "" {
			if w.Code >= 300 {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, w.Code, w.Body)
			}
			continue
		}
		body := b.want(w, 403)
		if required, _ := at(body, "error", "detail", "required").([]any); !slices.Equal(required, []any{tt.required}) {
			t.Errorf("%s %s: required %v", tt.method, tt.path, required)
		}
		if granted, _ := at(body, "error", "detail", "granted").([]any); len(granted) == 0 || w.Header().Get("X-Accepted-OAuth-Scopes") != tt.required {
			t.Errorf("%s %s: %v %v", tt.method, tt.path, body, w.Header())
		}
		if b.effects() != "" {
			t.Errorf("%s %s had an effect", tt.method, tt.path)
		}
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const byUUID = "/2.0/repositories/%7B00000000-0000-4000-8000-0000000000f1%7D/%7b00000000-0000-4000-8000-0000000000f2%7d"
	for _, base := range []string{repo, byUUID, repo + "/", "/2.0/repositories/acme/%7B00000000-0000-4000-8000-0000000000f2%7D"} {
		if body := b.want(b.do("GET", base, ""), 200); body["full_name"] != "acme/web" || body["type"] != "repository" {
			t.Errorf("%s: %v", base, body)
		}
	}
	if got := b.keys(byUUID + "/pipelines_config/variables/"); got != "REGION TOKEN" {
		t.Errorf("by UUID, with a slash: %q", got)
	}
	w := b.do("GET", "/2.0/repositories/{00000000-0000-4000-8000-0000000000f1}/web", "")
	b.wantCode(w, 400, "unexpected.response.body")
	b.wantCode(b.do("PUT", repoVars+"/{00000000-0000-4000-8000-0000000000a1}", `{"value":"v"}`), 400, "unexpected.response.body")
	if got := b.effects(); got != "" {
		t.Errorf("raw braces had an effect: %s", got)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := []struct {
		method, path string
		status       int
		message      string
	}{
		{"GET", "/2.0/repositories/acme/nope", 404, "Repository acme/nope not found."},
		{"POST", "/2.0/repositories/acme/nope/pipelines_config/variables", 404, "Repository acme/nope not found."},
		{"GET", "/2.0/repositories/nobody/web", 404, "No workspace with identifier 'nobody'."},
		{"GET", repo + "/deployments_config/environments/Production/variables", 404, "Not found"},
		{"GET", repo + "/environments/Production", 404, "Not found"},
		{"GET", repo + "/deployments_config/environments/%7Bnope%7D/variables", 404, "Not found"},
		{"GET", repo + "/nonsense", 404, "Resource not found"},
		{"GET", "/2.0/nonsense", 404, "Resource not found"},
		{"GET", "/2.0", 404, "Resource not found"},
		{"PATCH", repoVars, 404, "Resource not found"},
		{"GET", repo + "/pullrequests", 501, "/2.0/repositories/{rest} is not emulated yet"},
		{"GET", "/2.0/workspaces/acme/hooks", 501, "/2.0/workspaces/{rest} is not emulated yet"},
		{"GET", "/2.0/workspaces/nobody/pipelines-config/variables", 404, "No workspace with identifier 'nobody'."},
		{"GET", "/2.0/workspaces/nobody", 404, "No workspace with identifier 'nobody'."},
		{"GET", "/2.0/workspaces/acme/pipelines-config/variables/", 404, "Resource not found"},
		{"GET", "/2.0/workspaces/acme/pipelines_config/variables", 404, "Resource not found"},
		{"GET", repo + "/pipelines-config/variables", 404, "Resource not found"},
		{"POST", repo + "/environments", 501, "/2.0/repositories/{workspace}/{repo}/environments is not emulated yet"},
		{"DELETE", repo, 501, "/2.0/repositories/{workspace}/{repo} is not emulated yet"},
		{"GET", "/2.0/user", 403, "This API is not accessible by this authentication mechanism"},
	}
	for _, tt := range tests {
		body := b.want(b.do(tt.method, tt.path, `{"key":"A","value":"v"}`), tt.status)
		if at(body, "error", "message") != tt.message || body["type"] != "error" {
			t.Errorf("%s %s: %v", tt.method, tt.path, body)
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(bb *world.Bitbucket) {
		r := &bb.Workspaces[0].Repositories[0]
		r.Variables = nil
		for i := range 205 {
			r.Variables = append(r.Variables, world.Variable{Key: fmt.Sprintf("K%03d", i), Value: "v"})
		}
	})
	tests := map[string]struct {
		page, pagelen, values float64
		next, previous        string
	}{
		"":                              {1, 10, 10, "?page=2&pagelen=10", ""},
		"?pagelen=100":                  {1, 100, 100, "?page=2&pagelen=100", ""},
		"?pagelen=100&page=2":           {2, 100, 100, "?page=3&pagelen=100", "?page=1&pagelen=100"},
		"?pagelen=100&page=3":           {3, 100, 5, "", "?page=2&pagelen=100"},
		"?pagelen=100&page=4":           {4, 100, 0, "", "?page=3&pagelen=100"},
		"?pagelen=1000":                 {1, 100, 100, "?page=2&pagelen=100", ""},
		"?pagelen=0":                    {1, 1, 1, "?page=2&pagelen=1", ""},
		"?pagelen=x&page=x":             {1, 10, 10, "?page=2&pagelen=10", ""},
		"?page=0":                       {1, 10, 10, "?page=2&pagelen=10", ""},
		"?page=21":                      {21, 10, 5, "", "?page=20&pagelen=10"},
		"?pagelen=50&page=999999999999": {999999999999, 50, 0, "", "?page=999999999998&pagelen=50"},
	}
	for query, tt := range tests {
		body := b.want(b.do("GET", repoVars+query, ""), 200)
		values, _ := body["values"].([]any)
		if body["page"] != tt.page || body["pagelen"] != tt.pagelen || body["size"] != 205.0 || float64(len(values)) != tt.values {
			t.Errorf("%q: page %v, pagelen %v, size %v, %d values", query, body["page"], body["pagelen"], body["size"], len(values))
		}
		for field, want := range map[string]string{"next": tt.next, "previous": tt.previous} {
			got, present := body[field].(string)
			if present != (want != "") || present && got != "http://example.com"+repoVars+want {
				t.Errorf("%q: %s is %q", query, field, got)
			}
		}
	}
}

func TestEnvironments(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body := b.want(b.do("GET", repo+"/environments", ""), 200)
	values, _ := body["values"].([]any)
	if len(values) != 3 {
		t.Fatalf("got %v", body)
	}
	first := values[0]
	if at(first, "name") != "Production" || at(first, "slug") != "production" || at(first, "type") != "deployment_environment" ||
		at(first, "environment_type", "name") != "Production" || at(first, "rank") != 2.0 || at(first, "category", "name") != "Production" {
		t.Errorf("got %v", first)
	}
	one := b.want(b.do("GET", repo+"/environments/"+envUUID, ""), 200)
	if fmt.Sprint(one) != fmt.Sprint(first) {
		t.Errorf("alone %v, in the list %v", one, first)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	const base = "/2.0/repositories/{workspace}/{repo}"
	tests := map[string]string{
		"GET " + repo + "/":                              base,
		"GET " + repo + "/environments?pagelen=100":      base + "/environments",
		"POST " + repoVars:                               base + "/pipelines_config/variables",
		"GET http://h.example" + repoVars + "?page=2":    base + "/pipelines_config/variables",
		"PUT " + repoVars + "/" + openUUID:               base + "/pipelines_config/variables/{variable_uuid}",
		"PUT " + repoVars + "/{raw}":                     base + "/pipelines_config/variables/{variable_uuid}",
		"GET " + envVars:                                 base + "/deployments_config/environments/{environment_uuid}/variables",
		"DELETE " + envVars + "/" + openUUID:             base + "/deployments_config/environments/{environment_uuid}/variables/{variable_uuid}",
		"GET " + repoVars + "x":                          "/2.0/repositories/{rest}",
		"GET /2.0//repositories/acme/web":                "/2.0/{unknown}",
		"GET /2.0/repositories/acme/%zz":                 "/2.0/{unknown}",
		"GET " + repo + "/pipelines_config/schedules/x/": "/2.0/repositories/{rest}",
	}
	for request, want := range tests {
		method, uri, _ := strings.Cut(request, " ")
		if got := bitbucket.Template(method, uri); got != want {
			t.Errorf("%s: got %s, want %s", request, got, want)
		}
	}
}
