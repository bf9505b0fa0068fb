package current

import (
	"net/http"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// folder is a folder in a list.
type folder struct {
	answer.Folder
	Description        *string `json:"description"`
	LastSecretModified *string `json:"lastSecretModified"`
	RelativePath       string  `json:"relativePath,omitempty"`
}

// place reads which folder GET /api/v2/folders and GET /api/v2/secret-imports are
// about, and their twins of v1, which are older and still served. Both routes
// put a slash in front of the path.
func place(c answer.Call, v1 bool) (*world.Project, resolve.Location, *answer.Query, *answer.Problem) {
	q := &answer.Query{Values: c.Request.URL.Query()}
	id := "projectId"
	if v1 {
		id = "workspaceId"
	}
	projectID, at := q.Required(id), resolve.Location{Env: q.Required("environment"), Path: q.One("path")}
	if q.Issues != nil {
		return nil, at, q, invalid(q.Issues...)
	}
	var refused *answer.Problem
	if at.Path, refused = cleanPath(at.Path); refused != nil {
		return nil, at, q, refused
	}
	p, refused := project(c, projectID)
	return p, at, q, refused
}

// Folders is GET /api/v2/folders. No role is needed. A parent that is missing
// gives an empty list, a missing environment is 404.
func Folders(c answer.Call) (any, *answer.Problem) { return folders(c, false) }

// FoldersV1 is GET /api/v1/folders, which is older and still served; it takes the
// path as "directory", too.
func FoldersV1(c answer.Call) (any, *answer.Problem) { return folders(c, true) }

func folders(c answer.Call, v1 bool) (any, *answer.Problem) {
	p, at, q, refused := place(c, v1)
	if refused != nil {
		return nil, refused
	}
	recursive := q.Flag("recursive", false)
	if directory := q.One("directory"); v1 && !q.Values.Has("path") {
		if at.Path, refused = cleanPath(directory); refused != nil {
			return nil, refused
		}
	}
	if q.Issues != nil {
		return nil, invalid(q.Issues...)
	}
	env := p.Environment(at.Env)
	if env == nil {
		return nil, answer.Fail(http.StatusNotFound, "NotFound", "Environment with slug '"+at.Env+"' not found")
	}
	out := []folder{}
	for _, path := range answer.Paths(env, at.Path, recursive) {
		f := folder{Folder: answer.FolderAt(p, at.Env, path)}
		if recursive {
			f.RelativePath = "/" + strings.TrimPrefix(strings.TrimPrefix(path, at.Path), "/")
		}
		out = append(out, f)
	}
	return map[string]any{"folders": out}, nil
}

// Imports is GET /api/v2/secret-imports. Unlike the list of secrets it is
// refused without a right on the folder, missing or not (as servers of 2024 do;
// not seen in 2026).
func Imports(c answer.Call) (any, *answer.Problem) { return imports(c, false) }

// ImportsV1 is GET /api/v1/secret-imports.
func ImportsV1(c answer.Call) (any, *answer.Problem) { return imports(c, true) }

func imports(c answer.Call, v1 bool) (any, *answer.Problem) {
	p, at, _, refused := place(c, v1)
	if refused != nil {
		return nil, refused
	}
	v := resolve.View{ID: c.ID, Project: p}
	if !v.Somewhere(at) {
		return nil, denied(at.Env, at.Path)
	}
	if v.Folder(at) == nil {
		return nil, answer.Fail(http.StatusNotFound, "NotFound", "Folder with path '"+at.Path+"' in environment with slug '"+at.Env+"' not found")
	}
	return answer.Imports(v, at), nil
}
