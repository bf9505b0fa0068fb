package bitbucket

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	hidden "github.com/hanzoai/kmsync/providers/secret"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	const html = "<html><title>canary</title>"
	for name, c := range map[string]struct {
		status int
		body   string
		kind   providers.Kind
		code   string
		hint   string // part of it
	}{
		"braces":             {400, `{"error":{"message":"Bad request","detail":"canary","data":{"key":"unexpected.response.body","arguments":{}}}}`, providers.KindInvalid, "unexpected.response.body", ""},
		"unknown field":      {400, `{"type":"error","error":{"message":"Bad request","fields":{"type":"extra keys canary"}}}`, providers.KindInvalid, "", ""},
		"fields, list":       {400, `{"error":{"message":"canary","fields":{"key":["canary"],"canary":["x"]}}}`, providers.KindInvalid, "", "refuses the key of the variable"},
		"arguments":          {400, `{"error":{"data":{"key":"a.b","arguments":{"value":"canary","key":"canary"}}}}`, providers.KindInvalid, "", "the key and the value"},
		"top-level data":     {409, `{"error":{"message":"canary"},"data":{"key":"variable-service.variable.duplicate"}}`, providers.KindConflict, "variable-service.variable.duplicate", ""},
		"duplicate":          {409, `{"error":{"data":{"key":"variable-service.variable.duplicate","arguments":{}}}}`, providers.KindConflict, "variable-service.variable.duplicate", ""},
		"odd code":           {409, `{"error":{"data":{"key":"canary value!"}}}`, providers.KindConflict, "", ""},
		"long code":          {409, `{"error":{"data":{"key":"` + strings.Repeat("canary", 11) + `"}}}`, providers.KindConflict, "", ""},
		"code is no text":    {409, `{"error":{"data":{"key":["canary"]}}}`, providers.KindConflict, "", ""},
		"401":                {401, `{"type":"error","error":{"message":"Token is invalid, canary"}}`, providers.KindUnauthenticated, "", "wrong, expired or revoked"},
		"401 empty":          {401, ``, providers.KindUnauthenticated, "", "wrong, expired or revoked"},
		"scopes":             {403, `{"error":{"message":"canary","detail":{"required":["pipeline:variable"],"granted":["pipeline","repository"]}}}`, providers.KindForbidden, "", "lacks the scope pipeline:variable; it has pipeline, repository."},
		"scopes, granular":   {403, `{"error":{"detail":{"required":["admin:pipeline:bitbucket"],"granted":[]}}}`, providers.KindForbidden, "", "lacks the scope admin:pipeline:bitbucket."},
		"odd scope":          {403, `{"error":{"detail":{"required":["CANARY canary"],"granted":["pipeline"]}}}`, providers.KindForbidden, "", "needs the scopes pipeline and repository"},
		"scope like a token": {403, `{"error":{"detail":{"required":["canary-bb-token"]}}}`, providers.KindForbidden, "", "needs the scopes pipeline and repository"},
		"token at top level": {403, `{"required":["canary-bb-token"]}`, providers.KindForbidden, "", "needs the scopes pipeline and repository"},
		"odd granted":        {403, `{"error":{"detail":{"required":["pipeline"],"granted":["canary canary"]}}}`, providers.KindForbidden, "", "lacks the scope pipeline."},
		"mechanism":          {403, `{"error":{"message":"This API is not accessible by this authentication mechanism"}}`, providers.KindForbidden, "", "kind of credential"},
		"mechanism 2":        {403, `{"error":{"message":"This resource does not support authentication using the provided token"}}`, providers.KindForbidden, "", "kind of credential"},
		"403 text detail":    {403, `{"error":{"message":"canary","detail":"canary"}}`, providers.KindForbidden, "", "admin of the repository"},
		"repository gone":    {404, `{"type":"error","error":{"message":"Repository acme/canary not found."}}`, providers.KindNotFound, "", "deleted, renamed, or this token lost access"},
		"no workspace":       {404, `{"type":"error","error":{"message":"No workspace with identifier 'canary'."}}`, providers.KindNotFound, "", "no access to the workspace"},
		"value too large":    {413, html, providers.KindInvalid, "", "larger than Bitbucket, or a proxy on the way, accepts"},
		"value refused":      {400, `{"error":{"data":{"arguments":{"value":"canary"}}}}`, providers.KindInvalid, "", "refuses the value of the variable: it may be too large"},
		"no API":             {404, `{"error":{"message":"Resource not found","detail":"There is no API hosted at this URL"}}`, providers.KindForeign, "", "does not speak the /2.0 of Bitbucket; check the address"},
		"404 of a KMS":       {404, `{"reqId":"canary","message":"Route GET:/2.0 not found","error":"Not Found","statusCode":404}`, providers.KindForeign, "", "check the address"},
		"404 in plain text":  {404, `404 page not found`, providers.KindForeign, "", "check the address"},
		"404 without a body": {404, ``, providers.KindNotFound, "", "deleted, renamed"},
		"variable gone":      {404, `{"error":{"data":{"key":"variable-service.variable.not-found"}}}`, providers.KindNotFound, "variable-service.variable.not-found", "variable was deleted"},
		"404 page":           {404, html, providers.KindForeign, "", "proxy or login page"},
		"403 page":           {403, html, providers.KindForeign, "", "proxy or login page"},
		"409 page":           {409, html, providers.KindForeign, "", "proxy or login page"},
		"400 page":           {400, html, providers.KindInvalid, "", "front door"},
		"410":                {410, `{"error":{"message":"canary"}}`, providers.KindUnsupported, "", "withdrawn"},
		"501":                {501, `{}`, providers.KindUnsupported, "", ""},
		"500 page":           {500, html, providers.KindUnavailable, "", ""},
		"555":                {555, ``, providers.KindUnavailable, "", ""},
		"error is text":      {400, `{"error":"canary"}`, providers.KindInvalid, "", ""},
		"array":              {400, `["canary"]`, providers.KindInvalid, "", ""},
		"plain":              {400, `canary`, providers.KindInvalid, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answer(t, c.status, c.body)
			_, err := s.client(nil).Repository(t.Context(), "acme", "web")
			e := wantKind(t, err, c.kind)
			if e.Status != c.status || e.Code != c.code || !strings.Contains(e.Hint, c.hint) || (c.hint == "" && e.Hint != "") {
				t.Errorf("status %d, code %q, hint %q; want %d, %q, %q", e.Status, e.Code, e.Hint, c.status, c.code, c.hint)
			}
			if e.Op != "read repository" || e.Scope != "acme/web" {
				t.Errorf("op %q, scope %q", e.Op, e.Scope)
			}
			noCanary(t, s.logs.String())
		})
	}
}

// echoed are texts that an answer may repeat: one that is no code by its form, and
// some that look just like a code or a scope.
var echoed = []string{"Canary Text", "canary-bb-token", "canary.value", "canary:variable", "canary_value", "pipeline:canary"}

// An answer that repeats what was sent, wherever codes, keys and scopes stand,
// does not get it shown.
func TestEchoesAreNotShown(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{token, "canary-bb-token", "canary.value", "pipeline:canary", "canary"} {
		for _, body := range []string{
			`{"error":{"data":{"key":"%s","arguments":{"%s":"%s"}}}}`, `{"error":{"message":"x"},"data":{"key":"%s"}}`,
			`{"error":{"fields":{"%s":["%s"]}}}`, `{"error":{"detail":{"required":["%s"],"granted":["%s"]}}}`,
			`{"error":{"detail":{"required":["pipeline"],"granted":["pipeline","%s"]}}}`,
			`{"error":{"detail":{"required":["pipeline","%s"],"granted":[]}}}`, `{"required":["%s"]}`, `{"key":"%s"}`,
		} {
			for status, kind := range map[int]providers.Kind{
				400: providers.KindInvalid, 401: providers.KindUnauthenticated, 403: providers.KindForbidden, 409: providers.KindConflict,
			} {
				s := answer(t, status, strings.ReplaceAll(body, "%s", secret))
				_, err := s.client(nil).Create(t.Context(), web, providers.Assignment{Key: "KMS_A", Value: hidden.New("canary.value"), Secured: true})
				if e := wantKind(t, err, kind); e.Code != "" {
					t.Errorf("shows the code %q", e.Code)
				}
				noCanary(t, s.logs.String())
			}
		}
	}
}

// Where an answer does not name the scope, the request tells which is missing.
func TestForbiddenNamesTheScopes(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), answer(t, 403, `{"error":{"message":"x"}}`).client(nil)
	_, list := c.Variables(ctx, web)
	_, listed := c.Variables(ctx, staging)
	_, environments := c.Environments(ctx, "acme", "web")
	_, repository := c.Repository(ctx, "acme", "web")
	_, create := c.Create(ctx, web, providers.Assignment{Key: "A", Value: hidden.New("v")})
	_, update := c.Update(ctx, staging, "{00000000-0000-4000-8000-00000000000a}", providers.Assignment{Key: "A", Value: hidden.New("v")})
	const write, read = "pipeline:variable", "pipeline and repository"
	for name, c := range map[string]struct {
		err       error
		want, not string
	}{
		"list variables": {list, read, write}, "of an environment": {listed, read, write},
		"list environments": {environments, read, write}, "read repository": {repository, read, write},
		"create": {create, write, read}, "update": {update, write, read},
	} {
		e := wantKind(t, c.err, providers.KindForbidden)
		granular := map[string]string{read: "read:pipeline:bitbucket and read:repository:bitbucket", write: "admin:pipeline:bitbucket"}[c.want]
		if !strings.Contains(e.Hint, c.want) || !strings.Contains(e.Hint, granular) || strings.Contains(e.Hint, c.not) {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
	}
}

// What belongs to the workspace needs other rights than what belongs to one of its
// repositories, also where the answer says that the kind of credential is wrong.
func TestForbiddenInAWorkspace(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"x", "This API is not accessible by this authentication mechanism"} {
		ctx, c := t.Context(), answer(t, 403, `{"error":{"message":"`+message+`"}}`).client(nil)
		_, workspace := c.Workspace(ctx, "acme")
		_, list := c.Variables(ctx, acme)
		_, create := c.Create(ctx, acme, providers.Assignment{Key: "A", Value: hidden.New("v")})
		_, update := c.Update(ctx, acme, "{a}", providers.Assignment{Key: "A", Value: hidden.New("v")})
		for name, c := range map[string]struct {
			err         error
			scope, want string
		}{
			"read workspace": {workspace, "acme", "read:workspace:bitbucket"},
			"list":           {list, "acme (workspace)", "read:pipeline:bitbucket and read:workspace:bitbucket), and an admin of the workspace"},
			"create":         {create, "acme (workspace)", "pipeline:variable (API token: admin:pipeline:bitbucket), and an admin of the workspace"},
			"update":         {update, "acme (workspace)", "pipeline:variable (API token: admin:pipeline:bitbucket), and an admin of the workspace"},
		} {
			if e := wantKind(t, c.err, providers.KindForbidden); !strings.Contains(e.Hint, c.want) || e.Scope != c.scope {
				t.Errorf("%s: scope %q, hint %q", name, e.Scope, e.Hint)
			}
		}
	}
	_, err := answer(t, 404, `{"error":{"message":"x"}}`).client(nil).Variables(t.Context(), acme)
	if e := wantKind(t, err, providers.KindNotFound); !strings.Contains(e.Hint, "no access to the workspace") || strings.Contains(e.Hint, "Pipelines") {
		t.Errorf("hint %q", e.Hint)
	}
}

// A text of the answer never gets into an error, whatever the shape around it.
func FuzzFail(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"message":"%s","detail":"%s","fields":{"%s":["%s"]},"data":{"key":"%s ","arguments":{"%s":"%s"}}}}`,
		`{"error":{"detail":{"required":["%s!"],"granted":["%s"]}},"data":{"key":"%s,"}}`,
		`["%s"]`, `"%s"`, `<html>%s`, `%s`, `{"error":null}`, `{"error":{"data":[]}}`, "\xff\x00",
	} {
		for _, status := range []int{400, 401, 403, 404, 409, 410, 429, 500} {
			for _, secret := range echoed {
				f.Add(status, strings.ReplaceAll(seed, "%s", secret))
			}
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 400 || status > 999 {
			return
		}
		for _, kind := range []string{"application/json", "text/html", ""} {
			e := fail(&httpx.Request{Method: http.MethodPut}, status, http.Header{"Content-Type": {kind}}, []byte(body))
			if e.Kind == "" {
				t.Error("no kind")
			}
			for _, secret := range echoed {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("quotes the body: %v", e)
				}
			}
			limited(status, []byte(body))
		}
	})
}

// Hostile lists never panic, and what is secured never shows.
func FuzzPage(f *testing.F) {
	f.Add(`{"values":[{"uuid":"{00000000-0000-4000-8000-00000000000a}","key":"K","secured":true,"value":"Canary"}],"next":"?page=2","size":1}`)
	f.Add(`{"values":[{"uuid":"","key":""},{"uuid":"{00000000-0000-4000-8000-00000000000a}"},{"uuid":"{00000000-0000-4000-8000-00000000000a}"}],"pagelen":-1,"page":0,"size":-5}`)
	f.Add(`{"values":[null,{}],"size":1e3}`)
	f.Fuzz(func(t *testing.T, body string) {
		p := read[page[wireVariable]]([]byte(body))
		if p.Values == nil {
			return
		}
		l := listing[wireVariable]{seen: map[string]bool{}}
		fresh := l.add(p, 1, func(w wireVariable) string { return w.UUID })
		l.done(p, fresh)
		l.settle()
		for _, w := range l.items {
			if v := w.variable(); v.Secured && !v.Value.IsEmpty() {
				t.Error("a secured variable shows a value")
			}
		}
	})
}
