// Package resolve works out what an identity sees of a project: rights,
// imports, and references in values. Both generations of the KMS stand side by
// side, [Current] as seen in July 2026 and [Legacy] as seen in July 2024. It
// knows worlds, and no HTTP.
package resolve

import (
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Location is a folder of a project.
type Location struct{ Env, Path string }

// View is one project through the eyes of one identity.
type View struct {
	ID      *world.Identity
	Project *world.Project
}

// Candidate is a secret, where it lives, and what the identity may do with it.
type Candidate struct {
	Secret *world.Secret
	At     Location
	Right  Right
}

// Folder returns the folder, or nil.
func (v View) Folder(at Location) *world.Folder {
	env := v.Project.Environment(at.Env)
	if env == nil {
		return nil
	}
	return env.Folder(at.Path)
}

// Tree returns the folder and those below it that the world lists; nil where
// there is no such folder.
func (v View) Tree(at Location) []Location {
	if v.Folder(at) == nil {
		return nil
	}
	out := []Location{at}
	for _, f := range v.Project.Environment(at.Env).Folders {
		if world.Below(f.Path, at.Path) {
			out = append(out, Location{at.Env, f.Path})
		}
	}
	return out
}

// Imports returns the imports of a folder in the order of their positions.
func (v View) Imports(at Location) []world.Import {
	if folder := v.Folder(at); folder != nil {
		return folder.Imports
	}
	return nil
}

// ID returns the identifier of a folder.
func ID(p *world.Project, at Location) string { return world.DerivedUUID(p.ID, at.Env, at.Path) }

// target is a secret that a reference points to.
type target struct {
	at   Location
	name string
}

// parseReference reads what stands between the braces of "${NAME}" (the folder
// it stands in) and "${env.folder.sub.NAME}".
func parseReference(inner string, at Location) target {
	parts := strings.Split(inner, ".")
	last := len(parts) - 1
	if last == 0 {
		return target{at, parts[0]}
	}
	return target{Location{parts[0], "/" + strings.Join(parts[1:last], "/")}, parts[last]}
}

// quoteLines is what the services make of a value whose secret is marked with
// skipMultilineEncoding: quotes around it, line breaks as backslash and n.
func quoteLines(value string) string {
	if !strings.Contains(value, "\n") {
		return value
	}
	return `"` + strings.ReplaceAll(value, "\n", `\n`) + `"`
}
