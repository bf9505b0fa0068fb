package httpx

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// script answers the requests in turn, each with a status and headers; the last one
// repeats.
func script(answers ...map[string]string) http.HandlerFunc {
	var n atomic.Int64
	return func(rw http.ResponseWriter, _ *http.Request) {
		headers := answers[min(int(n.Add(1)), len(answers))-1]
		status := http.StatusOK
		for name, value := range headers {
			if name == "status" {
				status, _ = strconv.Atoi(value)
				continue
			}
			rw.Header().Set(name, value)
		}
		rw.WriteHeader(status)
		if status != http.StatusNotModified {
			_, _ = rw.Write([]byte("{}"))
		}
	}
}

// Retry-After says how long to wait, else X-RateLimit-Reset does, in seconds or as a
// time of day, else nothing does.
func TestRateLimitReset(t *testing.T) {
	t.Parallel()
	at := strconv.FormatInt(time.Date(2026, 11, 24, 10, 0, 41, 0, time.UTC).Unix(), 10)
	for name, c := range map[string]struct {
		headers map[string]string
		want    time.Duration
	}{
		"seconds":           {map[string]string{"X-RateLimit-Reset": "59"}, 59 * second},
		"epoch":             {map[string]string{"X-RateLimit-Reset": at}, 41 * second},
		"epoch that passed": {map[string]string{"X-RateLimit-Reset": "1000000000"}, second},
		"retry-after first": {map[string]string{"X-RateLimit-Reset": "59", "Retry-After": "3"}, 3 * second},
		"nonsense":          {map[string]string{"X-RateLimit-Reset": "soon"}, second},
		"remaining too":     {map[string]string{"X-RateLimit-Reset": "59", "X-RateLimit-Remaining": "0"}, 59 * second},
	} {
		c.headers["status"] = "429"
		w := start(t, script(c.headers, nil), nil)
		if _, err := w.Do(t.Context(), get()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := w.slept(); !slices.Equal(got, []time.Duration{c.want}) || !slices.Equal(w.told, []time.Duration{c.want}) {
			t.Errorf("%s: waited %v, told %v, want %v", name, got, w.told, c.want)
		}
		w.wantHits(t, 2)
	}
}

// A fault is not waited for by the reset of a limit that was not reached.
func TestResetIsNoRetryAfterOfAFault(t *testing.T) {
	t.Parallel()
	w := start(t, script(map[string]string{"status": "503", "X-RateLimit-Remaining": "59", "X-RateLimit-Reset": "60"}, nil), nil)
	if _, err := w.Do(t.Context(), get()); err != nil {
		t.Fatal(err)
	}
	if got := w.slept(); len(got) != 1 || got[0] > second {
		t.Errorf("waited %v, want less than a second", got)
	}
}

// Where no request is left, the next one waits until some are, and only then is
// somebody told.
func TestUsedUpLimitIsNotRunInto(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers map[string]string
		want    []time.Duration
	}{
		"used up":       {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "37"}, []time.Duration{37 * second}},
		"one left":      {map[string]string{"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "37"}, nil},
		"no time":       {map[string]string{"X-RateLimit-Remaining": "0"}, nil},
		"far too long":  {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "301"}, nil},
		"of an error":   {map[string]string{"status": "404", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"}, []time.Duration{2 * second}},
		"not a number":  {map[string]string{"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "37"}, nil},
		"negative time": {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-4"}, nil},
	} {
		w := start(t, script(c.headers, nil), nil)
		_, _ = w.Do(t.Context(), get())
		if len(w.told) != 0 || len(w.slept()) != 0 {
			t.Errorf("%s: waited %v and told %v after the last request", name, w.slept(), w.told)
		}
		for range 2 {
			if _, err := w.Do(t.Context(), get()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := w.slept(); !slices.Equal(got, c.want) || !slices.Equal(w.told, c.want) {
			t.Errorf("%s: waited %v, told %v, want %v", name, got, w.told, c.want)
		}
		w.wantHits(t, 3)
	}
}

// 304 is an answer where it was asked for, and a stranger's where it was not.
func TestNotModified(t *testing.T) {
	t.Parallel()
	w := start(t, script(map[string]string{"status": "304"}, map[string]string{"status": "304"}, nil), nil)
	r := get()
	r.Decode = func([]byte) error { t.Error("a body that is not there is read"); return nil }
	_, err := w.Do(t.Context(), r)
	mustFail(t, err, providers.KindForeign)
	r.Authorize = func(_ context.Context, req *http.Request) error { req.Header.Set("If-None-Match", `"x"`); return nil }
	res, err := w.Do(t.Context(), r)
	if err != nil || res.Status != http.StatusNotModified {
		t.Errorf("got %v, %v", res, err)
	}
	r.Decode = nil
	if res, err = w.Do(t.Context(), r); err != nil || string(res.Body) != "{}" {
		t.Errorf("something new: got %v, %v", res, err)
	}
}

// People are told the reason why requests wait.
func TestWhyRequestsWait(t *testing.T) {
	t.Parallel()
	for status, part := range map[string]string{"200": "allows no more requests", "429": "received too many requests"} {
		var told []string
		w := start(t, script(map[string]string{"status": status, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5"}, nil), func(o *Options) {
			o.Waiting = func(_ time.Duration, why string) { told = append(told, why) }
		})
		for range 2 {
			if _, err := w.Do(t.Context(), get()); err != nil {
				t.Fatal(err)
			}
		}
		if len(told) != 1 || !strings.Contains(told[0], part) {
			t.Errorf("%s: told %q, want %q", status, told, part)
		}
	}
}

// A server error that is in truth a refusal is not repeated.
func TestRefusalWithAServerErrorIsFinal(t *testing.T) {
	t.Parallel()
	for kind, hits := range map[providers.Kind]int{
		providers.KindUnauthenticated: 1, providers.KindForbidden: 1, providers.KindNotFound: 1, providers.KindUnavailable: 5,
	} {
		w := start(t, script(map[string]string{"status": "500"}), func(o *Options) {
			o.Fail = func(*Request, int, http.Header, []byte) *providers.Error { return &providers.Error{Kind: kind} }
		})
		_, err := w.Do(t.Context(), get())
		mustFail(t, err, kind)
		w.wantHits(t, hits)
	}
}
