package kms_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// robot changes the identity that logs in by client id and secret.
func (b *bench) robot(change func(*world.Identity)) {
	b.store.Edit(func(w *world.World) { change(&w.KMS.Identities[0]) })
}

func span(d time.Duration) *world.Duration { w := world.Duration(d); return &w }

type loggedIn struct {
	AccessToken                  string
	ExpiresIn, AccessTokenMaxTTL int
}

func (b *bench) logIn() (body loggedIn) {
	b.t.Helper()
	b.decode(b.do("POST", loginPath, "", `{"clientId":"robot","clientSecret":"s3cret"}`), 200, &body)
	return body
}

func (b *bench) post(route, body string, into any) *httptest.ResponseRecorder {
	b.t.Helper()
	w := b.do("POST", route, "", body)
	if into != nil {
		b.decode(w, 200, into)
	}
	return w
}

// The table of kms-observed-2026.md §4.
func TestTokenCases2026(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before, after func(*bench)
		status        int
		code          string
	}{
		"TTL": {
			func(b *bench) { b.robot(func(id *world.Identity) { id.TTL = span(time.Minute) }) },
			func(b *bench) { b.now = b.now.Add(time.Minute) }, 403, "TokenError",
		},
		"revoked token":           {nil, func(b *bench) { b.robot(func(id *world.Identity) { id.Revoked = world.RevokedToken }) }, 401, "UnauthorizedError"},
		"revoked secret":          {nil, func(b *bench) { b.robot(func(id *world.Identity) { id.Revoked = world.RevokedSecret }) }, 401, "UnauthorizedError"},
		"without an end, by 2024": {func(b *bench) { b.generation("2024"); b.robot(func(id *world.Identity) { id.TTL = span(0) }) }, func(b *bench) { b.generation("2026") }, 401, "UnauthorizedError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if tt.before != nil {
				tt.before(b)
			}
			issued := b.logIn().AccessToken
			tt.after(b)
			for range 2 { // it stays so
				b.wantError(b.get(issued, v4Secrets, "/app"), tt.status, tt.code)
			}
		})
	}
	b := newBench(t)
	issued := b.logIn().AccessToken
	b.wantError(b.get(issued+"x", v4Secrets, "/app"), 403, "TokenError")
	b.wantError(b.get("a.b.c", v4Secrets, "/app"), 403, "TokenError")
	b.robot(func(id *world.Identity) { id.Revoked = world.RevokedSecret })
	b.wantError(b.do("POST", loginPath, "", `{"clientId":"robot","clientSecret":"s3cret"}`), 401, "UnauthorizedError")
	if w := b.get(token, v4Secrets, "/app"); w.Code != 200 {
		t.Errorf("a ready-made token does not come from the secret: %d", w.Code)
	}
}

func TestUses2026(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.robot(func(id *world.Identity) { id.Uses = 2 })
	issued := b.logIn().AccessToken
	for range 2 {
		if w := b.get(issued, v4Secrets, "/app"); w.Code != 200 {
			t.Fatalf("within its uses: %d %s", w.Code, w.Body)
		}
	}
	for range 2 {
		b.wantError(b.get(issued, v4Secrets, "/app"), 401, "UnauthorizedError")
	}
}

func TestLongLivesAreCut2026(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, ttl := range []time.Duration{0, 365 * 24 * time.Hour} {
		b.robot(func(id *world.Identity) { id.TTL = span(ttl) })
		if got := b.logIn().ExpiresIn; got != 90*24*3600 {
			t.Errorf("%s: %d seconds", ttl, got)
		}
	}
}

func TestReadyMadeTokens(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.identity(world.Identity{Token: "short", TTL: span(time.Minute), Uses: 3})
	b.identity(world.Identity{Token: "ended", Revoked: world.RevokedToken})
	b.now = b.now.Add(time.Hour) // its life begins with its first use
	if w := b.get("short", v4Secrets, "/app"); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	b.now = b.now.Add(time.Minute)
	b.wantError(b.get("short", v4Secrets, "/app"), 403, "TokenError")
	b.wantError(b.get("ended", v4Secrets, "/app"), 401, "UnauthorizedError")
}

func TestRenewAndRevoke2026(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.robot(func(id *world.Identity) { id.TTL, id.MaxTTL = span(time.Minute), span(time.Minute) })
	old := b.logIn().AccessToken
	b.now = b.now.Add(20 * time.Second)
	var next loggedIn
	b.post("/api/v1/auth/token/renew", `{"accessToken":"`+old+`"}`, &next)
	if next.AccessToken == old || next.ExpiresIn != 40 {
		t.Errorf("TTL equal to the longest life: got %+v, seen: a new token with what is left", next)
	}
	for _, text := range []string{old, next.AccessToken} {
		if w := b.get(text, v4Secrets, "/app"); w.Code != 200 {
			t.Errorf("both live on: %d %s", w.Code, w.Body)
		}
	}
	b.now = b.now.Add(10 * time.Second)
	var third loggedIn
	b.post("/api/v1/auth/token/renew", `{"accessToken":"`+next.AccessToken+`"}`, &third)
	if third.ExpiresIn != 30 {
		t.Errorf("a second renewal: %+v, want what is left of the first token's longest life", third)
	}
	b.post("/api/v1/auth/token/revoke", `{"accessToken":"`+next.AccessToken+`"}`, &struct{}{})
	b.wantError(b.get(next.AccessToken, v4Secrets, "/app"), 401, "UnauthorizedError")
	b.now = b.now.Add(40 * time.Second)
	b.wantError(b.post("/api/v1/auth/token/renew", `{"accessToken":"`+old+`"}`, nil), 403, "TokenError")
}

// The tables of kms-observed.md §2.
func TestTokenCases2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.robot(func(id *world.Identity) { id.TTL, id.MaxTTL, id.Uses = span(time.Minute), span(time.Hour), 4 })
	answer := b.logIn()
	issued := answer.AccessToken
	if answer.ExpiresIn != 60 || answer.AccessTokenMaxTTL != 3600 {
		t.Errorf("got %+v", answer)
	}
	read := func(auth string) *httptest.ResponseRecorder { return b.raw(auth, v3Secrets, "/app") }
	const server, unauthorized = "Internal Server Error", "UnauthorizedError"
	changed := issued[:strings.LastIndexByte(issued, '.')+1] + "AAAA"
	for _, tt := range map[string]struct {
		auth          string
		status        int
		code, message string
	}{
		"no header": {"", 403, "Unauthorized access", "Token missing"}, "nothing": {"Bearer ", 500, server, "jwt must be provided"},
		"no JWT": {"nonsense", 500, server, "jwt malformed"}, "like a JWT": {"a.b.c", 500, server, "invalid token"},
		"signature": {changed, 500, server, "invalid signature"}, "service token": {"st.x", 403, unauthorized, notMember},
	} {
		b.wantLegacy(read(tt.auth), tt.status, tt.code, tt.message)
		if tt.auth != "" && tt.status == 500 { // it spoils the login
			b.wantLegacy(b.do("POST", loginPath, tt.auth, `{"clientId":"robot","clientSecret":"s3cret"}`), tt.status, tt.code, tt.message)
		}
	}
	if w := read(issued); w.Code != 200 {
		t.Fatalf("a good token: %d %s", w.Code, w.Body)
	}
	b.now = b.now.Add(time.Minute)
	b.wantLegacy(read(issued), 403, unauthorized, "Failed to renew MI access token due to TTL expiration")
	b.wantLegacy(read(issued), 403, unauthorized, notMember)
	b.now = b.now.Add(time.Hour)
	b.wantLegacy(read(issued), 500, server, "jwt expired")

	limited := b.logIn().AccessToken
	for range 4 {
		read(limited)
	}
	b.wantLegacy(read(limited), 400, "BadRequest", "Unable to renew because access token number of uses limit reached")
	b.wantLegacy(read(limited), 403, unauthorized, notMember)

	b.robot(func(id *world.Identity) { id.TTL, id.Uses = span(30*time.Minute), 0 })
	kept := b.logIn().AccessToken
	var renewed loggedIn
	if b.post("/api/v1/auth/token/renew", `{"accessToken":"`+kept+`"}`, &renewed); renewed.AccessToken != kept {
		t.Error("renewal gave another token")
	}
	b.now = b.now.Add(29 * time.Minute)
	b.post("/api/v1/auth/token/renew", `{"accessToken":"`+kept+`"}`, &renewed)
	b.now = b.now.Add(29 * time.Minute)
	b.wantLegacy(b.post("/api/v1/auth/token/renew", `{"accessToken":"`+kept+`"}`, nil), 403, unauthorized, "Failed to renew MI access token past its Max TTL expiration")
	b.robot(func(id *world.Identity) { id.Revoked = world.RevokedSecret })
	if w := read(kept); w.Code != 200 {
		t.Errorf("a revoked secret does not end its tokens there: %d %s", w.Code, w.Body)
	}
	b.robot(func(id *world.Identity) { id.Revoked = world.RevokedToken })
	b.wantLegacy(read(kept), 403, unauthorized, notMember)
}

func TestLogin2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	const good = `{"clientId":"robot","clientSecret":"s3cret"}`
	for range 5 { // there is no lockout
		b.wantLegacy(b.do("POST", loginPath, "", strings.Replace(good, "s3cret", "x", 1)), 403, "UnauthorizedError", "Invalid credentials")
	}
	b.wantLegacy(b.do("POST", loginPath, "", `{"clientId":"x","clientSecret":"x"}`), 403, "UnauthorizedError", "Invalid credentials")
	for _, body := range []string{"", `{"clientId":"robot"}`} {
		b.wantLegacy(b.do("POST", loginPath, "", body), 403, "ValidationFailure", "[list]")
	}
	b.wantLegacy(b.do("POST", loginPath, "", good, "Content-Type", "text/plain"), 403, "ValidationFailure", "[list]")
	b.wantLegacy(b.do("POST", loginPath, "", "{"), 400, "Bad Request", "Expected property name or '}' in JSON at position 1")
	b.wantLegacy(b.do("GET", loginPath, "", ""), 404, "Not Found", "Route GET:"+loginPath+" not found")
	form := url.Values{"clientId": {" robot"}, "clientSecret": {"s3cret "}}.Encode()
	var body loggedIn
	b.decode(b.do("POST", loginPath, "", form, "Content-Type", "application/x-www-form-urlencoded"), 200, &body)
	if body.ExpiresIn != 2592000 || body.AccessTokenMaxTTL != 2592000 {
		t.Errorf("got %+v", body)
	}
}

const (
	oidcID    = "11111111-2222-4333-8444-555555555555"
	oidcLogin = "/api/v1/auth/oidc-auth/login"
	repoUUID  = "{aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee}"
)

func newOIDC(t *testing.T) *bench {
	b := newBench(t)
	b.identity(world.Identity{OIDC: &world.OIDC{
		ID: oidcID, Issuer: "https://api.bitbucket.example/oidc", Subject: "repo:*", Audiences: []string{"ari:one", "ari:two", "ari:[x]"},
		Claims: map[string]string{"repositoryUuid": repoUUID + ", other", "build.branch": "release-*"},
	}})
	return b
}

// mint asks the sandbox for a token of the provider; extra is more of the query.
func (b *bench) mint(extra string) string {
	b.t.Helper()
	if !strings.Contains(extra, "claim.build") {
		extra += "&claim.build.branch=release-1"
	}
	w := b.do("GET", "/sandbox/oidc-token?identity="+oidcID+"&sub=repo:x"+extra, "", "")
	if w.Code != 200 || strings.Count(w.Body.String(), ".") != 2 {
		b.t.Fatalf("mint: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestOIDCLogin(t *testing.T) {
	t.Parallel()
	b := newOIDC(t)
	with := func(id, jwt string) *httptest.ResponseRecorder {
		return b.do("POST", oidcLogin, "", `{"identityId":"`+id+`","jwt":"`+jwt+`"}`)
	}
	accepted := map[string]string{
		"as it is": "", "audience as a text": "&claim.aud=ari:two", "audience among others": "&claim.aud=x&claim.aud=ari:one",
		"exactly, before globs": "&claim.aud=ari:[x]",
		"no kid":                "&nokid=1", "the other allowed value": "&claim.repositoryUuid=other",
	}
	for name, extra := range accepted {
		var body loggedIn
		b.decode(with(oidcID, b.mint(extra)), 200, &body)
		if w := b.get(body.AccessToken, v4Secrets, "/app"); w.Code != 200 || body.ExpiresIn != 7200 {
			t.Errorf("%s: %d %s, %+v", name, w.Code, w.Body, body)
		}
	}
	refused := map[string]struct {
		extra  string
		status int
		code   string
	}{
		"expired": {"&expired=1", 401, "UnauthorizedError"}, "subject": {"&claim.sub=other", 403, "ForbiddenError"},
		"issuer": {"&claim.iss=https://other", 401, "UnauthorizedError"}, "audience": {"&claim.aud=x", 401, "UnauthorizedError"},
		"claim": {"&claim.repositoryUuid=x", 401, "UnauthorizedError"}, "nested claim": {"&claim.build.branch=main", 401, "UnauthorizedError"},
		"no object": {"&claim.build=release-1", 401, "UnauthorizedError"},
	}
	for _, tt := range refused {
		b.wantError(with(oidcID, b.mint(tt.extra)), tt.status, tt.code)
	}
	b.wantError(with(oidcID, newOIDC(t).mint("")), 401, "UnauthorizedError") // a foreign key
	b.wantError(with(oidcID, "nonsense"), 401, "UnauthorizedError")
	b.wantError(with("99999999-2222-4333-8444-555555555555", b.mint("")), 404, "NotFound") // not configured
	b.wantError(with("robot", b.mint("")), 500, "InternalServerError")                     // not a UUID
	b.wantError(b.do("POST", oidcLogin, "", `{"identityId":"`+oidcID+`"}`), 422, "ValidationFailure")
	b.wantError(b.do("POST", oidcLogin, "stale", `{"identityId":"`+oidcID+`","jwt":"`+b.mint("")+`"}`), 403, "TokenError")
	if w := b.do("GET", "/sandbox/oidc-token?identity=nobody", "", ""); w.Code != 404 {
		t.Errorf("an identity that is not there: %d %s", w.Code, w.Body)
	}
	late := b.mint("")
	b.now = b.now.Add(time.Hour)
	b.wantError(with(oidcID, late), 401, "UnauthorizedError")
	b.generation("2024")
	b.wantLegacy(with(oidcID, late), 501, "NotImplemented", oidcLogin+" is not emulated yet")
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if w := b.get(token, v4Secrets, "/app"); w.Header().Get("X-RateLimit-Limit") != "" {
		t.Error("headers without the switch")
	}
	b.store.Edit(func(w *world.World) { w.KMS.Switches.RateLimit = 3 })
	headers := func(w *httptest.ResponseRecorder) string {
		var out []string
		for _, name := range []string{"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"} {
			out = append(out, w.Header().Get(name))
		}
		return strings.Join(out, " ")
	}
	tag := b.get(token, v4Secrets, "/app").Header().Get("ETag")
	b.now = b.now.Add(20*time.Second + time.Millisecond)
	if w := b.get("nothing", v4Secrets, "/app"); w.Code != 403 || headers(w) != "3 1 40 " {
		t.Errorf("a refusal counts: %d %q", w.Code, headers(w))
	}
	b.get("nonsense", v4Secrets, "/app") // a broken token is answered before the limiter
	same := "projectId=" + projectID + "&environment=dev&secretPath=%2Fapp"
	if w := b.do("GET", v4Secrets+"?"+same, token, "", "If-None-Match", tag); headers(w) != "3 0 40 " {
		t.Errorf("one that is not changed counts: %d %q", w.Code, headers(w))
	}
	w := b.get(token, v4Secrets, "/app")
	body := b.wantError(w, 429, "RateLimitExceeded")
	if headers(w) != "3 0 40 40" || body["message"] != "Rate limit exceeded. Please try again in 40 seconds" {
		t.Errorf("got %q %v", headers(w), body)
	}
	if w := b.get(token, v4Secrets+"/A", "/app"); w.Code != 200 {
		t.Errorf("another route has a limit of its own: %d", w.Code)
	}
	b.now = b.now.Add(40 * time.Second)
	if w := b.get(token, v4Secrets, "/app"); w.Code != 200 {
		t.Errorf("after the window: %d", w.Code)
	}
	b.generation("2024")
	for range 3 {
		b.raw(token, v3Secrets, "/app")
	}
	b.wantLegacy(b.raw(token, v3Secrets, "/app"), 429, "Too Many Requests", "Rate limit exceeded, retry in 1 minute")
	for range 3 {
		b.do("POST", loginPath, "", "")
	}
	b.wantLegacy(b.do("POST", loginPath, "", ""), 429, "Too Many Requests", "Rate limit exceeded, retry in 1 minute")
}

func TestMessageAsObject(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.Edit(func(w *world.World) { w.KMS.Switches.MessageObject = true })
	body := b.wantError(b.get(token, v4Secrets, "/nope"), 404, "SecretPathNotFound")
	if message, ok := body["message"].(map[string]any); !ok || !strings.Contains(message["text"].(string), "/nope") {
		t.Errorf("got %v", body)
	}
	body = b.wantError(b.get(token, v4Secrets, "/app", "recursive=1"), 422, "ValidationFailure")
	if _, ok := body["message"].([]any); !ok {
		t.Errorf("a list stays a list: %v", body)
	}
	body = b.wantError(b.get(token, "/api/v9/secrets", "/app"), 404, "Not Found")
	if _, ok := body["message"].(string); !ok {
		t.Errorf("a missing route is told in a text: %v", body)
	}
}
