package kms_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	v3Secrets = "/api/v3/secrets/raw"
	v4Secrets = "/api/v4/secrets"
)

// raw reads with the parameter names of v3.
func (b *bench) raw(auth, route, path string, extra ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	q := url.Values{"workspaceId": {projectID}, "environment": {"dev"}, "secretPath": {path}}
	for _, pair := range extra {
		name, value, _ := strings.Cut(pair, "=")
		q.Set(name, value)
		if name == "workspaceSlug" || name == "projectId" {
			q.Del("workspaceId")
		}
	}
	return b.do("GET", route+"?"+q.Encode(), auth, "")
}

func (b *bench) decode(w *httptest.ResponseRecorder, status int, into any) {
	b.t.Helper()
	if w.Code != status {
		b.t.Fatalf("got %d %s, want %d", w.Code, w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) rawList(auth, path string, extra ...string) (l listing) {
	b.t.Helper()
	b.decode(b.raw(auth, v3Secrets, path, extra...), 200, &l)
	if l.Secrets == nil || l.Imports == nil {
		b.t.Errorf("null instead of a list for %s", path)
	}
	return l
}

func value(rows []row, key string) string {
	for _, r := range rows {
		if r.SecretKey == key {
			return r.SecretValue
		}
	}
	return "(none)"
}

func TestV3DefaultsBringNeitherImportsNorExpansion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if l := b.rawList(token, "/importer"); len(l.Imports) != 0 || flat(l.Secrets) != "OWN=o LOCAL=from-importer" {
		t.Errorf("got %+v", l)
	}
	if got := value(b.rawList(token, "/refs").Secrets, "LOCAL"); got != "[${ZED}]" {
		t.Errorf("without a switch: %q", got)
	}
	if got := value(b.rawList(token, "/refs", "expandSecretReferences=true").Secrets, "LOCAL"); got != "[z]" {
		t.Errorf("with it: %q", got)
	}
	if l := b.rawList(token, "/importer", "includeImports=true"); len(l.Imports) != 0 {
		t.Errorf("the spelling of v4 has an effect on v3: %+v", l)
	}
	if l := b.rawList(token, "/importer", "include_imports=true"); len(l.Imports) != 3 {
		t.Errorf("got %+v", l)
	}
	if got := flat(b.rawList(token, "/app", "workspaceSlug=shop").Secrets); got != "C=3 A=1 B_1=2 D=4" {
		t.Errorf("by slug: %q", got)
	}
	if got := flat(b.rawList(token, "/odd").Secrets); got != "PLAIN=p MASKED=<hidden-by-kms> PLAIN=mine" {
		t.Errorf("personal rows have no switch: %q", got)
	}
	b.wantError(b.raw(token, v3Secrets, "/app", "projectId="+projectID), 400, "BadRequest")
	b.wantError(b.raw(token, v3Secrets, "/app", "workspaceSlug=nope"), 404, "NotFound")
	b.wantError(b.raw(token, v3Secrets, "/nope"), 404, "SecretPathNotFound")
	b.wantError(b.raw(token, v3Secrets+"/NOPE", "/app"), 404, "NotFound")
	b.wantError(b.raw(token, v3Secrets+"/A", "/nope"), 404, "GetSecretByName")
	b.wantError(b.raw("only-app", v3Secrets+"/A", "/other"), 403, "PermissionDenied")
	var one struct{ Secret row }
	b.decode(b.raw(token, v3Secrets+"/LOCAL", "/refs"), 200, &one)
	if one.Secret.SecretValue != "[${ZED}]" {
		t.Errorf("single read expands: %+v", one)
	}
}

// Rows 1 to 4 of kms-observed-2026.md §1 where v3 and v4 differ.
func TestReferencesOfImportsV3AndV4(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := map[string]struct{ v4, v3 string }{
		"expansion off": {"expandSecretReferences=false", "expandSecretReferences=false"},
		"expansion on":  {"expandSecretReferences=true", "expandSecretReferences=true"},
	}
	for name, tt := range tests {
		v4 := b.list(token, "/importer", tt.v4).Imports[0].Secrets
		v3 := b.rawList(token, "/importer", tt.v3, "include_imports=true").Imports[0].Secrets
		if got := value(v4, "USES"); got != "u-from-importer-${NOWHERE}" {
			t.Errorf("%s, v4: %q, seen: the importing folder, a literal", name, got)
		}
		if got := value(v3, "USES"); got != "u-from-shared-" {
			t.Errorf("%s, v3: %q, seen: the source folder, nothing", name, got)
		}
	}
	var one struct{ Secret row }
	b.decode(b.raw(token, v3Secrets+"/USES", "/importer", "include_imports=true"), 200, &one)
	if one.Secret.SecretValue != "u-from-shared-" {
		t.Errorf("v3 single: %+v", one)
	}
	if got := value(b.list(token, "/refs").Secrets, "THROUGH"); got != "first" {
		t.Errorf("a name that only an import has, v4: %q", got)
	}
	if got := value(b.rawList(token, "/refs", "expandSecretReferences=true").Secrets, "THROUGH"); got != "" {
		t.Errorf("a name that only an import has, v3: %q", got)
	}
}

// edit changes folder path of dev.
func (b *bench) edit(path string, change func(*world.Folder)) {
	b.store.Edit(func(w *world.World) { change(w.KMS.Projects[0].Environment("dev").Folder(path)) })
}

func (b *bench) identity(id world.Identity) {
	b.store.Edit(func(w *world.World) { w.KMS.Identities = append(w.KMS.Identities, id) })
}

func TestRightsNarrowedByTag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.edit("/app", func(f *world.Folder) { f.Secret("A").Tags = []string{"db", "eu"} })
	b.identity(world.Identity{Token: "db-only", Access: []world.Access{{Path: "/app", Tags: []string{"db"}}}})
	if got := flat(b.list("db-only", "/app").Secrets); got != "A=1" {
		t.Errorf("list: %q", got)
	}
	if got := flat(b.rawList("db-only", "/app").Secrets); got != "A=1" {
		t.Errorf("v3 list: %q", got)
	}
	for _, name := range []string{"C", "NOPE"} { // hidden, absent
		b.wantError(b.get("db-only", v4Secrets+"/"+name, "/app"), 403, "PermissionDenied")
		b.wantError(b.raw("db-only", v3Secrets+"/"+name, "/app"), 403, "PermissionDenied")
	}
}

func TestTagSlugs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.edit("/app", func(f *world.Folder) { f.Secret("A").Tags, f.Secret("D").Tags = []string{"db"}, []string{"eu"} })
	for slugs, want := range map[string]string{"db": "A=1", "db,eu": "A=1 D=4", "other": ""} {
		if got := flat(b.list(token, "/app", "tagSlugs="+slugs).Secrets); got != want {
			t.Errorf("%s: %q, want %q", slugs, got, want)
		}
	}
	var body struct {
		Secret struct {
			Tags []struct{ ID, Slug, Name string }
		}
	}
	b.decode(b.get(token, v4Secrets+"/A", "/app"), 200, &body)
	if tags := body.Secret.Tags; len(tags) != 1 || tags[0].Slug != "db" || len(tags[0].ID) != 36 {
		t.Errorf("got %+v", body)
	}
}

func TestDescribeWithoutReading(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.identity(world.Identity{Token: "looks", Access: []world.Access{{Path: "/app/**", Describe: true}, {Path: "/empty", Describe: true}, {Path: "/other"}}})
	b.identity(world.Identity{Token: "mixed", Access: []world.Access{{Path: "/app/sub", Describe: true}, {Path: "/app"}}})
	for _, path := range []string{"/app", "/empty"} { // in that very folder
		b.wantError(b.get("looks", v4Secrets, path), 403, "PermissionDenied")
	}
	b.wantError(b.get("looks", v4Secrets+"/A", "/app"), 403, "PermissionDenied")
	rows := b.list("looks", "/app", "viewSecretValue=false").Secrets
	if len(rows) != 4 || rows[0].SecretValue != "<hidden-by-kms>" || !rows[0].SecretValueHidden {
		t.Errorf("without values: %+v", rows)
	}
	if got := flat(b.list("looks", "/shared").Secrets); got != "" {
		t.Errorf("a folder without any right: %q", got)
	}
	if got := flat(b.list("looks", "/other").Secrets); got != "SHARED=second" {
		t.Errorf("a folder that may be read: %q", got)
	}
	if got := flat(b.list("mixed", "/app", "recursive=true").Secrets); got != "C=3 A=1 B_1=2 D=4" {
		t.Errorf("below, what may only be described is left out: %q", got)
	}
	if got := flat(b.list("mixed", "/app", "recursive=true", "viewSecretValue=false").Secrets); strings.Count(got, "hidden") != 5 {
		t.Errorf("without values: %q", got)
	}
}

func TestDescribedImports(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.identity(world.Identity{Token: "importer", Access: []world.Access{{Path: "/importer"}, {Path: "/other", Describe: true}}})
	if got := b.list("importer", "/importer").Imports[1]; got.FolderID == nil || len(got.Secrets) != 0 {
		t.Errorf("a source that may be described only is left out: %+v", got)
	}
	if got := flat(b.list("importer", "/importer", "viewSecretValue=false").Imports[1].Secrets); got != "SHARED=<hidden-by-kms>" {
		t.Errorf("without values: %q", got)
	}
}

func TestReferenceToUnreadableSecretRefusesTheList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.identity(world.Identity{Token: "refs", Access: []world.Access{{Environment: "dev", Path: "/refs"}}})
	b.wantError(b.get("refs", v4Secrets, "/refs"), 403, "PermissionDenied")
	if w := b.get("refs", v4Secrets, "/refs", "expandSecretReferences=false"); w.Code != 200 {
		t.Errorf("unexpanded: %d %s", w.Code, w.Body)
	}
}

func TestMultilineEncoding(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.edit("/app", func(f *world.Folder) {
		f.Secrets = []world.Secret{
			{Key: "PLAIN", Value: "a\nb", SkipMultilineEncoding: true},
			{Key: "WITH", Value: "a\n${ONE}", SkipMultilineEncoding: true},
			{Key: "UNMARKED", Value: "a\n${ONE}"},
			{Key: "ONE", Value: "1"},
		}
	})
	if got := flat(b.list(token, "/app").Secrets); got != "PLAIN=a\nb WITH=\"a\\n1\" UNMARKED=a\n1 ONE=1" {
		t.Errorf("2026, on: %q", got)
	}
	if got := value(b.list(token, "/app", "expandSecretReferences=false").Secrets, "WITH"); got != "a\n${ONE}" {
		t.Errorf("2026, off: %q", got)
	}
	b.generation("2024")
	rows := b.rawList(token, "/app", "expandSecretReferences=true").Secrets
	for key, want := range map[string]string{"PLAIN": `"a\nb"`, "WITH": `"a\n1"`, "UNMARKED": "a\n1"} {
		if got := value(rows, key); got != want {
			t.Errorf("2024, %s: %q, want %q", key, got, want)
		}
	}
	if got := value(b.rawList(token, "/app").Secrets, "PLAIN"); got != "a\nb" {
		t.Errorf("2024, off: %q", got)
	}
}

type names struct {
	Folders []struct{ ID, Name, EnvID, ParentID, RelativePath string }
}

func (n names) String() string {
	var out []string
	for _, f := range n.Folders {
		out = append(out, f.Name+f.RelativePath)
	}
	return strings.Join(out, " ")
}

func TestFolders2026(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(auth, route string) *httptest.ResponseRecorder { return b.do("GET", route, auth, "") }
	const v2, v1 = "/api/v2/folders?projectId=" + projectID, "/api/v1/folders?workspaceId=" + projectID
	tests := map[string]string{
		v2 + "&environment=dev&path=/app":                        "sub",
		v1 + "&environment=dev&path=/app":                        "sub",
		v1 + "&environment=dev&directory=/app":                   "sub",
		v2 + "&environment=dev&path=/nope":                       "", // a missing parent
		v2 + "&environment=staging":                              "deep",
		v2 + "&environment=staging&path=/&recursive=true":        "deep/deep sub/deep/sub",
		v2 + "&environment=staging&path=/deep&recursive=true":    "sub/sub",
		v2 + "&environment=staging&path=deep/&secretPath=/other": "sub",
	}
	for target, want := range tests {
		for _, auth := range []string{token, "nothing"} { // no role is needed
			var got names
			if b.decode(ask(auth, target), 200, &got); got.String() != want || got.Folders == nil {
				t.Errorf("%s: %q, want %q", target, got, want)
			}
		}
	}
	var app, root names
	b.decode(ask(token, v2+"&environment=dev&path=/app"), 200, &app)
	b.decode(ask(token, v2+"&environment=dev&path=/"), 200, &root)
	if app.Folders[0].ParentID != root.Folders[0].ID || root.Folders[0].Name != "app" {
		t.Errorf("the parent of %+v is not the first of %+v", app, root)
	}
	b.wantError(ask(token, v2+"&environment=prod&path=/"), 404, "NotFound")
	b.wantError(ask(token, v2), 422, "ValidationFailure")
	b.wantError(ask(token, "/api/v2/folders?environment=dev&workspaceId="+projectID), 422, "ValidationFailure")
	b.wantError(ask("outsider", v2+"&environment=dev"), 403, "ProjectMembershipNotFound")
	b.wantError(ask(token, v2+"&environment=dev&path=/a.b"), 400, "BadRequest")
	b.wantError(ask(token, v2+"&environment=dev&recursive=1"), 422, "ValidationFailure")
}

type importRows struct {
	SecretImports []struct {
		ImportPath string
		Position   int
		ImportEnv  struct{ Slug, Name string }
	}
}

func TestImportList2026(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, route := range []string{"/api/v2/secret-imports?projectId=", "/api/v1/secret-imports?workspaceId="} {
		ask := func(auth, rest string) *httptest.ResponseRecorder { return b.do("GET", route+projectID+rest, auth, "") }
		var got importRows
		b.decode(ask(token, "&environment=dev&path=/importer"), 200, &got)
		if len(got.SecretImports) != 3 || got.SecretImports[1].ImportPath != "/other" || got.SecretImports[1].Position != 2 || got.SecretImports[1].ImportEnv.Name != "Development" {
			t.Errorf("%s: got %+v", route, got)
		}
		b.decode(ask(token, "&environment=dev&path=/empty"), 200, &got)
		if got.SecretImports == nil || len(got.SecretImports) != 0 {
			t.Errorf("%s, none: got %+v", route, got)
		}
		b.wantError(ask(token, "&environment=dev&path=/nope"), 404, "NotFound")
		b.wantError(ask(token, "&environment=prod&path=/"), 404, "NotFound")
		b.wantError(ask("only-app", "&environment=dev&path=/importer"), 403, "PermissionDenied")
		b.wantError(ask(token, ""), 422, "ValidationFailure")
	}
}

func TestEnvironmentBySlug(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const route = "/api/v1/projects/" + projectID + "/environments/slug/"
	var got struct {
		Environment struct{ ID, Name, Slug, ProjectID string }
	}
	b.decode(b.do("GET", route+"dev", token, ""), 200, &got)
	if got.Environment.Name != "Development" || got.Environment.ProjectID != projectID {
		t.Errorf("got %+v", got)
	}
	b.wantError(b.do("GET", route+"prod", token, ""), 404, "NotFound")
	b.wantError(b.do("GET", "/api/v1/projects/shop/environments/slug/dev", token, ""), 404, "NotFound")
	b.wantError(b.do("GET", route+"dev", "outsider", ""), 403, "ProjectMembershipNotFound")
}

func TestLongNamesAreNoRoute(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, generation := range []string{"2026", "2024"} {
		b.generation(generation)
		for _, letter := range []string{"x", "é"} { // characters count, not bytes
			if w := b.raw(token, v3Secrets+"/"+url.PathEscape(strings.Repeat(letter, 100)), "/app"); strings.Contains(w.Body.String(), "Route") {
				t.Errorf("%s: 100 × %s: %s", generation, letter, w.Body)
			}
			w := b.raw(token, v3Secrets+"/"+url.PathEscape(strings.Repeat(letter, 101)), "/app")
			if w.Code != 404 || !strings.Contains(w.Body.String(), `"message":"Route GET:/api/v3/secrets/raw/`) {
				t.Errorf("%s: 101 × %s: %d %s", generation, letter, w.Code, w.Body)
			}
		}
	}
}
