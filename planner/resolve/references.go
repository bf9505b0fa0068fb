package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// maxDepth is how deep references are followed, as servers do.
const maxDepth = 10

// maxReferences bounds the references of one value, and so the folders that it makes
// a run read.
const maxReferences = 100

// maxSize bounds a value in bytes: references that double at each step would
// otherwise fill the memory. No variable holds as much.
const maxSize = 1 << 20

// place is a secret by its folder and name.
type place struct {
	folder providers.Folder
	name   string
}

func (p place) String() string { return p.name + " of " + p.folder.String() }

// value is what a secret comes to, once that is known. Lines are not quoted yet: servers
// do that with the secret that is delivered, and not with one that it refers to.
type value struct {
	text    secret.Value
	problem *Problem
	uses    []Use
	unknown bool // a list is missing
}

// step is a secret that is reached by so many references.
type step struct {
	place
	depth int
}

// value returns what a secret comes to with its references resolved in the folder
// that it lives in. above are the secrets that led to it. What lies deeper than servers
// follow is not looked at, so that the work is bounded whatever the secrets say.
func (r *Resolver) value(at place, s providers.Secret, above []place) *value {
	here := step{at, len(above)}
	switch {
	case slices.Contains(above, at):
		return &value{problem: refused("the references of %s lead in a circle", at)}
	case len(above) > maxDepth:
		return &value{problem: refused("references lead on and on, deeper than %d", maxDepth)}
	case r.values[here] != nil:
		return r.values[here]
	}
	v := &value{text: s.Value}
	r.fill(v, at, s, append(slices.Clip(above), at))
	r.values[here] = v
	return v
}

// fill works out a value.
func (r *Resolver) fill(v *value, at place, s providers.Secret, above []place) {
	if s.Hidden {
		v.problem = &Problem{Hidden: true}
		return
	}
	references := s.Value.References(maxReferences)
	if len(references) > maxReferences {
		v.problem = refused("it holds more than %d references", maxReferences)
		return
	}
	parts := map[string]secret.Value{}
	for _, name := range references {
		part, problem := r.follow(v, at.folder, name, above)
		switch {
		case problem != nil:
			v.problem, v.unknown = problem, false
			return
		case part == nil:
			v.unknown = true
		default:
			parts[name] = part.text
		}
	}
	if len(references) > 0 && !v.unknown {
		v.join(s, parts)
	}
}

// join puts the parts into the value.
func (v *value) join(s providers.Secret, parts map[string]secret.Value) {
	of := func(name string) secret.Value { return parts[name] }
	if s.Value.ExpandedSize(of) > maxSize {
		v.problem = refused("with its references it is larger than any variable can be")
		return
	}
	if v.text = s.Value.Expand(of); v.text.HasReference() {
		v.problem = refused("what its references lead to makes another reference, which servers do not all follow")
	}
	slices.SortFunc(v.uses, compareUses)
	v.uses = slices.Compact(v.uses)
}

// lines does with a resolved value of several lines what the secret says that is
// delivered. One without references is not touched.
func lines(s providers.Secret, v *value) (secret.Value, *Problem) {
	switch {
	case v.problem != nil || !s.Value.HasReference() || !v.text.HasLineBreak():
		return v.text, v.problem
	case s.Lines == providers.LinesQuoted:
		return v.text.QuoteLines(), nil
	case s.Lines == providers.LinesUnknown:
		return v.text, refused("with its references it has several lines, and this server does not say whether they are to be quoted (skipMultilineEncoding)")
	}
	return v.text, nil
}

// maxShown is how much of a reference a message shows.
const maxShown = 100

func shown(reference string) string {
	if len(reference) > maxShown {
		reference = reference[:maxShown] + "…"
	}
	return "${" + reference + "}"
}

// follow returns what one reference leads to, or why it leads to nothing that can be
// used; both are nil while a list is missing.
func (r *Resolver) follow(v *value, at providers.Folder, name string, above []place) (*value, *Problem) {
	refuse := func(format string, args ...any) (*value, *Problem) {
		return nil, refused("the reference "+shown(name)+" "+format, args...)
	}
	if strings.HasPrefix(name, "@") {
		return refuse("leads to another project")
	}
	to, ok := target(at, name)
	if !ok {
		return refuse("leads nowhere: no folder has such a name")
	}
	read := r.read(to.folder)
	if read == nil {
		return nil, nil
	}
	if read.Err != nil {
		return refuse("leads to %s, %s", to.folder, unreadable(read.Err))
	}
	s, has := r.own(read, to.name)
	switch {
	case !has && len(bringing(read.Listing, to.name)) > 0:
		return refuse("leads to %s, which only an import has; servers do not agree what that means", to)
	case !has:
		return refuse("leads nowhere: %s has no such secret that this identity can see", to.folder)
	}
	part := r.value(to, s, above)
	switch {
	case part.problem != nil && part.problem.Detail == "":
		hidden := refused("the reference %s leads to %s, whose value is hidden from this identity", shown(name), to)
		hidden.Hidden = true
		return nil, hidden
	case part.problem != nil:
		return nil, &Problem{
			Hidden: part.problem.Hidden, root: part.problem.root,
			Detail: fmt.Sprintf("the reference %s leads to %s, which cannot be used: %s", shown(name), to, part.problem.root),
		}
	case part.unknown:
		return nil, nil
	case part.text.IsEmpty():
		return refuse("leads to %s, which is empty; servers do not agree what that means", to)
	}
	v.uses = append(append(v.uses, Use{to.folder, s.ID, s.Version}), part.uses...)
	return part, nil
}

// target returns where a reference leads: NAME to the same folder, ENV.NAME to the
// root of an environment, ENV.a.b.NAME to its folder /a/b. It returns false for what
// no server reads as a place.
func target(at providers.Folder, reference string) (place, bool) {
	parts := strings.Split(reference, ".")
	if len(parts) == 1 {
		return place{at, reference}, true
	}
	last := len(parts) - 1
	for i, part := range parts {
		if part == "" || (i < last && strings.Contains(part, "@")) {
			return place{}, false
		}
	}
	return place{providers.Folder{Environment: parts[0], Path: "/" + strings.Join(parts[1:last], "/")}, parts[last]}, true
}

func compareUses(a, b Use) int {
	return cmp.Or(cmp.Compare(a.Folder.Environment, b.Folder.Environment), cmp.Compare(a.Folder.Path, b.Folder.Path),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
}
