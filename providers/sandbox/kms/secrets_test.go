package kms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func TestListItem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.get(token, "/api/v4/secrets", "/app", "expandSecretReferences=false", "secretPth=ignored")
	var body struct{ Secrets []map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	first := body.Secrets[0]
	for name, want := range map[string]any{
		"secretKey": "C", "secretValue": "3", "environment": "dev", "secretPath": "/app", "workspace": projectID, "version": 1.0,
		"type": "shared", "secretValueHidden": false, "secretComment": "", "_id": first["id"], "isRotatedSecret": false, "rotationId": nil,
		"skipMultilineEncoding": false, "secretReminderNote": nil, "createdAt": "2026-01-05T10:00:00.000Z",
	} {
		if got, ok := first[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if _, ok := first["actor"]; ok {
		t.Error("actor was never seen on the wire")
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

func TestListPaths(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const want = "C=3 A=1 B_1=2 D=4" // the order of the file, not of the names
	for _, path := range []string{"/app", "app", "//app", "/app/"} {
		if got := flat(b.list(token, path).Secrets); got != want {
			t.Errorf("%q: got %q", path, got)
		}
	}
	if got := flat(b.list(token, "", "environment=staging").Secrets); got != "TOP=t" {
		t.Errorf("the empty path is the root: got %q", got)
	}
	if got := flat(b.list(token, "/deep", "environment=staging").Secrets); got != "" {
		t.Errorf("a folder above another: got %q", got)
	}
	if got := flat(b.list(token, "/app", "recursive=true").Secrets); got != want+" A=below" {
		t.Errorf("recursive: got %q", got)
	}
	if got := b.list(token, "/app", "recursive=true").Secrets[4].SecretPath; got != "/app/sub" {
		t.Errorf("path of a row below: %q", got)
	}
}

func TestListRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path   string
		extra  []string
		status int
		code   string
	}{
		"missing folder":       {"/nope", nil, 404, "SecretPathNotFound"},
		"missing environment":  {"/app", []string{"environment=prod"}, 404, "SecretPathNotFound"},
		"environment by name":  {"/app", []string{"environment=Development"}, 404, "SecretPathNotFound"},
		"other characters":     {"/a.b", nil, 400, "BadRequest"},
		"slug as id":           {"/app", []string{"projectId=shop"}, 404, "NotFound"},
		"upper-case id":        {"/app", []string{"projectId=" + strings.ToUpper(projectID)}, 404, "NotFound"},
		"unknown project":      {"/app", []string{"projectId=00000000-0000-4000-8000-00000000000f"}, 404, "NotFound"},
		"no project":           {"/app", []string{"projectId="}, 400, "BadRequest"},
		"no environment":       {"/app", []string{"environment="}, 400, "BadRequest"},
		"switch of other kind": {"/app", []string{"includeImports=1"}, 422, "ValidationFailure"},
		"given twice":          {"/app", []string{"secretPath=/other"}, 422, "ValidationFailure"},
		"filter by metadata":   {"/app", []string{"metadataFilter=key=a,value=b"}, 501, "NotImplemented"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.wantError(b.get(token, "/api/v4/secrets", tt.path, tt.extra...), tt.status, tt.code)
		})
	}
}

// What rights do to a list: rows vanish without a word, and an empty list
// proves nothing.
func TestRights(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if got := flat(b.list("two-names", "/app").Secrets); got != "A=1 B_1=2" {
		t.Errorf("narrowed by name: got %q", got)
	}
	elsewhere := b.list("only-app", "/importer")
	if len(elsewhere.Secrets) != 0 || len(elsewhere.Imports) != 3 {
		t.Fatalf("no right on the folder: got %+v", elsewhere)
	}
	if first := elsewhere.Imports[0]; first.FolderID == nil || first.Secrets == nil || len(first.Secrets) != 0 {
		t.Errorf("import block without a right: got %+v", first)
	}
	if got := flat(b.list("only-app", "/app", "recursive=true").Secrets); strings.Contains(got, "below") {
		t.Errorf("recursion into a folder without a right: got %q", got)
	}
	if got := flat(b.list("below-shared", "/shared").Secrets); !strings.Contains(got, "SHARED=first") {
		t.Errorf("a right on a folder and all below: got %q", got)
	}
	body := b.wantError(b.get("nothing", "/api/v4/secrets", "/app"), 403, "PermissionDenied")
	if details, ok := body["details"].([]any); !ok || len(details) == 0 {
		t.Errorf("details are %v", body["details"])
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		auth, name, path string
		extra            []string
		status           int
		code             string
	}{
		"not there":                   {token, "NOPE", "/app", nil, 404, "NotFound"},
		"empty folder":                {token, "NOPE", "/empty", nil, 404, "NotFound"},
		"missing folder":              {token, "A", "/nope", nil, 404, "GetSecretByName"},
		"missing environment":         {token, "A", "/app", []string{"environment=prod"}, 404, "GetSecretByName"},
		"no right on the folder":      {"only-app", "NOPE", "/shared", nil, 403, "PermissionDenied"},
		"no right at all":             {"nothing", "A", "/app", nil, 403, "PermissionDenied"},
		"hidden by name":              {"two-names", "C", "/app", nil, 403, "PermissionDenied"},
		"not there, hidden":           {"two-names", "NOPE", "/app", nil, 403, "PermissionDenied"},
		"not there, name allowed":     {"two-names", "B_9", "/app", nil, 404, "NotFound"},
		"imported, imports off":       {token, "L2", "/shared", []string{"includeImports=false"}, 404, "NotFound"},
		"third level":                 {token, "L3", "/importer", nil, 404, "NotFound"},
		"name too long":               {token, strings.Repeat("x", 101), "/app", nil, 404, "Not Found"},
		"personal, for an identity":   {token, "A", "/app", []string{"type=personal"}, 404, "NotFound"},
		"version of which there's no": {token, "A", "/app", []string{"version=9"}, 404, "NotFound"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.wantError(b.get(tt.auth, "/api/v4/secrets/"+tt.name, tt.path, tt.extra...), tt.status, tt.code)
		})
	}
}

func (b *bench) one(name, path string, extra ...string) row {
	b.t.Helper()
	w := b.get(token, "/api/v4/secrets/"+name, path, extra...)
	var body struct{ Secret row }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 {
		b.t.Fatalf("%v: %d %s", err, w.Code, w.Body)
	}
	return body.Secret
}

func TestSingleFound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if got := b.one("A", "/app", "version=1"); got.SecretValue != "1" || got.SecretPath != "/app" || got.Workspace != projectID {
		t.Errorf("got %+v", got)
	}
	if got := b.one("SHARED", "/importer").SecretValue; got != "second" {
		t.Errorf("two imports: got %q, the later one wins", got)
	}
	if got := b.one("LOCAL", "/importer").SecretValue; got != "from-importer" {
		t.Errorf("own beats imported: got %q", got)
	}
	if got := b.one("LOCAL", "/importer", "version=9").SecretValue; got != "from-shared" {
		t.Errorf("a version that does not exist: got %q, seen: the imported namesake", got)
	}
	if got := b.one("USES", "/importer").SecretValue; got != "u-from-shared-${NOWHERE}" {
		t.Errorf("local reference of an import: got %q, the single read uses the source folder", got)
	}
}

func TestHiddenAndPersonal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rows := b.list(token, "/odd").Secrets
	if got := flat(rows); got != "PLAIN=p MASKED=<hidden-by-kms>" || !rows[1].SecretValueHidden {
		t.Errorf("got %q", got)
	}
	rows = b.list(token, "/odd", "includePersonalOverrides=true", "viewSecretValue=false").Secrets
	if got := flat(rows); got != "PLAIN=<hidden-by-kms> MASKED=<hidden-by-kms> PLAIN=<hidden-by-kms>" || rows[2].Type != "personal" {
		t.Errorf("got %q", got)
	}
}

func TestExpansion(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"LOCAL": "[z]", "CHAIN": "<[z]>", "FAR": "k-s", "ROOT": "t", "DEAD": "xy", "DEAD_FOLDER": "xy", "SHELL": "", "OF_EMPTY": "xy",
		"CYC_A": "aba${CYC_B}", "TEXT": "a$b$$c${d $(e)${f g}", "THROUGH": "first",
	}
	b := newBench(t)
	raw := map[string]string{}
	for _, r := range b.list(token, "/refs", "expandSecretReferences=false").Secrets {
		raw[r.SecretKey] = r.SecretValue
	}
	for _, r := range b.list(token, "/refs").Secrets { // the default is on
		if v, ok := want[r.SecretKey]; ok && r.SecretValue != v {
			t.Errorf("%s: %q became %q, want %q", r.SecretKey, raw[r.SecretKey], r.SecretValue, v)
		}
	}
	if raw["CHAIN"] != "<${LOCAL}>" || raw["DEAD"] != "x${NOPE}y" {
		t.Errorf("with expansion off values are not raw: %v", raw)
	}
	b.wantError(b.get(token, "/api/v4/secrets", "/forbidden-refs"), 403, "PermissionDenied")
	if got := flat(b.list(token, "/forbidden-refs", "expandSecretReferences=false").Secrets); got != "PEEK=${dev.odd.MASKED}" {
		t.Errorf("got %q", got)
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.list(token, "/importer", "expandSecretReferences=false")
	if got := flat(l.Secrets); got != "OWN=o LOCAL=from-importer" {
		t.Errorf("own secrets: got %q", got)
	}
	if len(l.Imports) != 3 {
		t.Fatalf("got %d blocks", len(l.Imports))
	}
	// One nested level, the direct one first; expanded although expansion is
	// off, in the importing folder, and a missing name stays as it stands.
	if got := flat(l.Imports[0].Secrets); got != "SHARED=first USES=u-from-importer-${NOWHERE} LOCAL=from-shared L2=two" {
		t.Errorf("first block: got %q", got)
	}
	first := l.Imports[0]
	if s := first.Secrets[0]; first.FolderID == nil || s.Workspace != "" || s.SecretPath != "" || s.CreatedAt != nil || s.Environment != "dev" {
		t.Errorf("first block: got %+v", first)
	}
	if got := flat(l.Imports[1].Secrets); got != "SHARED=second" {
		t.Errorf("second block: got %q", got)
	}
	if gone := l.Imports[2]; gone.FolderID != nil || gone.Secrets == nil || len(gone.Secrets) != 0 || gone.SecretPath != "/gone" {
		t.Errorf("block of a missing folder: got %+v", gone)
	}
	if got := flat(b.list(token, "/chain").Imports[0].Secrets); got != "X=2 Y=1" {
		t.Errorf("one name in two nested imports: got %q", got)
	}
	if got := flat(b.list(token, "/loop-a").Imports[0].Secrets); got != "IN_B=b" {
		t.Errorf("two folders that import each other: got %q", got)
	}
	if l := b.list(token, "/dangling"); len(l.Imports) != 0 {
		t.Errorf("all sources missing: got %+v", l.Imports)
	}
	if l := b.list(token, "/importer", "includeImports=false"); len(l.Imports) != 0 {
		t.Errorf("imports off: got %+v", l.Imports)
	}
	if l := b.list(token, "/importer"); len(l.Imports) != 3 {
		t.Errorf("the default is on: got %+v", l.Imports)
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const deep = "/api/v4/secrets?projectId=" + projectID + "&environment=dev&secretPath=/level3"
	comment := func(text string) { // a comment does not raise the version: the body comes back as it was
		b.store.Edit(func(w *world.World) {
			w.KMS.Projects[0].Environment("dev").Folder("/level3").Secret("L3").Comment = text
		})
	}
	tag := func() string { return b.do("GET", deep, token, "").Header().Get("ETag") }
	first := tag()
	if first == "" || first != tag() {
		t.Fatalf("tag %q does not stay", first)
	}
	for _, form := range []string{first, "W/" + first} {
		w := b.do("GET", deep, token, "", "If-None-Match", form)
		if w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s: %d %q", form, w.Code, w.Body)
		}
	}
	if w := b.do("GET", deep, "all-rights-too", "", "If-None-Match", first); w.Code != 304 {
		t.Errorf("another identity with equal rights: %d", w.Code)
	}
	if w := b.do("GET", deep, "nothing", "", "If-None-Match", first); w.Code != 403 {
		t.Errorf("an identity without rights: %d", w.Code)
	}
	comment("changed")
	if tag() == first {
		t.Error("a changed secret keeps its tag")
	}
	comment("")
	if tag() == first {
		t.Error("a restored secret gets its old tag back")
	}
}
