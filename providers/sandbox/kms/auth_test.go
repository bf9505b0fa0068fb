package kms_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const loginPath = "/api/v1/auth/universal-auth/login"

func (b *bench) login(secret string) (status int, message, accessToken string) {
	b.t.Helper()
	w := b.do("POST", loginPath, "", `{"clientId":"robot","clientSecret":"`+secret+`"}`)
	var body struct {
		Message     string
		AccessToken string
		ExpiresIn   int
		TokenType   string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		b.t.Fatal(err)
	}
	if w.Code == http.StatusOK && (body.ExpiresIn != 7200 || body.TokenType != "Bearer") {
		b.t.Errorf("login answered %s", w.Body)
	}
	return w.Code, body.Message, body.AccessToken
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, first := b.login("s3cret")
	_, _, second := b.login("s3cret")
	if first == "" || first == second {
		t.Fatalf("tokens %q and %q", first, second)
	}
	if got := flat(b.list(first, "/empty").Secrets); got != "" {
		t.Errorf("got %q", got)
	}
	b.now = b.now.Add(2 * time.Hour)
	b.wantError(b.get(first, "/api/v4/secrets", "/empty"), 403, "TokenError")
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	const good = `{"clientId":"robot","clientSecret":"s3cret"}`
	tests := map[string]struct {
		auth, body string
		status     int
		code       string
	}{
		"wrong secret":       {"", `{"clientId":"robot","clientSecret":"x"}`, 401, "UnauthorizedError"},
		"unknown client":     {"", `{"clientId":"x","clientSecret":"s3cret"}`, 401, "UnauthorizedError"},
		"no client at all":   {"", `{"clientId":"","clientSecret":""}`, 401, "UnauthorizedError"},
		"spoilt by a header": {"stale", good, 403, "TokenError"},
		"broken JSON":        {"", `{`, 500, "InternalServerError"},
		"empty body":         {"", ``, 500, "InternalServerError"},
		"missing field":      {"", `{"clientId":"robot"}`, 422, "ValidationFailure"},
		"wrong type":         {"", `{"clientId":"robot","clientSecret":7}`, 422, "ValidationFailure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			body := b.wantError(b.do("POST", loginPath, tt.auth, tt.body), tt.status, tt.code)
			if _, list := body["message"].([]any); list != (tt.status == 422) {
				t.Errorf("message is %v", body["message"])
			}
		})
	}
	b := newBench(t)
	if w := b.do("POST", loginPath+"/", token, `{"clientId":" robot ","clientSecret":"s3cret\n"}`); w.Code != 200 {
		t.Errorf("good header, blanks around values: %d %s", w.Code, w.Body)
	}
}

func TestLoginLockout(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 3 {
		if status, message, _ := b.login("wrong"); status != 401 || message != "Invalid credentials" {
			t.Errorf("failure %d: %d %q", i+1, status, message)
		}
	}
	status, message, _ := b.login("s3cret")
	if status != 401 || message == "Invalid credentials" {
		t.Errorf("the right secret while locked: %d %q", status, message)
	}
	b.now = b.now.Add(5*time.Minute - time.Second)
	if status, _, _ := b.login("s3cret"); status != 401 {
		t.Errorf("one second early: %d", status)
	}
	b.now = b.now.Add(time.Second)
	if status, _, _ := b.login("s3cret"); status != 200 {
		t.Errorf("after five minutes: %d", status)
	}
}

func TestLoginFailuresForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tries := []string{"x", "x", "s3cret", "x", "x"}
	for _, secret := range tries {
		b.login(secret)
	}
	b.now = b.now.Add(31 * time.Second)
	b.login("x") // the third, but too late to count with the others
	if status, _, _ := b.login("s3cret"); status != 200 {
		t.Errorf("locked although a success and a pause lay between: %d", status)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		auth   string
		status int
		code   string
	}{
		"missing":        {"", 401, "UnauthorizedError"},
		"unknown":        {"nonsense", 403, "TokenError"},
		"nothing behind": {"Bearer ", 403, "TokenError"},
		"service token":  {"st.abc", 404, "NotFound"},
		"not in project": {"outsider", 403, "ProjectMembershipNotFound"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for _, route := range []string{"/api/v4/secrets", "/api/v4/secrets/A", "/api/v1/projects/" + projectID, "/api/v1/projects/slug/shop"} {
				b.wantError(b.get(tt.auth, route, "/app"), tt.status, tt.code)
			}
		})
	}
	if w := newBench(t).get("bearer "+token, "/api/v4/secrets", "/app"); w.Code != 200 {
		t.Errorf("lower-case scheme: %d", w.Code)
	}
}

func TestTokenOfDeletedIdentity(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, issued := b.login("s3cret")
	b.store.Edit(func(w *world.World) { w.KMS.Identities = w.KMS.Identities[1:] })
	b.wantError(b.get(issued, "/api/v4/secrets", "/app"), 401, "UnauthorizedError")
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := []struct {
		method, target string
		status         int
		code           string
	}{
		{"GET", "/api/v9/x", 404, "Not Found"},
		{"GET", "/api//v4/secrets", 404, "Not Found"},
		{"GET", "/", 404, "Not Found"},
		{"GET", loginPath, 404, "Not Found"},
		{"DELETE", "/api/v4/secrets/A", 501, "NotImplemented"},
		{"POST", "/api/v3/secrets/raw/A", 501, "NotImplemented"},
		{"GET", "/api/v3/secrets/raw/" + strings.Repeat("x", 101), 404, "Not Found"},
		{"POST", "/api/v1/secret-syncs/bitbucket", 501, "NotImplemented"},
		{"POST", "/api/v1/folders", 501, "NotImplemented"},
		{"GET", "/api/v1/workspace/" + projectID, 501, "NotImplemented"},
	}
	for _, tt := range tests {
		b.wantError(b.do(tt.method, tt.target, token, ""), tt.status, tt.code)
	}
	body := b.wantError(b.do("GET", "/api/v9/x?a=b", token, ""), 404, "Not Found")
	if body["message"] != "Route GET:/api/v9/x?a=b not found" {
		t.Errorf("message %v", body["message"])
	}
}

func TestProjects(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	byID := b.do("GET", "/api/v1/projects/"+projectID, token, "")
	bySlug := b.do("GET", "/api/v1/projects/slug/shop", token, "")
	if byID.Body.String() != `{"project":`+bySlug.Body.String()+`}` {
		t.Errorf("the two answers differ:\n%s\n%s", byID.Body, bySlug.Body)
	}
	var p struct {
		ID, Slug     string
		Environments []struct{ ID, Slug, Name string }
	}
	if err := json.Unmarshal(bySlug.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.ID != projectID || p.Slug != "shop" || len(p.Environments) != 2 || p.Environments[0].Slug != "dev" || p.Environments[0].ID == p.Environments[1].ID {
		t.Errorf("got %+v", p)
	}
	for _, target := range []string{"/api/v1/projects/shop", "/api/v1/projects/slug/" + projectID, "/api/v1/projects/slug/nope", "/api/v1/projects/00000000-0000-4000-8000-00000000000f"} {
		b.wantError(b.do("GET", target, token, ""), 404, "NotFound")
	}
}
