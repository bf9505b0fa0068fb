package kms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
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
	projectID    = "b1f2aaaa-0000-4000-8000-000000000001"
	loginRoute   = "POST /api/v1/auth/universal-auth/login"
	listRoute    = "GET /api/v4/secrets"
	rawRoute     = "GET /api/v3/secrets/raw"
	rawProbe     = "GET /api/v3/secrets/raw/" + probeName
	probeRoute   = "GET /api/v4/secrets/" + probeName
	projectRoute = "GET /api/v1/projects/slug/payments"
	clientSecret = "canary-client-secret"
	accessToken1 = "canary-access-token-1"
	emptyList    = `{"secrets":[],"imports":[]}`
	probeFound   = `{"reqId":"req-1","statusCode":404,"message":"Secret with name 'canary-message' not found","error":"NotFound"}`
)

// reply is one scripted answer; status 0 is 200.
type reply struct {
	status int
	body   string
	kind   string // Content-Type; "" is JSON
	header string // "Name: value"
}

// server answers every route from a script; the last reply of a route repeats.
type server struct {
	t    *testing.T
	http *httptest.Server
	logs bytes.Buffer

	mu     sync.Mutex
	script map[string][]reply
	seen   []*http.Request
	bodies []string
}

func serve(t *testing.T, script map[string][]reply) *server {
	t.Helper()
	s := &server{t: t, script: script}
	if script[loginRoute] == nil {
		script[loginRoute] = []reply{{body: `{"accessToken":"` + accessToken1 + `","expiresIn":7200,"tokenType":"Bearer"}`}}
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r)
	s.bodies = append(s.bodies, string(body))
	route := r.Method + " " + r.URL.EscapedPath()
	replies := s.script[route]
	if len(replies) == 0 {
		s.t.Errorf("unexpected request %s", route)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if len(replies) > 1 {
		s.script[route] = replies[1:]
	}
	next := replies[0]
	kind := next.kind
	if kind == "" {
		kind = "application/json; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	if name, value, ok := strings.Cut(next.header, ": "); ok {
		w.Header().Set(name, value)
	}
	if next.status != 0 {
		w.WriteHeader(next.status)
	}
	_, _ = io.WriteString(w, next.body)
}

// count returns how many requests a route got; "" counts all.
func (s *server) count(route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.seen {
		if route == "" || r.Method+" "+r.URL.EscapedPath() == route {
			n++
		}
	}
	return n
}

func (s *server) want(counts map[string]int) {
	s.t.Helper()
	total := 0
	for route, want := range counts {
		total += want
		if got := s.count(route); got != want {
			s.t.Errorf("%s was asked %d times, want %d", route, got, want)
		}
	}
	if got := s.count(""); got != total {
		s.t.Errorf("%d requests in all, want %d", got, total)
	}
}

func text(s string) func() (secret.Value, error) {
	return func() (secret.Value, error) { return secret.New(s), nil }
}

func universal() Credentials {
	return Credentials{ClientID: text(" client-id\n"), ClientSecret: text(clientSecret + "\n")}
}

func (s *server) client(change func(*Options)) *Client {
	s.t.Helper()
	var mu sync.Mutex
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	opt := Options{
		Address: s.http.URL + "/api/", Project: strings.ToUpper(projectID), Credentials: universal(), UserAgent: "kmsync/test",
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

var dev = providers.Folder{Environment: "dev", Path: "/payments"}

// wantKind checks the kind of err, and that no text of the error holds anything
// that the server or the credentials said in confidence.
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

// own returns a row of the list as the server sends it, with changes laid over.
func own(name, value string, changes ...map[string]any) map[string]any {
	row := map[string]any{
		"id": idOf(name), "_id": idOf(name), "workspace": projectID, "environment": "dev", "secretPath": "/payments",
		"version": 3, "type": "shared", "secretKey": name, "secretValue": value, "secretValueHidden": false,
		"secretComment": "canary-comment", "tags": []any{}, "isRotatedSecret": false, "createdAt": "2026-01-05T10:00:00.000Z",
	}
	for _, change := range changes {
		for k, v := range change {
			if row[k] = v; v == leftOut {
				delete(row, k)
			}
		}
	}
	return row
}

const leftOut = "(left out)"

func listOf(rows ...map[string]any) reply { return listWith([]any{}, rows...) }

func listWith(imports []any, rows ...map[string]any) reply {
	if rows == nil {
		rows = []map[string]any{}
	}
	body, err := json.Marshal(map[string]any{"secrets": rows, "imports": imports})
	if err != nil {
		panic(err)
	}
	return reply{body: string(body)}
}

// idOf is the id of a secret of that name.
func idOf(name string) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", crc32.ChecksumIEEE([]byte(name)))
}
