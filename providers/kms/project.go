package kms

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	"github.com/hanzoai/kmsync/providers/internal/lock"
	"github.com/hanzoai/kmsync/providers/internal/near"
)

var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// project knows the id of the project, which the secret routes need (a slug as
// projectId is 404).
type project struct {
	given string

	lock         lock.Lock
	id           string
	failed       error
	environments []string // slugs, known with id where the project was given by slug
}

func newProject(given string) project { return project{given: given, lock: lock.New()} }

// projectID returns the id: as it was given (the server knows lower case only),
// or looked up by slug, once per run whatever comes of it.
func (c *Client) projectID(ctx context.Context) (string, error) {
	p := &c.project
	if uuid.MatchString(p.given) {
		return strings.ToLower(p.given), nil
	}
	if p.lock.Acquire(ctx) != nil {
		return "", &providers.Error{Op: opProject, Scope: p.given, Kind: providers.KindCanceled}
	}
	defer p.lock.Release()
	if p.id != "" || p.failed != nil {
		return p.id, p.failed
	}
	id, environments, err := c.lookUp(ctx, p.given)
	if err != nil {
		if providers.KindOf(err) != providers.KindCanceled {
			p.failed = err
		}
		return "", err
	}
	p.id, p.environments = id, environments
	return id, nil
}

const opProject = "find project"

// lookUp asks for the project by slug. The answer is the project itself, not
// wrapped in anything. That a server has GET /api/v1/projects/slug/{slug} does not say
// that it has GET /api/v4/secrets, too; that it lacks it does.
func (c *Client) lookUp(ctx context.Context, slug string) (id string, environments []string, err error) {
	err = c.ask(ctx, opProject, slug, false, func(g *generation) error {
		_, _, err := c.get(ctx, httpx.Request{
			Op: opProject, Scope: slug, Template: g.bySlug + "/{slug}",
			Decode: func(body []byte) error {
				var answer struct {
					ID           string          `json:"id"`
					Environments json.RawMessage `json:"environments"`
				}
				if err := json.Unmarshal(body, &answer); err != nil {
					return err
				}
				if id = answer.ID; !uuid.MatchString(id) {
					return errors.New("no id")
				}
				environments = slugs(answer.Environments)
				return nil
			},
		}, nil, segments(g.bySlug, slug)...)
		return err
	})
	return id, environments, err
}

// slugs reads the environments of a project, [{"id","name","slug"}]; what cannot be read
// is none.
func slugs(raw json.RawMessage) (out []string) {
	var rows []struct {
		Slug string `json:"slug"`
	}
	_ = json.Unmarshal(raw, &rows)
	for _, r := range rows {
		out = append(out, r.Slug)
	}
	return out
}

// explain adds to an error about a folder that is not there what is known of its
// environment, at no request: the look-up by slug named them all.
func (p *project) explain(err error, folder providers.Folder) error {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Hint != hintNoFolder {
		return err
	}
	out := *e
	out.Hint = strings.TrimSpace(e.Hint + " " + near.Instead("The project", "environment", folder.Environment, p.environments))
	return &out
}
