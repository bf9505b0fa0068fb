// Package legacy reads secrets, folders, imports and projects as a server of July
// 2024 was seen to; the sections named here are those of kms-observed.md. What is
// missing lists as empty, a missing right is 401, a defect 500.
package legacy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// invalid is a request that is not valid: 403 there (§1).
func invalid(issues ...answer.Issue) *answer.Problem {
	return answer.Invalid(http.StatusForbidden, issues...)
}

// denied is a missing right: 401 there (§1).
func denied() *answer.Problem {
	return answer.Fail(http.StatusUnauthorized, "PermissionDenied", "You are not allowed to read on secrets")
}

// somethingWrong is a defect: a 500 that names the step in "error" (§1).
func somethingWrong(step string) *answer.Problem {
	return answer.Fail(http.StatusInternalServerError, step, "Something went wrong")
}

func badRequest(message string) *answer.Problem {
	return answer.Fail(http.StatusBadRequest, "BadRequest", message)
}

func notMember() *answer.Problem {
	return answer.Fail(http.StatusForbidden, "Identity not in project", "You are not allowed to access this resource")
}

// member refuses an identity that does not belong to the project.
func member(c answer.Call, p *world.Project) *answer.Problem {
	if c.Member(p) {
		return nil
	}
	return notMember()
}

// view is what one identity sees of one project of that version.
type view struct {
	resolve.Legacy
	params params
}

// params are the query of a read, defaults applied.
type params struct {
	project, slug              string
	at                         resolve.Location
	imports, expand, recursive bool
	version, kind              string
}

// newView reads the query of the list and of the single read (§3).
// "projectId", "viewSecretValue" and "tagSlugs" are not known there: ignored.
func newView(c answer.Call) (view, *answer.Problem) {
	q := &answer.Query{Values: c.Request.URL.Query()}
	p := params{
		project: q.One("workspaceId"), slug: q.One("workspaceSlug"), at: resolve.Location{Env: q.One("environment")},
		imports: q.Flag("include_imports", false), expand: q.Flag("expandSecretReferences", false), recursive: q.Flag("recursive", false),
		version: q.One("version"), kind: q.One("type"),
	}
	p.at.Path = cleanPath(q, "secretPath")
	if q.Issues != nil {
		return view{}, invalid(q.Issues...)
	}
	if p.project == "" && p.slug == "" || p.at.Env == "" {
		return view{}, badRequest("Missing workspace id or environment")
	}
	project := c.World.KMS.Project(p.project)
	if p.project == "" { // the id wins where both are given
		if project = c.World.KMS.Project(p.slug); project == nil || project.Slug != p.slug {
			return view{}, somethingWrong("Failed to find project by slug")
		}
	} else if project == nil || project.ID != p.project {
		return view{}, badRequest("Project not found during bot lookup.")
	}
	if refused := member(c, project); refused != nil {
		return view{}, refused
	}
	return view{resolve.Legacy{View: resolve.View{ID: c.ID, Project: project}}, p}, nil
}

// cleanPath cuts outer blanks and slashes at the end, and nothing else: what is
// not spelled as the folder is finds none.
func cleanPath(q *answer.Query, name string) string {
	text := strings.TrimSpace(q.One(name))
	if _, given := q.Values[name]; !given || text == "/" {
		return "/"
	}
	return strings.TrimRight(text, "/")
}

// item is a secret there; no tags, no times.
type item struct {
	ID            string       `json:"id"`
	LegacyID      string       `json:"_id"`
	Workspace     string       `json:"workspace"`
	Environment   string       `json:"environment"`
	Version       int          `json:"version"`
	Type          string       `json:"type"`
	SecretKey     string       `json:"secretKey"`
	SecretValue   string       `json:"secretValue"`
	SecretComment string       `json:"secretComment"`
	SecretPath    string       `json:"secretPath,omitempty"`
	Tags          []answer.Tag `json:"tags,omitzero"`
}

func rowOf(s *world.Secret, value, workspace, env string) item {
	return item{
		ID: s.ID, LegacyID: s.ID, Workspace: workspace, Environment: env, Version: s.Version, Type: answer.Type(s),
		SecretKey: s.Key, SecretValue: value, SecretComment: s.Comment,
	}
}

type importBlock struct {
	SecretPath  string `json:"secretPath"`
	Environment string `json:"environment"`
	FolderID    string `json:"folderId,omitempty"`
	Secrets     []item `json:"secrets"`
}

type listBody struct {
	Secrets []item        `json:"secrets"`
	Imports []importBlock `json:"imports"`
}

// List is GET /api/v3/secrets/raw (§3). What is missing lists as empty, and
// so does, with recursive=true, what may not be read.
func List(c answer.Call) (any, *answer.Problem) {
	v, refused := newView(c)
	if refused != nil {
		return nil, refused
	}
	at := v.params.at
	if !v.params.recursive && !v.FolderRight(at) {
		return nil, denied()
	}
	if !answer.PlainPath(at.Path) {
		return nil, somethingWrong("Find by secret path")
	}
	body := listBody{Secrets: []item{}, Imports: []importBlock{}}
	for _, from := range v.folders() {
		body.Secrets = append(body.Secrets, v.own(from)...)
		if v.params.imports {
			body.Imports = append(body.Imports, v.blocks(from)...)
		}
	}
	slices.SortStableFunc(body.Secrets, func(a, b item) int { return strings.Compare(a.ID, b.ID) })
	return body, nil
}

func (v view) folders() []resolve.Location {
	at := v.params.at
	if !v.params.recursive {
		return []resolve.Location{at}
	}
	return slices.DeleteFunc(v.Tree(at), func(from resolve.Location) bool { return !v.FolderRight(from) })
}

// own renders the secrets of one folder. With recursive=true values are expanded
// only if the folder that was asked for holds a secret itself (§5).
func (v view) own(at resolve.Location) []item {
	var out []item
	rows := v.Shared(at)
	expand := v.params.expand && (at == v.params.at || v.FolderRight(v.params.at) && len(v.Shared(v.params.at)) > 0)
	var expanded []string
	if expand {
		expanded = v.Expand(rows)
	}
	for i, row := range rows {
		value := row.Secret.Value
		if expand {
			value = expanded[i]
		}
		shown := rowOf(row.Secret, value, v.Project.ID, at.Env)
		shown.SecretPath = at.Path
		out = append(out, shown)
	}
	return out
}

// blocks renders imports. Their values are never expanded, and all secrets carry
// the environment of the direct import (§6).
func (v view) blocks(at resolve.Location) []importBlock {
	var out []importBlock
	for _, b := range v.Blocks(at) {
		block := importBlock{SecretPath: b.Source.Path, Environment: b.Source.Env, FolderID: b.Folder, Secrets: []item{}}
		for _, found := range b.Secrets {
			block.Secrets = append(block.Secrets, rowOf(found.Secret, found.Secret.Value, "", b.Source.Env))
		}
		out = append(out, block)
	}
	return out
}

// Single is GET /api/v3/secrets/raw/{name} (§4, §7). A version that does not
// exist gives the present one. Personal secrets are not for identities.
func Single(c answer.Call) (any, *answer.Problem) {
	v, refused := newView(c)
	if refused != nil {
		return nil, refused
	}
	at, name := v.params.at, c.Args[0]
	if !v.FolderRight(at) {
		return nil, denied()
	}
	if !answer.PlainPath(at.Path) {
		return nil, somethingWrong("Find by secret path")
	}
	folder := v.Folder(at)
	if folder == nil {
		return nil, badRequest("Folder not found for the given environment slug & secret path")
	}
	if s := folder.Secret(name); s != nil && v.params.kind != world.TypePersonal {
		value := s.Value
		if v.params.expand {
			value = v.ExpandAlone(s)
		}
		row := rowOf(s, value, v.Project.ID, at.Env)
		if v.params.version == "" {
			row.Tags = answer.Tags(v.Project, s)
		}
		return map[string]item{"secret": row}, nil
	}
	if found := v.Imported(at, name); v.params.imports && v.params.kind != world.TypePersonal && found != nil {
		return map[string]item{"secret": rowOf(found.Secret, found.Secret.Value, "", found.At.Env)}, nil
	}
	return nil, badRequest("Secret not found")
}
