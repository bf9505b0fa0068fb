package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// closeWait is how long Close waits for requests that are being answered.
const closeWait = time.Second

// Options say where a Server listens and what it holds. The zero value is a
// memory-only default world on a free port.
type Options struct {
	// Listen is a loopback address with port; empty means "127.0.0.1:0".
	Listen string
	// Path of the world's file; empty keeps the world in memory.
	Path string
	// World to start with where there is no file; nil means world.Default().
	World *world.World
	// NewUUID makes UUIDs without braces; nil means a series that follows from
	// the world, the same in every run.
	NewUUID func() string
	// Now is the clock of tokens, lockouts and the journal. nil means a clock
	// that stands still, so that tokens never end.
	Now func() time.Time
	// Log receives one line at a time for people; nil means silence.
	Log func(string)
}

// Effect is one change a request made at Bitbucket, without its value.
type Effect = bitbucket.Effect

// Server is a running emulator. Its methods are safe for use by many
// goroutines.
type Server struct {
	store     *world.Store
	kms       *kms.Service
	bitbucket *bitbucket.Service
	http      *http.Server
	address   string
	now       func() time.Time

	closing chan struct{}
	once    sync.Once
	closed  error
	// answering is held shared by every request under way; Close takes it.
	answering sync.RWMutex

	counts counters
	faults faults
}

// Start reads or makes the world and listens. ctx bounds the start only; Close
// ends the server. Errors name the world file and line, or the address.
func Start(ctx context.Context, opts Options) (*Server, error) {
	listen, err := loopback(opts.Listen)
	if err != nil {
		return nil, err
	}
	store, err := world.OpenStore(world.StoreOptions{Path: opts.Path, World: opts.World, NewUUID: opts.NewUUID, Log: opts.Log})
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	now := opts.Now
	if now == nil {
		now = func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	s := &Server{
		store: store, kms: kms.New(store, now), bitbucket: bitbucket.New(store, now), now: now,
		address: "http://" + listener.Addr().String(), closing: make(chan struct{}),
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(logLines{opts.Log}, "", 0)}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// loopback refuses an address that other machines could reach: the world holds
// credentials that anyone may read there.
func loopback(listen string) (string, error) {
	if listen == "" {
		return "127.0.0.1:0", nil
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("start sandbox: %q is not HOST:PORT", listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("start sandbox: %q is not a loopback address; use 127.0.0.1:PORT", listen)
	}
	return listen, nil
}

// Address returns "http://127.0.0.1:port", the base URL of both services.
func (s *Server) Address() string { return s.address }

// Close answers the requests under way, stops listening and writes the world's
// file. Further calls return the same error.
func (s *Server) Close() error {
	s.once.Do(func() {
		close(s.closing)
		answered := make(chan struct{})
		go func() {
			s.answering.Lock()
			defer s.answering.Unlock()
			close(answered)
		}()
		wait, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		select {
		case <-answered:
		case <-wait.Done():
		}
		// What was answered is on its way until its connection is idle.
		if s.http.Shutdown(wait) != nil {
			s.closed = s.http.Close()
		}
		s.closed = errors.Join(s.closed, s.store.Flush())
	})
	return s.closed
}

// Credentials are what a client needs to log in to both services.
type Credentials struct {
	ClientID     string
	ClientSecret string
	// KMSToken is the ready-made token of the first identity that has one.
	KMSToken string
	// AccessToken is sent to Bitbucket as Bearer, Email and APIToken as Basic.
	AccessToken string
	Email       string
	APIToken    string
}

// Credentials returns the first of each kind in the world; empty where the
// world has none.
func (s *Server) Credentials() (c Credentials) {
	s.store.Read(func(w *world.World) {
		for _, id := range w.KMS.Identities {
			if c.ClientID == "" {
				c.ClientID, c.ClientSecret = id.ClientID, id.ClientSecret
			}
			if c.KMSToken == "" {
				c.KMSToken = id.Token
			}
		}
		for _, t := range w.Bitbucket.Tokens {
			if c.AccessToken == "" {
				c.AccessToken = t.AccessToken
			}
			if c.Email == "" {
				c.Email, c.APIToken = t.Email, t.APIToken
			}
		}
	})
	return c
}

// World returns a copy of the present world, hand edits of its file included
// where they can be read.
func (s *Server) World() (w *world.World) {
	_ = s.store.Refresh() // an unreadable file is logged and answered by 503
	s.store.Read(func(now *world.World) { w = now.Clone() })
	return w
}

// Update changes the world, as a person editing the file would: missing
// identifiers are filled in, and versions of changed secrets are raised.
func (s *Server) Update(change func(*world.World)) { s.store.Edit(change) }

// Save writes the world's file now.
func (s *Server) Save() error { return s.store.Flush() }

// Journal returns every effect on Bitbucket so far, in order.
func (s *Server) Journal() []Effect { return s.bitbucket.Journal() }

// logLines hands what net/http reports to the log.
type logLines struct{ log func(string) }

func (l logLines) Write(line []byte) (int, error) {
	if l.log != nil {
		l.log(string(line))
	}
	return len(line), nil
}
