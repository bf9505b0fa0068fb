package kms

import (
	"slices"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// importBlock is what one import of a folder brings. A block whose folder is
// missing has no id and no secrets.
type importBlock struct {
	SecretPath  string `json:"secretPath"`
	Environment string `json:"environment"`
	FolderID    string `json:"folderId,omitempty"`
	Secrets     []item `json:"secrets"`
}

// candidate is a secret that an import brings, and where it lives.
type candidate struct {
	secret *world.Secret
	at     location
}

// blocks renders the imports of a folder. Their values are expanded whether
// or not that was asked for; local references are looked up in the importing
// folder, and what is missing stays as it stands (all of this seen on v4).
func (v view) blocks(at location) []importBlock {
	var out []importBlock
	alive := false
	for _, imp := range v.importsOf(at) {
		source := location{imp.Environment, imp.Path}
		block := importBlock{SecretPath: imp.Path, Environment: imp.Environment, Secrets: []item{}}
		if v.folder(source) != nil {
			alive = true
			block.FolderID = world.DerivedUUID(v.project.ID, source.env, source.path)
		}
		for _, c := range v.bring(source, at) {
			value := expander{view: v, at: at, dead: literal, imports: true}.soft(c.secret, at)
			// Nested secrets carry the environment of the direct import.
			block.Secrets = append(block.Secrets, v.item(c.secret, value, "", imp.Environment))
		}
		out = append(out, block)
	}
	if !alive {
		return nil
	}
	return out
}

func (v view) importsOf(at location) []world.Import {
	if folder := v.folder(at); folder != nil {
		return folder.Imports
	}
	return nil
}

// bring lists what an import of source into at delivers: the source's own
// secrets, then those of its imports, one level deep and no deeper. What may
// not be read is left out; the first of a name counts.
func (v view) bring(source, at location) []candidate {
	out := v.readable(source, nil)
	nested := slices.Clone(v.importsOf(source))
	slices.Reverse(nested) // a later import wins over an earlier one
	for _, imp := range nested {
		if from := (location{imp.Environment, imp.Path}); from != at {
			out = v.readable(from, out)
		}
	}
	return out
}

// readable adds the shared secrets of a folder that the identity may read and
// whose names are not in out yet.
func (v view) readable(at location, out []candidate) []candidate {
	folder := v.folder(at)
	if folder == nil {
		return out
	}
	for i := range folder.Secrets {
		s := &folder.Secrets[i]
		seen := slices.ContainsFunc(out, func(c candidate) bool { return c.secret.Key == s.Key })
		if s.Type != world.TypePersonal && !seen && mayRead(v.id, at, s.Key) {
			out = append(out, candidate{s, at})
		}
	}
	return out
}

// imported finds the secret that the imports of a folder bring under a name:
// the last import that has it wins.
func (v view) imported(at location, name string) *candidate {
	imports := v.importsOf(at)
	for i := len(imports) - 1; i >= 0; i-- {
		found := v.bring(location{imports[i].Environment, imports[i].Path}, at)
		if j := slices.IndexFunc(found, func(c candidate) bool { return c.secret.Key == name }); j >= 0 {
			return &found[j]
		}
	}
	return nil
}
