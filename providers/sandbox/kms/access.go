package kms

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// hasAny tells whether the identity may read anything anywhere.
func hasAny(id *world.Identity) bool { return id.Access == nil || len(id.Access) > 0 }

// mayRead tells whether the identity may read the value of that secret.
func mayRead(id *world.Identity, at location, name string) bool {
	return id.Access == nil || slices.ContainsFunc(id.Access, func(a world.Access) bool {
		if !covers(a, at) {
			return false
		}
		return len(a.Names) == 0 || slices.ContainsFunc(a.Names, func(glob string) bool { return matches(glob, name) })
	})
}

func covers(a world.Access, at location) bool {
	if a.Environment != "" && !matches(a.Environment, at.env) {
		return false
	}
	if parent, deep := strings.CutSuffix(a.Path, "/**"); deep {
		return at.path == parent || world.Below(at.path, parent) || parent == ""
	}
	return a.Path == "" || matches(a.Path, at.path)
}

func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

// member refuses an identity that does not belong to the project.
func member(id *world.Identity, p *world.Project) *problem {
	if id.Projects == nil || slices.Contains(id.Projects, p.Slug) {
		return nil
	}
	return fail(http.StatusForbidden, "ProjectMembershipNotFound", "You are not a member of this project")
}
