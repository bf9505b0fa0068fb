// Package kms reads secrets from a KMS that speaks the /api of the current
// generation: Hanzo KMS, and the servers it shares that API with.
//
// [New] makes a [Client], which is a [providers.Source] of one project. It asks
// for GET /api/v4/secrets and nothing older, unexpanded, with every switch
// spelled out: defaults differ between servers, and unknown names are dropped
// without a word.
package kms

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
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
// at most once more when the server stops accepting the token.
type Client struct {
	http    *httpx.Client
	now     func() time.Time
	prefix  string // path before "/api"
	auth    *auth
	project project
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
	c := &Client{now: opt.Now, prefix: prefix}
	c.http, err = httpx.New(httpx.Options{
		Origin: origin, UserAgent: opt.UserAgent, Logger: opt.Logger,
		Now: opt.Now, Sleep: opt.Sleep, Rand: opt.Rand, Timeout: opt.Timeout,
		MaxWait: opt.MaxWait, Parallelism: opt.Parallelism, Waiting: opt.Waiting,
		Fail: fail,
	})
	if err != nil {
		return nil, err
	}
	c.auth = &auth{credentials: opt.Credentials, lock: newLock(), login: c.login}
	c.project = newProject(opt.Project)
	return c, nil
}

// Project returns a client for another project, by id or slug, that shares this
// one's login, connections and slow-down. It makes no request.
func (c *Client) Project(project string) *Client {
	return &Client{http: c.http, now: c.now, prefix: c.prefix, auth: c.auth, project: newProject(project)}
}

// Requests returns how many requests were sent so far, logins and repeats
// included, by this client and those that share its login.
func (c *Client) Requests() int { return c.http.Requests() }

// get asks for path, whose last parts are escaped segments, and decodes the
// answer. A token that the server no longer accepts is renewed by one login, and
// the request is sent once more.
func (c *Client) get(ctx context.Context, r httpx.Request, decode func([]byte) error, segments ...string) error {
	path, err := httpx.JoinPath(c.prefix, segments...)
	if err != nil {
		return &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindInvalid, Hint: "A name in the path is empty or made of dots."}
	}
	used := 0
	r.Method, r.Path, r.Decode, r.Idempotent = http.MethodGet, path, decode, true
	r.Authorize = func(ctx context.Context, req *http.Request) error {
		token, err := c.auth.get(ctx, &r)
		if err != nil {
			return err
		}
		used = token.serial
		return token.authorize(req)
	}
	_, err = c.http.Do(ctx, r)
	if err == nil || !isStale(err) || !c.auth.renewable(used) {
		return err
	}
	_, err = c.http.Do(ctx, r)
	return err
}

// isStale reports whether err says that the token is no longer accepted: 401, or
// 403 with TokenError (expired) or UnauthorizedError, as servers of 2026 answer. A
// 401 with PermissionDenied is a missing right on older servers.
func isStale(err error) bool {
	return providers.KindOf(err) == providers.KindUnauthenticated
}

// lock is a mutex that a waiter can leave when its context ends.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// acquire returns an error when ctx ends first.
func (l lock) acquire(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lock) release() { <-l }

func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}
