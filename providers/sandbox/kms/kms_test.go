package kms_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	projectID = "00000000-0000-4000-8000-00000000000a"
	token     = "all-rights"
)

// bench is a Service on a small world with a clock that the test moves.
type bench struct {
	t     *testing.T
	store *world.Store
	svc   *kms.Service
	now   time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	store, err := world.OpenStore(world.StoreOptions{World: testWorld()})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: store, now: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)}
	b.svc = kms.New(store, func() time.Time { return b.now })
	return b
}

func folder(path string, pairs ...string) world.Folder {
	f := world.Folder{Path: path}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Secrets = append(f.Secrets, world.Secret{Key: pairs[i], Value: pairs[i+1]})
	}
	return f
}

func importing(f world.Folder, from ...string) world.Folder {
	for _, path := range from {
		f.Imports = append(f.Imports, world.Import{Environment: "dev", Path: path})
	}
	return f
}

// testWorld has one folder for every trap.
func testWorld() *world.World {
	odd := folder("/odd", "PLAIN", "p")
	odd.Secrets = append(odd.Secrets,
		world.Secret{Key: "MASKED", Value: "covert", Hidden: true},
		world.Secret{Key: "PLAIN", Value: "mine", Type: world.TypePersonal})
	refs := importing(folder("/refs",
		"ZED", "z", "LOCAL", "[${ZED}]", "CHAIN", "<${LOCAL}>", "FAR", "${staging.deep.sub.KEY}", "ROOT", "${staging.TOP}",
		"DEAD", "x${NOPE}y", "DEAD_FOLDER", "x${dev.nofolder.K}y", "SHELL", "${HOME}", "EMPTY", "", "OF_EMPTY", "x${EMPTY}y",
		"CYC_A", "a${CYC_B}", "CYC_B", "b${CYC_A}", "TEXT", "a$b$$c${d $(e)${f g}", "THROUGH", "${SHARED}"), "/shared")
	return &world.World{KMS: world.KMS{
		Identities: []world.Identity{
			{ClientID: "robot", ClientSecret: "s3cret", Token: token},
			{Token: "outsider", Projects: []string{"elsewhere"}},
			{Token: "nothing", Access: []world.Access{}},
			{Token: "only-app", Access: []world.Access{{Environment: "dev", Path: "/app"}}},
			{Token: "below-shared", Access: []world.Access{{Path: "/shared/**"}}},
			{Token: "two-names", Access: []world.Access{{Environment: "dev", Path: "/app", Names: []string{"B_*", "A"}}}},
			{Token: "all-rights-too"},
		},
		Projects: []world.Project{{ID: projectID, Slug: "shop", Name: "Shop", Environments: []world.Environment{
			{Slug: "dev", Name: "Development", Folders: []world.Folder{
				folder("/app", "C", "3", "A", "1", "B_1", "2", "D", "4"),
				folder("/app/sub", "A", "below"),
				importing(folder("/importer", "OWN", "o", "LOCAL", "from-importer"), "/shared", "/other", "/gone"),
				importing(folder("/shared", "SHARED", "first", "USES", "u-${LOCAL}-${NOWHERE}", "LOCAL", "from-shared"), "/level2"),
				importing(folder("/level2", "L2", "two", "SHARED", "shadowed"), "/level3"),
				folder("/level3", "L3", "three"),
				folder("/other", "SHARED", "second"),
				importing(folder("/dangling"), "/gone"),
				importing(folder("/chain"), "/pair"), importing(folder("/pair"), "/x1", "/x2"), folder("/x1", "X", "1", "Y", "1"), folder("/x2", "X", "2"),
				importing(folder("/loop-a", "IN_A", "a"), "/loop-b"), importing(folder("/loop-b", "IN_B", "b"), "/loop-a", "/loop-b"),
				folder("/empty"), odd, refs,
				folder("/forbidden-refs", "PEEK", "${dev.odd.MASKED}"),
			}},
			{Slug: "staging", Folders: []world.Folder{folder("/deep/sub", "KEY", "k-${SIBLING}", "SIBLING", "s"), folder("/", "TOP", "t")}},
		}}},
	}}
}

// do sends one request; auth is a whole Authorization header or a token.
func (b *bench) do(method, target, auth, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if auth != "" && !strings.Contains(auth, " ") {
		auth = "Bearer " + auth
	}
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.svc.ServeHTTP(w, r)
	return w
}

// get reads secrets of environment dev; extra are more parameters, name=value.
func (b *bench) get(auth, route, path string, extra ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	q := url.Values{"projectId": {projectID}, "environment": {"dev"}, "secretPath": {path}}
	for _, pair := range extra {
		name, value, _ := strings.Cut(pair, "=")
		q[name] = append(q[name], value)
		if name == "environment" || name == "projectId" {
			q.Set(name, value)
		}
	}
	return b.do("GET", route+"?"+q.Encode(), auth, "")
}

type row struct {
	ID, Workspace, Environment, Type, SecretKey, SecretValue, SecretPath string
	Version                                                              int
	SecretValueHidden                                                    bool
	CreatedAt                                                            *string
}

type block struct {
	SecretPath, Environment string
	FolderID                *string
	Secrets                 []row
}

type listing struct {
	Secrets []row
	Imports []block
}

func (b *bench) list(auth, path string, extra ...string) listing {
	b.t.Helper()
	w := b.get(auth, "/api/v4/secrets", path, extra...)
	var l listing
	if w.Code != http.StatusOK {
		b.t.Fatalf("list %s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
		b.t.Fatal(err)
	}
	if l.Secrets == nil || l.Imports == nil {
		b.t.Errorf("list %s: null instead of a list: %s", path, w.Body)
	}
	return l
}

// flat renders rows as "KEY=value KEY=value".
func flat(rows []row) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.SecretKey+"="+r.SecretValue)
	}
	return strings.Join(out, " ")
}

// wantError checks status and error code, and a request id where the service
// gives one.
func (b *bench) wantError(w *httptest.ResponseRecorder, status int, code string) map[string]any {
	b.t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		b.t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Code != status || body["error"] != code || body["statusCode"] != float64(status) {
		b.t.Errorf("got %d %s, want %d %s", w.Code, w.Body, status, code)
	}
	if _, ok := body["reqId"]; ok == (code == "Not Found") {
		b.t.Errorf("reqId present: %t in %s", ok, w.Body)
	}
	return body
}

// generation makes the server that of another year.
func (b *bench) generation(year string) {
	b.store.Edit(func(w *world.World) { w.KMS.Generation = year })
}
