package world

import (
	"crypto/sha256"
	"strings"
)

// versions remembers what each secret held, so that a value that changed
// under the same version number gets the next one: the service never shows
// two values under one version. It lives as long as the process.
type versions map[string]servedVersion

type servedVersion struct {
	value   [sha256.Size]byte
	version int
}

// settle raises the versions in w that need it and reports whether any did.
func (v *versions) settle(w *World) bool {
	next, raised := versions{}, false
	for i := range w.KMS.Projects {
		p := &w.KMS.Projects[i]
		for j := range p.Environments {
			e := &p.Environments[j]
			for k := range e.Folders {
				prefix := strings.Join([]string{p.ID, e.Slug, e.Folders[k].Path}, "\x00")
				raised = v.folder(&e.Folders[k], prefix, next) || raised
			}
		}
	}
	*v = next
	return raised
}

func (v *versions) folder(f *Folder, prefix string, next versions) (raised bool) {
	for i := range f.Secrets {
		s := &f.Secrets[i]
		key := strings.Join([]string{prefix, s.Key, s.Type}, "\x00")
		now := servedVersion{value: sha256.Sum256([]byte(s.Value)), version: s.Version}
		if before, ok := (*v)[key]; ok && before.value != now.value && now.version <= before.version {
			now.version = before.version + 1
			s.Version, raised = now.version, true
		}
		next[key] = now
	}
	return raised
}
