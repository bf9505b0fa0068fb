package bitbucket

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

const doomed = "{11111111-aaaa-4bbb-8ccc-000000000002}"

func TestDeleteSendsOneRequest(t *testing.T) {
	t.Parallel()
	for root, scope := range map[string]providers.Scope{repoVars: web, envVars: staging, spaceVars: acme} {
		s := answer(t, http.StatusNoContent, "")
		if err := s.client(nil).Delete(t.Context(), scope, doomed, time.Time{}); err != nil {
			t.Fatal(err)
		}
		s.wantRequests("DELETE " + root + "/%7B11111111-aaaa-4bbb-8ccc-000000000002%7D")
		if r := s.seen[0]; r.body != "" || r.header.Get("Content-Type") != "" || r.header.Get("Authorization") != "Bearer "+token {
			t.Errorf("body %q, headers %v", r.body, r.header)
		}
		if logs := s.logs.String(); !strings.Contains(logs, "/variables/{variable}") || strings.Contains(logs, "11111111") {
			t.Errorf("logged %s", logs)
		}
	}
}

// What an answer to a delete means: done, not done, or in doubt.
func TestAnswersToADelete(t *testing.T) {
	t.Parallel()
	const (
		done = providers.Kind("")
		gone = `"data":{"key":"variable-service.variable.not-found","arguments":{}}`
	)
	for name, c := range map[string]struct {
		status  int
		media   string // application/json where empty
		body    string
		kind    providers.Kind
		inDoubt bool
	}{
		"204":            {status: 204},
		"204 of a page":  {status: 204, media: "text/html; charset=utf-8"},
		"200, empty":     {status: 200},
		"200, variable":  {status: 200, body: `{"uuid":"{other}","key":"K"}`},
		"200, odd JSON":  {status: 200, body: `[]`},
		"202":            {status: 202, body: `{}`},
		"gone":           {status: 404, body: `{"type":"error","error":{"message":"Not found",` + gone + `}}`},
		"gone, on top":   {status: 404, body: `{"error":{"message":"Not found"},` + gone + `}`},
		"gone, any text": {status: 404, body: `{"error":{"message":"No variable in this repository",` + gone + `}}`},
		"gone, of what":  {404, "", `{"error":{"message":"Not found"}}`, providers.KindNotFound, false},
		"gone, in words": {status: 404, body: `{"type":"error","error":{"message":"Not found","detail":"Variable not found"}}`},
		"repository":     {404, "", `{"type":"error","error":{"message":"Repository acme/web not found."}}`, providers.KindNotFound, false},
		"workspace":      {404, "", `{"type":"error","error":{"message":"No workspace with identifier 'acme'."}}`, providers.KindNotFound, false},
		"environment":    {404, "", `{"error":{"message":"Not found","detail":"Environment not found"}}`, providers.KindNotFound, false},
		"account":        {404, "", `{"error":{"message":"Account not found"}}`, providers.KindNotFound, false},
		"project":        {404, "", `{"error":{"message":"Project not found"}}`, providers.KindNotFound, false},
		"Pipelines":      {404, "", `{"error":{"message":"Pipelines is not enabled"}}`, providers.KindNotFound, false},
		"other code":     {404, "", `{"error":{"message":"Not found","data":{"key":"deploy-service.environment.not-found"}}}`, providers.KindNotFound, false},
		"no API":         {404, "", `{"type":"error","error":{"message":"Resource not found","detail":"There is no API hosted at this URL"}}`, providers.KindForeign, false},
		"empty 404":      {404, "", ``, providers.KindNotFound, false},
		"no error":       {404, "", `{"message":"Not found"}`, providers.KindForeign, false},
		"error is text":  {404, "", `{"error":"Not found"}`, providers.KindForeign, false},
		"404 page":       {404, "text/html", `<html>canary`, providers.KindForeign, false},
		"404 text":       {404, "text/plain", `404 page not found`, providers.KindForeign, false},
		"404 as a page":  {404, "text/html", `{"error":{"message":"Not found",` + gone + `}}`, providers.KindNotFound, false},
		"gone as 400":    {400, "", `{"error":{"message":"canary",` + gone + `}}`, providers.KindInvalid, false},
		"403":            {403, "", `{"error":{"message":"canary"}}`, providers.KindForbidden, false},
		"401":            {401, "", ``, providers.KindUnauthenticated, false},
		"409":            {409, "", `{"error":{"message":"canary"}}`, providers.KindConflict, false},
		"410":            {410, "", ``, providers.KindUnsupported, false},
		"429":            {429, "", ``, providers.KindRateLimited, false},
		"login page":     {200, "text/html", `<html>canary`, providers.KindForeign, true},
		"text":           {200, "text/plain", `canary`, providers.KindForeign, true},
		"empty page":     {200, "text/html", ``, providers.KindForeign, true},
		"redirect":       {302, "", ``, providers.KindForeign, true},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			if c.media != "" {
				w.Header().Set("Content-Type", c.media)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		err := s.client(nil).Delete(t.Context(), web, doomed, time.Time{})
		if c.kind == done {
			if err != nil || s.count() != 1 {
				t.Errorf("%s: %v after %d requests", name, err, s.count())
			}
			continue
		}
		if e := wantKind(t, err, c.kind); e.InDoubt() != c.inDoubt || e.Op != "delete variable" || e.Scope != "acme/web" {
			t.Errorf("%s: %+v, in doubt %v", name, e, e.InDoubt())
		}
		if c.status != 429 && s.count() != 1 {
			t.Errorf("%s: sent %d times", name, s.count())
		}
	}
}

// A delete is sent again after a fault: when all tries are lost it is in doubt, and a
// 404 after a lost one says that it is done.
func TestDeleteIsRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 500, 502, 503, 504, 555} {
		s := answer(t, status, "")
		err := s.client(nil).Delete(t.Context(), web, doomed, time.Time{})
		if e := wantKind(t, err, providers.KindUnavailable); !e.InDoubt() || s.count() != 5 {
			t.Errorf("%d: in doubt %v after %d requests", status, e.InDoubt(), s.count())
		}
	}
	for name, c := range map[string]struct {
		body string
		kind providers.Kind
	}{
		"gone":       {`{"error":{"data":{"key":"variable-service.variable.not-found"}}}`, ""},
		"repository": {`{"error":{"message":"Repository acme/web not found."}}`, providers.KindNotFound},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, c.body)
		})
		err := s.client(nil).Delete(t.Context(), web, doomed, time.Time{})
		if providers.KindOf(err) != c.kind || providers.InDoubt(err) != (c.kind != "") || s.count() != 2 {
			t.Errorf("%s: %v after %d requests", name, err, s.count())
		}
	}
}

// No attempt begins after the time of a delete. Where an earlier one was lost, it is in
// doubt.
func TestDeleteEndsWithItsTime(t *testing.T) {
	t.Parallel()
	for status, inDoubt := range map[int]bool{429: false, 503: true} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", "31")
			w.WriteHeader(status)
		})
		c := s.client(nil)
		err := c.Delete(t.Context(), staging, doomed, c.now().Add(30*time.Second))
		if e := wantKind(t, err, providers.KindStale); e.Sent != inDoubt || e.InDoubt() != inDoubt || s.count() != 1 {
			t.Errorf("%d: got %+v after %d requests", status, e, s.count())
		}
	}
	s := answer(t, http.StatusNoContent, "")
	c := s.client(nil)
	err := c.Delete(t.Context(), web, doomed, c.now().Add(-time.Second))
	if e := wantKind(t, err, providers.KindStale); e.Sent {
		t.Errorf("got %+v", e)
	}
	s.wantRequests()
}

// A delete without a whole UUID would be one of something else.
func TestDeleteNeedsAUUID(t *testing.T) {
	t.Parallel()
	s := answer(t, http.StatusNoContent, "")
	c := s.client(nil)
	for _, uuid := range []string{
		"", "{}", "K", "11111111-aaaa-4bbb-8ccc-000000000002", "..", "{11111111-aaaa-4bbb-8ccc-00000000000}",
		doomed + "/", doomed + "\n", "*", "{11111111-aaaa-4bbb-8ccc-000000000002}{11111111-aaaa-4bbb-8ccc-000000000002}",
	} {
		if e := wantKind(t, c.Delete(t.Context(), web, uuid, time.Time{}), providers.KindInvalid); e.Sent || e.Hint == "" {
			t.Errorf("%q: %+v", uuid, e)
		}
	}
	for _, scope := range []providers.Scope{{}, {Workspace: "acme", Repository: ".."}, {Workspace: "acme", Environment: envUUID}} {
		wantKind(t, c.Delete(t.Context(), scope, doomed, time.Time{}), providers.KindInvalid)
	}
	s.wantRequests()
}
