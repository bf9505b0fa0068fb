//go:build live

package kms_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/providertest"
)

// TestLive runs the contract on a real server, whose generation it finds out by
// itself. CONTRIBUTING.md says what the environment must hold. It writes below the
// folder /conformance of environment dev, and nowhere else.
func TestLive(t *testing.T) {
	l := &live{
		address: strings.TrimSuffix(setting(t, "ADDRESS"), "/"), project: setting(t, "PROJECT"),
		values: map[string]string{},
	}
	l.login(t)
	answer := l.do(t, http.MethodGet, "/api/v4/secrets?"+url.Values{"projectId": {l.project}, "environment": {"dev"}}.Encode(), nil)
	if l.id, l.secrets, l.folders, l.imports = "projectId", "/api/v4/secrets", "/api/v2/folders", "/api/v2/secret-imports"; strings.Contains(string(answer.body), "Route GET:") {
		l.id, l.secrets, l.folders, l.imports = "workspaceId", "/api/v3/secrets/raw", "/api/v1/folders", "/api/v1/secret-imports"
	}
	providertest.Source(t, func(t *testing.T) providertest.SourceFixture { return &liveFixture{live: l, t: t} })
}

func setting(t *testing.T, name string) string {
	value := os.Getenv("KMSYNC_LIVE_" + name)
	if value == "" {
		t.Fatalf("set KMSYNC_LIVE_%s; see CONTRIBUTING.md", name)
	}
	return value
}

// live writes to a real server with requests of its own, so that it shares no mistake
// with the client.
type live struct {
	address, project          string
	bearer                    string
	id                        string // parameter that names the project
	secrets, folders, imports string
	values                    map[string]string // what was put, by folder and name
}

type liveAnswer struct {
	status int
	body   []byte
}

func (l *live) do(t *testing.T, method, path string, body any) liveAnswer {
	t.Helper()
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	for {
		r, err := http.NewRequestWithContext(t.Context(), method, l.address+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		if l.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+l.bearer)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusTooManyRequests {
			return liveAnswer{answer.StatusCode, got}
		}
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		time.Sleep(time.Duration(max(1, seconds)) * time.Second)
	}
}

// must is do for what has to work; into is where the answer goes, nil for nowhere.
func (l *live) must(t *testing.T, method, path string, body, into any) {
	t.Helper()
	got := l.do(t, method, path, body)
	if got.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	if into != nil {
		if err := json.Unmarshal(got.body, into); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *live) login(t *testing.T) {
	t.Helper()
	var answer map[string]any
	l.must(t, http.MethodPost, "/api/v1/auth/universal-auth/login",
		map[string]string{"clientId": setting(t, "CLIENT_ID"), "clientSecret": setting(t, "CLIENT_SECRET")}, &answer)
	l.bearer, _ = answer["accessToken"].(string)
}

// liveFixture is a live server in one subtest.
type liveFixture struct {
	*live
	t *testing.T
}

func (f *liveFixture) client(prefix string) *kms.Client {
	f.t.Helper()
	c, err := kms.New(kms.Options{
		Address: f.address, Project: f.project, Now: time.Now, UserAgent: "kmsync/test",
		Credentials: kms.Credentials{ClientID: fixed(setting(f.t, prefix+"CLIENT_ID")), ClientSecret: fixed(setting(f.t, prefix+"CLIENT_SECRET"))},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *liveFixture) Source() providers.Source { return f.client("") }

func (f *liveFixture) Powerless() providers.Source {
	if os.Getenv("KMSYNC_LIVE_POWERLESS_CLIENT_ID") == "" {
		return nil
	}
	return f.client("POWERLESS_")
}

// at returns what says where something is; path is how the route calls the path.
func (f *liveFixture) at(folder providers.Folder, path string) map[string]any {
	return map[string]any{f.id: f.project, "environment": folder.Environment, path: folder.Path}
}

func (f *liveFixture) query(folder providers.Folder, path string) string {
	q := url.Values{"recursive": {"false"}, "expandSecretReferences": {"false"}}
	for name, value := range f.at(folder, path) {
		q.Set(name, value.(string))
	}
	return "?" + q.Encode()
}

func (f *liveFixture) with(at map[string]any, name string, value any) map[string]any {
	at[name] = value
	return at
}

func (f *liveFixture) Put(folder providers.Folder, secrets map[string]string, imports ...providers.Folder) {
	f.t.Helper()
	f.make(folder)
	var list struct {
		Secrets []struct{ SecretKey, SecretValue string }
	}
	f.must(f.t, http.MethodGet, f.secrets+f.query(folder, "secretPath"), nil, &list)
	there := map[string]string{}
	for _, s := range list.Secrets {
		there[s.SecretKey] = s.SecretValue
		if _, kept := secrets[s.SecretKey]; !kept {
			f.must(f.t, http.MethodDelete, f.secrets+"/"+url.PathEscape(s.SecretKey), f.at(folder, "secretPath"), nil)
		}
	}
	for name, value := range secrets {
		f.values[folder.String()+" "+name] = value
		method := http.MethodPost
		if old, known := there[name]; known && old == value {
			continue
		} else if known {
			method = http.MethodPatch
		}
		f.must(f.t, method, f.secrets+"/"+url.PathEscape(name), f.with(f.at(folder, "secretPath"), "secretValue", value), nil)
	}
	f.link(folder, imports)
}

// make makes a folder and those above it. One that is there is an error of 2026.
func (f *liveFixture) make(folder providers.Folder) {
	parent := "/"
	for _, name := range strings.Split(strings.Trim(folder.Path, "/"), "/") {
		at := providers.Folder{Environment: folder.Environment, Path: parent}
		if got := f.do(f.t, http.MethodPost, f.folders, f.with(f.at(at, "path"), "name", name)); got.status != http.StatusOK && got.status != http.StatusBadRequest {
			f.t.Fatalf("make folder %s in %s: %d %s", name, at, got.status, got.body)
		}
		parent = strings.TrimSuffix(parent, "/") + "/" + name
	}
}

// link gives a folder exactly these imports.
func (f *liveFixture) link(folder providers.Folder, imports []providers.Folder) {
	var list struct {
		SecretImports []struct{ ID string }
	}
	f.must(f.t, http.MethodGet, f.imports+f.query(folder, "path"), nil, &list)
	for _, i := range slices.Backward(list.SecretImports) {
		f.must(f.t, http.MethodDelete, f.imports+"/"+i.ID, f.at(folder, "path"), nil)
	}
	for _, from := range imports {
		f.must(f.t, http.MethodPost, f.imports, f.with(f.at(folder, "path"), "import", map[string]string{"environment": from.Environment, "path": from.Path}), nil)
	}
}

func (f *liveFixture) Quote(folder providers.Folder, name string) {
	f.t.Helper()
	body := f.with(f.at(folder, "secretPath"), "skipMultilineEncoding", true)
	f.must(f.t, http.MethodPatch, f.secrets+"/"+url.PathEscape(name), f.with(body, "secretValue", f.values[folder.String()+" "+name]), nil)
}
