package answer

import (
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Folder is a folder in a list. Servers of 2024 show no description, no
// lastSecretModified, and no relativePath.
type Folder struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Version    int     `json:"version"`
	CreatedAt  string  `json:"createdAt"`
	UpdatedAt  string  `json:"updatedAt"`
	EnvID      string  `json:"envId"`
	ParentID   *string `json:"parentId"`
	IsReserved bool    `json:"isReserved"`
}

// Paths lists the folders below a folder, sorted, those that exist only by one
// below them included; only its children unless recursive.
func Paths(env *world.Environment, parent string, recursive bool) []string {
	var out []string
	for _, f := range env.Folders {
		for path := f.Path; world.Below(path, parent); path = parentOf(path) {
			if recursive || parentOf(path) == parent {
				out = append(out, path)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

// FolderAt renders a folder.
func FolderAt(p *world.Project, env, path string) Folder {
	made, parent := Epoch().Format(Stamp), resolve.ID(p, resolve.Location{Env: env, Path: parentOf(path)})
	return Folder{
		ID: resolve.ID(p, resolve.Location{Env: env, Path: path}), Name: path[strings.LastIndexByte(path, '/')+1:], Version: 1,
		CreatedAt: made, UpdatedAt: made, EnvID: EnvironmentID(p, env), ParentID: &parent,
	}
}

// Import is an import of a folder in a list.
type Import struct {
	ID                   string      `json:"id"`
	Version              int         `json:"version"`
	ImportPath           string      `json:"importPath"`
	Position             int         `json:"position"`
	CreatedAt            string      `json:"createdAt"`
	UpdatedAt            string      `json:"updatedAt"`
	FolderID             string      `json:"folderId"`
	IsReplication        bool        `json:"isReplication"`
	IsReplicationSuccess *bool       `json:"isReplicationSuccess"`
	ReplicationStatus    *string     `json:"replicationStatus"`
	LastReplicated       *string     `json:"lastReplicated"`
	IsReserved           bool        `json:"isReserved"`
	ImportEnv            Environment `json:"importEnv"`
}

// Imports renders the imports of a folder, those that the identity may not
// read included.
func Imports(v resolve.View, at resolve.Location) any {
	made, out := Epoch().Format(Stamp), []Import{}
	for i, imp := range v.Imports(at) {
		env := Environment{ID: EnvironmentID(v.Project, imp.Environment), Name: imp.Environment, Slug: imp.Environment}
		if e := v.Project.Environment(imp.Environment); e != nil {
			env.Name = e.Name
		}
		folder := resolve.ID(v.Project, at)
		out = append(out, Import{
			ID: world.DerivedUUID(folder, "import", imp.Environment, imp.Path), Version: 1, ImportPath: imp.Path, Position: i + 1,
			CreatedAt: made, UpdatedAt: made, FolderID: folder, ImportEnv: env,
		})
	}
	return map[string]any{"message": "Successfully fetched secret imports", "secretImports": out}
}
