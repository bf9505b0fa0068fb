// Package current reads secrets, folders, imports and projects as a server of
// July 2026 was seen to (kms-observed-2026.md): lists cut by rights without a
// word, values of imports expanded although the caller asked for none, dead
// references that become nothing.
package current

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// view is what one identity sees of one project of a server of 2026.
type view struct {
	resolve.Current
	params params
}

func newView(c answer.Call, v3 bool) (view, *answer.Problem) {
	p, refused := readParams(c.Request.URL.Query(), v3)
	if refused != nil {
		return view{}, refused
	}
	found, refused := project(c, p.project)
	if p.project == "" {
		found, refused = bySlug(c, p.slug)
	}
	if refused != nil {
		return view{}, refused
	}
	least := resolve.Read
	if !p.view {
		least = resolve.Describe
	}
	return view{resolve.Current{View: resolve.View{ID: c.ID, Project: found}, V3: v3, Least: least}, p}, nil
}

type listBody struct {
	Secrets []ownItem     `json:"secrets"`
	Imports []importBlock `json:"imports"`
}

// importBlock is what one import of a folder brings. A block whose folder is
// missing has no id and no secrets.
type importBlock struct {
	SecretPath  string `json:"secretPath"`
	Environment string `json:"environment"`
	FolderID    string `json:"folderId,omitempty"`
	Secrets     []item `json:"secrets"`
}

// List is GET /api/v4/secrets. An identity without a right on the folder gets an
// empty list with status 200 as long as it has some right somewhere.
func List(c answer.Call) (any, *answer.Problem) { return list(c, false) }

// ListV3 is GET /api/v3/secrets/raw, which is older and still served.
func ListV3(c answer.Call) (any, *answer.Problem) { return list(c, true) }

func list(c answer.Call, v3 bool) (any, *answer.Problem) {
	v, refused := newView(c, v3)
	if refused != nil {
		return nil, refused
	}
	at := v.params.at
	if !v.Any() || v.params.view && v.DescribesOnly(at) {
		return nil, denied(at.Env, at.Path)
	}
	if v.Folder(at) == nil {
		return nil, answer.Fail(http.StatusNotFound, "SecretPathNotFound", "Folder with path '"+at.Path+"' in environment with slug '"+at.Env+"' not found")
	}
	folders := []resolve.Location{at}
	if v.params.recursive {
		folders = v.Tree(at)
	}
	body := listBody{Secrets: []ownItem{}, Imports: []importBlock{}}
	for _, from := range folders {
		items, refused := v.own(from)
		if refused != nil {
			return nil, refused
		}
		body.Secrets = append(body.Secrets, items...)
		if v.params.imports {
			body.Imports = append(body.Imports, v.blocks(from)...)
		}
	}
	return body, nil
}

// blocks renders the imports of a folder. Nested secrets carry the environment
// of the direct import.
func (v view) blocks(at resolve.Location) []importBlock {
	var out []importBlock
	for _, b := range v.Blocks(at) {
		block := importBlock{SecretPath: b.Source.Path, Environment: b.Source.Env, Secrets: []item{}}
		if b.Alive {
			block.FolderID = resolve.ID(v.Project, b.Source)
		}
		for _, found := range b.Secrets {
			value := v.InBlock(found.Secret, b.Source, at)
			block.Secrets = append(block.Secrets, v.item(found.Secret, value, "", b.Source.Env, found.Right))
		}
		out = append(out, block)
	}
	return out
}

// own renders the secrets of one folder, in the order of the file: the
// service promises none. What may not be seen is left out without a word; what
// may be described and not read is refused in the very folder that was asked
// for, and left out of those below.
func (v view) own(at resolve.Location) ([]ownItem, *answer.Problem) {
	folder := v.Folder(at)
	var out []ownItem
	for i := range folder.Secrets {
		s := &folder.Secrets[i]
		right := v.Right(at, s.Key, s.Tags)
		if s.Type == world.TypePersonal && !v.params.personal || right == resolve.None || !v.tagged(s) {
			continue
		}
		if right < v.Least && at == v.params.at {
			return nil, denied(at.Env, at.Path)
		}
		if right < v.Least {
			continue
		}
		item, refused := v.ownItem(s, at, right)
		if refused != nil {
			return nil, refused
		}
		out = append(out, item)
	}
	return out, nil
}

func (v view) tagged(s *world.Secret) bool {
	return v.params.tags == nil || slices.ContainsFunc(s.Tags, func(tag string) bool { return slices.Contains(v.params.tags, tag) })
}

func (v view) ownItem(s *world.Secret, at resolve.Location, right resolve.Right) (ownItem, *answer.Problem) {
	value := s.Value
	if v.params.expand && !s.Hidden && right == resolve.Read {
		expanded, unreadable := v.Own(s, at)
		if unreadable != "" {
			return ownItem{}, denied(at.Env, at.Path)
		}
		value = expanded
	}
	return v.render(s, value, at, right), nil
}

// Single is GET /api/v4/secrets/{secretName}. Its three
// refusals tell apart what the list does not: 404 GetSecretByName (no such
// folder), 403 (no right on that name), 404 NotFound (readable, and not there).
func Single(c answer.Call) (any, *answer.Problem) { return single(c, false) }

// SingleV3 is GET /api/v3/secrets/raw/{secretName}.
func SingleV3(c answer.Call) (any, *answer.Problem) { return single(c, true) }

func single(c answer.Call, v3 bool) (any, *answer.Problem) {
	v, refused := newView(c, v3)
	if refused != nil {
		return nil, refused
	}
	at, name := v.params.at, c.Args[0]
	folder := v.Folder(at)
	if folder == nil {
		return nil, answer.Fail(http.StatusNotFound, "GetSecretByName", "Folder with path '"+at.Path+"' in environment with slug '"+at.Env+"' not found")
	}
	s := folder.Secret(name)
	var tags []string
	if s != nil {
		tags = s.Tags
	}
	right := v.Right(at, name, tags)
	if right < v.Least {
		return nil, denied(at.Env, at.Path)
	}
	if s != nil && v.params.version != "" && v.params.version != strconv.Itoa(s.Version) {
		s = nil // an imported namesake may answer instead, as seen
	}
	if s != nil && v.params.kind != world.TypePersonal {
		item, refused := v.ownItem(s, at, right)
		if refused != nil {
			return nil, refused
		}
		return map[string]ownItem{"secret": item}, nil
	}
	if found := v.Imported(at, name); v.params.imports && found != nil {
		return map[string]ownItem{"secret": v.render(found.Secret, v.Alone(*found), found.At, found.Right)}, nil
	}
	return nil, answer.Fail(http.StatusNotFound, "NotFound", "Secret with name '"+name+"' not found")
}
