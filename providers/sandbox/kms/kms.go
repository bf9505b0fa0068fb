// Package kms emulates the Hanzo KMS over HTTP as far as kmsync reads it:
// universal auth, the v4 list and single read of secrets, and projects by id
// and slug. Other routes that the service has answer 501, unknown ones 404.
//
// It answers as a server of July 2026 was seen to answer, its traps included:
// lists cut by rights without a word, values of imports expanded although the
// caller asked for none, dead references that become nothing.
package kms

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// maxBody is the largest request body read, in bytes (the service's own
// limit); a larger one is answered with 500.
const maxBody = 1 << 20

// Service is the emulated KMS; it serves the paths under /api.
type Service struct {
	store *world.Store
	now   func() time.Time

	mu       sync.Mutex
	tokens   map[string]issued
	failures map[string]failure
	tags     tags
}

// New returns a Service on a world; now is its clock, which ends tokens and
// lockouts.
func New(store *world.Store, now func() time.Time) *Service {
	return &Service{store: store, now: now, tokens: map[string]issued{}, failures: map[string]failure{}, tags: tags{}}
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt := match(r.Method, r.URL.EscapedPath())
	body, p := s.dispatch(rt, r)
	if p != nil {
		p.body.ReqID = s.requestID(p)
		writeJSON(w, p.status, p.body)
		return
	}
	text, err := marshal(body)
	if err != nil {
		http.Error(w, "encode", http.StatusInternalServerError)
		return
	}
	if rt.kind != login {
		tag := s.tags.tag(&s.mu, r.URL.RequestURI()+"\x00"+s.rights(r), text)
		w.Header().Set("ETag", tag)
		if strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	writeText(w, http.StatusOK, text)
}

func (s *Service) dispatch(rt route, r *http.Request) (body any, p *problem) {
	switch rt.kind {
	case unknown:
		return nil, routeNotFound(r)
	case notEmulated:
		return nil, fail(http.StatusNotImplemented, "NotImplemented", rt.template+" is not emulated yet")
	case login:
		return s.login(r)
	}
	s.store.Read(func(w *world.World) {
		id, refused := s.authenticate(w, r.Header.Get("Authorization"))
		if refused != nil {
			p = refused
			return
		}
		switch rt.kind {
		case listSecrets:
			body, p = list(w, id, r)
		case getSecret:
			body, p = single(w, id, rt.arg, r)
		case getProject:
			body, p = projectByID(w, id, rt.arg)
		case getProjectBySlug:
			body, p = projectBySlug(w, id, rt.arg)
		}
	})
	return body, p
}

// rights renders what the caller may read: two identities with equal rights
// share tags, as seen on the service.
func (s *Service) rights(r *http.Request) (rights string) {
	s.store.Read(func(w *world.World) {
		if id, p := s.authenticate(w, r.Header.Get("Authorization")); p == nil {
			text, _ := json.Marshal([]any{id.Projects, id.Access})
			rights = string(text)
		}
	})
	return rights
}
