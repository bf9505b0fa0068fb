// Package bitbucket reads, writes and deletes pipeline variables of Bitbucket Cloud.
//
// [New] makes a [Client], which is a [providers.Reader] and a
// [providers.Writer]. It speaks /2.0, pages to the end, and sends every write
// whole: key, value and secured together.
package bitbucket

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// Options make a [Client]. Address, Credentials and Now are required.
type Options struct {
	Address     string // base URL, with or without "/2.0"
	Credentials Credentials
	UserAgent   string
	Logger      *slog.Logger                                     // debug line per attempt; nil: none
	Now         func() time.Time                                 // clock for ReadAt and rate limits
	Sleep       func(ctx context.Context, d time.Duration) error // nil: the system's
	Rand        func() float64                                   // [0, 1), spreads waits; nil: no spreading
	Parallelism int                                              // requests in flight; 0: 8
	MaxWait     time.Duration                                    // longest single wait for a rate limit; 0: 5 min
	Timeout     time.Duration                                    // of one attempt; 0: 30 s
	Waiting     func(d time.Duration, why string)                // told when requests must wait; nil: nobody
}

// Client talks to Bitbucket Cloud as one identity. It is safe for concurrent use.
type Client struct {
	http        *httpx.Client
	now         func() time.Time
	prefix      string // path before "/2.0"
	credentials *credentials
}

var (
	_ providers.Reader = (*Client)(nil)
	_ providers.Writer = (*Client)(nil)
)

// New returns a client. It makes no request and reads no credential; its errors
// are mistakes in opt.
func New(opt Options) (*Client, error) {
	origin, prefix, err := httpx.ParseBase(opt.Address, "/2.0")
	if err != nil {
		return nil, err
	}
	if err := opt.Credentials.check(); err != nil {
		return nil, err
	}
	c := &Client{now: opt.Now, prefix: prefix, credentials: &credentials{from: opt.Credentials}}
	c.http, err = httpx.New(httpx.Options{
		Origin: origin, UserAgent: opt.UserAgent, Logger: opt.Logger,
		Now: opt.Now, Sleep: opt.Sleep, Rand: opt.Rand, Timeout: opt.Timeout,
		MaxWait: opt.MaxWait, Parallelism: opt.Parallelism, Waiting: opt.Waiting,
		Fail: fail, Limited: limited,
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Requests returns how many requests were sent so far, repeats included.
func (c *Client) Requests() int { return c.http.Requests() }

// call is one request of this client: a path of segments below /2.0, and how its
// answer is read.
type call struct {
	op, scope, template string
	method              string
	segments            []string
	query               url.Values
	body                []byte
	decode              func([]byte) error
	settled             func(status int, header http.Header, body []byte) bool
	notAfter            time.Time
}

// send sends a call. GET, PUT and DELETE are repeated after a fault; a POST is not,
// since it may have made the variable.
func (c *Client) send(ctx context.Context, k call) error {
	path, err := httpx.JoinPath(c.prefix+"/2.0", k.segments...)
	if err != nil {
		return &providers.Error{
			Op: k.op, Scope: k.scope, Kind: providers.KindInvalid,
			Hint: "A name in the path is empty or made of dots.",
		}
	}
	_, err = c.http.Do(ctx, httpx.Request{
		Op: k.op, Scope: k.scope, Method: k.method, Path: path, Template: k.template,
		Query: k.query, Body: k.body, Idempotent: k.method != http.MethodPost,
		Authorize: c.credentials.authorize, Decode: k.decode, Settled: k.settled, NotAfter: k.notAfter,
	})
	return err
}
