// Package httpx is the one way kmsync talks HTTP: a transport for one service
// that is polite and tells nothing.
//
// Polite: it repeats only what may be repeated, waits as long as the service
// asks, and makes every request of a [Client] wait while the service says that
// there were too many. Telling nothing: its errors and log lines hold neither
// query, header nor body, and requests go to one origin only. Redirects are not
// followed.
//
// What an answer means is the business of the two clients; they say so with
// [Options.Fail], [Options.Limited] and [Request.Decode].
package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// Defaults of [Options].
const (
	defaultTimeout     = 30 * time.Second
	defaultMaxWait     = 5 * time.Minute
	defaultMaxBody     = 8 << 20 // bytes
	defaultParallelism = 8
	dialTimeout        = 10 * time.Second
	idleTimeout        = 90 * time.Second
)

// Options make a [Client]. Origin and Now are required.
type Options struct {
	Origin    string // scheme://host[:port], the only place requests go to
	UserAgent string
	// Logger gets one debug line for each attempt; nil: none.
	Logger *slog.Logger
	Now    func() time.Time
	// Sleep waits for d or until ctx ends, and returns ctx.Err(); nil: by the
	// system's clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Rand returns a number in [0, 1) to spread waits; nil: no spreading.
	Rand        func() float64
	Timeout     time.Duration // of one attempt, answer read; 0: 30 s
	MaxWait     time.Duration // longest single wait that a service may ask for; 0: 5 min
	MaxBody     int64         // bytes of one answer; 0: 8 MiB
	Parallelism int           // connections kept open for reuse; 0: 8
	// Waiting is told when all requests begin to wait, how long, and why. It may
	// be called from several goroutines; nil: nobody is told.
	Waiting func(d time.Duration, why string)
	// Limited recognises a rate limit that does not come as status 429; nil: there
	// is none.
	Limited func(status int, body []byte) bool
	// Fail says what an answer of 400 or above means: Kind, and Code and Hint
	// where they are known. The Client fills in the rest. Required.
	Fail func(r *Request, status int, header http.Header, body []byte) *providers.Error
}

// Client sends requests to one service. It is safe for concurrent use.
type Client struct {
	opt    Options
	origin *url.URL
	http   *http.Client
	pause  pause
	sent   atomic.Int64
}

// New returns a client for the service at opt.Origin. It makes no request.
func New(opt Options) (*Client, error) {
	origin, err := parseOrigin(opt.Origin)
	if err != nil {
		return nil, err
	}
	if opt.Now == nil || opt.Fail == nil {
		return nil, errors.New("httpx: Now and Fail are required")
	}
	setDefaults(&opt)
	return &Client{opt: opt, origin: origin, http: &http.Client{
		Transport: transport(opt.Parallelism),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

func setDefaults(opt *Options) {
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	if opt.Rand == nil {
		opt.Rand = func() float64 { return 1 }
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.MaxWait <= 0 {
		opt.MaxWait = defaultMaxWait
	}
	if opt.MaxBody <= 0 {
		opt.MaxBody = defaultMaxBody
	}
	if opt.Parallelism <= 0 {
		opt.Parallelism = defaultParallelism
	}
	if opt.Waiting == nil {
		opt.Waiting = func(time.Duration, string) {}
	}
	if opt.Limited == nil {
		opt.Limited = func(int, []byte) bool { return false }
	}
}

// transport keeps as many connections open as there are requests in flight, so
// that none is opened twice. Proxies and certificate authorities come from the
// environment as for every Go program.
func transport(parallelism int) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   dialTimeout,
		MaxIdleConns:          parallelism,
		MaxIdleConnsPerHost:   parallelism,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode != http.StatusOK {
				return proxyRefusal(answer.StatusCode)
			}
			return nil
		},
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Requests returns how many requests were sent so far; each repeat counts, an
// attempt that got no connection does not.
func (c *Client) Requests() int { return int(c.sent.Load()) }

// Host returns the host of the service, for messages.
func (c *Client) Host() string { return c.origin.Host }

// SameOrigin reports whether address, which a service sent, leads back to it. A
// relative address does.
func (c *Client) SameOrigin(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	u = c.origin.ResolveReference(u)
	return u.User == nil && originOf(u) == originOf(c.origin)
}
