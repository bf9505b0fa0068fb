package httpx

import (
	"context"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// pause is the slow-down that all requests of a client share.
type pause struct {
	mu    sync.Mutex
	until time.Time // no request leaves before
	// silent: nobody was told of until, since no request has met it yet.
	silent bool
	// What follows counts limited answers without a time, from the first one after
	// any other answer of the service.
	steps       int // pauses so far; each is longer than the one before
	since, last time.Time
}

func (p *pause) end() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

// foresee takes in an answer of now after which no request is left for that long: the
// next one waits instead of being refused. A wait longer than most is left to the
// service, which may count otherwise.
func (p *pause) foresee(now time.Time, wait, most time.Duration) {
	if wait <= 0 || wait > most {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := now.Add(wait); until.After(p.until) {
		p.silent = p.silent || !p.until.After(now)
		p.until = until
	}
}

// tell reports, once, that a wait which was foreseen now holds a request back.
func (p *pause) tell() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	silent := p.silent
	p.silent = false
	return silent
}

// lift notes an answer that is no limit: the next limit begins small again.
func (p *pause) lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps, p.since, p.last = 0, time.Time{}, time.Time{}
}

// exhausted reports whether the service has been limiting for longer than most
// without saying until when, and was asked less than that long ago.
func (p *pause) exhausted(now time.Time, most time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.Sub(p.since) > most && now.Sub(p.last) <= most
}

// note takes in a limited answer of now, with the wait that it asks for or 0, and
// returns how long requests wait by it and whether that is news. Without a time
// the waits grow, once for the answers that come while one is in force: those are
// to requests that left together.
func (p *pause) note(now time.Time, asked time.Duration, random float64) (wait time.Duration, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.until
	wait = asked
	if asked == 0 {
		if p.since.IsZero() {
			p.since = now
		}
		if p.last = now; now.Before(was) {
			return was.Sub(now), false
		}
		p.steps++
		wait = spread(backoff(limitBase, limitCap, p.steps), random)
	}
	until := now.Add(wait)
	if until.After(was) {
		p.until = until
	}
	// Parallel requests are refused at about the same time: that is told once.
	fresh = p.silent || was.Before(now) || until.Sub(was) > time.Second
	p.silent = false
	return wait, fresh
}

// noTime ends the hint of a limit that came without a time.
const noTime = "and does not say for how long. A limit by the hour is over after an hour at most."

// slowDown makes every request wait as a limited answer asks, or 0 for one that
// gives no time. It reports whether waiting makes sense.
func (c *Client) slowDown(asked time.Duration) bool {
	now := c.opt.Now()
	wait, fresh := c.pause.note(now, asked, c.opt.Rand())
	if wait > c.opt.MaxWait || c.pause.exhausted(now, c.opt.MaxWait) {
		return false
	}
	if fresh {
		c.opt.Waiting(wait, c.origin.Host+" received too many requests")
	}
	return true
}

// hold waits until no slow-down is in force. A slow-down longer than
// [Options.MaxWait] is an error at once, as is one that has no end in sight, and
// the request is not sent.
func (c *Client) hold(ctx context.Context, r *Request) *providers.Error {
	var waited time.Time
	for {
		if ctx.Err() != nil {
			return canceled(r)
		}
		now := c.opt.Now()
		limited := &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindRateLimited}
		if c.pause.exhausted(now, c.opt.MaxWait) {
			limited.Hint = c.origin.Host + " has been refusing every request as one too many, " + noTime
			return limited
		}
		until := c.pause.end()
		left := until.Sub(now)
		if left <= 0 || until.Equal(waited) {
			return nil
		}
		if left > c.opt.MaxWait {
			limited.RetryAfter = left
			limited.Hint = c.origin.Host + " asks to wait longer than the longest wait allowed."
			return limited
		}
		if c.pause.tell() {
			c.opt.Waiting(left, c.origin.Host+" allows no more requests until then")
		}
		if c.opt.Sleep(ctx, left) != nil {
			return canceled(r)
		}
		waited = until
	}
}
