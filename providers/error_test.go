package providers_test

import (
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// The text says what was tried, of what, what happened, what to do and when.
func TestErrorText(t *testing.T) {
	t.Parallel()
	limited := providers.Error{Op: "list secrets", Scope: "dev:/web", Kind: providers.KindRateLimited, Status: 429}
	for want, change := range map[string]func(*providers.Error){
		"list secrets of dev:/web: rate limit reached (HTTP 429)": func(*providers.Error) {},
		"list secrets of dev:/web: rate limit reached (HTTP 429): Try again in 30s.": func(e *providers.Error) {
			e.RetryAfter = 29*time.Second + time.Millisecond
		},
		"list secrets of dev:/web: rate limit reached (HTTP 429): Slow down. Try again in 10m.": func(e *providers.Error) {
			e.Hint, e.RetryAfter = "Slow down.", 10*time.Minute
		},
		"list secrets of dev:/web: rate limit reached (HTTP 429): Try again in 1h.": func(e *providers.Error) { e.RetryAfter = time.Hour },
		"list secrets of dev:/web: rate limit reached (HTTP 429): Try again in 1h0m5s.": func(e *providers.Error) {
			e.RetryAfter = time.Hour + 5*time.Second
		},
		"list secrets: no permission (HTTP 403, some.code)": func(e *providers.Error) {
			e.Scope, e.Kind, e.Status, e.Code = "", providers.KindForbidden, 403, "some.code"
		},
	} {
		e := limited
		change(&e)
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
