package kms

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
)

func TestListReturnsSharedSecretsSorted(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(
		own("ZED", "canary-z"),
		own("API_KEY", "canary-a", map[string]any{"type": "personal", "version": 9}),
		own("API_KEY", "canary-shared", map[string]any{"version": 6, "secretPath": "/payments/"}),
		own("EMPTY", ""),
	)}})
	c := s.client(nil)
	got, err := c.List(t.Context(), dev)
	if err != nil {
		t.Fatal(err)
	}
	type shown struct {
		ID, Name string
		Version  int
		Hidden   bool
		Length   int
	}
	var have []shown
	for _, x := range got.Secrets {
		have = append(have, shown{x.ID, x.Name, x.Version, x.Hidden, x.Value.Size()})
	}
	want := []shown{{idOf("API_KEY"), "API_KEY", 6, false, 13}, {idOf("EMPTY"), "EMPTY", 3, false, 0}, {idOf("ZED"), "ZED", 3, false, 8}}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	if len(got.Doubts) != 0 || len(got.Imports) != 0 || !got.ReadAt.Equal(c.now()) {
		t.Errorf("got %+v, want no doubts, no imports, read at the clock's time", got)
	}
	s.want(map[string]int{loginRoute: 1, listRoute: 1})
	if c.Requests() != 2 {
		t.Errorf("Requests is %d, want 2", c.Requests())
	}
	noCanary(t, s.logs.String())
}

func TestListSpellsEverySwitchOut(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1"))}})
	if _, err := s.client(nil).List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	r := s.seen[1]
	want := map[string][]string{
		"projectId": {projectID}, "environment": {"dev"}, "secretPath": {"/payments"},
		"includeImports": {"true"}, "include_imports": {"true"}, "expandSecretReferences": {"false"},
		"viewSecretValue": {"true"}, "recursive": {"false"}, "includePersonalOverrides": {"false"},
	}
	if diff := cmp.Diff(want, map[string][]string(r.URL.Query())); diff != "" {
		t.Error(diff)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+accessToken1 {
		t.Errorf("Authorization is %q", got)
	}
	if got := r.Header.Get("User-Agent"); got != "kmsync/test" {
		t.Errorf("User-Agent is %q", got)
	}
}

func TestWhatCountsAsHidden(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"flag":    {"secretValueHidden": true},
		"mask":    {"secretValue": "<hidden-by-kms>"},
		"mask U":  {"secretValue": "<hidden-by-infisical>"},
		"null":    {"secretValue": nil},
		"missing": {"secretValue": leftOut},
	} {
		s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "canary", change))}})
		got, err := s.client(nil).List(t.Context(), dev)
		if err != nil || !got.Secrets[0].Hidden {
			t.Errorf("%s: not hidden (%v)", name, err)
		}
	}
}

func TestListOfAnotherFolderIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"environment":         {"environment": "prod"},
		"environment missing": {"environment": leftOut},
		"path":                {"secretPath": "/"},
		"sub path":            {"secretPath": "/payments/x"},
		"path missing":        {"secretPath": leftOut},
		"personal row":        {"type": "personal", "secretPath": "/other"},
		"unknown type":        {"type": "dynamic"},
		"no type":             {"type": leftOut},
		"no name":             {"secretKey": ""},
		"no id":               {"id": leftOut},
		"a value for an id":   {"id": "canary value"},
		"twice":               {"secretKey": "B"},
	} {
		s := serve(t, map[string][]reply{listRoute: {listOf(own("B", "canary"), own("A", "canary-2", change))}})
		_, err := s.client(nil).List(t.Context(), dev)
		if e := wantKind(t, err, providers.KindInvalid); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}

func TestRootFolder(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", ""} {
		s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1", map[string]any{"secretPath": path}))}})
		if _, err := s.client(nil).List(t.Context(), providers.Folder{Environment: "dev", Path: "/"}); err != nil {
			t.Error(err)
		}
	}
}

func importOf(environment, path, folderID string, rows ...map[string]any) map[string]any {
	if rows == nil {
		rows = []map[string]any{}
	}
	return map[string]any{"environment": environment, "secretPath": path, "folderId": folderID, "secrets": rows}
}

func TestImportBlocks(t *testing.T) {
	t.Parallel()
	other := map[string]any{"secretPath": leftOut, "environment": "prod", "workspace": ""}
	s := serve(t, map[string][]reply{listRoute: {listWith([]any{
		importOf("prod", "/shared/", "f1", own("B", "canary", other), own("A", "canary", other), own("A", "canary", other),
			own("P", "canary", other, map[string]any{"type": "personal"})),
		importOf("dev", "/empty", "f2"),
		importOf("dev", "/gone", "", own("C", "canary", other)),
	}, own("X", "canary"))}})
	got, err := s.client(nil).List(t.Context(), dev)
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Import{
		{Folder: providers.Folder{Environment: "prod", Path: "/shared"}, FolderID: "f1", Names: []string{"A", "B"}},
		{Folder: providers.Folder{Environment: "dev", Path: "/empty"}, FolderID: "f2"},
		{Folder: providers.Folder{Environment: "dev", Path: "/gone"}, Names: []string{"C"}},
	}
	if diff := cmp.Diff(want, got.Imports); diff != "" {
		t.Error(diff)
	}
	if len(got.Doubts) != 0 || got.Shifted { // a server of 2026 gives no id where the folder is gone
		t.Errorf("doubts %v, shifted %v, want neither", got.Doubts, got.Shifted)
	}
	s.want(map[string]int{loginRoute: 1, listRoute: 1})
}

func TestMissingImportsAreADoubt(t *testing.T) {
	t.Parallel()
	body := strings.Replace(listOf(own("A", "1")).body, `"imports":[],`, "", 1)
	s := serve(t, map[string][]reply{listRoute: {{body: body}}})
	got, err := s.client(nil).List(t.Context(), dev)
	if err != nil || len(got.Doubts) != 1 || got.Doubts[0].Kind != providers.DoubtImports {
		t.Errorf("got %+v, %v, want one doubt about imports", got.Doubts, err)
	}
}

func TestEmptyListIsProbed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		probe reply
		kind  providers.Kind // "" is success
	}{
		"readable and empty": {reply{status: 404, body: probeFound}, ""},
		"folder missing":     {reply{status: 404, body: `{"reqId":"r","error":"GetSecretByName","message":"canary"}`}, providers.KindNotFound},
		"no right":           {reply{status: 403, body: `{"reqId":"r","error":"PermissionDenied","message":"canary"}`}, providers.KindForbidden},
		"other 404":          {reply{status: 404, body: `{"reqId":"r","error":"CreateSecret","message":"canary"}`}, providers.KindNotFound},
		"404 without code":   {reply{status: 404, body: `{"reqId":"r"}`}, providers.KindNotFound},
		"404 of a gateway":   {reply{status: 404, body: `{"error":"NotFound","message":"no healthy upstream"}`}, providers.KindForeign},
		"404 of a policy":    {reply{status: 404, body: `{"reqId":"r","error":"NotFound","message":"Secret approval policy not found"}`}, providers.KindNotFound},
		"404 of a page":      {reply{status: 404, kind: "text/html", body: `<html>NotFound canary</html>`}, providers.KindForeign},
		"unknown route":      {reply{status: 404, body: `{"statusCode":404,"error":"Not Found","message":"Route GET:/api/v4/secrets/x not found"}`}, providers.KindUnsupported},
		"a secret":           {reply{body: `{"secret":{"secretKey":"x","secretValue":"canary"}}`}, providers.KindUnavailable},
		"400 NotFound":       {reply{status: 400, body: `{"reqId":"r","error":"NotFound"}`}, providers.KindInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]reply{listRoute: {{body: emptyList}}, probeRoute: {c.probe}})
			got, err := s.client(nil).List(t.Context(), dev)
			s.want(map[string]int{loginRoute: 1, listRoute: 1, probeRoute: 1})
			q := s.seen[2].URL.Query()
			if q.Get("includeImports") != "false" || q.Get("include_imports") != "false" || q.Get("secretPath") != "/payments" ||
				q.Get("environment") != "dev" || q.Get("projectId") != projectID {
				t.Errorf("probe asked %v", q)
			}
			if c.kind != "" {
				wantKind(t, err, c.kind)
				return
			}
			if err != nil || len(got.Secrets) != 0 || len(got.Doubts) != 0 {
				t.Errorf("got %+v, %v, want an empty listing without doubt", got, err)
			}
		})
	}
}

// Import blocks are shown to an identity that may not read the folder itself.
func TestEmptyOwnListWithImportsIsProbed(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		listRoute:  {listWith([]any{importOf("dev", "/shared", "f1")})},
		probeRoute: {{status: 403, body: `{"reqId":"r","error":"PermissionDenied"}`}},
	})
	_, err := s.client(nil).List(t.Context(), dev)
	wantKind(t, err, providers.KindForbidden)
}

func TestAnswersOfAnotherShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply reply
		kind  providers.Kind
		hits  int
	}{
		"no list":      {reply{body: `{"message":"canary"}`}, providers.KindUnavailable, 1},
		"null list":    {reply{body: `{"secrets":null}`}, providers.KindUnavailable, 1},
		"array":        {reply{body: `[]`}, providers.KindUnavailable, 1},
		"number value": {reply{body: `{"secrets":[{"secretValue":12345}]}`}, providers.KindUnavailable, 1},
		"cut off":      {reply{body: `{"secrets":[{"secretValue":"canary`}, providers.KindUnavailable, 5},
		"page":         {reply{kind: "text/html", body: `<html>canary`}, providers.KindForeign, 1},
		"redirect":     {reply{status: 302, header: "Location: /login?canary"}, providers.KindForeign, 1},
		"503":          {reply{status: 503, body: `{"message":"canary"}`}, providers.KindUnavailable, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]reply{listRoute: {c.reply}})
			_, err := s.client(nil).List(t.Context(), dev)
			wantKind(t, err, c.kind)
			s.want(map[string]int{loginRoute: 1, listRoute: c.hits})
			noCanary(t, s.logs.String())
		})
	}
}

func TestRateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {
		{status: http.StatusTooManyRequests, header: "Retry-After: 12", body: `{"error":"RateLimitExceeded","message":"canary"}`},
		listOf(own("A", "1")),
	}})
	c := s.client(nil)
	begun := c.now()
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	if waited := c.now().Sub(begun); waited.Seconds() != 12 {
		t.Errorf("waited %v, want 12s", waited)
	}
	s.want(map[string]int{loginRoute: 1, listRoute: 2})
}
