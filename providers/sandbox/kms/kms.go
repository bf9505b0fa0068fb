// Package kms emulates the Hanzo KMS over HTTP as far as kmsync reads it: logins,
// lists and single reads of secrets, folders, imports, projects and environments.
// Other routes that the service has answer 501, unknown ones 404.
//
// It answers as a server of July 2026 was seen to answer, or, if the world says
// so, as one of July 2024, their traps included. generation.go shows at one
// glance what differs. Packages current and legacy read for each of them, resolve has
// rights, imports and references of both, token the JSON web tokens.
package kms

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/token"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// maxBody is the largest request body read, in bytes (the service's own
// limit); a larger one is answered with 500.
const maxBody = 1 << 20

// Service is the emulated KMS; it serves the paths under /api, and mints tokens
// at /sandbox/oidc-token.
type Service struct {
	store  *world.Store
	now    func() time.Time
	grants *token.Grants
	oidc   *token.Provider

	mu       sync.Mutex
	failures map[string]failure
	windows  map[string]window
	tags     tags
}

// New returns a Service on a world; now is its clock, which ends tokens,
// lockouts and rate limits.
func New(store *world.Store, now func() time.Time) *Service {
	return &Service{
		store: store, now: now, grants: token.NewGrants(now), oidc: token.NewProvider(),
		failures: map[string]failure{}, windows: map[string]window{}, tags: tags{},
	}
}

// call is one request under way.
type call struct {
	s      *Service
	gen    *generation
	world  *world.World
	id     *world.Identity // nil on routes that need no token
	r      *http.Request
	route  route
	header http.Header // of the answer
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == OIDCTokenPath {
		s.mint(w, r)
		return
	}
	c := &call{s: s, r: r, route: match(r.Method, r.URL.EscapedPath()), header: w.Header()}
	var body any
	var p *answer.Problem
	objects := false
	s.store.Read(func(w *world.World) {
		c.world, c.gen, objects = w, generationOf(w), w.KMS.Switches.MessageObject
		body, p = c.answer()
	})
	status := http.StatusOK
	if p != nil {
		status, body = p.Status, s.envelope(c.gen, p, objects)
	}
	text, err := marshal(body)
	if err != nil {
		http.Error(w, "encode", http.StatusInternalServerError)
		return
	}
	if c.unchanged(status, text) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeText(w, status, text)
}

// answer finds the handler and runs it. The limiter stands behind the check of
// the token, as seen.
func (c *call) answer() (any, *answer.Problem) {
	if c.route.kind == unknown || c.gen.without(c.r.URL.Path) {
		return nil, answer.RouteNotFound(c.r)
	}
	if handle, ok := c.gen.open[c.route.kind]; ok {
		if refused := c.limit(); refused != nil {
			return nil, refused
		}
		return handle(c)
	}
	handle, ok := c.gen.closed[c.route.kind]
	if !ok {
		return nil, answer.Fail(http.StatusNotImplemented, "NotImplemented", c.route.template+" is not emulated yet")
	}
	id, refused := c.authenticate(c.r.Header.Get("Authorization"))
	if refused != nil {
		return nil, refused
	}
	c.id = id
	if refused := c.limit(); refused != nil {
		return nil, refused
	}
	return handle(answer.Call{World: c.world, ID: id, Request: c.r, Args: c.route.args})
}

// unchanged sets the entity tag and tells whether the caller has it already.
func (c *call) unchanged(status int, text []byte) bool {
	given := c.r.Header.Get("If-None-Match")
	if c.gen.hashedTags {
		sum := sha1.Sum(text)
		tag := `"` + base64.StdEncoding.EncodeToString(sum[:]) + `"`
		c.header.Set("ETag", tag)
		return status == http.StatusOK && given == tag
	}
	if status != http.StatusOK || c.id == nil {
		return false
	}
	tag := c.s.tags.tag(&c.s.mu, c.r.URL.RequestURI()+"\x00"+rights(c.id), text)
	c.header.Set("ETag", tag)
	return strings.TrimPrefix(given, "W/") == tag
}

// rights renders what the caller may read: two identities with equal rights
// share tags, as seen on the service.
func rights(id *world.Identity) string {
	text, _ := json.Marshal([]any{id.Projects, id.Access})
	return string(text)
}
