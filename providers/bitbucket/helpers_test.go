package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

const (
	spaceVars = "/2.0/workspaces/acme/pipelines-config/variables"
	repoVars  = "/2.0/repositories/acme/web/pipelines_config/variables"
	envUUID   = "{22222222-aaaa-4bbb-8ccc-000000000001}"
	envVars   = "/2.0/repositories/acme/web/deployments_config/environments/%7B22222222-aaaa-4bbb-8ccc-000000000001%7D/variables"
	token     = "canary-token"
)

var (
	web     = providers.Scope{Workspace: "acme", Repository: "web"}
	acme    = providers.Scope{Workspace: "acme"}
	staging = providers.Scope{Workspace: "acme", Repository: "web", Environment: envUUID}
)

// seen is one request as it came over the wire.
type seen struct {
	method, uri, body string
	header            http.Header
}

type server struct {
	t    *testing.T
	http *httptest.Server
	logs bytes.Buffer

	mu   sync.Mutex
	seen []seen
}

// serve starts a server; the handler gets the number of the request, from 1.
func serve(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, n int)) *server {
	t.Helper()
	s := &server{t: t}
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen = append(s.seen, seen{r.Method, r.RequestURI, string(body), r.Header})
		n := len(s.seen)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		handler(w, r, n)
	}))
	t.Cleanup(s.http.Close)
	return s
}

// answer serves the same status and body always.
func answer(t *testing.T, status int, body string) *server {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (s *server) wantRequests(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, r := range s.seen {
		got = append(got, r.method+" "+r.uri)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("requests are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (s *server) count() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.seen) }

func text(s string) func() (secret.Value, error) {
	return func() (secret.Value, error) { return secret.New(s), nil }
}

func (s *server) client(change func(*Options)) *Client {
	s.t.Helper()
	var mu sync.Mutex
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	opt := Options{
		Address: s.http.URL, Credentials: Credentials{AccessToken: text(token + "\n")}, UserAgent: "kmsync/test",
		Logger: slog.New(slog.NewJSONHandler(&s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			return ctx.Err()
		},
	}
	if change != nil {
		change(&opt)
	}
	c, err := New(opt)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// wantKind checks the kind of err, and that it tells nothing in confidence.
func wantKind(t *testing.T, err error, kind providers.Kind) *providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
	if e.Kind != kind {
		t.Errorf("kind is %s, want %s: %v", e.Kind, kind, e)
	}
	noCanary(t, fmt.Sprintf("%v %+v %#v %+v", e, err, err, *e))
	return e
}

func noCanary(t *testing.T, text string) {
	t.Helper()
	if i := strings.Index(text, "canary"); i >= 0 {
		t.Errorf("leak: …%s", text[i:])
	}
}

type object = map[string]any

func variable(i int) object {
	return object{"type": "pipeline_variable", "uuid": fmt.Sprintf("{00000000-0000-4000-8000-%012d}", i), "key": fmt.Sprintf("KEY_%03d", i), "secured": true}
}

func variablesFrom(from, to int) []any {
	out := []any{}
	for i := from; i < to; i++ {
		out = append(out, variable(i))
	}
	return out
}

func write(w io.Writer, v any) { _ = json.NewEncoder(w).Encode(v) }
