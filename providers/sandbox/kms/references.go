package kms

import (
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// maxDepth is how deep references are followed.
const maxDepth = 10

// expander resolves references in values.
type expander struct {
	view view
	// at is the folder in which local references of the first value are looked
	// up.
	at location
	// dead turns a reference that leads nowhere into text.
	dead func(reference string) string
	// imports lets a local reference find what only an import has.
	imports bool
}

// blank is what the v4 list makes of a dead reference in an own value: nothing
// at all, and no error.
func blank(string) string { return "" }

// literal is what it makes of one in an imported value.
func literal(reference string) string { return reference }

// expand returns the value with its references resolved. unreadable names a
// reference to something that the identity may not read.
func (x expander) expand(s *world.Secret, at location) (value, unreadable string) {
	return x.value(s.Value, at, []target{{at, s.Key}})
}

// soft expands and leaves the value as it stands where a reference may not be
// read.
func (x expander) soft(s *world.Secret, at location) string {
	value, unreadable := x.expand(s, at)
	if unreadable != "" {
		return s.Value
	}
	return value
}

// target is a secret a reference points to.
type target struct {
	at   location
	name string
}

func (x expander) value(text string, at location, stack []target) (value, unreadable string) {
	var out strings.Builder
	for {
		before, reference, rest, ok := nextReference(text)
		out.WriteString(before)
		if !ok {
			return out.String(), ""
		}
		replaced, unreadable := x.resolve(reference, at, stack)
		if unreadable != "" {
			return "", unreadable
		}
		out.WriteString(replaced)
		text = rest
	}
}

// resolve replaces one reference. A cycle is substituted once more, unexpanded.
func (x expander) resolve(reference string, at location, stack []target) (value, unreadable string) {
	t := parseReference(reference, at)
	found := x.find(t, at)
	if found == nil {
		return x.dead(reference), ""
	}
	if found.secret.Hidden || !mayRead(x.view.id, found.at, t.name) {
		return "", reference
	}
	if slices.Contains(stack, target{found.at, t.name}) || len(stack) > maxDepth {
		return found.secret.Value, ""
	}
	return x.value(found.secret.Value, found.at, append(slices.Clone(stack), target{found.at, t.name}))
}

func (x expander) find(t target, at location) *candidate {
	if folder := x.view.folder(t.at); folder != nil {
		if s := folder.Secret(t.name); s != nil {
			return &candidate{s, t.at}
		}
	}
	if x.imports && t.at == at {
		return x.view.imported(at, t.name)
	}
	return nil
}

// parseReference reads "${NAME}" (the folder it stands in) and
// "${env.folder.sub.NAME}".
func parseReference(reference string, at location) target {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(reference, "${"), "}"), ".")
	last := len(parts) - 1
	if last == 0 {
		return target{at, parts[0]}
	}
	return target{location{parts[0], "/" + strings.Join(parts[1:last], "/")}, parts[last]}
}

// nextReference cuts text around its first reference, braces included. Braces
// around other characters than letters, digits and "-_.@" are plain text.
func nextReference(text string) (before, reference, rest string, ok bool) {
	for from := 0; ; {
		i := strings.Index(text[from:], "${")
		if i < 0 {
			return text, "", "", false
		}
		start := from + i
		length := strings.IndexFunc(text[start+2:], func(r rune) bool { return !referenceRune(r) })
		if end := start + 2 + length; length > 0 && text[end] == '}' {
			return text[:start], text[start : end+1], text[end+1:], true
		}
		from = start + 2
	}
}

func referenceRune(r rune) bool {
	return strings.ContainsRune("-_.@", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
