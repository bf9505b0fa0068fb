package resolve

import (
	"path"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Right is what an identity may do with a secret.
type Right int

// The rights, the lesser first.
const (
	// None: the secret is left out of lists without a word.
	None Right = iota
	// Describe: its name may be seen, its value may not.
	Describe
	// Read: all of it.
	Read
)

// Any tells whether the identity has some right somewhere.
func (v View) Any() bool { return v.ID.Access == nil || len(v.ID.Access) > 0 }

// Right returns what the identity may do with a secret of that name and tags, as
// the current generation judges it: row by row.
func (v View) Right(at Location, name string, tags []string) Right {
	if v.ID.Access == nil {
		return Read
	}
	best := None
	for _, a := range v.ID.Access {
		if !covers(a, at) || !some(a.Names, []string{name}) || !some(a.Tags, tags) {
			continue
		}
		if a.Describe {
			best = max(best, Describe)
		} else {
			best = Read
		}
	}
	return best
}

// FolderRight tells whether the identity may read a folder as the generation of
// 2024 judges it: by environment and path alone. It has no conditions on names
// and tags, and no right to describe without reading.
func (v View) FolderRight(at Location) bool {
	return v.ID.Access == nil || slices.ContainsFunc(v.ID.Access, func(a world.Access) bool { return !a.Describe && covers(a, at) })
}

func (v View) rightOn(s *world.Secret, at Location) Right { return v.Right(at, s.Key, s.Tags) }

// some tells whether one of the values matches one of the globs; no globs match
// everything.
func some(globs, values []string) bool {
	return len(globs) == 0 || slices.ContainsFunc(values, func(value string) bool {
		return slices.ContainsFunc(globs, func(glob string) bool { return matches(glob, value) })
	})
}

func covers(a world.Access, at Location) bool {
	if a.Environment != "" && !matches(a.Environment, at.Env) {
		return false
	}
	if parent, deep := strings.CutSuffix(a.Path, "/**"); deep {
		return at.Path == parent || world.Below(at.Path, parent) || parent == ""
	}
	return a.Path == "" || matches(a.Path, at.Path)
}

func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

// Somewhere tells whether the identity has some right in a folder, be it on few
// names only.
func (v View) Somewhere(at Location) bool {
	return v.ID.Access == nil || slices.ContainsFunc(v.ID.Access, func(a world.Access) bool { return covers(a, at) })
}

// DescribesOnly tells whether the identity may describe in a folder and read
// nothing there.
func (v View) DescribesOnly(at Location) bool { return v.Somewhere(at) && !v.FolderRight(at) }
