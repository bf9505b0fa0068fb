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
)

// statusTimedOut is Bitbucket's own "timed out", a kind of 504.
const statusTimedOut = 555

// judge decides what an answer is: success, a fault, or a refusal.
func (c *Client) judge(r *Request, answer *http.Response, body []byte, readErr error) (*Response, *failure) {
	status := answer.StatusCode
	e := &providers.Error{Op: r.Op, Scope: r.Scope, Status: status, Sent: true}
	switch {
	case status >= 300 && status < 400:
		e.Kind = providers.KindForeign
		e.Hint = c.origin.Host + " answered with a redirect; kmsync follows none. A proxy or login page may be in between, or the address is not the service's own."
		return nil, &failure{err: e}
	case status >= 400:
		return nil, c.refused(r, e, answer.Header, body)
	case errors.Is(readErr, errTooLong):
		e.Kind = providers.KindUnavailable
		e.Hint = "The answer is longer than kmsync reads."
		return nil, &failure{err: e}
	case readErr != nil:
		return nil, c.broken(e)
	case r.Decode == nil:
	case IsForeign(answer.Header, body):
		e.Kind = providers.KindForeign
		e.Hint = "A proxy or login page answered for " + c.origin.Host + "."
		return nil, &failure{err: e}
	case r.Decode(body) != nil:
		if !json.Valid(body) {
			return nil, c.broken(e)
		}
		e.Kind = providers.KindUnavailable
		e.Hint = "The answer of " + c.origin.Host + " has another shape than the documented one."
		return nil, &failure{err: e}
	}
	return &Response{Status: status, Header: answer.Header, Body: body}, nil
}

func (c *Client) broken(e *providers.Error) *failure {
	e.Kind = providers.KindUnavailable
	e.Hint = "The answer of " + c.origin.Host + " broke off."
	return &failure{err: e, fault: true}
}

// refused reads an answer of 400 or above.
func (c *Client) refused(r *Request, e *providers.Error, header http.Header, body []byte) *failure {
	f := &failure{err: e}
	status := e.Status
	e.RetryAfter = retryAfter(header, c.opt.Now())
	if status == http.StatusTooManyRequests || c.opt.Limited(status, body) {
		e.Kind = providers.KindRateLimited
		e.Hint = c.origin.Host + " received too many requests."
		f.limited = true
		return f
	}
	if said := c.opt.Fail(r, status, header, body); said != nil {
		e.Kind, e.Code, e.Hint = said.Kind, said.Code, said.Hint
	}
	f.fault = isFault(status)
	return f
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

// retryAfter returns how long the header asks to wait; 0 when it does not, or
// asks for a time that has passed (RFC 9110 §10.2.3: seconds or a date).
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
