package world

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// DerivedUUID returns the UUID (version 4 by its form) that belongs to parts:
// the same parts always give the same one. It serves things that have no
// identifier in the file, such as folders.
func DerivedUUID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Fill gives everything that a person left out its identifier, slug, name and
// version; newUUID makes UUIDs without braces. It reports whether anything
// was missing.
func (w *World) Fill(newUUID func() string) bool {
	f := filler{newUUID: newUUID}
	f.lists(w)
	for i := range w.KMS.Identities {
		if o := w.KMS.Identities[i].OIDC; o != nil {
			f.text(&o.ID, newUUID)
		}
	}
	for i := range w.KMS.Projects {
		f.project(&w.KMS.Projects[i])
	}
	for i := range w.Bitbucket.Workspaces {
		f.workspace(&w.Bitbucket.Workspaces[i])
	}
	return f.changed
}

type filler struct {
	newUUID func() string
	changed bool
}

func (f *filler) text(field *string, value func() string) {
	if *field == "" {
		*field, f.changed = value(), true
	}
}

func (f *filler) name(field *string, from string) {
	f.text(field, func() string { return from })
}

// braced gives a Bitbucket UUID its braces, which people tend to leave out.
func (f *filler) braced(field *string) {
	f.text(field, f.newUUID)
	if !strings.HasPrefix(*field, "{") {
		*field, f.changed = "{"+*field+"}", true
	}
}

func (f *filler) project(p *Project) {
	list(&p.Environments)
	f.text(&p.ID, f.newUUID)
	f.name(&p.Slug, slugOf(p.Name))
	f.name(&p.Name, p.Slug)
	for i := range p.Environments {
		e := &p.Environments[i]
		list(&e.Folders)
		f.name(&e.Slug, slugOf(e.Name))
		f.name(&e.Name, e.Slug)
		for j := range e.Folders {
			f.secrets(&e.Folders[j])
		}
	}
}

func (f *filler) secrets(folder *Folder) {
	list(&folder.Secrets)
	for i := range folder.Secrets {
		s := &folder.Secrets[i]
		f.text(&s.ID, f.newUUID)
		if s.Version < 1 {
			s.Version, f.changed = 1, true
		}
	}
}

func (f *filler) workspace(w *Workspace) {
	list(&w.Repositories)
	f.braced(&w.UUID)
	f.variables(&w.Variables)
	for i := range w.Repositories {
		r := &w.Repositories[i]
		list(&r.Environments)
		f.braced(&r.UUID)
		f.variables(&r.Variables)
		for j := range r.Environments {
			e := &r.Environments[j]
			f.braced(&e.UUID)
			f.name(&e.Slug, slugOf(e.Name))
			f.name(&e.Type, typeOf(e.Name))
			f.variables(&e.Variables)
		}
	}
}

func (f *filler) variables(vars *[]Variable) {
	list(vars)
	for i := range *vars {
		f.braced(&(*vars)[i].UUID)
	}
}

func (f *filler) lists(w *World) {
	list(&w.KMS.Identities)
	list(&w.KMS.Projects)
	list(&w.Bitbucket.Tokens)
	list(&w.Bitbucket.Workspaces)
	list(&w.Faults)
}

// list makes a missing list an empty one, which reads "[]" in the file.
func list[T any](l *[]T) {
	if *l == nil {
		*l = []T{}
	}
}

// slugOf turns a display name into a slug: lower case, other characters than
// letters and digits become single hyphens.
func slugOf(name string) string {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(fields, "-")
}

// typeOf guesses the kind of a deployment environment from its name; what is
// not plainly Staging or Production is a Test environment.
func typeOf(name string) string {
	for _, kind := range environmentTypes()[1:] {
		if strings.EqualFold(kind, name) {
			return kind
		}
	}
	return environmentTypes()[0]
}
