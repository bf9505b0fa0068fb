package bitbucket_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	repo     = "/2.0/repositories/acme/web"
	repoVars = repo + "/pipelines_config/variables"
	envUUID  = "%7B00000000-0000-4000-8000-0000000000e1%7D"
	envVars  = repo + "/deployments_config/environments/" + envUUID + "/variables"
	openUUID = "%7B00000000-0000-4000-8000-0000000000a1%7D"
	safeUUID = "%7B00000000-0000-4000-8000-0000000000a2%7D"
)

type bench struct {
	t     *testing.T
	store *world.Store
	svc   *bitbucket.Service
	at    time.Time
}

// newBench serves a small world; set changes it first.
func newBench(t *testing.T, set ...func(*world.Bitbucket)) *bench {
	t.Helper()
	w := testWorld()
	for _, change := range set {
		change(&w.Bitbucket)
	}
	store, err := world.OpenStore(world.StoreOptions{World: w})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: store, at: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)}
	b.svc = bitbucket.New(store, func() time.Time { return b.at })
	return b
}

// move moves the clock.
func (b *bench) move(d time.Duration) { b.at = b.at.Add(d) }

func testWorld() *world.World {
	return &world.World{Bitbucket: world.Bitbucket{
		Tokens: []world.Token{
			{AccessToken: "full"},
			{Email: "a@acme.example", APIToken: "person"},
			{AccessToken: "reader", Scopes: []string{"pipeline", "repository"}},
			{Email: "b@acme.example", APIToken: "granular", Scopes: []string{"admin:pipeline:bitbucket"}},
		},
		Workspaces: []world.Workspace{{
			Slug: "acme", UUID: "{00000000-0000-4000-8000-0000000000f1}",
			Repositories: []world.Repository{{
				Slug: "web", UUID: "{00000000-0000-4000-8000-0000000000f2}",
				Variables: []world.Variable{
					{Key: "REGION", UUID: "{00000000-0000-4000-8000-0000000000a1}", Value: "eu"},
					{Key: "TOKEN", UUID: "{00000000-0000-4000-8000-0000000000a2}", Value: "covert", Secured: true},
				},
				Environments: []world.DeploymentEnvironment{
					{Name: "Production", UUID: "{00000000-0000-4000-8000-0000000000e1}"}, {Name: "Test"}, {Name: "Staging"},
				},
			}},
		}},
	}}
}

func switches(s world.Switches) func(*world.Bitbucket) {
	return func(b *world.Bitbucket) { b.Switches = s }
}

// do sends one request with the full token, or with the header lines given.
func (b *bench) do(method, target, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.RequestURI = target // as on the wire: NewRequest would not take raw braces
	if err := setURL(r, target); err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer full")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.svc.ServeHTTP(w, r)
	return w
}

func setURL(r *http.Request, target string) error {
	u, err := r.URL.Parse(target)
	if err == nil {
		r.URL = u
	}
	return err
}

// want decodes an answer of the status.
func (b *bench) want(w *httptest.ResponseRecorder, status int) map[string]any {
	b.t.Helper()
	if w.Code != status {
		b.t.Errorf("got %d %s, want %d", w.Code, w.Body, status)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		b.t.Fatalf("%v: %d %q", err, w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		b.t.Errorf("content type %q", got)
	}
	return body
}

// at walks into decoded JSON by field names.
func at(body any, path ...string) any {
	for _, name := range path {
		m, ok := body.(map[string]any)
		if !ok {
			return nil
		}
		body = m[name]
	}
	return body
}

func (b *bench) wantCode(w *httptest.ResponseRecorder, status int, code string) map[string]any {
	b.t.Helper()
	body := b.want(w, status)
	if got := at(body, "error", "data", "key"); got != code || at(body, "type") != "error" {
		b.t.Errorf("error %v in %s, want %s", got, w.Body, code)
	}
	return body
}

// keys lists the keys of a collection, in one page.
func (b *bench) keys(path string, header ...string) string {
	b.t.Helper()
	var out []string
	body := b.want(b.do("GET", path+"?pagelen=100", "", header...), 200)
	values, _ := at(body, "values").([]any)
	for _, v := range values {
		out = append(out, fmt.Sprint(at(v, "key")))
	}
	return strings.Join(out, " ")
}

// stored renders the variables of the repository as the world has them.
func (b *bench) stored() string {
	var out []string
	b.store.Read(func(w *world.World) {
		for _, v := range w.Bitbucket.Workspaces[0].Repositories[0].Variables {
			out = append(out, fmt.Sprintf("%s=%q,%t", v.Key, v.Value, v.Secured))
		}
	})
	return strings.Join(out, " ")
}

// effects renders the journal.
func (b *bench) effects() string {
	var out []string
	for _, e := range b.svc.Journal() {
		out = append(out, strings.Trim(e.Action+" "+e.Workspace+"/"+e.Repository+"/"+e.Environment+" "+e.OldKey+">"+e.Key, ">"))
	}
	return strings.Join(out, "; ")
}
