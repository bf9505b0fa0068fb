package resolve

import (
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// maxDepth is how deep references are followed.
const maxDepth = 10

// Current resolves as a server of July 2026. Its v3 routes differ from those of
// v4 in three points, each marked below.
type Current struct {
	View
	V3 bool
	// Least is the right that an imported secret needs in order to appear.
	Least Right
}

// Block is what one import of a folder brings. Alive is false where the source
// folder is missing.
type Block struct {
	Source  Location
	Alive   bool
	Secrets []Candidate
}

// Blocks returns the import blocks of a folder; none where every source is
// missing.
func (c Current) Blocks(at Location) []Block {
	var out []Block
	alive := false
	for _, imp := range c.Imports(at) {
		source := Location{imp.Environment, imp.Path}
		b := Block{Source: source, Alive: c.Folder(source) != nil, Secrets: c.bring(source, at)}
		alive = alive || b.Alive
		out = append(out, b)
	}
	if !alive {
		return nil
	}
	return out
}

// Imported finds the secret that the imports of a folder bring under a name:
// the last import that has it wins.
func (c Current) Imported(at Location, name string) *Candidate {
	imports := c.Imports(at)
	for i := len(imports) - 1; i >= 0; i-- {
		found := c.bring(Location{imports[i].Environment, imports[i].Path}, at)
		if j := slices.IndexFunc(found, func(s Candidate) bool { return s.Secret.Key == name }); j >= 0 {
			return &found[j]
		}
	}
	return nil
}

// bring lists what an import of source into at delivers: the source's own
// secrets, then those of its imports, one level deep and no deeper. What may
// not be seen is left out; the first of a name counts.
func (c Current) bring(source, at Location) []Candidate {
	out := c.visible(source, nil)
	nested := slices.Clone(c.Imports(source))
	slices.Reverse(nested) // a later import wins over an earlier one
	for _, imp := range nested {
		if from := (Location{imp.Environment, imp.Path}); from != at {
			out = c.visible(from, out)
		}
	}
	return out
}

// visible adds the shared secrets of a folder that the identity may see and
// whose names are not in out yet.
func (c Current) visible(at Location, out []Candidate) []Candidate {
	folder := c.Folder(at)
	if folder == nil {
		return out
	}
	for i := range folder.Secrets {
		s := &folder.Secrets[i]
		right := c.rightOn(s, at)
		seen := slices.ContainsFunc(out, func(have Candidate) bool { return have.Secret.Key == s.Key })
		if s.Type != world.TypePersonal && !seen && right >= max(c.Least, Describe) {
			out = append(out, Candidate{s, at, right})
		}
	}
	return out
}

// Own expands the value of a folder's own secret. A reference that leads nowhere
// becomes nothing, and no error. unreadable names a reference to something that
// the identity may not read.
func (c Current) Own(s *world.Secret, at Location) (value, unreadable string) {
	return expander{view: c, dead: blank, imports: !c.V3}.secret(s, at)
}

// InBlock expands the value of an imported secret for a list, whether or not that
// was asked for. v4 looks up its local references in the importing folder and
// leaves what is missing as it stands; v3 looks them up in the source folder, and
// what is missing becomes nothing.
func (c Current) InBlock(s *world.Secret, source, importing Location) string {
	if c.V3 {
		return expander{view: c, dead: blank}.soft(s, source)
	}
	return expander{view: c, dead: literal, imports: true}.soft(s, importing)
}

// Alone expands the value of an imported secret for a single read: local
// references are those of the folder it lives in.
func (c Current) Alone(found Candidate) string {
	x := expander{view: c, dead: literal}
	if c.V3 {
		x.dead = blank
	}
	return x.soft(found.Secret, found.At)
}

// expander resolves references in values.
type expander struct {
	view Current
	// dead turns a reference that leads nowhere into text.
	dead func(reference string) string
	// imports lets a local reference find what only an import has: the v4 list
	// does, the v3 list does not.
	imports bool
}

func blank(string) string { return "" }

func literal(reference string) string { return reference }

func (x expander) secret(s *world.Secret, at Location) (value, unreadable string) {
	value, unreadable = x.value(s.Value, at, []target{{at, s.Key}})
	if _, _, _, refers := nextReference(s.Value); refers && s.SkipMultilineEncoding {
		value = quoteLines(value) // a value without references is not touched
	}
	return value, unreadable
}

// soft expands and leaves the value as it stands where a reference may not be
// read.
func (x expander) soft(s *world.Secret, at Location) string {
	value, unreadable := x.secret(s, at)
	if unreadable != "" {
		return s.Value
	}
	return value
}

func (x expander) value(text string, at Location, stack []target) (value, unreadable string) {
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
func (x expander) resolve(reference string, at Location, stack []target) (value, unreadable string) {
	t := parseReference(reference[2:len(reference)-1], at)
	found := x.find(t, at)
	if found == nil {
		return x.dead(reference), ""
	}
	if found.Secret.Hidden || found.Right < Read {
		return "", reference
	}
	if slices.Contains(stack, target{found.At, t.name}) || len(stack) > maxDepth {
		return found.Secret.Value, ""
	}
	return x.value(found.Secret.Value, found.At, append(slices.Clone(stack), target{found.At, t.name}))
}

func (x expander) find(t target, at Location) *Candidate {
	if folder := x.view.Folder(t.at); folder != nil {
		if s := folder.Secret(t.name); s != nil {
			return &Candidate{s, t.at, x.view.rightOn(s, t.at)}
		}
	}
	if x.imports && t.at == at {
		return x.view.Imported(at, t.name)
	}
	return nil
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
