package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// faults keeps what was injected, and how often each fault matched. Faults of
// the world are known by their place and text, so that a change of the file
// elsewhere does not arm them anew.
type faults struct {
	mu       sync.Mutex
	injected []world.Fault
	matched  map[string]int
}

// Inject adds a fault before those of the world. Errors name what is wrong
// with it.
func (s *Server) Inject(f world.Fault) error {
	if err := f.Check(); err != nil {
		return fmt.Errorf("inject fault: %w", err)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.injected = append(s.faults.injected, f)
	return nil
}

// ClearFaults removes the injected faults, and arms those of the world anew.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.injected, s.faults.matched = nil, nil
}

// due finds the first fault that is to act on a request, and counts.
func (f *faults) due(planned []world.Fault, method, path string) (world.Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.matched == nil {
		f.matched = map[string]int{}
	}
	for i, fault := range f.injected {
		if f.acts("injected "+strconv.Itoa(i), fault, method, path) {
			return fault, true
		}
	}
	for i, fault := range planned {
		text, err := json.Marshal(fault)
		if err == nil && f.acts(strconv.Itoa(i)+string(text), fault, method, path) {
			return fault, true
		}
	}
	return world.Fault{}, false
}

func (f *faults) acts(key string, fault world.Fault, method, path string) bool {
	if !fault.Matches(method, path) {
		return false
	}
	n := f.matched[key]
	f.matched[key]++
	return n >= fault.Skip && (fault.Times == 0 || n < fault.Skip+fault.Times)
}

// misbehave lets one fault act.
func (s *Server) misbehave(f world.Fault, service http.Handler, toBitbucket bool, w http.ResponseWriter, r *http.Request) {
	s.wait(f.Delay)
	switch f.Kind {
	case world.FaultSlow:
		service.ServeHTTP(w, r)
	case world.FaultDropBefore:
		drop(w)
	case world.FaultDropAfter:
		service.ServeHTTP(newRecorder(), r)
		drop(w)
	case world.FaultTruncate:
		truncate(service, w, r)
	case world.FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(orElse(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(orElse(f.Body, "<!doctype html><title>Log in</title><p>Please log in to continue.</p>")))
	case world.FaultRedirect:
		w.Header().Set("Location", orElse(f.Body, "https://login.example.invalid/"))
		w.WriteHeader(orElse(f.Status, http.StatusFound))
	case world.FaultStatus:
		answerStatus(f, toBitbucket, w)
	}
}

func answerStatus(f world.Fault, toBitbucket bool, w http.ResponseWriter) {
	status := orElse(f.Status, http.StatusInternalServerError)
	body := kms.StatusBody(status)
	if toBitbucket {
		body = bitbucket.StatusBody(status)
	}
	if f.Body != "" {
		body = []byte(f.Body)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// truncate announces the whole body and sends half of it; net/http closes the
// connection of an answer that stays short.
func truncate(service http.Handler, w http.ResponseWriter, r *http.Request) {
	whole := newRecorder()
	service.ServeHTTP(whole, r)
	body := whole.body.Bytes()
	maps.Copy(w.Header(), whole.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(whole.status)
	_, _ = w.Write(body[:len(body)/2])
}

// orElse returns v, or fallback for the zero value.
func orElse[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
