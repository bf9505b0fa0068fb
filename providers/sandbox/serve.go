package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// ServeHTTP answers one request to either service: it counts it, takes over a
// file that was edited, waits for the world's latency, and lets a fault act
// where one is due.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.answering.RLock()
	defer s.answering.RUnlock()
	select {
	case <-s.closing:
		drop(w)
		return
	default:
	}
	if strings.HasPrefix(r.URL.Path, "/sandbox/") {
		s.admin(w, r)
		return
	}
	toBitbucket := r.URL.Path == "/2.0" || strings.HasPrefix(r.URL.Path, "/2.0/")
	template := ""
	if toBitbucket {
		template = bitbucket.Template(r.Method, r.RequestURI)
	} else {
		template = kms.Template(r.Method, r.URL.EscapedPath())
	}
	s.counts.add(r.Method + " " + template)
	if err := s.store.Refresh(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var latency world.Duration
	var planned []world.Fault
	s.store.Read(func(now *world.World) { latency, planned = now.Latency, slices.Clone(now.Faults) })
	s.wait(latency)

	var service http.Handler = s.kms
	if toBitbucket {
		service = s.bitbucket
	}
	if f, due := s.faults.due(planned, r.Method, r.URL.Path); due {
		s.misbehave(f, service, toBitbucket, w, r)
		return
	}
	service.ServeHTTP(w, r)
}

// wait sleeps, but not beyond Close. It does not end when the client goes
// away: neither does the service.
func (s *Server) wait(d world.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(time.Duration(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

// admin serves the routes that let another process look inside.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	var body any
	switch {
	case r.Method != http.MethodGet:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	case r.URL.Path == "/sandbox/requests":
		body = map[string]any{"total": s.Total(), "requests": s.Requests()}
	case r.URL.Path == "/sandbox/journal":
		body = s.Journal()
	case r.URL.Path == kms.OIDCTokenPath:
		s.kms.ServeHTTP(w, r)
		return
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
