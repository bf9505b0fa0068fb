package world_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func TestDefaultRoundTrip(t *testing.T) {
	t.Parallel()
	text, err := world.Encode(world.Default())
	if err != nil {
		t.Fatal(err)
	}
	back, err := world.Decode("world.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(world.Default(), back); d != "" {
		t.Error(d)
	}
	if back.Fill(func() string { return "new" }) {
		t.Error("the default world is not complete")
	}
	for _, want := range []string{"3c90c3cc-0d44-4b50-8888-8dd25736052a", "my-bitbucket-workspace", "my-bitbucket-repository", `"/my-secrets"`, `"demo"`, `"acme"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the default world lacks %s", want)
		}
	}
}

// The demo and people change variables line by line.
func TestVariableLines(t *testing.T) {
	t.Parallel()
	text, err := world.Encode(world.Default())
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^ +"key": "NPM_TOKEN",\n +"uuid": "\{[0-9a-f-]{36}\}",\n +"value": "npm-made-up-4c1d",\n +"secured": true\n`)
	if !want.Match(text) {
		t.Errorf("variables are not written as key, uuid, value, secured, one a line:\n%s", text)
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"unknown field":         {"{\n \"kms\": {\n  \"projcts\": []\n }\n}", `world.json:3: unknown field "projcts"`},
		"unknown, twice":        {"{\n \"faults\": [{\"x\": 1},\n {\"x\": 2}]}", `world.json: unknown field "x"`},
		"syntax":                {"{\n \"kms\": {\n },\n}", "world.json:4: not valid JSON"},
		"type":                  {"{\n \"kms\": {\n \"projects\": 7}}", "world.json:3: kms.projects cannot be a JSON number"},
		"empty file":            {"", "ends too early"},
		"cut":                   {`{"kms": {`, "ends too early"},
		"trailing":              {"{}\n{}", "world.json:2: something follows"},
		"latency":               {`{"latency": "fast"}`, "not a time span like 20ms"},
		"negative":              {`{"latency": "-1s"}`, "not a time span"},
		"fault kind":            {`{"faults": [{"kind": "boom"}]}`, `faults[0]: kind "boom" is not one of status`},
		"fault status":          {`{"faults": [{"kind": "status", "status": 42}]}`, "not between 200 and 599"},
		"fault times":           {`{"faults": [{"kind": "slow", "times": -1}]}`, "must not be negative"},
		"fault glob":            {`{"faults": [{"kind": "slow", "path": "/a[/b"}]}`, "is not a glob"},
		"token":                 {`{"bitbucket": {"tokens": [{"email": "a@b"}]}}`, "needs either access_token"},
		"basic of a repository": {`{"bitbucket": {"tokens": [{"email": "a@b", "api_token": "x", "repository": "acme/web"}]}}`, "repository is for an access_token"},
		"no repository":         {`{"bitbucket": {"tokens": [{"access_token": "y", "repository": "web"}]}}`, "has the form"},
		"both tokens":           {`{"bitbucket": {"tokens": [{"email": "a@b", "api_token": "x", "access_token": "y"}]}}`, "needs either access_token"},
		"identity":              {`{"kms": {"identities": [{"client_id": "x"}]}}`, "needs client_id and client_secret"},
		"generation":            {`{"kms": {"generation": "2025"}}`, `kms: generation "2025" is neither "2026" nor "2024"`},
		"rate limit":            {`{"kms": {"switches": {"rate_limit": -1}}}`, "kms.switches: rate_limit must not be negative"},
		"revoked":               {`{"kms": {"identities": [{"token": "x", "revoked": "all"}]}}`, `kms.identities[0]: revoked "all" is neither`},
		"uses":                  {`{"kms": {"identities": [{"token": "x", "uses": -1}]}}`, "uses must not be negative"},
		"ttl":                   {`{"kms": {"identities": [{"token": "x", "ttl": "soon"}]}}`, "not a time span"},
		"oidc id":               {`{"kms": {"identities": [{"oidc": {"id": "x", "issuer": "y"}}]}}`, `kms.identities[0].oidc: id "x" is not a UUID`},
		"oidc issuer":           {`{"kms": {"identities": [{"oidc": {}}]}}`, "needs an issuer"},
		"oidc glob":             {`{"kms": {"identities": [{"oidc": {"issuer": "y", "claims": {"a": "["}}}]}}`, "oidc.claims: \"[\" is not a glob"},
		"tag glob":              {`{"kms": {"identities": [{"token": "x", "access": [{"tags": ["["]}]}]}}`, "is not a glob"},
		"tag":                   {`{"kms": {"projects": [{"slug": "a", "environments": [{"slug": "b", "folders": [{"path": "/w", "secrets": [{"key": "a", "tags": ["a b"]}]}]}]}]}}`, "secrets[0]: tag \"a b\" must be a slug"},
		"access glob":           {`{"kms": {"identities": [{"token": "x", "access": [{"names": ["["]}]}]}}`, "is not a glob"},
		"relative folder":       {`{"kms": {"projects": [{"slug": "a", "environments": [{"slug": "b", "folders": [{"path": "web"}]}]}]}}`, "must be absolute"},
		"slash at end":          {`{"kms": {"projects": [{"slug": "a", "environments": [{"slug": "b", "folders": [{"path": "/web/"}]}]}]}}`, "must be absolute"},
		"secret name":           {`{"kms": {"projects": [{"slug": "a", "environments": [{"slug": "b", "folders": [{"path": "/w", "secrets": [{"key": "a:b"}]}]}]}]}}`, "secrets[0]: key must not"},
		"secret type":           {`{"kms": {"projects": [{"slug": "a", "environments": [{"slug": "b", "folders": [{"path": "/w", "secrets": [{"key": "a", "type": "own"}]}]}]}]}}`, "neither \"shared\" nor"},
		"project slug":          {`{"kms": {"projects": [{}]}}`, "needs a slug"},
		"environment":           {`{"kms": {"projects": [{"slug": "a", "environments": [{}]}]}}`, "environments[0]: needs a slug"},
		"workspace":             {`{"bitbucket": {"workspaces": [{}]}}`, "needs a slug"},
		"repository":            {`{"bitbucket": {"workspaces": [{"slug": "a", "repositories": [{}]}]}}`, "repositories[0]: needs a slug"},
		"deployment":            {`{"bitbucket": {"workspaces": [{"slug": "a", "repositories": [{"slug": "b", "environments": [{}]}]}]}}`, "needs a name"},
		"deployment type":       {`{"bitbucket": {"workspaces": [{"slug": "a", "repositories": [{"slug": "b", "environments": [{"name": "c", "type": "Canary"}]}]}]}}`, `type "Canary" is not one of Test, Staging, Production`},
		"line breaks":           {`{"bitbucket": {"switches": {"line_breaks": "fold"}}}`, "not one of refuse, keep, strip"},
		"hour limit":            {`{"bitbucket": {"switches": {"hour_limit": -1}}}`, "must not be negative"},
		"delay":                 {`{"bitbucket": {"switches": {"delay_reads": -1}}}`, "must not be negative"},
		"burst form":            {`{"bitbucket": {"switches": {"burst_429": {"every": 2, "form": "x"}}}}`, "burst_429 needs"},
		"burst every":           {`{"bitbucket": {"switches": {"burst_429": {"every": 0, "form": "bare"}}}}`, "burst_429 needs"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := world.Decode("world.json", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that contains %q", err, tt.want)
			}
		})
	}
}

func TestIdentityByOIDCAlone(t *testing.T) {
	t.Parallel()
	w, err := world.Decode("world.json", []byte(`{"kms": {"generation": "2024", "identities": [{"oidc": {"issuer": "y"}, "ttl": "0s"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	w.Fill(func() string { return "made" })
	id := w.Clone().KMS.Identities[0]
	if id.OIDC.ID != "made" || id.TTL == nil || *id.TTL != 0 || w.KMS.Generation != world.Generation2024 {
		t.Errorf("got %+v", id)
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	w, err := world.Decode("world.json", []byte(`{
  "kms": {"projects": [{"name": "My Shop", "environments": [{"slug": "dev", "folders": [{"path": "/web", "secrets": [{"key": "A", "value": "1"}]}]}]}]},
  "bitbucket": {"workspaces": [{"slug": "acme", "repositories": [{"slug": "web",
    "variables": [{"key": "A", "uuid": "abc", "value": "1"}],
    "environments": [{"name": "production"}, {"name": "QA eu", "variables": [{"key": "B"}]}]}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if !w.Fill(func() string { n++; return "uuid-" + strconv.Itoa(n) }) {
		t.Error("Fill reports that nothing was missing")
	}
	p := w.KMS.Projects[0]
	s := p.Environments[0].Folders[0].Secrets[0]
	if p.Slug != "my-shop" || p.ID == "" || p.Environments[0].Name != "dev" || s.ID == "" || s.Version != 1 {
		t.Errorf("project not filled in: %+v", p)
	}
	r := w.Bitbucket.Workspaces[0].Repositories[0]
	if r.Variables[0].UUID != "{abc}" {
		t.Errorf("a UUID without braces became %q", r.Variables[0].UUID)
	}
	prod, qa := r.Environments[0], r.Environments[1]
	if prod.Type != "Production" || prod.Slug != "production" || !strings.HasPrefix(prod.UUID, "{uuid-") {
		t.Errorf("environment not filled in: %+v", prod)
	}
	if qa.Type != "Test" || qa.Slug != "qa-eu" || !strings.HasPrefix(qa.Variables[0].UUID, "{") {
		t.Errorf("environment not filled in: %+v", qa)
	}
	if w.Fill(func() string { return "again" }) {
		t.Error("a second Fill finds something missing")
	}
}

// An identity with an empty list of rights may read nothing; without a list,
// everything. Both must survive the file.
func TestEmptyAccessStays(t *testing.T) {
	t.Parallel()
	w := &world.World{KMS: world.KMS{Identities: []world.Identity{{Token: "a", Access: []world.Access{}}, {Token: "b"}}}}
	got := w.Clone().KMS.Identities
	if got[0].Access == nil || got[1].Access != nil {
		t.Errorf("access lists came back as %v and %v", got[0].Access, got[1].Access)
	}
}

func TestFaultMatches(t *testing.T) {
	t.Parallel()
	const path = "/2.0/repositories/acme/web/pipelines_config/variables"
	tests := map[string]struct {
		fault world.Fault
		want  bool
	}{
		"anything":     {world.Fault{}, true},
		"method":       {world.Fault{Method: "get"}, true},
		"other method": {world.Fault{Method: "PUT"}, false},
		"exact":        {world.Fault{Path: path}, true},
		"template":     {world.Fault{Path: "/2.0/repositories/{workspace}/{repo}/pipelines_config/variables"}, true},
		"glob":         {world.Fault{Path: "/2.0/repositories/*/w?b/pipelines_config/variables"}, true},
		"rest":         {world.Fault{Path: "/2.0/**"}, true},
		"too short":    {world.Fault{Path: "/2.0/repositories/acme/web"}, false},
		"too long":     {world.Fault{Path: path + "/{uuid}"}, false},
		"elsewhere":    {world.Fault{Path: "/api/**"}, false},
	}
	for name, tt := range tests {
		if got := tt.fault.Matches("GET", path); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestDerivedUUID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := world.DerivedUUID("a", "b"), world.DerivedUUID("ab")
	if !form.MatchString(a) || a == b || a != world.DerivedUUID("a", "b") {
		t.Errorf("got %s and %s", a, b)
	}
}
