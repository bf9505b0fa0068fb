package bitbucket

import (
	"net/http"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// place is the collection of variables a request is about.
type place struct {
	workspace   *world.Workspace
	repository  *world.Repository            // nil: the workspace's own
	environment *world.DeploymentEnvironment // nil: the repository's own
	variables   *[]world.Variable
}

// locate finds it, or gives the 404 of the first thing that is missing.
func locate(b *world.Bitbucket, rt route) (place, answer) {
	lean := b.Switches.LeanErrors
	var p place
	if p.workspace = b.Workspace(rt.workspace); p.workspace == nil {
		return p, failure{status: http.StatusNotFound, message: "No workspace with identifier '" + rt.workspace + "'."}.answer(lean)
	}
	if rt.repository == "" {
		p.variables = &p.workspace.Variables
		return p, answer{}
	}
	if p.repository = p.workspace.Repository(rt.repository); p.repository == nil {
		return p, repositoryNotFound(rt, lean)
	}
	if p.repository.PipelinesOff && rt.kind > listEnvironments {
		return p, failure{status: http.StatusNotFound, message: "Not found"}.answer(lean)
	}
	p.variables = &p.repository.Variables
	if rt.environment == "" {
		return p, answer{}
	}
	if strings.HasPrefix(rt.environment, "{") {
		p.environment = p.repository.Environment(rt.environment)
	}
	if p.environment == nil {
		return p, failure{status: http.StatusNotFound, message: "Not found", detail: "Environment not found", code: "deploy-service.environment.not-found"}.answer(lean)
	}
	p.variables = &p.environment.Variables
	return p, answer{}
}

func repositoryNotFound(rt route, lean bool) answer {
	return failure{status: http.StatusNotFound, message: "Repository " + rt.workspace + "/" + rt.repository + " not found."}.answer(lean)
}

func (p place) effect(action string, v world.Variable) Effect {
	e := Effect{Action: action, Workspace: p.workspace.Slug, Key: v.Key, UUID: v.UUID, Secured: v.Secured}
	if p.repository != nil {
		e.Repository = p.repository.Slug
	}
	if p.environment != nil {
		e.Environment = p.environment.Name
	}
	return e
}

// show answers the routes that read.
func (s *Service) show(wd *world.World, rt route, r *http.Request) answer {
	b := &wd.Bitbucket
	p, refused := locate(b, rt)
	if refused.status != 0 {
		return refused
	}
	switch rt.kind {
	case getWorkspace:
		return reply(http.StatusOK, describeWorkspace(r, p.workspace))
	case getRepository:
		return reply(http.StatusOK, describeRepository(r, p))
	case listEnvironments:
		return paginate(r, environments(p.repository), b.Switches.StuckNext)
	case getEnvironment:
		return reply(http.StatusOK, describeEnvironment(p.environment))
	case getVariable:
		v := findVariable(*p.variables, rt.variable)
		if v == nil {
			return variableNotFound(b.Switches.LeanErrors)
		}
		return reply(http.StatusOK, render(*v, b.Switches))
	}
	return s.list(r, p, b.Switches)
}

type repositoryBody struct {
	Type      string                       `json:"type"`
	UUID      string                       `json:"uuid"`
	FullName  string                       `json:"full_name"`
	Name      string                       `json:"name"`
	Slug      string                       `json:"slug"`
	SCM       string                       `json:"scm"`
	IsPrivate bool                         `json:"is_private"`
	Workspace workspaceBody                `json:"workspace"`
	Links     map[string]map[string]string `json:"links"`
}

type workspaceBody struct {
	Type  string                       `json:"type"`
	UUID  string                       `json:"uuid"`
	Slug  string                       `json:"slug"`
	Name  string                       `json:"name"`
	Links map[string]map[string]string `json:"links,omitempty"`
}

func describeWorkspace(r *http.Request, w *world.Workspace) workspaceBody {
	return workspaceBody{
		Type: "workspace", UUID: w.UUID, Slug: w.Slug, Name: w.Slug,
		Links: map[string]map[string]string{"self": {"href": "http://" + r.Host + "/2.0/workspaces/" + w.Slug}},
	}
}

func describeRepository(r *http.Request, p place) repositoryBody {
	full := p.workspace.Slug + "/" + p.repository.Slug
	return repositoryBody{
		Type: "repository", UUID: p.repository.UUID, FullName: full, Name: p.repository.Slug, Slug: p.repository.Slug,
		SCM: "git", IsPrivate: true,
		Workspace: workspaceBody{Type: "workspace", UUID: p.workspace.UUID, Slug: p.workspace.Slug, Name: p.workspace.Slug},
		Links:     map[string]map[string]string{"self": {"href": "http://" + r.Host + "/2.0/repositories/" + full}},
	}
}

type environmentBody struct {
	Type            string            `json:"type"`
	UUID            string            `json:"uuid"`
	Name            string            `json:"name"`
	Slug            string            `json:"slug"`
	Rank            int               `json:"rank"`
	Hidden          bool              `json:"hidden"`
	Category        map[string]string `json:"category"`
	EnvironmentType environmentType   `json:"environment_type"`
	GateEnabled     bool              `json:"deployment_gate_enabled"`
	LockEnabled     bool              `json:"environment_lock_enabled"`
	Lock            map[string]string `json:"lock"`
	Restrictions    restrictions      `json:"restrictions"`
}

type environmentType struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Rank int    `json:"rank"`
}

type restrictions struct {
	Type      string `json:"type"`
	AdminOnly bool   `json:"admin_only"`
}

// environments are none before Pipelines is switched on, which makes the first.
func environments(r *world.Repository) []environmentBody {
	if r.PipelinesOff {
		return []environmentBody{}
	}
	out := make([]environmentBody, len(r.Environments))
	for i := range r.Environments {
		out[i] = describeEnvironment(&r.Environments[i])
	}
	return out
}

func describeEnvironment(e *world.DeploymentEnvironment) environmentBody {
	rank := map[string]int{"Test": 0, "Staging": 1, "Production": 2}[e.Type]
	return environmentBody{
		Type: "deployment_environment", UUID: e.UUID, Name: e.Name, Slug: e.Slug, Rank: rank,
		Category:        map[string]string{"name": e.Type},
		EnvironmentType: environmentType{Type: "deployment_environment_type", Name: e.Type, Rank: rank},
		LockEnabled:     true,
		Lock:            map[string]string{"type": "deployment_environment_lock_open", "name": "OPEN"},
		Restrictions:    restrictions{Type: "deployment_restrictions_configuration"},
	}
}
