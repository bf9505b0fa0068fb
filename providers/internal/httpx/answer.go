package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// statusTimedOut is Bitbucket's own "timed out", a kind of 504.
const statusTimedOut = 555

// judge decides what an answer is: success, a fault, or a refusal.
func (c *Client) judge(r *Request, answer *http.Response, body []byte, readErr error) (*Response, *failure) {
	status := answer.StatusCode
	e := &providers.Error{Op: r.Op, Scope: r.Scope, Status: status, Sent: true}
	now := c.opt.Now()
	c.pause.foresee(now, usedUp(answer.Header, now), c.opt.MaxWait)
	switch {
	case status == http.StatusNotModified && answer.Request.Header.Get("If-None-Match") != "":
		return &Response{Status: status, Header: answer.Header}, nil
	case status >= 300 && status < 400:
		e.Kind = providers.KindForeign
		e.Hint = c.origin.Host + " answered with a redirect; kmsync follows none. A proxy or login page may be in between, or the address is not the service's own; check the address, HTTPS_PROXY and NO_PROXY."
		return nil, &failure{err: e}
	case status >= 400 && readErr == nil && r.Settled != nil && r.Settled(status, answer.Header, body):
		return &Response{Status: status, Header: answer.Header, Body: body}, nil
	case status >= 400:
		return nil, c.refused(r, e, answer.Header, body)
	case errors.Is(readErr, errTooLong):
		e.Kind = providers.KindUnavailable
		e.Hint = "The answer is longer than kmsync reads."
		return nil, &failure{err: e}
	case readErr != nil:
		return nil, c.broken(e)
	case echoes(answer.Request, body):
		e.Kind = providers.KindForeign
		e.Hint = "The answer of " + c.origin.Host + " repeats the credential, which the service does not do; nothing of it is used."
		return nil, &failure{err: e}
	case r.Decode == nil, status == http.StatusNoContent && r.Method == http.MethodDelete:
		// An answer without a body may carry any type, and login pages have one.
	case IsForeign(answer.Header, body):
		e.Kind = providers.KindForeign
		e.Hint = "A proxy or login page answered for " + c.origin.Host + ", or the address is not the service's own; check the address, HTTPS_PROXY and NO_PROXY."
		return nil, &failure{err: e}
	default:
		if err := r.Decode(body); err != nil {
			return nil, c.unread(e, err, body)
		}
	}
	return &Response{Status: status, Header: answer.Header, Body: body}, nil
}

// unread is an answer that Decode does not accept.
func (c *Client) unread(e *providers.Error, err error, body []byte) *failure {
	if !json.Valid(body) {
		return c.broken(e)
	}
	e.Kind = providers.KindUnavailable
	e.Hint = "The answer of " + c.origin.Host + " has another shape than the documented one; check the address."
	if errors.Is(err, secret.ErrNotUnicode) {
		e.Kind = providers.KindInvalid
		e.Hint = "A value in the answer of " + c.origin.Host + " is not Unicode text, which no variable can carry, and the answer is not used; store the value there in base64."
	}
	return &failure{err: e}
}

func (c *Client) broken(e *providers.Error) *failure {
	e.Kind = providers.KindUnavailable
	e.Hint = "The answer of " + c.origin.Host + " broke off; try again."
	return &failure{err: e, fault: true}
}

// refused reads an answer of 400 or above.
func (c *Client) refused(r *Request, e *providers.Error, header http.Header, body []byte) *failure {
	f := &failure{err: e}
	status := e.Status
	e.RetryAfter = retryAfter(header, c.opt.Now())
	if status == http.StatusTooManyRequests || c.opt.Limited(status, body) {
		if e.RetryAfter == 0 {
			e.RetryAfter = untilReset(header, c.opt.Now())
		}
		e.Kind = providers.KindRateLimited
		e.Hint = c.origin.Host + " received too many requests."
		if e.RetryAfter == 0 {
			e.Hint = c.origin.Host + " received too many requests, " + noTime
		}
		f.limited = true
		return f
	}
	if said := c.opt.Fail(r, status, header, body); said != nil {
		e.Kind, e.Code, e.Hint = said.Kind, said.Code, said.Hint
	}
	f.fault = isFault(status) && !isRefusal(e.Kind)
	return f
}

// isRefusal reports whether an answer says no for good, whatever its status: a KMS of
// 2024 answers 500 for an expired token and for a project that is missing.
func isRefusal(kind providers.Kind) bool {
	return kind == providers.KindUnauthenticated || kind == providers.KindForbidden || kind == providers.KindNotFound
}

func isFault(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, statusTimedOut:
		return true
	}
	return false
}

// IsForeign reports whether an answer cannot be JSON of the service: an HTML
// page, or text. An empty body is not foreign, just empty.
func IsForeign(header http.Header, body []byte) bool {
	if strings.Contains(header.Get("Content-Type"), "html") {
		return true
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] != '{' && trimmed[0] != '['
}

// shortest is the length of the shortest credential that is looked for in answers.
const shortest = 8

// echoes reports whether an answer repeats the credential of its request: names in
// answers are shown and recorded.
func echoes(r *http.Request, body []byte) bool {
	_, word, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	words := []string{word}
	if _, password, ok := r.BasicAuth(); ok {
		words = append(words, password)
	}
	for _, word := range words {
		if len(word) >= shortest && bytes.Contains(body, []byte(word)) {
			return true
		}
	}
	return false
}

// retryAfter returns how long the header asks to wait; 0 when it does not, or
// asks for a time that has passed (RFC 9110 §10.2.3: seconds or a date).
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return clamp(time.Duration(seconds) * time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return clamp(at.Sub(now))
	}
	return 0
}

// epoch is the least number in X-RateLimit-Reset that counts as a time of day, in
// seconds since 1970; smaller ones are seconds from now.
const epoch = 1_000_000_000

// untilReset returns how long X-RateLimit-Reset says that the limit lasts; 0 when it
// says nothing.
func untilReset(header http.Header, now time.Time) time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(header.Get("X-RateLimit-Reset")), 10, 64)
	switch {
	case err != nil:
		return 0
	case n >= epoch:
		return clamp(time.Unix(n, 0).Sub(now))
	}
	return clamp(time.Duration(n) * time.Second)
}

// usedUp returns how long no request is left, by X-RateLimit-Remaining: 0; 0 when some
// are, or the answer does not say.
func usedUp(header http.Header, now time.Time) time.Duration {
	if strings.TrimSpace(header.Get("X-RateLimit-Remaining")) != "0" {
		return 0
	}
	return untilReset(header, now)
}

// clamp keeps a wait between nothing and a year, beyond which no service means it.
func clamp(d time.Duration) time.Duration { return min(max(0, d), 365*24*time.Hour) }
