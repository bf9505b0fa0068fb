package httpx

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// An exhausted limit without a time is waited out once, by all requests of a client
// together: the waits go on growing from one request to the next, and once they came
// to more than the longest wait nothing is sent any more.
func TestExhaustedLimitIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	w := start(t, limitedTimes(999, ""), nil)
	for i := range 20 {
		_, err := w.Do(t.Context(), post())
		e := mustFail(t, err, providers.KindRateLimited)
		if e.InDoubt() || e.RetryAfter != 0 || strings.Contains(e.Error(), "Try again in") {
			t.Errorf("request %d: got %+v, want no time: the service gave none", i, e)
		}
		if sent := i < 2; e.Sent != sent || (e.Status == 429) != sent {
			t.Errorf("request %d: got %+v, want sent: %v", i, e, sent)
		}
	}
	want := []time.Duration{second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second, 60 * second, 60 * second, 60 * second, 60 * second}
	if got := w.slept(); !slices.Equal(got, want) {
		t.Errorf("waits are %v, want %v", got, want)
	}
	if !slices.Equal(w.told, want) {
		t.Errorf("told of %v, want %v", w.told, want)
	}
	w.wantHits(t, 11)

	// Later it may be over: one request finds out.
	w.mu.Lock()
	w.now = w.now.Add(time.Hour)
	w.mu.Unlock()
	_, err := w.Do(t.Context(), post())
	if e := mustFail(t, err, providers.KindRateLimited); !e.Sent {
		t.Errorf("an hour later: got %+v, want one sent", e)
	}
	w.wantHits(t, 12)
}

// Any other answer shows that the limit is over, and the next one begins small.
func TestLimitBeginsSmallAfterAnyOtherAnswer(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"success": 200, "refusal": 404} {
		var n atomic.Int64
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
			if n.Add(1)%4 == 0 {
				rw.WriteHeader(status)
				_, _ = rw.Write([]byte("{}"))
				return
			}
			rw.WriteHeader(http.StatusTooManyRequests)
		}, nil)
		var want []time.Duration
		for range 60 {
			if _, err := w.Do(t.Context(), get()); (err == nil) != (status == 200) || providers.KindOf(err) == providers.KindRateLimited {
				t.Fatalf("%s: got %v", name, err)
			}
			want = append(want, second, 2*second, 4*second)
		}
		if got := w.slept(); !slices.Equal(got, want) {
			t.Errorf("%s: waits are %v, want %v", name, got, want)
		}
	}
}

// A fault of the service is no sign that its limit is over.
func TestFaultKeepsTheLimit(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader([]int{429, 503, 429, 400}[n.Add(1)-1])
	}, func(o *Options) { o.Rand = func() float64 { return 0 } })
	_, err := w.Do(t.Context(), get())
	mustFail(t, err, providers.KindInvalid)
	if got := w.slept(); !slices.Equal(got, []time.Duration{second / 2, second}) {
		t.Errorf("waits are %v, want them to grow", got)
	}
}

// Requests that are refused together make one step, not one each.
func TestParallelRefusalsAreOneStep(t *testing.T) {
	t.Parallel()
	const requests = 6
	var n atomic.Int64
	all := make(chan struct{})
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
		switch i := n.Add(1); {
		case i < requests:
			<-all
		case i == requests:
			close(all)
		default:
			_, _ = rw.Write([]byte("{}"))
			return
		}
		rw.WriteHeader(http.StatusTooManyRequests)
	}, func(o *Options) { // the clock stands still until all are refused
		o.Now = func() time.Time { return time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC) }
	})
	var group sync.WaitGroup
	for range requests {
		group.Go(func() {
			if _, err := w.Do(t.Context(), get()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, d := range append(w.slept(), w.told...) {
		if d != second {
			t.Errorf("waits are %v, told of %v, want 1s each", w.slept(), w.told)
			break
		}
	}
	if len(w.told) != 1 {
		t.Errorf("told of %v, want one wait", w.told)
	}
}
