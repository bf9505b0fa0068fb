package httpx

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// until returns r with a time after which no attempt may begin.
func (w *world) until(r Request, d time.Duration) Request {
	r.NotAfter = w.clock().Add(d)
	return r
}

// An attempt begins up to NotAfter and not later; without one, at any time.
func TestNotAfter(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Request{"GET": get(), "PUT": put(), "POST": post()} {
		w := start(t, limitedTimes(0, ""), nil)
		if _, err := w.Do(t.Context(), w.until(r, 0)); err != nil {
			t.Errorf("%s at the last moment: %v", name, err)
		}
		w.wantHits(t, 1)
		_, err := w.Do(t.Context(), w.until(r, -1))
		e := mustFail(t, err, providers.KindStale)
		if e.Sent || e.InDoubt() || e.Status != 0 || e.Op != "read thing" || e.Scope != "acme" {
			t.Errorf("%s: got %+v, want the error of what was not sent", name, e)
		}
		w.wantHits(t, 1)
	}
}

// A service that asks to wait longer than the evidence lasts gets no second
// request, and nothing was done by the first.
func TestRateLimitBeyondNotAfter(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Request{"PUT": put(), "POST": post()} {
		w := start(t, limitedTimes(1, "31"), nil)
		_, err := w.Do(t.Context(), w.until(r, 30*second))
		if e := mustFail(t, err, providers.KindStale); e.Sent || e.InDoubt() {
			t.Errorf("%s: got %+v, want not sent", name, e)
		}
		w.wantHits(t, 1)
		w = start(t, limitedTimes(1, "30"), nil)
		if _, err := w.Do(t.Context(), w.until(r, 30*second)); err != nil {
			t.Errorf("%s: a wait that ends in time: %v", name, err)
		}
		w.wantHits(t, 2)
	}
}

// Another request's slow-down holds one back until its time is over.
func TestSlowDownBeyondNotAfter(t *testing.T) {
	t.Parallel()
	w := start(t, limitedTimes(0, ""), nil)
	w.slowDown(31 * second)
	_, err := w.Do(t.Context(), w.until(post(), 30*second))
	if e := mustFail(t, err, providers.KindStale); e.Sent {
		t.Errorf("got %+v, want not sent", e)
	}
	w.wantHits(t, 0)
}

// A write that may have taken effect stays in doubt when its time ends before it
// could be repeated: the error says both.
func TestDoubtOutlivesNotAfter(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"no answer": drop,
		"a fault":   func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) },
		"no answer, then limited": func() http.HandlerFunc {
			var n atomic.Int64
			return func(rw http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					drop(rw, r)
					return
				}
				rw.Header().Set("Retry-After", "60")
				rw.WriteHeader(http.StatusTooManyRequests)
			}
		}(),
	} {
		w := start(t, handler, nil)
		_, err := w.Do(t.Context(), w.until(put(), 700*time.Millisecond)) // one wait of half a second fits in
		e := mustFail(t, err, providers.KindStale)
		if !e.InDoubt() || !e.Sent || e.Status != 0 || e.Op != "read thing" || e.Scope != "acme" {
			t.Errorf("%s: got %+v, want in doubt", name, e)
		}
		if !strings.Contains(e.Hint, "may have taken effect") {
			t.Errorf("%s: hint is %q", name, e.Hint)
		}
		w.wantHits(t, 2)
	}
}

// A request that never left is not in doubt, however often it was tried.
func TestNotAfterOfWhatNeverLeft(t *testing.T) {
	t.Parallel()
	w := start(t, drop, nil)
	w.server.Close()
	_, err := w.Do(t.Context(), w.until(put(), 700*time.Millisecond))
	if e := mustFail(t, err, providers.KindStale); e.Sent || e.InDoubt() {
		t.Errorf("got %+v, want not sent", e)
	}
	w.wantHits(t, 0)
}

// A login that is refused before the second try ends a write that is in doubt: the
// error is about the write.
func TestDoubtOutlivesARefusedLogin(t *testing.T) {
	t.Parallel()
	w := start(t, drop, nil)
	r, logins := put(), 0
	r.Authorize = func(context.Context, *http.Request) error {
		if logins++; logins > 1 {
			return &providers.Error{Op: "log in", Kind: providers.KindUnauthenticated, Status: http.StatusUnauthorized, Sent: true}
		}
		return nil
	}
	_, err := w.Do(t.Context(), r)
	if e := mustFail(t, err, providers.KindUnauthenticated); !e.InDoubt() || e.Op != "read thing" || e.Scope != "acme" {
		t.Errorf("got %+v, want the write in doubt", e)
	}
	w.wantHits(t, 1)
}
