package current

import (
	"net/http"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// ProjectByID is GET /api/v1/projects/{projectId}: wrapped.
func ProjectByID(c answer.Call) (any, *answer.Problem) {
	p, refused := project(c, c.Args[0])
	if refused != nil {
		return nil, refused
	}
	return map[string]answer.Project{"project": answer.Describe(p)}, nil
}

// ProjectBySlug is GET /api/v1/projects/slug/{slug}: not wrapped.
func ProjectBySlug(c answer.Call) (any, *answer.Problem) {
	p, refused := bySlug(c, c.Args[0])
	if refused != nil {
		return nil, refused
	}
	return answer.Describe(p), nil
}

// EnvironmentBySlug is GET /api/v1/projects/{projectId}/environments/slug/{envSlug}:
// wrapped in "environment" (seen in 2026, against the vendor's documentation).
func EnvironmentBySlug(c answer.Call) (any, *answer.Problem) {
	p, refused := project(c, c.Args[0])
	if refused != nil {
		return nil, refused
	}
	slug := c.Args[1]
	for i, e := range p.Environments {
		if e.Slug == slug {
			made := answer.Epoch().Format(answer.Stamp)
			return map[string]any{"environment": map[string]any{
				"id": answer.EnvironmentID(p, slug), "name": e.Name, "slug": slug, "position": i + 1, "projectId": p.ID, "createdAt": made, "updatedAt": made,
			}}, nil
		}
	}
	return nil, answer.Fail(http.StatusNotFound, "NotFound", "Environment with slug '"+slug+"' not found")
}

// project takes the id only: a slug, an upper-case UUID and an unknown id are
// all 404.
func project(c answer.Call, projectID string) (*world.Project, *answer.Problem) {
	p := c.World.KMS.Project(projectID)
	if p == nil || p.ID != projectID {
		return nil, answer.Fail(http.StatusNotFound, "NotFound", "Project with ID '"+projectID+"' not found")
	}
	return p, member(c, p)
}

func bySlug(c answer.Call, slug string) (*world.Project, *answer.Problem) {
	p := c.World.KMS.Project(slug)
	if p == nil || p.Slug != slug {
		return nil, answer.Fail(http.StatusNotFound, "NotFound", "Project with slug '"+slug+"' not found")
	}
	return p, member(c, p)
}

// member refuses an identity that does not belong to the project.
func member(c answer.Call, p *world.Project) *answer.Problem {
	if c.Member(p) {
		return nil
	}
	return answer.Fail(http.StatusForbidden, "ProjectMembershipNotFound", "You are not a member of this project")
}

func invalid(issues ...answer.Issue) *answer.Problem {
	return answer.Invalid(http.StatusUnprocessableEntity, issues...)
}

// denied is a missing right as servers of 2026 answer it.
func denied(env, path string) *answer.Problem {
	p := answer.Fail(http.StatusForbidden, "PermissionDenied", "You are not allowed to read on secrets")
	p.Body.Details = []answer.Denial{{Action: "readValue", Subject: "secrets", Conditions: map[string]any{"environment": env, "secretPath": path}}}
	return p
}
