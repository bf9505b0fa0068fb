package kms

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/hanzoai/kmsync/providers"
)

// generation is how servers of one age are asked. Everything that kmsync must know of
// their differences before it asks is here; what answers look like is in errors.go.
type generation struct {
	// secrets is the path of the list; one secret is below it.
	secrets string
	folders string
	imports string
	bySlug  string // of a project, the slug is below it
	// project is the parameter that names the project by id. Either generation knows
	// its own only.
	project string
	// recursive: folders lists the folders below, too.
	recursive bool
	// shifts: an import of a deleted folder moves the contents of later blocks.
	shifts bool
}

// newest is a server of 2026: GET /api/v4/secrets and its kind.
var newest = &generation{
	secrets: "/api/v4/secrets", folders: "/api/v2/folders", imports: "/api/v2/secret-imports",
	bySlug: "/api/v1/projects/slug", project: "projectId", recursive: true,
}

// legacy is a server of 2024, on which those are 404 "Route GET:… not found".
var legacy = &generation{
	secrets: "/api/v3/secrets/raw", folders: "/api/v1/folders", imports: "/api/v1/secret-imports",
	bySlug: "/api/v2/workspace", project: "workspaceId", shifts: true,
}

// ofSecrets returns the query for secrets of a folder. Every switch is spelled out,
// since defaults differ, and imports in both ways: servers know one of the two names
// and drop the other without a word.
func (g *generation) ofSecrets(project string, folder providers.Folder, imports string, more ...string) url.Values {
	return query(append(more,
		g.project, project, "environment", folder.Environment, "secretPath", folder.Path,
		"includeImports", imports, "include_imports", imports,
		"expandSecretReferences", "false", "viewSecretValue", "true",
	)...)
}

// ofFolder returns the query for what a folder holds besides secrets.
func (g *generation) ofFolder(project string, folder providers.Folder, more ...string) url.Values {
	return query(append(more, g.project, project, "environment", folder.Environment, "path", folder.Path)...)
}

func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

// segments splits one of the paths above.
func segments(path string, more ...string) []string {
	return append(strings.Split(strings.TrimPrefix(path, "/"), "/"), more...)
}

// service is what is known of the server's generation. It is learnt from the first
// answer that tells; requests that start at the same time wait for it, so that one of
// them at most is made in vain.
type service struct {
	mu     sync.Mutex
	known  *generation   // nil: not yet
	asking chan struct{} // closed when the request that tells has ended
}

// enter returns the generation to ask by. lead says that the caller is the one who
// finds out: it must call leave.
func (s *service) enter(ctx context.Context) (g *generation, lead bool, err error) {
	s.mu.Lock()
	asking := s.asking
	if s.known == nil && asking == nil {
		s.asking = make(chan struct{})
		lead = true
	}
	g = s.known
	s.mu.Unlock()
	switch {
	case g != nil:
		return g, false, nil
	case lead:
		return newest, true, nil
	}
	select {
	case <-asking:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != nil {
		return s.known, false, nil
	}
	return newest, false, nil // it did not tell: everybody asks
}

// leave notes what a request has told, nil for nothing, and returns what is known.
// What is known stays.
func (s *service) leave(lead bool, told *generation) *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = told
	}
	if lead {
		close(s.asking)
		s.asking = nil
	}
	return s.known
}

// ask makes a request in the way of the server's generation: of the newest first, and
// of the legacy one where the server has no such route. tells says that an answer
// proves the newest one.
func (c *Client) ask(ctx context.Context, op, scope string, tells bool, do func(*generation) error) error {
	g, lead, err := c.service.enter(ctx)
	if err != nil {
		return &providers.Error{Op: op, Scope: scope, Kind: providers.KindCanceled}
	}
	err = do(g)
	if g == legacy {
		return err
	}
	if !isMissingRoute(err) {
		var told *generation
		if tells && isAnswer(err) {
			told = newest
		}
		c.service.leave(lead, told)
		return err
	}
	if c.service.leave(lead, legacy) != legacy {
		return err
	}
	return do(legacy)
}

// isMissingRoute reports whether err says that the server has no such route.
func isMissingRoute(err error) bool {
	e, ok := errors.AsType[*providers.Error](err)
	return ok && e.Kind == providers.KindUnsupported && e.Status == http.StatusNotFound
}

// isAnswer reports whether a request was answered by the route itself, be it with a
// refusal: those of a server that has the route carry a code.
func isAnswer(err error) bool {
	e, failed := errors.AsType[*providers.Error](err)
	if !failed {
		return err == nil
	}
	switch e.Kind {
	case providers.KindNotFound, providers.KindForbidden, providers.KindInvalid:
		return e.Status != 0 && e.Code != ""
	}
	return false
}
