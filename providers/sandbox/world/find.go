package world

import (
	"slices"
	"strings"
)

// Project returns the project with that id or slug, or nil.
func (k *KMS) Project(idOrSlug string) *Project {
	i := slices.IndexFunc(k.Projects, func(p Project) bool { return p.ID == idOrSlug || p.Slug == idOrSlug })
	if i < 0 {
		return nil
	}
	return &k.Projects[i]
}

// Environment returns the environment with that slug, or nil.
func (p *Project) Environment(slug string) *Environment {
	i := slices.IndexFunc(p.Environments, func(e Environment) bool { return e.Slug == slug })
	if i < 0 {
		return nil
	}
	return &p.Environments[i]
}

// Folder returns the folder at that absolute path, or nil. The root, and a
// folder that exists only because one below it does, are returned as empty
// folders that are not part of the world.
func (e *Environment) Folder(path string) *Folder {
	for i := range e.Folders {
		if e.Folders[i].Path == path {
			return &e.Folders[i]
		}
	}
	if path == "/" || slices.ContainsFunc(e.Folders, func(f Folder) bool { return Below(f.Path, path) }) {
		return &Folder{Path: path}
	}
	return nil
}

// Below tells whether path lies under the folder parent, at any depth.
func Below(path, parent string) bool {
	return path != parent && (parent == "/" || strings.HasPrefix(path, parent+"/"))
}

// Secret returns the shared secret of that name, or nil.
func (f *Folder) Secret(key string) *Secret {
	for i := range f.Secrets {
		if f.Secrets[i].Key == key && f.Secrets[i].Type != TypePersonal {
			return &f.Secrets[i]
		}
	}
	return nil
}

// Workspace returns the workspace with that slug or "{uuid}", or nil.
func (b *Bitbucket) Workspace(selector string) *Workspace {
	for i := range b.Workspaces {
		if w := &b.Workspaces[i]; w.Slug == selector || w.UUID == selector {
			return w
		}
	}
	return nil
}

// Repository returns the repository with that slug or "{uuid}", or nil.
func (w *Workspace) Repository(selector string) *Repository {
	for i := range w.Repositories {
		if r := &w.Repositories[i]; r.Slug == selector || r.UUID == selector {
			return r
		}
	}
	return nil
}

// Environment returns the deployment environment with that "{uuid}" or exact
// name, or nil.
func (r *Repository) Environment(selector string) *DeploymentEnvironment {
	for i := range r.Environments {
		if e := &r.Environments[i]; e.UUID == selector || e.Name == selector {
			return e
		}
	}
	return nil
}
