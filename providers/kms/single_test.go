package kms

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
)

const noV4 = `{"message":"Route GET:/api/v4/secrets not found","error":"Not Found","statusCode":404}`

// has asks a server of 2026 or 2024 for API_KEY and answers with a reply.
func has(t *testing.T, old bool, answer reply) (bool, error) {
	t.Helper()
	script := map[string][]reply{"GET /api/v4/secrets/API_KEY": {answer}}
	if old {
		script = map[string][]reply{
			"GET /api/v4/secrets/API_KEY": {{status: 404, body: noV4}}, "GET /api/v3/secrets/raw/API_KEY": {answer},
		}
	}
	s := serve(t, script)
	got, err := s.client(nil).Has(t.Context(), dev, "API_KEY")
	q := s.seen[len(s.seen)-1].URL.Query()
	want := map[string][]string{
		"projectId": {projectID}, "environment": {"dev"}, "secretPath": {"/payments"}, "type": {"shared"},
		"includeImports": {"false"}, "include_imports": {"false"}, "expandSecretReferences": {"false"}, "viewSecretValue": {"true"},
	}
	if old {
		want["workspaceId"] = want["projectId"]
		delete(want, "projectId")
	}
	if diff := cmp.Diff(want, map[string][]string(q)); diff != "" {
		t.Errorf("the query: %s", diff)
	}
	noCanary(t, s.logs.String())
	return got, err
}

func TestHasPresent(t *testing.T) {
	t.Parallel()
	row := `{"secret":{"secretKey":"API_KEY","environment":"dev","type":"shared","secretPath":"/payments/","secretValue":"canary"}}`
	for name, old := range map[string]bool{"2026": false, "2024": true} {
		if old { // single reads of 2024 have no path
			row = strings.Replace(row, `"secretPath":"/payments/",`, "", 1)
		}
		if got, err := has(t, old, reply{body: row}); err != nil || !got {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestHasAbsent(t *testing.T) {
	t.Parallel()
	if got, err := has(t, false, reply{status: 404, body: `{"reqId":"r","error":"NotFound","message":"Secret with name 'API_KEY' not found"}`}); err != nil || got {
		t.Errorf("2026: %v, %v", got, err)
	}
	if got, err := has(t, true, reply{status: 400, body: `{"statusCode":400,"error":"BadRequest","message":"Secret not found"}`}); err != nil || got {
		t.Errorf("2024: %v, %v", got, err)
	}
}

// Nothing but the server's word for it makes a secret absent.
func TestNoOtherAnswerProvesAbsence(t *testing.T) {
	t.Parallel()
	row := func(change string) string {
		fields := `"secretKey":"API_KEY","environment":"dev","type":"shared","secretPath":"/payments"`
		old, changed, _ := strings.Cut(change, " → ")
		return `{"secret":{` + strings.Replace(fields, old, changed, 1) + `}}`
	}
	for name, c := range map[string]struct {
		answer reply
		old    bool
		kind   providers.Kind
		hint   string
	}{
		"RowOfAnotherName":        {reply{body: row(`API_KEY → API_KEY2`)}, false, providers.KindInvalid, "another secret"},
		"RowOfAnotherEnvironment": {reply{body: row(`"dev" → "prod"`)}, false, providers.KindInvalid, "another secret"},
		"RowOfAnotherPath":        {reply{body: row(`/payments → /other`)}, false, providers.KindInvalid, "another secret"},
		"RowOfAPerson":            {reply{body: row(`shared → personal`)}, false, providers.KindInvalid, "another secret"},
		"HeldBackByTheAIGate":     {reply{body: `{"secret":null,"aiAccess":{"status":"pending","requestId":"canary"}}`}, false, providers.KindForbidden, "aiAccess"},
		"NullWithoutAReason":      {reply{body: `{"secret":null}`}, false, providers.KindUnavailable, "another shape"},
		"NothingAtAll":            {reply{body: `{}`}, false, providers.KindUnavailable, "another shape"},
		"FolderMissing":           {reply{status: 404, body: `{"reqId":"r","error":"GetSecretByName","message":"x"}`}, false, providers.KindNotFound, "does not exist"},
		"ProjectGone":             {reply{status: 404, body: `{"reqId":"r","error":"NotFound","message":"Project with ID 'x' not found"}`}, false, providers.KindNotFound, "No project"},
		"EnvironmentGone":         {reply{status: 404, body: `{"reqId":"r","error":"NotFound","message":"Environment with slug 'x' not found"}`}, false, providers.KindNotFound, "does not exist"},
		"FolderGone":              {reply{status: 404, body: `{"reqId":"r","error":"NotFound","message":"Folder with path 'x' not found"}`}, false, providers.KindNotFound, "does not exist"},
		"NoCode":                  {reply{status: 404, body: `{"reqId":"r","message":"not found"}`}, false, providers.KindNotFound, ""},
		"NoRight":                 {reply{status: 403, body: `{"reqId":"r","error":"PermissionDenied"}`}, false, providers.KindForbidden, "lacks a right"},
		"ServerError":             {reply{status: 500, body: `{"message":"Secret not found"}`}, false, providers.KindUnavailable, ""},
		"Page":                    {reply{status: 404, kind: "text/html", body: `<html>NotFound`}, false, providers.KindForeign, "/api"},
		"FolderMissing2024":       {reply{status: 400, body: `{"error":"BadRequest","message":"Folder not found for the given environment slug & secret path"}`}, true, providers.KindNotFound, "does not exist"},
		"ProjectGone2024":         {reply{status: 400, body: `{"error":"BadRequest","message":"Project not found during bot lookup."}`}, true, providers.KindNotFound, "No project"},
		"NoRight2024":             {reply{status: 401, body: `{"error":"PermissionDenied","message":"You are not allowed to read on secrets"}`}, true, providers.KindForbidden, "lacks a right"},
		"OtherText2024":           {reply{status: 400, body: `{"error":"BadRequest","message":"Secret not found: blind index API_KEY"}`}, true, providers.KindInvalid, ""},
		"List2024":                {reply{status: 400, body: `{"error":"BadRequest","message":["Secret not found"]}`}, true, providers.KindInvalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := has(t, c.old, c.answer)
			if e := wantKind(t, err, c.kind); got || !strings.Contains(e.Hint, c.hint) || e.Op != "look up API_KEY" || e.Scope != "dev:/payments" {
				t.Errorf("%v, %v, want a hint on %q", got, e, c.hint)
			}
		})
	}
}

// A server without v4 is asked by v3 from then on, in its own words.
func TestQueriesOf2024(t *testing.T) {
	t.Parallel()
	row := own("A", "1", map[string]any{"skipMultilineEncoding": leftOut})
	s := serve(t, map[string][]reply{listRoute: {{status: 404, body: noV4}}, rawRoute: {listOf(row)}})
	c := s.client(nil)
	for range 2 {
		got, err := c.List(t.Context(), dev)
		if err != nil || got.Secrets[0].Lines != providers.LinesUnknown {
			t.Fatal(got, err)
		}
	}
	s.want(map[string]int{loginRoute: 1, listRoute: 1, rawRoute: 2})
	want := map[string][]string{
		"workspaceId": {projectID}, "environment": {"dev"}, "secretPath": {"/payments"},
		"includeImports": {"true"}, "include_imports": {"true"}, "expandSecretReferences": {"false"},
		"viewSecretValue": {"true"}, "recursive": {"false"}, "includePersonalOverrides": {"false"},
	}
	if diff := cmp.Diff(want, map[string][]string(s.seen[2].URL.Query())); diff != "" {
		t.Error(diff)
	}
}

// Without GET /api/v1/projects/slug/{slug} a server has no v4, either.
func TestProjectBySlugOnAServerOf2024(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		projectRoute:                     {{status: 404, body: strings.Replace(noV4, "/api/v4/secrets", "/api/v1/projects/slug/payments", 1)}},
		"GET /api/v2/workspace/payments": {{body: `{"id":"` + projectID + `","environments":[]}`}},
		rawRoute:                         {listOf(own("A", "1"))},
	})
	if _, err := s.client(func(o *Options) { o.Project = "payments" }).List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	s.want(map[string]int{loginRoute: 1, projectRoute: 1, "GET /api/v2/workspace/payments": 1, rawRoute: 1})
}

// A server may know projects by their new route, and still have no v4.
func TestProjectRouteDoesNotProveV4(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		projectRoute: {{body: `{"id":"` + projectID + `"}`}}, listRoute: {{status: 404, body: noV4}}, rawRoute: {listOf(own("A", "1"))},
	})
	if _, err := s.client(func(o *Options) { o.Project = "payments" }).List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	s.want(map[string]int{loginRoute: 1, projectRoute: 1, listRoute: 1, rawRoute: 1})
}

// What did not come from the route says nothing of the server.
func TestWhatDoesNotTellTheGeneration(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]reply{
		"503":               {status: 503},
		"page":              {status: 404, kind: "text/html", body: "<html>"},
		"404 of a gateway":  {status: 404, body: `{"message":"no such service"}`},
		"403 of a gateway":  {status: 403, body: `{"message":"canary"}`},
		"another shape":     {body: `{"message":"welcome"}`},
		"a name of dots":    {},
		"other people rows": listOf(own("A", "1", map[string]any{"secretPath": "/other"})),
	} {
		replies := []reply{first, {status: 404, body: noV4}}
		switch name {
		case "503":
			replies = []reply{first, first, first, first, first, replies[1]}
		case "a name of dots":
			replies = replies[1:]
		}
		s := serve(t, map[string][]reply{listRoute: replies, rawRoute: {listOf(own("A", "1"))}})
		c := s.client(nil)
		if name == "a name of dots" {
			if _, err := c.Has(t.Context(), dev, ".."); err == nil {
				t.Error("no error")
			}
		} else if _, err := c.List(t.Context(), dev); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := c.List(t.Context(), dev); err != nil {
			t.Errorf("%s: then %v", name, err)
		}
	}
}

// The gate may hold the probe back as well, which proves nothing.
func TestHeldBackProbeProvesNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{probeRoute: {{body: `{"secret":null,"aiAccess":{"status":"pending"}}`}}})
	if e := wantKind(t, s.client(nil).Prove(t.Context(), dev), providers.KindForbidden); !strings.Contains(e.Hint, "aiAccess") {
		t.Errorf("hint is %q", e.Hint)
	}
}

// v3 is not asked on a server that is known to have v4, whatever becomes of it.
func TestV4IsNotGivenUp(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1")), {status: 404, body: noV4}}})
	c := s.client(nil)
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	_, err := c.List(t.Context(), dev)
	wantKind(t, err, providers.KindUnsupported)
}

func TestLines(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]providers.Lines{
		true: providers.LinesQuoted, false: providers.LinesKept, nil: providers.LinesKept, leftOut: providers.LinesUnknown,
	} {
		s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1", map[string]any{"skipMultilineEncoding": value}))}})
		got, err := s.client(nil).List(t.Context(), dev)
		if err != nil || got.Secrets[0].Lines != want {
			t.Errorf("%v: %v, want %v (%v)", value, got.Secrets[0].Lines, want, err)
		}
	}
}
