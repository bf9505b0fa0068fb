package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/hanzoai/kmsync/providers/sandbox"
)

// exchange is one request that came to the front, and what was done about it.
type exchange struct {
	id     string // method, path, and the key that is written: the same in every run
	nth    int    // of this id, from 0
	place  string // "Staging" for its variables, else ""
	key    string // of a create or an update
	method string
	broken bool // it did not get the answer that it should
}

// late reports whether a request belongs behind the barrier: a delete, or a rename of
// the variable itself.
func (x exchange) late() bool { return x.method == http.MethodDelete || x.key == "KMS_CASEY" }

// what names what a request is about: two writes of one variable are about the same.
func (x exchange) what() string {
	if x.key != "" {
		return x.place + "/" + x.key
	}
	return x.id
}

// front stands before a sandbox, sees every request, and may meddle with it. It passes
// on one request at a time.
type front struct {
	sandbox *sandbox.Server
	server  *httptest.Server
	// meddle does what is to be done about a request, serve being the sandbox. It
	// reports whether the request got another answer than it should. nil: nothing.
	meddle func(x exchange, serve http.HandlerFunc, w http.ResponseWriter, r *http.Request) bool
	// after is done after each request. nil: nothing.
	after func()

	mu   sync.Mutex
	seen map[string]int
	log  []exchange
}

func newFront(s *sandbox.Server) *front {
	f := &front{sandbox: s, seen: map[string]int{}}
	f.server = httptest.NewServer(f)
	return f
}

// ServeHTTP passes a request on.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever sent it is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	x := exchange{method: r.Method, id: r.Method + " " + r.URL.RequestURI()}
	if strings.Contains(r.URL.Path, "/deployments_config/environments/") {
		x.place = "Staging"
	}
	if strings.HasPrefix(r.URL.Path, "/2.0/") && len(body) > 0 {
		var variable struct{ Key string }
		_ = json.Unmarshal(body, &variable) // what is no variable has no key
		x.key = variable.Key
		x.id += " " + x.key
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x.nth = f.seen[x.id]
	f.seen[x.id]++
	i := len(f.log)
	f.log = append(f.log, x)
	if f.meddle == nil {
		f.sandbox.ServeHTTP(w, r)
	} else {
		f.log[i].broken = f.meddle(x, f.sandbox.ServeHTTP, w, r)
	}
	if f.after != nil {
		f.after()
	}
}

// exchanges returns what has come so far.
func (f *front) exchanges() []exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]exchange{}, f.log...)
}

// forget begins the log anew.
func (f *front) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log, f.seen, f.meddle, f.after = nil, map[string]int{}, nil, nil
}

// undoubted reports whether everything that was read and written before the first late
// request came out well in the end, and names what did not.
func undoubted(log []exchange) (failed string) {
	broken := map[string]bool{}
	for _, x := range log {
		if x.late() {
			break
		}
		broken[x.what()] = x.broken
	}
	for what, is := range broken {
		if is {
			return what
		}
	}
	return ""
}
