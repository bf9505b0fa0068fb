package kms

import (
	"net/http"
	"strconv"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// view is what one identity sees of one project.
type view struct {
	id      *world.Identity
	project *world.Project
	params  params
}

func newView(w *world.World, id *world.Identity, r *http.Request) (view, *problem) {
	p, refused := readParams(r.URL.Query())
	if refused != nil {
		return view{}, refused
	}
	project, refused := findProject(w, id, p.projectID)
	return view{id: id, project: project, params: p}, refused
}

func (v view) folder(at location) *world.Folder {
	env := v.project.Environment(at.env)
	if env == nil {
		return nil
	}
	return env.Folder(at.path)
}

type listBody struct {
	Secrets []ownItem     `json:"secrets"`
	Imports []importBlock `json:"imports"`
}

// list is GET /api/v4/secrets. An identity without a right on the folder gets
// an empty list with status 200 as long as it has some right somewhere.
func list(w *world.World, id *world.Identity, r *http.Request) (any, *problem) {
	v, refused := newView(w, id, r)
	if refused != nil {
		return nil, refused
	}
	if !hasAny(id) {
		return nil, denied(v.params.at.env, v.params.at.path)
	}
	if v.folder(v.params.at) == nil {
		return nil, fail(http.StatusNotFound, "SecretPathNotFound", "Folder with path '"+v.params.at.path+"' in environment with slug '"+v.params.at.env+"' not found")
	}
	body := listBody{Secrets: []ownItem{}, Imports: []importBlock{}}
	for _, at := range v.folders() {
		items, refused := v.own(at)
		if refused != nil {
			return nil, refused
		}
		body.Secrets = append(body.Secrets, items...)
		if v.params.imports {
			body.Imports = append(body.Imports, v.blocks(at)...)
		}
	}
	return body, nil
}

// folders are the one asked for, and those below it in a recursive list.
func (v view) folders() []location {
	at := v.params.at
	out := []location{at}
	if !v.params.recursive {
		return out
	}
	for _, f := range v.project.Environment(at.env).Folders {
		if world.Below(f.Path, at.path) {
			out = append(out, location{at.env, f.Path})
		}
	}
	return out
}

// own renders the secrets of one folder, in the order of the file: the
// service promises none. What may not be read is left out without a word.
func (v view) own(at location) ([]ownItem, *problem) {
	folder := v.folder(at)
	if folder == nil {
		return nil, nil
	}
	var out []ownItem
	for i := range folder.Secrets {
		s := &folder.Secrets[i]
		personal := s.Type == world.TypePersonal
		if personal && !v.params.personal || !mayRead(v.id, at, s.Key) {
			continue
		}
		item, refused := v.ownItem(s, at)
		if refused != nil {
			return nil, refused
		}
		out = append(out, item)
	}
	return out, nil
}

func (v view) ownItem(s *world.Secret, at location) (ownItem, *problem) {
	value := s.Value
	if v.params.expand && !s.Hidden {
		x := expander{view: v, at: at, dead: blank, imports: true}
		expanded, unreadable := x.expand(s, at)
		if unreadable != "" {
			return ownItem{}, denied(at.env, at.path)
		}
		value = expanded
	}
	return v.render(s, value, at), nil
}

// single is GET /api/v4/secrets/{secretName}. Its three refusals tell apart
// what the list does not: 404 GetSecretByName (no such folder), 403 (no right
// on that name), 404 NotFound (readable, and not there).
func single(w *world.World, id *world.Identity, name string, r *http.Request) (any, *problem) {
	v, refused := newView(w, id, r)
	if refused != nil {
		return nil, refused
	}
	at := v.params.at
	folder := v.folder(at)
	if folder == nil {
		return nil, fail(http.StatusNotFound, "GetSecretByName", "Folder with path '"+at.path+"' in environment with slug '"+at.env+"' not found")
	}
	if !mayRead(id, at, name) {
		return nil, denied(at.env, at.path)
	}
	s := folder.Secret(name)
	if s != nil && v.params.version != "" && v.params.version != strconv.Itoa(s.Version) {
		s = nil // an imported namesake may answer instead, as seen
	}
	if s != nil && v.params.kind != world.TypePersonal {
		item, refused := v.ownItem(s, at)
		if refused != nil {
			return nil, refused
		}
		return map[string]ownItem{"secret": item}, nil
	}
	if found := v.imported(at, name); v.params.imports && found != nil {
		value := expander{view: v, at: found.at, dead: literal}.soft(found.secret, found.at)
		return map[string]ownItem{"secret": v.render(found.secret, value, found.at)}, nil
	}
	return nil, fail(http.StatusNotFound, "NotFound", "Secret with name '"+name+"' not found")
}
