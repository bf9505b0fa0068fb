package kms_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// newLegacy is a bench whose server is that of 2024. Ids are in the order of
// the file unless a test sets others.
func newLegacy(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.store.Edit(func(w *world.World) {
		w.KMS.Generation = world.Generation2024
		n := 0
		for _, p := range w.KMS.Projects {
			for _, e := range p.Environments {
				for _, f := range e.Folders {
					for i := range f.Secrets {
						n++
						f.Secrets[i].ID = idOf(n)
					}
				}
			}
		}
	})
	return b
}

func idOf(n int) string {
	const digits = "0123456789"
	return "00000000-0000-4000-8000-000000000" + string([]byte{digits[n/100], digits[n/10%10], digits[n%10]})
}

// wantLegacy checks an error of 2024: no request id, and the message.
func (b *bench) wantLegacy(w *httptest.ResponseRecorder, status int, code, message string) {
	b.t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		b.t.Fatalf("%v: %s", err, w.Body)
	}
	text, ok := body["message"].(string)
	if w.Code != status || body["error"] != code || ok && text != message || !ok && message != "[list]" {
		b.t.Errorf("got %d %s, want %d %s %q", w.Code, w.Body, status, code, message)
	}
	if _, ok := body["reqId"]; ok {
		b.t.Errorf("an error with a request id: %s", w.Body)
	}
}

const notMember = "You are not allowed to access this resource"

func TestMissingFolderListsEmpty2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	empty := b.raw(token, v3Secrets, "/empty").Body.String()
	if empty != `{"secrets":[],"imports":[]}` {
		t.Fatalf("an empty folder: %s", empty)
	}
	tests := map[string][2]string{
		"missing folder": {"/nope", "x=y"}, "missing environment": {"/app", "environment=prod"}, "upper case": {"/app", "environment=DEV"},
		"display name": {"/app", "environment=Development"}, "no leading slash": {"app", "x=y"}, "doubled slash": {"//app", "x=y"},
		"doubled inside": {"/app//sub", "x=y"}, "empty path": {"", "x=y"}, "case of the path": {"/APP", "x=y"}, "missing, recursive": {"/nope", "recursive=true"},
	}
	for name, tt := range tests {
		if w := b.raw(token, v3Secrets, tt[0], tt[1], "include_imports=true"); w.Code != 200 || w.Body.String() != empty {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/app/", " /app ", "/app//"} {
		if got := flat(b.rawList(token, path).Secrets); got != "C=3 A=1 B_1=2 D=4" {
			t.Errorf("%q: %q", path, got)
		}
	}
	if w := b.do("GET", v3Secrets+"?environment=staging&workspaceId="+projectID, token, ""); !strings.Contains(w.Body.String(), `"TOP"`) {
		t.Errorf("without a path the root is meant: %s", w.Body)
	}
}

func TestRecursiveWithoutPermissionListsEmpty2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	for _, path := range []string{"/app", "/nope"} {
		b.wantLegacy(b.raw("nothing", v3Secrets, path), 401, "PermissionDenied", "You are not allowed to read on secrets")
		if l := b.rawList("nothing", path, "recursive=true"); len(l.Secrets) != 0 {
			t.Errorf("recursive: %+v", l)
		}
	}
	if got := flat(b.rawList("only-app", "/", "recursive=true").Secrets); got != "C=3 A=1 B_1=2 D=4" {
		t.Errorf("folders that may not be read are skipped: %q", got)
	}
	if got := flat(b.rawList("two-names", "/app").Secrets); got != "C=3 A=1 B_1=2 D=4" {
		t.Errorf("names do not narrow a right there: %q", got)
	}
}

func TestUnreadableImportsLeftOut2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.identity(world.Identity{Token: "importer-only", Access: []world.Access{{Path: "/importer"}}})
	b.identity(world.Identity{Token: "and-other", Access: []world.Access{{Path: "/importer"}, {Path: "/other"}}})
	if l := b.rawList("importer-only", "/importer", "include_imports=true"); len(l.Imports) != 0 || len(l.Secrets) != 2 {
		t.Errorf("got %+v", l)
	}
	b.identity(world.Identity{Token: "and-shared", Access: []world.Access{{Path: "/importer"}, {Path: "/shared"}}})
	if got := flat(b.rawList("and-shared", "/importer", "include_imports=true").Imports[0].Secrets); strings.Contains(got, "L2") {
		t.Errorf("a nested import that may not be read: %q", got)
	}
	if l := b.rawList("and-other", "/importer", "include_imports=true"); len(l.Imports) != 1 || flat(l.Imports[0].Secrets) != "SHARED=second" {
		t.Errorf("got %+v", l)
	}
}

func TestExpansionReadsForbiddenFolders2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.identity(world.Identity{Token: "refs-only", Access: []world.Access{{Path: "/refs"}}})
	if got := value(b.rawList("refs-only", "/refs", "expandSecretReferences=true").Secrets, "ROOT"); got != "t" {
		t.Errorf("got %q", got)
	}
}

func TestShiftedBlocks2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.edit("/importer", func(f *world.Folder) {
		f.Imports = []world.Import{{Environment: "dev", Path: "/gone"}, {Environment: "dev", Path: "/other"}}
	})
	blocks := b.rawList(token, "/importer", "include_imports=true").Imports
	if len(blocks) != 2 || blocks[0].SecretPath != "/gone" || flat(blocks[0].Secrets) != "SHARED=second" {
		t.Fatalf("the first block has the contents of the second: %+v", blocks)
	}
	if last := blocks[1]; last.SecretPath != "/other" || last.FolderID != nil || last.Secrets == nil || len(last.Secrets) != 0 {
		t.Errorf("the last block is empty and without an id: %+v", last)
	}
	b.edit("/importer", func(f *world.Folder) { f.Imports = f.Imports[1:] })
	if whole := b.rawList(token, "/importer", "include_imports=true").Imports; *whole[0].FolderID != *blocks[0].FolderID {
		t.Errorf("the id was not that of /other: %s, %s", *blocks[0].FolderID, *whole[0].FolderID)
	}
}

func TestImports2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.edit("/importer", func(f *world.Folder) {
		f.Imports = []world.Import{{Environment: "dev", Path: "/shared"}, {Environment: "staging", Path: "/deep/sub"}, {Environment: "dev", Path: "/shared"}}
	})
	b.edit("/shared", func(f *world.Folder) {
		f.Imports = append(f.Imports, world.Import{Environment: "staging", Path: "/"})
	})
	blocks := b.rawList(token, "/importer", "include_imports=true", "expandSecretReferences=true").Imports
	if len(blocks) != 3 || flat(blocks[0].Secrets) != flat(blocks[2].Secrets) {
		t.Fatalf("a doubled import has two entries: %+v", blocks)
	}
	// Values are never expanded; a name that the direct one has is not repeated.
	if got := flat(blocks[0].Secrets); got != "SHARED=first USES=u-${LOCAL}-${NOWHERE} LOCAL=from-shared L2=two TOP=t" {
		t.Errorf("got %q", got)
	}
	if last := blocks[0].Secrets[4]; last.Environment != "dev" || last.SecretPath != "" {
		t.Errorf("a folded secret carries the direct import's environment: %+v", last)
	}
	if blocks[1].Environment != "staging" || blocks[1].Secrets[0].Environment != "staging" {
		t.Errorf("got %+v", blocks[1])
	}
	if got := flat(b.rawList(token, "/loop-a", "include_imports=true").Imports[0].Secrets); got != "IN_B=b" {
		t.Errorf("a cycle: %q", got)
	}
	one := func(name string) string {
		var body struct{ Secret row }
		b.decode(b.raw(token, v3Secrets+"/"+name, "/importer", "include_imports=true"), 200, &body)
		return body.Secret.SecretValue
	}
	if got := one("LOCAL"); got != "from-importer" {
		t.Errorf("own beats imported: %q", got)
	}
	b.edit("/importer", func(f *world.Folder) {
		f.Imports[1] = world.Import{Environment: "dev", Path: "/other"}
		f.Imports = f.Imports[:2]
	})
	if got := one("SHARED"); got != "second" {
		t.Errorf("the later import wins: %q", got)
	}
}

func TestReferences2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	want := map[string]string{ // in FAR, a remote value's own references are not followed
		"LOCAL": "[z]", "CHAIN": "<[z]>", "FAR": "k-${SIBLING}", "ROOT": "t", "DEAD": "x${NOPE}y", "DEAD_FOLDER": "x${dev.nofolder.K}y",
		"SHELL": "${HOME}", "OF_EMPTY": "x${EMPTY}y", "THROUGH": "${SHARED}", "TEXT": "a$b$$c${d $(e)${f g}", "CYC_B": "b${CYC_A}", "CYC_A": "ab${CYC_A}",
	}
	rows := b.rawList(token, "/refs", "expandSecretReferences=true").Secrets
	for key, v := range want {
		if got := value(rows, key); got != v {
			t.Errorf("%s: %q, want %q", key, got, v)
		}
	}
	b.edit("/refs", func(f *world.Folder) { // the other order of ids, as it was seen
		f.Secret("CYC_A").ID, f.Secret("CYC_B").ID = f.Secret("CYC_B").ID, f.Secret("CYC_A").ID
		f.Secrets = append(f.Secrets, world.Secret{Key: "SELF", Value: "s${SELF}"}, world.Secret{Key: "NL", Value: "<${LINES}>"}, world.Secret{Key: "LINES", Value: "a\nb"})
	})
	rows = b.rawList(token, "/refs", "expandSecretReferences=true").Secrets
	for key, v := range map[string]string{"CYC_A": "a${CYC_B}", "CYC_B": "ba${CYC_B}", "SELF": "s${SELF}", "NL": "<a\nb>"} {
		if got := value(rows, key); got != v {
			t.Errorf("%s: %q, want %q", key, got, v)
		}
	}
	for key, v := range map[string]string{"LOCAL": "[${ZED}]", "ROOT": "t"} { // the single read resolves remote ones only
		var one struct{ Secret row }
		b.decode(b.raw(token, v3Secrets+"/"+key, "/refs", "expandSecretReferences=true"), 200, &one)
		if one.Secret.SecretValue != v {
			t.Errorf("single %s: %q, want %q", key, one.Secret.SecretValue, v)
		}
	}
}

func TestRecursiveExpandsOnlyBelowASecret2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.edit("/app/sub", func(f *world.Folder) { f.Secrets = append(f.Secrets, world.Secret{Key: "UP", Value: "${A}!"}) })
	read := func() string {
		return value(b.rawList(token, "/app", "recursive=true", "expandSecretReferences=true").Secrets, "UP")
	}
	if got := read(); got != "below!" {
		t.Errorf("got %q", got)
	}
	b.edit("/app", func(f *world.Folder) { f.Secrets = nil })
	if got := read(); got != "${A}!" {
		t.Errorf("the folder holds no secret: %q", got)
	}
}

func TestOrderIsByID2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	b.edit("/app", func(f *world.Folder) {
		for i := range f.Secrets {
			f.Secrets[i].ID = idOf(900 - i)
		}
	})
	if got := flat(b.rawList(token, "/app").Secrets); got != "D=4 B_1=2 A=1 C=3" {
		t.Errorf("got %q", got)
	}
	b.edit("/app/sub", func(f *world.Folder) { f.Secrets[0].ID = idOf(898) })
	if got := flat(b.rawList(token, "/app", "recursive=true").Secrets); !strings.Contains(got, " A=below A=1 C=3") && !strings.Contains(got, " A=1 A=below C=3") {
		t.Errorf("recursive: %q", got)
	}
}

func TestItem2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	var body struct{ Secrets []map[string]any }
	b.decode(b.raw(token, v3Secrets, "/app"), 200, &body)
	first := body.Secrets[0]
	if len(first) != 10 || first["_id"] != first["id"] || first["secretPath"] != "/app" || first["workspace"] != projectID {
		t.Errorf("got %v", first)
	}
	var one struct{ Secret map[string]any }
	b.decode(b.raw(token, v3Secrets+"/A", "/app", "version=99"), 200, &one) // no such version: the present one
	if _, tags := one.Secret["tags"]; tags || one.Secret["secretPath"] != nil || one.Secret["secretValue"] != "1" {
		t.Errorf("with a version: %v", one)
	}
	b.decode(b.raw(token, v3Secrets+"/A", "/app"), 200, &one)
	if _, tags := one.Secret["tags"].([]any); !tags {
		t.Errorf("without a version: %v", one)
	}
	b.edit("/app", func(f *world.Folder) { f.Secret("A").Tags = []string{"db"} })
	if got := flat(b.rawList(token, "/app", "tagSlugs=other").Secrets); !strings.Contains(got, "C=3") {
		t.Errorf("tagSlugs is not known there: %q", got)
	}
	if got := flat(b.rawList(token, "/odd").Secrets); got != "PLAIN=p MASKED=covert" {
		t.Errorf("an identity sees no personal rows, and nothing is hidden there: %q", got)
	}
}

func TestRefusals2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	const missing, noBot = "Missing workspace id or environment", "Project not found during bot lookup."
	tests := map[string]struct {
		auth, target  string
		status        int
		code, message string
	}{
		"projectId":           {token, v3Secrets + "?environment=dev&projectId=" + projectID, 400, "BadRequest", missing},
		"no environment":      {token, v3Secrets + "?workspaceId=" + projectID, 400, "BadRequest", missing},
		"upper-case id":       {token, v3Secrets + "?environment=dev&workspaceId=" + strings.ToUpper(projectID), 400, "BadRequest", noBot},
		"slug as id":          {token, v3Secrets + "?environment=dev&workspaceId=shop", 400, "BadRequest", noBot},
		"unknown id":          {"outsider", v3Secrets + "?environment=dev&workspaceId=x", 400, "BadRequest", noBot},
		"unknown slug":        {token, v3Secrets + "?environment=dev&workspaceSlug=x", 500, "Failed to find project by slug", "Something went wrong"},
		"outsider":            {"outsider", v3Secrets + "?environment=dev&workspaceId=" + projectID, 403, "Identity not in project", notMember},
		"other characters":    {token, v3Secrets + "?environment=dev&secretPath=/a.b&workspaceId=" + projectID, 500, "Find by secret path", "Something went wrong"},
		"switch":              {token, v3Secrets + "?environment=dev&include_imports=1&workspaceId=" + projectID, 403, "ValidationFailure", "[list]"},
		"given twice":         {token, v3Secrets + "?environment=dev&environment=dev&workspaceId=" + projectID, 403, "ValidationFailure", "[list]"},
		"no secret":           {token, v3Secrets + "/NOPE?environment=dev&secretPath=/app&workspaceId=" + projectID, 400, "BadRequest", "Secret not found"},
		"personal":            {token, v3Secrets + "/PLAIN?environment=dev&type=personal&secretPath=/odd&workspaceId=" + projectID, 400, "BadRequest", "Secret not found"},
		"secret, no folder":   {token, v3Secrets + "/A?environment=dev&secretPath=/nope&workspaceId=" + projectID, 400, "BadRequest", "Folder not found for the given environment slug & secret path"},
		"secret, no right":    {"nothing", v3Secrets + "/A?environment=dev&secretPath=/nope&workspaceId=" + projectID, 401, "PermissionDenied", "You are not allowed to read on secrets"},
		"imports, no folder":  {token, "/api/v1/secret-imports?environment=dev&path=/nope&workspaceId=" + projectID, 400, "BadRequest", "Folder not found"},
		"imports, no env":     {token, "/api/v1/secret-imports?environment=prod&workspaceId=" + projectID, 400, "BadRequest", "Folder not found"},
		"imports, no right":   {"only-app", "/api/v1/secret-imports?environment=dev&path=/nope&workspaceId=" + projectID, 401, "PermissionDenied", "You are not allowed to read on secrets"},
		"folders, no env":     {token, "/api/v1/folders?environment=prod&workspaceId=" + projectID, 400, "BadRequest", "Environment not found"},
		"folders, outsider":   {"outsider", "/api/v1/folders?environment=dev&workspaceId=" + projectID, 403, "Identity not in project", notMember},
		"folders, not valid":  {token, "/api/v1/folders?environment=dev", 403, "ValidationFailure", "[list]"},
		"workspace":           {token, "/api/v1/workspace/x", 500, "Failed to find project by id", "Something went wrong"},
		"workspace, outsider": {"outsider", "/api/v1/workspace/" + projectID, 403, "Identity not in project", notMember},
		"workspace by slug":   {token, "/api/v2/workspace/x", 500, "Failed to find project by slug", "Something went wrong"},
		"no v4":               {token, "/api/v4/secrets?a=b", 404, "Not Found", "Route GET:/api/v4/secrets?a=b not found"},
		"no v4, no token":     {"", "/api/v4/secrets", 404, "Not Found", "Route GET:/api/v4/secrets not found"},
		"no syncs":            {token, "/api/v1/secret-syncs", 404, "Not Found", "Route GET:/api/v1/secret-syncs not found"},
		"no projects":         {token, "/api/v1/projects/slug/shop", 404, "Not Found", "Route GET:/api/v1/projects/slug/shop not found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := *b
			c.t = t
			c.wantLegacy(c.do("GET", tt.target, tt.auth, ""), tt.status, tt.code, tt.message)
		})
	}
}

func TestPlaces2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	folders := func(auth, rest string) string {
		var got names
		b.decode(b.do("GET", "/api/v1/folders?workspaceId="+projectID+rest, auth, ""), 200, &got)
		return got.String()
	}
	if got := folders("nothing", "&environment=dev&path=/app"); got != "sub" {
		t.Errorf("the list needs no role: %q", got)
	}
	if got := folders(token, "&environment=dev&path=/nope"); got != "" {
		t.Errorf("a missing parent: %q", got)
	}
	if got := folders(token, "&environment=staging&secretPath=/deep"); got != "deep" {
		t.Errorf("secretPath is ignored: %q", got)
	}
	var imports importRows
	b.identity(world.Identity{Token: "importer-only", Access: []world.Access{{Path: "/importer"}}})
	b.decode(b.do("GET", "/api/v1/secret-imports?environment=dev&path=/importer&workspaceId="+projectID, "importer-only", ""), 200, &imports)
	if len(imports.SecretImports) != 3 {
		t.Errorf("imports that may not be read are listed, too: %+v", imports)
	}
	type project struct {
		ID           string
		Environments []struct{ Slug string }
	}
	var byID struct{ Workspace project }
	var bySlug project
	b.decode(b.do("GET", "/api/v1/workspace/"+projectID, "nothing", ""), 200, &byID)
	b.decode(b.do("GET", "/api/v2/workspace/shop", token, ""), 200, &bySlug)
	if byID.Workspace.ID != projectID || bySlug.ID != projectID || len(bySlug.Environments) != 2 {
		t.Errorf("got %+v, %+v", byID, bySlug)
	}
}

func TestETag2024(t *testing.T) {
	t.Parallel()
	b := newLegacy(t)
	ask := func(header string) *httptest.ResponseRecorder {
		return b.do("GET", v3Secrets+"?environment=dev&secretPath=/app&workspaceId="+projectID, token, "", "If-None-Match", header)
	}
	tag := ask("").Header().Get("ETag")
	if len(tag) != 30 || ask("").Header().Get("ETag") != tag {
		t.Errorf("tag %q", tag)
	}
	if w := ask(tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask("W/" + tag); w.Code != 200 {
		t.Errorf("a weak form matches: %d", w.Code)
	}
	if w := b.do("GET", "/api/v4/secrets", token, ""); len(w.Header().Get("ETag")) != 30 {
		t.Errorf("an error without a tag: %v", w.Header())
	}
}
