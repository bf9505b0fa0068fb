package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	variables = "/2.0/repositories/acme/web/pipelines_config/variables"
	secrets   = "/api/v4/secrets?projectId=b7f1c0de-1a2b-4c3d-8e4f-5a6b7c8d9e0f&environment=dev&secretPath=/web"
	create    = `{"key":"A","value":"v","secured":true}`
)

func start(t *testing.T, opts sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// client follows no redirect and opens a connection for every request.
func client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type result struct {
	status int
	header http.Header
	body   string
	err    error
}

func send(t *testing.T, s *sandbox.Server, method, path, body string) result {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Address()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	token := s.Credentials().KMSToken
	if strings.HasPrefix(path, "/2.0/") {
		token = s.Credentials().AccessToken
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := client().Do(r)
	if err != nil {
		return result{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return result{resp.StatusCode, resp.Header, string(text), err}
}

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "[::]:0", "nonsense"} {
		if s, err := sandbox.Start(t.Context(), sandbox.Options{Listen: listen}); err == nil {
			_ = s.Close()
			t.Errorf("%s was accepted", listen)
		}
	}
	if s := start(t, sandbox.Options{Listen: "localhost:0"}); !strings.HasPrefix(s.Address(), "http://") {
		t.Errorf("address %q", s.Address())
	}
}

func TestBothServices(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	for path, want := range map[string]string{secrets: "FEATURE_FLAGS", variables: "NPM_TOKEN"} {
		if r := send(t, s, "GET", path, ""); r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %+v", path, r)
		}
	}
	if r := send(t, s, "GET", "/elsewhere", ""); r.status != 404 || !strings.Contains(r.body, "Route GET:/elsewhere not found") {
		t.Errorf("unknown path: %+v", r)
	}
	c := s.Credentials()
	login := send(t, s, "POST", "/api/v1/auth/universal-auth/login", `{"clientId":"`+c.ClientID+`","clientSecret":"`+c.ClientSecret+`"}`)
	if login.status != 200 || c.Email == "" || c.APIToken == "" {
		t.Errorf("login: %+v; credentials %+v", login, c)
	}
}

func TestCountersAndJournal(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	send(t, s, "GET", secrets, "")
	send(t, s, "GET", secrets, "")
	send(t, s, "POST", variables, create)
	const repo = "/2.0/repositories/{workspace}/{repo}/pipelines_config/variables"
	want := map[string]int{"GET /api/v4/secrets": 2, "POST " + repo: 1}
	if d := cmp.Diff(want, s.Requests()); d != "" || s.Total() != 3 {
		t.Errorf("counters, total %d: %s", s.Total(), d)
	}
	j := s.Journal()
	if len(j) != 1 || j[0].UUID == "" || j[0].Time.IsZero() {
		t.Fatalf("journal: %+v", j)
	}
	effect := sandbox.Effect{Action: "create", Workspace: "acme", Repository: "web", Key: "A", Secured: true, UUID: j[0].UUID, Time: j[0].Time}
	if d := cmp.Diff(effect, j[0]); d != "" {
		t.Error(d)
	}
	var counted struct {
		Total    int
		Requests map[string]int
	}
	if err := json.Unmarshal([]byte(send(t, s, "GET", "/sandbox/requests", "").body), &counted); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, counted.Requests); d != "" || counted.Total != 3 {
		t.Errorf("over HTTP, total %d: %s", counted.Total, d)
	}
	var effects []sandbox.Effect
	if err := json.Unmarshal([]byte(send(t, s, "GET", "/sandbox/journal", "").body), &effects); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(j, effects); d != "" {
		t.Error(d)
	}
	s.ResetRequests()
	if s.Total() != 0 {
		t.Errorf("%d requests after a reset", s.Total())
	}
	for _, r := range []result{send(t, s, "POST", "/sandbox/requests", ""), send(t, s, "GET", "/sandbox/nope", "")} {
		if r.status < 400 {
			t.Errorf("admin: %+v", r)
		}
	}
}

func TestUpdateAndWorld(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	s.Update(func(w *world.World) {
		r := w.Bitbucket.Workspace("acme").Repository("web")
		r.Variables = append(r.Variables, world.Variable{Key: "ADDED", Value: "x"})
	})
	if r := send(t, s, "GET", variables, ""); !strings.Contains(r.body, "ADDED") {
		t.Errorf("got %s", r.body)
	}
	cp := s.World()
	if v := cp.Bitbucket.Workspace("acme").Repository("web").Variables[2]; v.UUID == "" {
		t.Error("the new variable has no UUID")
	}
	cp.Bitbucket.Workspaces = nil
	if len(s.World().Bitbucket.Workspaces) == 0 {
		t.Error("World is not a copy")
	}
}

func TestWorldFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".kmsync", "sandbox", "world.json")
	s := start(t, sandbox.Options{Path: path})
	send(t, s, "POST", variables, create)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if r := send(t, s, "GET", variables, ""); r.err == nil {
		t.Error("still answering after Close")
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"key": "A"`) {
		t.Fatalf("the write is not in the file: %v", err)
	}

	again := start(t, sandbox.Options{Path: path})
	if r := send(t, again, "GET", variables, ""); !strings.Contains(r.body, `"key":"A"`) {
		t.Errorf("a second process does not see the write: %s", r.body)
	}
	edited := strings.ReplaceAll(string(text), "eu-central-1", "eu-central-2")
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := send(t, again, "GET", variables, ""); !strings.Contains(r.body, "eu-central-2") {
		t.Errorf("a hand edit is not seen: %s", r.body)
	}
	if err := os.WriteFile(path, []byte("{\n  oops"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := send(t, again, "POST", variables, `{"key":"B","value":"v"}`); r.status != 503 || !strings.Contains(r.body, "world.json:2") {
		t.Errorf("a broken file: %+v", r)
	}
	if len(again.Journal()) != 0 {
		t.Error("a write took effect while the file was broken")
	}
}

func TestStartRefusesBrokenWorld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, []byte(`{"kmz": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sandbox.Start(t.Context(), sandbox.Options{Path: path})
	if err == nil || !strings.Contains(err.Error(), `world.json:1: unknown field "kmz"`) {
		t.Errorf("got error %v", err)
	}
	bad := &world.World{Faults: []world.Fault{{Kind: "boom"}}}
	if _, err := sandbox.Start(t.Context(), sandbox.Options{World: bad}); err == nil {
		t.Error("a world with an unknown fault was accepted")
	}
}

// Requests wait side by side, not one after the other.
func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 100 * time.Millisecond
	w := world.Default()
	w.Latency = world.Duration(latency)
	s := start(t, sandbox.Options{World: w})
	began := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if r := send(t, s, "GET", variables, ""); r.status != 200 {
				t.Errorf("got %+v", r)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < latency || took > 15*latency {
		t.Errorf("20 requests at once took %v", took)
	}
}

// A write under way when the server closes does not wait any longer; it is
// answered and kept.
func TestCloseAnswersWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := world.Default()
	w.Latency = world.Duration(time.Minute)
	path := filepath.Join(t.TempDir(), "world.json")
	s := start(t, sandbox.Options{World: w, Path: path})
	done := make(chan result, 1)
	go func() { done <- send(t, s, "POST", variables, create) }()
	for s.Total() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := <-done
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.status != 201 || !strings.Contains(string(text), `"key": "A"`) || len(s.Journal()) != 1 {
		t.Errorf("answer %+v, journal %v, file\n%s", r, s.Journal(), text)
	}
}
