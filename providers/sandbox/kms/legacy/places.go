package legacy

import (
	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// place reads which folder a list of folders or imports is about (§4). The
// parameter is "path"; "secretPath" is ignored.
func place(c answer.Call) (*world.Project, resolve.Location, *answer.Problem) {
	q := &answer.Query{Values: c.Request.URL.Query()}
	projectID, at := q.Required("workspaceId"), resolve.Location{Env: q.Required("environment"), Path: cleanPath(q, "path")}
	if q.Issues != nil {
		return nil, at, invalid(q.Issues...)
	}
	if !answer.PlainPath(at.Path) {
		return nil, at, somethingWrong("Find by secret path")
	}
	p := c.World.KMS.Project(projectID)
	if p == nil || p.ID != projectID {
		return nil, at, notMember()
	}
	return p, at, member(c, p)
}

// Folders is GET /api/v1/folders (§4): it needs no role. A parent that is
// missing gives an empty list.
func Folders(c answer.Call) (any, *answer.Problem) {
	p, at, refused := place(c)
	if refused != nil {
		return nil, refused
	}
	env := p.Environment(at.Env)
	if env == nil {
		return nil, badRequest("Environment not found")
	}
	out := []answer.Folder{}
	for _, path := range answer.Paths(env, at.Path, false) {
		out = append(out, answer.FolderAt(p, at.Env, path))
	}
	return map[string]any{"folders": out}, nil
}

// Imports is GET /api/v1/secret-imports (§4, §6). Without a right on the
// folder it is 401, missing or not.
func Imports(c answer.Call) (any, *answer.Problem) {
	p, at, refused := place(c)
	if refused != nil {
		return nil, refused
	}
	v := resolve.View{ID: c.ID, Project: p}
	if !v.FolderRight(at) {
		return nil, denied()
	}
	if v.Folder(at) == nil {
		return nil, badRequest("Folder not found")
	}
	return answer.Imports(v, at), nil
}

// Workspace is GET /api/v1/workspace/{projectId} (§4): wrapped.
func Workspace(c answer.Call) (any, *answer.Problem) {
	p := c.World.KMS.Project(c.Args[0])
	if p == nil || p.ID != c.Args[0] {
		return nil, somethingWrong("Failed to find project by id")
	}
	if refused := member(c, p); refused != nil {
		return nil, refused
	}
	return map[string]any{"workspace": projectOf(p)}, nil
}

// WorkspaceBySlug is GET /api/v2/workspace/{slug} (§4): not wrapped.
func WorkspaceBySlug(c answer.Call) (any, *answer.Problem) {
	p := c.World.KMS.Project(c.Args[0])
	if p == nil || p.Slug != c.Args[0] {
		return nil, somethingWrong("Failed to find project by slug")
	}
	if refused := member(c, p); refused != nil {
		return nil, refused
	}
	return projectOf(p), nil
}

func projectOf(p *world.Project) any {
	body := answer.Describe(p)
	return map[string]any{
		"id": body.ID, "_id": body.ID, "name": body.Name, "slug": body.Slug, "orgId": body.OrgID, "version": body.Version,
		"autoCapitalization": body.AutoCapitalization, "createdAt": body.CreatedAt, "updatedAt": body.UpdatedAt, "environments": body.Environments,
	}
}
