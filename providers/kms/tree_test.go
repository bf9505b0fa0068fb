package kms

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
)

func TestTreeAsksForEverythingBelow(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(
		own("A", "1", map[string]any{"secretPath": "/payments/x", "id": "00000000-0000-4000-8000-00000000aaaa"}), own("A", "2"), own("P", "canary", map[string]any{"type": "personal"}),
	)}})
	got, err := s.client(nil).ListTree(t.Context(), dev)
	if err != nil || len(got.Folders) != 2 || got.Folders[0].Folder != dev || got.Folders[1].Folder.Path != "/payments/x" {
		t.Fatalf("got %+v, %v", got.Folders, err)
	}
	q := s.seen[1].URL.Query()
	if q.Get("recursive") != "true" || q.Get("includeImports") != "true" || q.Get("include_imports") != "true" || q.Get("expandSecretReferences") != "false" {
		t.Errorf("asked %v", q)
	}
}

// TestRowsOfAnotherPath refuses a tree with anything that is not in it.
func TestRowsOfAnotherPath(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"above":       {"secretPath": "/"},
		"beside":      {"secretPath": "/payments-old"},
		"environment": {"environment": "prod"},
		"no path":     {"secretPath": leftOut},
		"personal":    {"secretPath": "/other", "type": "personal"},
		"unknown":     {"type": "dynamic"},
		"no id":       {"id": "canary"},
		"twice":       {"secretKey": "B"},
	} {
		s := serve(t, map[string][]reply{listRoute: {listOf(own("B", "canary"), own("A", "canary", change))}})
		_, err := s.client(nil).ListTree(t.Context(), dev)
		if e := wantKind(t, err, providers.KindInvalid); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
	same := map[string]any{"id": "00000000-0000-4000-8000-00000000aaaa"}
	twice := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1", same), own("B", "1", same))}})
	if _, err := twice.client(nil).List(t.Context(), dev); providers.KindOf(err) != providers.KindInvalid {
		t.Errorf("one id of two secrets: %v", err)
	}
	s := serve(t, map[string][]reply{listRoute: {listOf(own("B", "1"), own("B", "1", map[string]any{"secretPath": "/payments/b", "id": "00000000-0000-4000-8000-00000000aaaa"}))}})
	if _, err := s.client(nil).ListTree(t.Context(), dev); err != nil {
		t.Errorf("one name in two folders: %v", err)
	}
}

func TestTreeTellsOfImports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list    reply
		imports bool
		doubts  int
	}{
		"none":       {listOf(own("A", "1")), false, 0},
		"empty":      {listWith([]any{importOf("dev", "/x", "")}, own("A", "1")), true, 0},
		"no imports": {reply{body: strings.Replace(listOf(own("A", "1")).body, `"imports":[],`, "", 1)}, true, 1},
	} {
		s := serve(t, map[string][]reply{listRoute: {c.list}})
		got, err := s.client(nil).ListTree(t.Context(), dev)
		if err != nil || got.Imports != c.imports || len(got.Doubts) != c.doubts {
			t.Errorf("%s: %v, %v, %v", name, got.Imports, got.Doubts, err)
		}
	}
}

func TestEmptyTreeIsProven(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {{body: emptyList}}, probeRoute: {{status: 404, body: probeFound}}})
	if _, err := s.client(nil).ListTree(t.Context(), dev); err != nil {
		t.Error(err)
	}
	s.want(map[string]int{loginRoute: 1, listRoute: 1, probeRoute: 1})
}

const foldersRoute = "GET /api/v2/folders"

func TestFoldersByOneRequest(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{foldersRoute: {{body: `{"folders":[{"name":"z","relativePath":"/z"},{"name":"b","relativePath":"/a/b"},
		{"name":"a","relativePath":"/a"},{"name":"__reserve_replication_1","relativePath":"/__reserve_replication_1","isReserved":true}]}`}}})
	got, err := s.client(nil).Folders(t.Context(), dev)
	want := []providers.Folder{dev, {Environment: "dev", Path: "/payments/a"}, {Environment: "dev", Path: "/payments/a/b"}, {Environment: "dev", Path: "/payments/z"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	asked := map[string][]string{"projectId": {projectID}, "environment": {"dev"}, "path": {"/payments"}, "recursive": {"true"}}
	if diff := cmp.Diff(asked, map[string][]string(s.seen[1].URL.Query())); diff != "" {
		t.Error(diff)
	}
}

// A folder whose place is not clear makes the whole answer useless.
func TestFoldersThatAreNowhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		folders string
		kind    providers.Kind
	}{
		"no place":         {`{"name":"a"}`, providers.KindUnavailable},
		"another name":     {`{"name":"a","relativePath":"/b"}`, providers.KindUnavailable},
		"no parent":        {`{"name":"b","relativePath":"/a/b"}`, providers.KindUnavailable},
		"from the root":    {`{"name":"a","relativePath":"/payments/a"}`, providers.KindUnavailable},
		"a slash in it":    {`{"name":"a/b","relativePath":"/a/b"}`, providers.KindUnsupported},
		"dots":             {`{"name":"..","relativePath":"/.."}`, providers.KindUnsupported},
		"no name":          {`{"relativePath":"/"}`, providers.KindUnsupported},
		"a list no longer": {`7`, providers.KindUnavailable},
	} {
		s := serve(t, map[string][]reply{foldersRoute: {{body: `{"folders":[` + c.folders + `]}`}}})
		_, err := s.client(nil).Folders(t.Context(), dev)
		if e := wantKind(t, err, c.kind); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}

// legacyFolders answers level by level; the children of each path come from a function.
func legacyFolders(t *testing.T, children func(path string) []string) *server {
	s := serve(t, map[string][]reply{foldersRoute: {{status: 404, body: strings.Replace(noV4, "v4/secrets", "v2/folders", 1)}}})
	scripted := s.http.Config.Handler
	s.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/folders" {
			scripted.ServeHTTP(w, r)
			return
		}
		q := r.URL.Query()
		if q.Get("workspaceId") != projectID || q.Has("projectId") || q.Get("environment") != "dev" {
			t.Errorf("asked %v", q)
		}
		list := []map[string]any{}
		for _, name := range children(q.Get("path")) {
			list = append(list, map[string]any{"id": idOf(name), "name": name, "isReserved": strings.HasPrefix(name, "__reserve")})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"folders": list})
	})
	return s
}

func TestFoldersLevelByLevel(t *testing.T) {
	t.Parallel()
	s := legacyFolders(t, func(path string) []string {
		return map[string][]string{"/payments": {"b", "a", "__reserve_replication_1"}, "/payments/a": {"deep"}}[path]
	})
	got, err := s.client(nil).Folders(t.Context(), dev)
	want := []providers.Folder{dev, {Environment: "dev", Path: "/payments/a"}, {Environment: "dev", Path: "/payments/a/deep"}, {Environment: "dev", Path: "/payments/b"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestFoldersWithoutEnd(t *testing.T) {
	t.Parallel()
	wide := make([]string, 1001)
	for i := range wide {
		wide[i] = fmt.Sprint("f", i)
	}
	for name, children := range map[string]func(string) []string{
		"deep":  func(string) []string { return []string{"more"} },
		"wide":  func(string) []string { return wide },
		"slash": func(string) []string { return []string{"a/b"} },
	} {
		s := legacyFolders(t, children)
		_, err := s.client(nil).Folders(t.Context(), dev)
		if e := wantKind(t, err, providers.KindUnsupported); name != "slash" && !strings.Contains(e.Hint, "more than 1000 folders below it, or more than 20 levels") {
			t.Errorf("%s: %v", name, e)
		}
	}
	for levels, ok := range map[int]bool{20: true, 21: false} {
		s := legacyFolders(t, func(path string) []string {
			if strings.Count(path, "/") > levels {
				return nil
			}
			return []string{"x"}
		})
		if got, err := s.client(nil).Folders(t.Context(), dev); (err == nil) != ok || ok && len(got) != levels+1 {
			t.Errorf("%d levels: %d folders, %v", levels, len(got), err)
		}
	}
}

const importsRoute = "GET /api/v2/secret-imports"

func TestImportsByPosition(t *testing.T) {
	t.Parallel()
	one := func(path string, position int, more string) string {
		return fmt.Sprintf(`{"importPath":%q,"position":%d,"importEnv":{"slug":"prod","name":"Canary","id":"x","projectId":%q}%s}`, path, position, projectID, more)
	}
	s := serve(t, map[string][]reply{importsRoute: {{body: `{"message":"canary","secretImports":[` + strings.Join([]string{
		one("/third/", 12, ""), one("/first", 1, ""), one("/copied", 2, `,"isReplication":true`),
		one("/payments/__reserve_replication_1", 2, `,"isReserved":true`),
	}, ",") + `]}`}}})
	got, err := s.client(nil).Imports(t.Context(), dev)
	want := []providers.Folder{{Environment: "prod", Path: "/first"}, {Environment: "prod", Path: "/copied"}, {Environment: "prod", Path: "/third"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	asked := map[string][]string{"projectId": {projectID}, "environment": {"dev"}, "path": {"/payments"}}
	if diff := cmp.Diff(asked, map[string][]string(s.seen[1].URL.Query())); diff != "" {
		t.Error(diff)
	}
}

func TestImportsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		kind providers.Kind
	}{
		"another project": {`{"secretImports":[{"importPath":"/x","importEnv":{"slug":"prod","projectId":"canary"}}]}`, providers.KindUnsupported},
		"no place":        {`{"secretImports":[{"importPath":"/x","importEnv":{}}]}`, providers.KindUnavailable},
		"no path":         {`{"secretImports":[{"importEnv":{"slug":"prod"}}]}`, providers.KindUnavailable},
		"no list":         {`{"message":"canary"}`, providers.KindUnavailable},
	} {
		s := serve(t, map[string][]reply{importsRoute: {{body: c.body}}})
		_, err := s.client(nil).Imports(t.Context(), dev)
		if e := wantKind(t, err, c.kind); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}
