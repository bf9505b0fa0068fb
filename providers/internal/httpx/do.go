package httpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// Request is one request to the service.
type Request struct {
	Op, Scope string // for errors: "list variables", "acme/web"
	Method    string
	Path      string // escaped, from the origin, beginning with a slash
	Template  string // Path without names, for logs: "/repositories/{workspace}"
	Query     url.Values
	Body      []byte // JSON; nil for none
	// Idempotent says that sending it twice does no harm: it is repeated after a
	// fault even when the first may have taken effect.
	Idempotent bool
	// NotAfter is when an attempt may be begun at the latest; zero: at any time.
	NotAfter time.Time
	// Authorize adds the credential; it is called before every attempt. Its error
	// ends the request. nil: none is sent.
	Authorize func(ctx context.Context, r *http.Request) error
	// Decode reads the body of an answer below 300. When it fails and the body is
	// not JSON at all, the answer counts as broken on its way. nil: the body is not
	// looked at.
	Decode func(body []byte) error
	// Settled recognises a refusal which says that what was asked for is so already: it
	// counts as an answer, also after a try that may have taken effect. nil: there is none.
	Settled func(status int, header http.Header, body []byte) bool
}

// Response is an answer with a status below 300, or one that [Request.Settled] accepts.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends r until it has an answer that counts, and returns that answer or a
// [*providers.Error].
//
// A ctx that has ended starts nothing. It ends a GET in flight, but no other
// method: a write that was begun is carried through, up to the time-out of an
// attempt, so that as few writes as possible are left in doubt.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	t := tries{client: c, request: &r}
	for {
		req, err := c.build(ctx, &r)
		if err != nil {
			return nil, t.end(err)
		}
		if err := c.hold(ctx, &r); err != nil {
			return nil, t.end(err)
		}
		if !r.NotAfter.IsZero() && providers.Expired(c.opt.Now(), r.NotAfter) {
			return nil, t.end(&providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindStale})
		}
		res, failure := c.attempt(ctx, req, &r)
		if failure == nil || (failure.err.Status != 0 && !failure.limited && !failure.fault) {
			c.pause.lift()
		}
		if failure == nil {
			return res, nil
		}
		again, wait := t.next(failure)
		if !again {
			return nil, t.end(failure.err)
		}
		if wait > 0 && (ctx.Err() != nil || c.opt.Sleep(ctx, wait) != nil) {
			return nil, t.end(canceled(&r))
		}
	}
}

func canceled(r *Request) *providers.Error {
	return &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindCanceled}
}

// build makes the HTTP request of one attempt, credential included.
func (c *Client) build(ctx context.Context, r *Request) (*http.Request, *providers.Error) {
	if ctx.Err() != nil {
		return nil, canceled(r)
	}
	invalid := &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindInvalid}
	path, err := url.PathUnescape(r.Path)
	u := &url.URL{Scheme: c.origin.Scheme, Host: c.origin.Host, Path: path, RawPath: r.Path, RawQuery: r.Query.Encode()}
	if err != nil || !strings.HasPrefix(r.Path, "/") || u.EscapedPath() != r.Path {
		invalid.Hint = "A name in the path cannot be sent."
		return nil, invalid
	}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		invalid.Hint = "The request cannot be built."
		return nil, invalid
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.opt.UserAgent)
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Authorize == nil {
		return req, nil
	}
	return req, c.authorize(ctx, req, r)
}

func (c *Client) authorize(ctx context.Context, req *http.Request, r *Request) *providers.Error {
	err := r.Authorize(ctx, req)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*providers.Error](err); ok {
		return e
	}
	return &providers.Error{
		Op: r.Op, Scope: r.Scope, Kind: providers.KindUnauthenticated,
		Hint: "The credential could not be read.",
	}
}

// failure is one attempt that went wrong.
type failure struct {
	err       *providers.Error
	fault     bool // repeating may help
	limited   bool // the service asks to slow down
	unsent    bool // the request did not leave
	permanent bool // repeating cannot help, whatever else
}

// attempt sends req once and reads the answer.
func (c *Client) attempt(ctx context.Context, req *http.Request, r *Request) (*Response, *failure) {
	base := ctx
	if r.Method != http.MethodGet {
		base = context.WithoutCancel(ctx)
	}
	timed, cancel := context.WithTimeout(base, c.opt.Timeout)
	defer cancel()
	var connected atomic.Bool
	timed = httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	begun := c.opt.Now()
	answer, err := c.http.Do(req.WithContext(timed))
	if connected.Load() {
		c.sent.Add(1)
	}
	if err != nil {
		c.log(ctx, r, 0, begun)
		if ctx.Err() != nil && base.Err() != nil {
			e := canceled(r)
			e.Sent = connected.Load()
			return nil, &failure{err: e, permanent: true}
		}
		return nil, c.netFailure(r, err, connected.Load())
	}
	defer answer.Body.Close()
	body, err := c.read(answer)
	c.log(ctx, r, answer.StatusCode, begun)
	if err != nil && ctx.Err() != nil && base.Err() != nil {
		e := canceled(r)
		e.Sent = true
		return nil, &failure{err: e, permanent: true}
	}
	return c.judge(r, answer, body, err)
}

var errTooLong = errors.New("the answer is too long")

// read returns the whole body, at most [Options.MaxBody] bytes of it.
func (c *Client) read(answer *http.Response) ([]byte, error) {
	var body bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= maxTrusted {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(answer.Body, c.opt.MaxBody+1))
	if int64(body.Len()) > c.opt.MaxBody {
		return nil, errTooLong
	}
	return body.Bytes(), err
}

// maxTrusted is how many bytes are set aside because an answer announces them; a
// longer body is read all the same, as it comes.
const maxTrusted = 256 << 10

func (c *Client) log(ctx context.Context, r *Request, status int, begun time.Time) {
	c.opt.Logger.DebugContext(ctx, "request",
		"method", r.Method, "path", r.Template, "status", status,
		"duration", c.opt.Now().Sub(begun))
}
