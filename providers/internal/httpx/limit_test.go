package httpx

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

const second = time.Second

func limitedTimes(n int64, header string) http.HandlerFunc {
	var hits atomic.Int64
	return func(rw http.ResponseWriter, _ *http.Request) {
		if hits.Add(1) <= n {
			if header != "" {
				rw.Header().Set("Retry-After", header)
			}
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = rw.Write([]byte("{}"))
	}
}

func TestRateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		times  int64
		want   []time.Duration
	}{
		"seconds":     {"7", 2, []time.Duration{7 * second, 7 * second}},
		"date":        {"Tue, 24 Nov 2026 10:00:09 GMT", 1, []time.Duration{9 * second}},
		"past date":   {"Tue, 24 Nov 2026 09:00:00 GMT", 1, []time.Duration{second}},
		"zero":        {"0", 1, []time.Duration{second}},
		"nonsense":    {"soon", 1, []time.Duration{second}},
		"none, grows": {"", 8, []time.Duration{second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second, 60 * second, 60 * second}},
	} {
		for _, r := range []Request{get(), post()} { // nothing was done: a POST is repeated too
			t.Run(name+r.Method, func(t *testing.T) {
				t.Parallel()
				w := start(t, limitedTimes(c.times, c.header), nil)
				if _, err := w.Do(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				w.wantHits(t, int(c.times)+1)
				if got := w.slept(); !slices.Equal(got, c.want) {
					t.Errorf("waits are %v, want %v", got, c.want)
				}
				if !slices.Equal(w.told, c.want) {
					t.Errorf("told of %v, want %v", w.told, c.want)
				}
			})
		}
	}
}

func TestRateLimitWithoutTimeNeverWaitsNothing(t *testing.T) {
	t.Parallel()
	w := start(t, limitedTimes(1, ""), func(o *Options) { o.Rand = func() float64 { return 0 } })
	if _, err := w.Do(t.Context(), get()); err != nil {
		t.Fatal(err)
	}
	if got := w.slept(); !slices.Equal(got, []time.Duration{second / 2}) {
		t.Errorf("waits are %v, want half a second", got)
	}
}

func TestRateLimitGivesUp(t *testing.T) {
	t.Parallel()
	t.Run("after ten tries", func(t *testing.T) {
		t.Parallel()
		w := start(t, limitedTimes(99, "3"), nil)
		_, err := w.Do(t.Context(), post())
		e := mustFail(t, err, providers.KindRateLimited)
		w.wantHits(t, 10)
		if e.Status != 429 || e.RetryAfter != 3*second || e.InDoubt() {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("a wait too long", func(t *testing.T) {
		t.Parallel()
		w := start(t, limitedTimes(99, "301"), nil)
		_, err := w.Do(t.Context(), get())
		e := mustFail(t, err, providers.KindRateLimited)
		if e.Status != 429 || e.RetryAfter != 301*second {
			t.Errorf("got %+v", e)
		}
		// The next request knows without asking.
		_, err = w.Do(t.Context(), post())
		if e := mustFail(t, err, providers.KindRateLimited); e.Sent || e.RetryAfter != 301*second {
			t.Errorf("got %+v, want not sent", e)
		}
		w.wantHits(t, 1)
		if len(w.slept()) != 0 || len(w.told) != 0 {
			t.Errorf("waited %v, told %v, want neither", w.sleeps, w.told)
		}
	})
}

func TestLimitedHook(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			rw.Header().Set("Retry-After", "4")
			rw.WriteHeader(403)
			_, _ = rw.Write([]byte("slow down"))
			return
		}
		_, _ = rw.Write([]byte("{}"))
	}, func(o *Options) {
		o.Limited = func(status int, body []byte) bool { return status == 403 && string(body) == "slow down" }
	})
	if _, err := w.Do(t.Context(), post()); err != nil {
		t.Fatal(err)
	}
	w.wantHits(t, 2)
	if got := w.slept(); !slices.Equal(got, []time.Duration{4 * second}) {
		t.Errorf("waits are %v", got)
	}
}

func TestFaultHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			rw.Header().Set("Retry-After", "20")
			rw.WriteHeader(503)
			return
		}
		_, _ = rw.Write([]byte("{}"))
	}, nil)
	if _, err := w.Do(t.Context(), get()); err != nil {
		t.Fatal(err)
	}
	if got := w.slept(); !slices.Equal(got, []time.Duration{20 * second}) {
		t.Errorf("waits are %v", got)
	}
}

// While one request waits for the end of a limit, no other one leaves.
func TestSlowDownIsShared(t *testing.T) {
	t.Parallel()
	asleep, release := make(chan time.Duration, 8), make(chan struct{})
	w := start(t, limitedTimes(1, "7"), func(o *Options) {
		o.Sleep = func(_ context.Context, d time.Duration) error {
			asleep <- d
			<-release
			return nil
		}
	})
	var group sync.WaitGroup
	ask := func() {
		if _, err := w.Do(t.Context(), get()); err != nil {
			t.Error(err)
		}
	}
	group.Go(ask)
	<-asleep
	for range 3 {
		group.Go(ask)
	}
	for range 3 {
		if d := <-asleep; d != 7*second {
			t.Errorf("another request waits %v, want 7s", d)
		}
	}
	w.wantHits(t, 1)
	close(release)
	group.Wait()
	w.wantHits(t, 5)
	if !slices.Equal(w.told, []time.Duration{7 * second}) {
		t.Errorf("told of %v, want one wait", w.told)
	}
}

func TestCancelledBeforeAnything(t *testing.T) {
	t.Parallel()
	w := start(t, limitedTimes(0, ""), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range []Request{get(), post()} {
		_, err := w.Do(ctx, r)
		if e := mustFail(t, err, providers.KindCanceled); e.Sent {
			t.Error("Sent is true")
		}
	}
	w.wantHits(t, 0)
}

func TestCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r       Request
		handler http.HandlerFunc
		kind    providers.Kind
		doubt   bool
	}{
		"limit":         {put(), limitedTimes(9, "5"), providers.KindCanceled, false},
		"fault of PUT":  {put(), func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) }, providers.KindUnavailable, true},
		"broken of PUT": {put(), drop, providers.KindUnavailable, true},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		w := start(t, c.handler, func(o *Options) {
			o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		})
		_, err := w.Do(ctx, c.r)
		e := mustFail(t, err, c.kind)
		if e.InDoubt() != c.doubt {
			t.Errorf("%s: in doubt is %v, want %v: %+v", name, e.InDoubt(), c.doubt, e)
		}
		w.wantHits(t, 1)
	}
}

func TestWriteInFlightIsCarriedThrough(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Request{"POST": post(), "PUT": put()} {
		ctx, cancel := context.WithCancel(t.Context())
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
			cancel()
			time.Sleep(20 * time.Millisecond)
			_, _ = rw.Write([]byte(`{"done":true}`))
		}, nil)
		if res, err := w.Do(ctx, r); err != nil || !strings.Contains(string(res.Body), "done") {
			t.Errorf("%s: got %v, %v", name, res, err)
		}
		w.wantHits(t, 1)
	}
}

func TestReadInFlightIsAborted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	w := start(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release }, nil)
	defer close(release)
	_, err := w.Do(ctx, get())
	mustFail(t, err, providers.KindCanceled)
	w.wantHits(t, 1)
}
