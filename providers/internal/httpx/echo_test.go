package httpx

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// An answer that repeats the credential of its request is not used, and nothing of it
// is shown: names in answers are shown and recorded.
func TestEchoedCredentialIsForeign(t *testing.T) {
	t.Parallel()
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	basic := func(r *http.Request) { r.SetBasicAuth("dev@acme.example", "canary-password") }
	for name, c := range map[string]struct {
		authorize func(*http.Request)
		body      string
		refused   bool
	}{
		"token":               {bearer("canary-token"), `{"uuid":"x canary-token y"}`, true},
		"password":            {basic, `{"name":"canary-password"}`, true},
		"Basic as it is sent": {basic, `{"name":"ZGV2QGFjbWUuZXhhbXBsZTpjYW5hcnktcGFzc3dvcmQ="}`, true},
		"another text":        {bearer("canary-token"), `{"uuid":"canary-toke"}`, false},
		"name of a person":    {basic, `{"name":"dev@acme.example"}`, false},
		"a very short token":  {bearer("v"), `{"values":"v"}`, false},
		"no credential":       {func(*http.Request) {}, `{"name":""}`, false},
	} {
		for _, r := range []Request{get(), post()} {
			w := start(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(c.body)) }, nil)
			decoded := false
			r.Decode = func([]byte) error { decoded = true; return nil }
			r.Authorize = func(_ context.Context, req *http.Request) error { c.authorize(req); return nil }
			res, err := w.Do(t.Context(), r)
			w.wantHits(t, 1)
			if !c.refused {
				if err != nil || !decoded {
					t.Errorf("%s: decoded %v, %v", name, decoded, err)
				}
				continue
			}
			e := mustFail(t, err, providers.KindForeign)
			if res != nil || decoded || !e.InDoubt() {
				t.Errorf("%s: answer %v, decoded %v, %+v; want nothing of it used, and a doubt", name, res, decoded, e)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err) + w.logs.String(); strings.Contains(text, "canary") {
				t.Errorf("%s is shown: %s", name, text)
			}
		}
	}
}

// A time that nobody means is a year, not a number that overflowed.
func TestRetryAfterIsClamped(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"Fri, 31 Dec 9999 23:59:59 GMT": year, "Mon, 01 Jan 0001 00:00:00 GMT": 0, "2147483647": year, "-1": 0,
		"99999999999999999999": 0, "31536000": year, "60": time.Minute,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	w := start(t, limitedTimes(1, "Fri, 31 Dec 9999 23:59:59 GMT"), nil)
	for range 2 {
		_, err := w.Do(t.Context(), get())
		if e := mustFail(t, err, providers.KindRateLimited); e.RetryAfter != year {
			t.Errorf("got %+v, want a year", e)
		}
	}
	w.wantHits(t, 1)
}
