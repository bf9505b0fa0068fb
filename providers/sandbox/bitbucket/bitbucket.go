// Package bitbucket emulates Bitbucket Cloud over HTTP as far as kmsync uses
// it: a workspace and a repository, their pipeline variables, the deployment
// environments and their variables. Other routes that the service has answer 501,
// unknown ones 404.
//
// It reproduces what trips clients up: pages of ten, values withheld when
// secured, braces that must be escaped, duplicates found without regard to
// case, and the switches of world.Switches.
package bitbucket

import (
	"net/http"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// maxBody is the largest request body read, in bytes.
const maxBody = 1 << 20

// Effect is one change a request made, without the value.
type Effect struct {
	// Time by the emulator's clock.
	Time time.Time `json:"time"`
	// Action is "create", "update" or "delete".
	Action    string `json:"action"`
	Workspace string `json:"workspace"`
	// Repository is empty for a variable of the workspace.
	Repository string `json:"repository"`
	// Environment is the name of the deployment environment; empty for a
	// variable of the repository.
	Environment string `json:"environment,omitempty"`
	Key         string `json:"key"`
	// OldKey is the former key where an update renamed the variable.
	OldKey  string `json:"old_key,omitempty"`
	UUID    string `json:"uuid"`
	Secured bool   `json:"secured"`
}

// Actions of an Effect.
const (
	ActionCreate = "create"
	ActionUpdate = "update"
	ActionDelete = "delete"
)

// Service is the emulated Bitbucket; it serves the paths under /2.0.
type Service struct {
	store *world.Store
	now   func() time.Time

	mu      sync.Mutex
	journal []Effect
	writes  int                    // for world.Burst
	hidden  map[string]int         // listings a new variable stays hidden from, by UUID
	asked   map[string][]time.Time // requests of the last hour, by credential
}

// New returns a Service on a world; now is the clock of the journal.
func New(store *world.Store, now func() time.Time) *Service {
	return &Service{store: store, now: now, hidden: map[string]int{}, asked: map[string][]time.Time{}}
}

// Journal returns every effect so far, in order.
func (s *Service) Journal() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Effect{}, s.journal...)
}

func (s *Service) record(e Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Time = s.now()
	s.journal = append(s.journal, e)
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt := match(r.Method, rawPath(r))
	var a answer
	if rt.kind.writes() {
		// Read the body before the world is locked: the peer may be slow.
		body, refused := readBody(r)
		s.store.Write(func(wd *world.World) bool {
			if a = s.precheck(wd, rt, r, w.Header()); a.status != 0 {
				return false
			}
			if a = refused; a.status != 0 {
				return false
			}
			a = s.change(wd, rt, r, body)
			return a.effect
		})
	} else {
		s.store.Read(func(wd *world.World) {
			if a = s.precheck(wd, rt, r, w.Header()); a.status == 0 {
				a = s.show(wd, rt, r)
			}
		})
	}
	a.write(w)
}

// precheck refuses what never reaches a repository: raw braces, credentials,
// unknown routes, scopes, too many requests. It sets the headers that describe the
// credential.
func (s *Service) precheck(wd *world.World, rt route, r *http.Request, h http.Header) answer {
	lean := wd.Bitbucket.Switches.LeanErrors
	if rt.kind == rawBraces {
		return failure{status: http.StatusBadRequest, message: "Bad request", detail: "Unexpected response body", code: "unexpected.response.body"}.answer(lean)
	}
	token, refused := authenticate(&wd.Bitbucket, r, lean)
	if refused.status != 0 {
		return refused
	}
	if refused := s.hour(wd.Bitbucket.Switches.HourLimit, token, h, lean); refused.status != 0 {
		return refused
	}
	switch rt.kind {
	case unknown:
		return failure{status: http.StatusNotFound, message: "Resource not found", detail: "There is no API hosted at this URL"}.answer(lean)
	case user:
		if token.AccessToken != "" {
			return wrongMechanism(lean)
		}
		return notEmulatedYet(rt, lean)
	case notEmulated:
		return notEmulatedYet(rt, lean)
	}
	if refused := permit(token, rt.kind.scope(), h, lean); refused.status != 0 {
		return refused
	}
	if refused := reach(&wd.Bitbucket, token, rt); refused.status != 0 {
		return refused
	}
	if rt.kind.writes() {
		return s.burst(wd.Bitbucket.Switches.Burst429, lean)
	}
	return answer{}
}

func wrongMechanism(lean bool) answer {
	return failure{status: http.StatusForbidden, message: "This API is not accessible by this authentication mechanism"}.answer(lean)
}

func notEmulatedYet(rt route, lean bool) answer {
	return failure{status: http.StatusNotImplemented, message: rt.template + " is not emulated yet"}.answer(lean)
}
