// Package kms reads secrets from a KMS that speaks the /api of Hanzo KMS, or of the
// servers it shares that API with: those of 2026, and those of 2024, which answer
// other routes in other words (generation.go has the differences).
//
// [New] makes a [Client], which is a [providers.Source] of one project. It asks for
// unexpanded lists, with every switch spelled out: defaults differ between servers,
// and unknown names are dropped without a word.
package kms

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	"github.com/hanzoai/kmsync/providers/internal/lock"
)

// Options make a [Client]. Address, Project, Credentials and Now are required.
type Options struct {
	Address     string // base URL, with or without "/api"
	Project     string // id (a UUID) or slug
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

// Client reads one project. It is safe for concurrent use. It logs in once, and
// again when the server stops accepting a token that it accepted before. A list that
// it has read before is asked for with If-None-Match.
type Client struct {
	http    *httpx.Client
	now     func() time.Time
	prefix  string // path before "/api"
	auth    *auth
	service *service
	project project
	lists   cache
}

var _ providers.Source = (*Client)(nil)

// New returns a client. It makes no request and reads no credential; its errors
// are mistakes in opt.
func New(opt Options) (*Client, error) {
	origin, prefix, err := httpx.ParseBase(opt.Address, "/api")
	if err != nil {
		return nil, err
	}
	if opt.Project == "" {
		return nil, errors.New("the project is missing")
	}
	if err := opt.Credentials.check(); err != nil {
		return nil, err
	}
	c := &Client{now: opt.Now, prefix: prefix, service: &service{}}
	c.http, err = httpx.New(httpx.Options{
		Origin: origin, UserAgent: opt.UserAgent, Logger: opt.Logger,
		Now: opt.Now, Sleep: opt.Sleep, Rand: opt.Rand, Timeout: opt.Timeout,
		MaxWait: opt.MaxWait, Parallelism: opt.Parallelism, Waiting: opt.Waiting,
		Fail: fail,
	})
	if err != nil {
		return nil, err
	}
	c.auth = &auth{credentials: opt.Credentials, lock: lock.New(), login: c.login, now: opt.Now}
	c.project = newProject(opt.Project)
	return c, nil
}

// Project returns a client for another project, by id or slug, that shares this
// one's login, connections and slow-down, and what is known of the server. It makes
// no request.
func (c *Client) Project(project string) *Client {
	return &Client{http: c.http, now: c.now, prefix: c.prefix, auth: c.auth, service: c.service, project: newProject(project)}
}

// Requests returns how many requests were sent so far, logins and repeats
// included, by this client and those that share its login.
func (c *Client) Requests() int { return c.http.Requests() }

// get asks for a path and decodes the answer. A token that the server no longer
// accepts is renewed by one login, and the request is sent once more. last is the
// answer that is kept from before, nil for none; serial is that of the token used.
func (c *Client) get(ctx context.Context, r httpx.Request, last *kept, path ...string) (res *httpx.Response, serial int, err error) {
	joined, err := httpx.JoinPath(c.prefix, path...)
	if err != nil {
		return nil, 0, &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindInvalid, Hint: "A name in the path is empty or made of dots."}
	}
	r.Method, r.Path, r.Idempotent = http.MethodGet, joined, true
	r.Authorize = func(ctx context.Context, req *http.Request) error {
		token, err := c.auth.get(ctx, &r)
		if err != nil {
			return err
		}
		serial = token.serial
		if last != nil && last.serial == serial {
			req.Header.Set("If-None-Match", last.tag)
		}
		return token.authorize(req)
	}
	if res, err = c.http.Do(ctx, r); isStale(err) && c.auth.renewable(serial) {
		res, err = c.http.Do(ctx, r)
	}
	if err == nil {
		c.auth.accept(serial)
	}
	return res, serial, err
}

// isStale reports whether err says that the token is no longer accepted; see denied in
// errors.go.
func isStale(err error) bool { return providers.KindOf(err) == providers.KindUnauthenticated }
