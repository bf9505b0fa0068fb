package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// world is a server, a client of it, and a clock that only sleeping moves.
type world struct {
	*Client
	server *httptest.Server
	hits   atomic.Int64
	logs   bytes.Buffer

	mu     sync.Mutex
	now    time.Time
	sleeps []time.Duration
	told   []time.Duration
}

func start(t *testing.T, handler http.HandlerFunc, change func(*Options)) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hits.Add(1)
		rw.Header().Set("Content-Type", "application/json")
		handler(rw, r)
	}))
	t.Cleanup(w.server.Close)
	opt := Options{
		Origin: w.server.URL, UserAgent: "kmsync/test",
		Logger: slog.New(slog.NewTextHandler(&w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    w.clock, Sleep: w.sleep,
		Waiting: func(d time.Duration, _ string) { w.mu.Lock(); w.told = append(w.told, d); w.mu.Unlock() },
		Fail: func(_ *Request, status int, _ http.Header, _ []byte) *providers.Error {
			return &providers.Error{Kind: providers.KindInvalid, Code: fmt.Sprint("c", status)}
		},
	}
	if change != nil {
		change(&opt)
	}
	c, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = c
	return w
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sleeps = append(w.sleeps, d)
	w.now = w.now.Add(d)
	return ctx.Err()
}

func (w *world) slept() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sleeps)
}

// wantHits checks both counts: what the server saw and what the client says.
func (w *world) wantHits(t *testing.T, want int) {
	t.Helper()
	if got := int(w.hits.Load()); got != want || w.Requests() != want {
		t.Errorf("server saw %d requests, client counted %d, want %d", got, w.Requests(), want)
	}
}

func get() Request {
	return Request{
		Op: "read thing", Scope: "acme", Method: http.MethodGet, Path: "/thing", Template: "/{thing}",
		Idempotent: true, Decode: func([]byte) error { return nil },
	}
}

func post() Request {
	r := get()
	r.Method, r.Idempotent, r.Body = http.MethodPost, false, []byte(`{"value":"canary-body"}`)
	return r
}

func put() Request {
	r := post()
	r.Method, r.Idempotent = http.MethodPut, true
	return r
}

func mustFail(t *testing.T, err error, kind providers.Kind) *providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("got error %v, want one of kind %s", err, kind)
	}
	if e.Kind != kind {
		t.Errorf("kind is %s, want %s (%v)", e.Kind, kind, e)
	}
	return e
}

func TestRetriesByIdempotency(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 500, 502, 503, 504, 555} {
		for name, r := range map[string]Request{"GET": get(), "PUT": put(), "POST": post()} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				t.Parallel()
				w := start(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) }, nil)
				_, err := w.Do(t.Context(), r)
				e := mustFail(t, err, providers.KindInvalid)
				want := 5
				if name == "POST" {
					want = 1
				}
				w.wantHits(t, want)
				if e.Status != status || !e.Sent || !e.InDoubt() || e.Code != fmt.Sprint("c", status) {
					t.Errorf("got %+v, want status %d, in doubt", e, status)
				}
			})
		}
	}
}

func TestOtherRefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 410, 422, 501} {
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) }, nil)
		_, err := w.Do(t.Context(), get())
		mustFail(t, err, providers.KindInvalid)
		w.wantHits(t, 1)
	}
}

func TestBackoffGrowsAndIsSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rand float64
		want []time.Duration
	}{
		{1, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}},
		{0.5, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}},
	} {
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) },
			func(o *Options) { o.Rand = func() float64 { return c.rand } })
		_, _ = w.Do(t.Context(), get())
		if got := w.slept(); !slices.Equal(got, c.want) {
			t.Errorf("with random %v waits are %v, want %v", c.rand, got, c.want)
		}
	}
}

func TestSucceedsAfterFaults(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	w := start(t, func(rw http.ResponseWriter, r *http.Request) {
		if n.Add(1) < 3 {
			rw.WriteHeader(502)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = rw.Write(body)
	}, nil)
	res, err := w.Do(t.Context(), put())
	if err != nil || string(res.Body) != `{"value":"canary-body"}` {
		t.Fatalf("got %v, %v: the body must be sent anew each time", res, err)
	}
	w.wantHits(t, 3)
}

func drop(rw http.ResponseWriter, _ *http.Request) {
	conn, _, _ := rw.(http.Hijacker).Hijack()
	_ = conn.Close()
}

func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r    Request
		hits int
	}{"GET": {get(), 5}, "PUT": {put(), 5}, "POST": {post(), 1}} {
		w := start(t, drop, nil)
		_, err := w.Do(t.Context(), c.r)
		e := mustFail(t, err, providers.KindUnavailable)
		w.wantHits(t, c.hits)
		if !e.InDoubt() || e.Status != 0 {
			t.Errorf("%s: got %+v, want in doubt without a status", name, e)
		}
	}
}

func TestRefusedConnectionIsRepeatedEvenForPost(t *testing.T) {
	t.Parallel()
	w := start(t, drop, nil)
	w.server.Close()
	_, err := w.Do(t.Context(), post())
	e := mustFail(t, err, providers.KindUnavailable)
	if e.Sent || e.InDoubt() {
		t.Errorf("got %+v, want not sent", e)
	}
	if n := len(w.slept()); n != 4 {
		t.Errorf("waited %d times, want 4 between 5 tries", n)
	}
	w.wantHits(t, 0)
	if !strings.Contains(e.Hint, "refuses connections") {
		t.Errorf("hint is %q", e.Hint)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := start(t, func(http.ResponseWriter, *http.Request) { <-release }, func(o *Options) { o.Timeout = 20 * time.Millisecond })
	defer close(release)
	_, err := w.Do(t.Context(), post())
	e := mustFail(t, err, providers.KindUnavailable)
	if !e.InDoubt() || !strings.Contains(e.Hint, "in time") {
		t.Errorf("got %+v, want a time-out in doubt", e)
	}
	w.wantHits(t, 1)
}

func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	cut := map[string]http.HandlerFunc{
		"length": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100")
			_, _ = rw.Write([]byte(`{"values":[`))
		},
		"whole JSON, but less than announced": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100")
			_, _ = rw.Write([]byte(`{}`))
		},
		"not JSON": func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(`{"values":[`)) },
		"empty":    func(http.ResponseWriter, *http.Request) {},
	}
	for name, handler := range cut {
		for method, want := range map[string]int{http.MethodGet: 5, http.MethodPost: 1} {
			w := start(t, handler, nil)
			r := get()
			r.Method, r.Idempotent = method, method == http.MethodGet
			r.Decode = func([]byte) error { return errors.New("canary-decode") }
			_, err := w.Do(t.Context(), r)
			e := mustFail(t, err, providers.KindUnavailable)
			w.wantHits(t, want)
			if !e.InDoubt() || strings.Contains(e.Error(), "canary") {
				t.Errorf("%s %s: got %+v, want in doubt", name, method, e)
			}
		}
	}
}

func TestOtherShapeIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(`{"a":1}`)) }, nil)
	r := get()
	r.Decode = func([]byte) error { return errors.New("no") }
	_, err := w.Do(t.Context(), r)
	mustFail(t, err, providers.KindUnavailable)
	w.wantHits(t, 1)
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := start(t, func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/thing" {
				t.Errorf("request for %s", r.URL.Path)
			}
			http.Redirect(rw, r, "/login", status)
		}, nil)
		_, err := w.Do(t.Context(), get())
		mustFail(t, err, providers.KindForeign)
		w.wantHits(t, 1)
	}
}

func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, body string }{
		"login page":  {"text/html; charset=utf-8", "<html>sign in</html>"},
		"mislabelled": {"application/json", "<!doctype html>"},
		"plain":       {"text/plain", "hello"},
		"html type":   {"text/html", `{"a":1}`},
	} {
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", c.kind)
			_, _ = rw.Write([]byte(c.body))
		}, nil)
		_, err := w.Do(t.Context(), get())
		if e := mustFail(t, err, providers.KindForeign); !strings.Contains(e.Hint, w.Host()) {
			t.Errorf("%s: hint %q does not name the host", name, e.Hint)
		}
		w.wantHits(t, 1)
	}
}

func TestBodyCap(t *testing.T) {
	t.Parallel()
	body := `"` + strings.Repeat("x", 100) + `"`
	for limit, ok := range map[int64]bool{int64(len(body)): true, int64(len(body)) - 1: false} {
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte("[" + body[1:len(body)-1] + "]"))
		},
			func(o *Options) { o.MaxBody = limit })
		_, err := w.Do(t.Context(), get())
		if ok && err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		if !ok {
			mustFail(t, err, providers.KindUnavailable)
		}
		w.wantHits(t, 1)
	}
}

// A refusal that follows a lost answer does not settle what the lost one did.
func TestDoubtOutlivesLaterRefusal(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]int{"403": 403, "404": 404, "429": 429} {
		var n atomic.Int64
		w := start(t, func(rw http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				drop(rw, r)
				return
			}
			rw.WriteHeader(then)
		}, nil)
		_, err := w.Do(t.Context(), put())
		if !providers.InDoubt(err) {
			t.Errorf("%s after a lost answer: %v is not in doubt", name, err)
		}
		if then != 429 {
			w.wantHits(t, 2)
		}
	}
}
