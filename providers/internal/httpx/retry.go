package httpx

import (
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// How often and how fast a request is repeated.
const (
	faultTries = 5
	faultBase  = 500 * time.Millisecond
	faultCap   = 10 * time.Second

	limitTries = 10
	limitBase  = time.Second
	limitCap   = time.Minute
)

// tries is the state of one [Client.Do] over its attempts.
type tries struct {
	client  *Client
	request *Request
	faults  int
	limits  int
	doubt   bool // an attempt may have taken effect, and no answer said so
}

// next decides whether to try again after f, and how long to wait before that.
// For a rate limit the wait is the pause of the whole client, so it is 0 here.
func (t *tries) next(f *failure) (again bool, wait time.Duration) {
	if f.err.InDoubt() {
		t.doubt = true
	}
	opt := &t.client.opt
	switch {
	case f.permanent:
		return false, 0
	case f.limited:
		t.limits++
		sensible := t.client.slowDown(f.err.RetryAfter)
		return sensible && t.limits < limitTries, 0
	case f.fault && (f.unsent || t.request.Idempotent):
		t.faults++
		delay := time.Duration(opt.Rand() * float64(backoff(faultBase, faultCap, t.faults)))
		delay = max(delay, f.err.RetryAfter)
		return t.faults < faultTries && delay <= opt.MaxWait, delay
	}
	return false, 0
}

// end returns the error to give to the caller. When an earlier attempt of a
// write may have taken effect, a later refusal does not settle that: the error
// then carries no status, so that [providers.Error.InDoubt] holds.
func (t *tries) end(e *providers.Error) *providers.Error {
	if !t.doubt || e.InDoubt() {
		return e
	}
	out := *e
	out.Op, out.Scope = t.request.Op, t.request.Scope
	out.Sent, out.Status = true, 0
	if out.Kind == providers.KindCanceled {
		out.Kind = providers.KindUnavailable
	}
	if out.Hint != "" {
		out.Hint += " "
	}
	out.Hint += "An earlier try got no usable answer and may have taken effect."
	return &out
}

// backoff doubles base with every try, from the first, up to limit.
func backoff(base, limit time.Duration, try int) time.Duration {
	d := base
	for range try - 1 {
		if d *= 2; d >= limit {
			return limit
		}
	}
	return d
}

// spread returns between half of d and d, so that a limit without a time is
// never answered by no wait at all.
func spread(d time.Duration, random float64) time.Duration {
	return d/2 + time.Duration(random*float64(d/2))
}
