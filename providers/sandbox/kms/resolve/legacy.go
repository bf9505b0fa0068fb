package resolve

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Legacy resolves as a server of July 2024.
type Legacy struct{ View }

// LegacyBlock is an import block of 2024. Folder is the id that the answer
// shows, which is not that of Source when the blocks have shifted.
type LegacyBlock struct {
	Source  Location
	Folder  string
	Secrets []Candidate
}

// Blocks returns the import blocks of a folder, in order of position. Sources
// that the identity may not read are left out without a word. A source folder
// that is gone shifts the contents of the others up, and the last block is empty
// and without an id (a defect of that version, as seen).
func (l Legacy) Blocks(at Location) []LegacyBlock {
	var out []LegacyBlock
	var alive []Location
	for _, imp := range l.Imports(at) {
		source := Location{imp.Environment, imp.Path}
		if !l.FolderRight(source) {
			continue
		}
		out = append(out, LegacyBlock{Source: source})
		if l.Folder(source) != nil {
			alive = append(alive, source)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	for i, source := range alive {
		out[i].Folder, out[i].Secrets = ID(l.Project, source), l.bring(source, at)
	}
	return out
}

// bring lists the secrets of a source folder and of its imports, one level deep
// (deeper ones were seen to be lost in 2026). A name that is there already is not
// repeated.
func (l Legacy) bring(source, at Location) []Candidate {
	out := l.Shared(source)
	for _, imp := range l.Imports(source) {
		from := Location{imp.Environment, imp.Path}
		if from == at || !l.FolderRight(from) {
			continue
		}
		for _, c := range l.Shared(from) {
			if !slices.ContainsFunc(out, func(have Candidate) bool { return have.Secret.Key == c.Secret.Key }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// Shared returns the shared secrets of a folder, by id: the order of a list says
// nothing about names.
func (l Legacy) Shared(at Location) []Candidate {
	folder := l.Folder(at)
	if folder == nil {
		return nil
	}
	var out []Candidate
	for i := range folder.Secrets {
		if s := &folder.Secrets[i]; s.Type != world.TypePersonal {
			out = append(out, Candidate{s, at, Read})
		}
	}
	ByID(out)
	return out
}

// ByID sorts as lists of 2024 come.
func ByID(rows []Candidate) {
	slices.SortFunc(rows, func(a, b Candidate) int { return cmp.Compare(a.Secret.ID, b.Secret.ID) })
}

// Imported finds an imported secret by name; the later import wins.
func (l Legacy) Imported(at Location, name string) *Candidate {
	blocks := l.Blocks(at)
	for i := len(blocks) - 1; i >= 0; i-- {
		if j := slices.IndexFunc(blocks[i].Secrets, func(c Candidate) bool { return c.Secret.Key == name }); j >= 0 {
			return &blocks[i].Secrets[j]
		}
	}
	return nil
}

// legacyReference finds what that version takes for a reference.
var legacyReference = regexp.MustCompile(`\$\{([^}]+)\}`)

// Expand returns the expanded values of the secrets of one folder, in the same
// order. References lead into folders that the identity may not read, too.
func (l Legacy) Expand(rows []Candidate) []string {
	x := legacyExpander{legacy: l, stored: map[string]string{}, done: map[string]string{}}
	for _, c := range rows {
		if legacyReference.MatchString(c.Secret.Value) {
			x.stored[c.Secret.Key] = c.Secret.Value
		} else {
			x.done[c.Secret.Key] = c.Secret.Value
		}
	}
	out := make([]string, 0, len(rows))
	for _, c := range rows {
		out = append(out, encodeLines(c.Secret, x.local(c.Secret.Key, map[string]bool{})))
	}
	return out
}

// ExpandAlone is what a single read makes of a value: references to other
// folders are replaced, those to the same folder are not.
func (l Legacy) ExpandAlone(s *world.Secret) string {
	x := legacyExpander{legacy: l, stored: map[string]string{s.Key: s.Value}, done: map[string]string{}}
	return encodeLines(s, x.local(s.Key, map[string]bool{}))
}

// encodeLines quotes a marked value whether or not it held a reference.
func encodeLines(s *world.Secret, value string) string {
	if s.SkipMultilineEncoding {
		return quoteLines(value)
	}
	return value
}

// legacyExpander resolves the references of one folder. Values that were
// resolved once are used again, so that what a cycle leaves depends on the order.
type legacyExpander struct {
	legacy       Legacy
	stored, done map[string]string
}

// local returns a resolved value of the folder; the empty text stands for "not
// there", and then the reference stays as it is.
func (x legacyExpander) local(name string, chain map[string]bool) string {
	if value, ok := x.done[name]; ok {
		return value
	}
	if chain[name] {
		return ""
	}
	chain[name] = true
	value := x.stored[name]
	for _, reference := range legacyReference.FindAllStringSubmatch(value, -1) {
		inner := strings.TrimSpace(reference[1])
		replacement := ""
		if strings.Contains(inner, ".") {
			replacement = x.remote(inner)
		} else {
			replacement = x.local(inner, chain)
		}
		if replacement != "" {
			value = strings.ReplaceAll(value, reference[0], replacement)
		}
	}
	if value != "" {
		x.done[name] = value
	}
	return value
}

// remote returns the value of another folder as it is stored: its own references
// are not followed.
func (x legacyExpander) remote(inner string) string {
	t := parseReference(inner, Location{})
	if folder := x.legacy.Folder(t.at); folder != nil {
		if s := folder.Secret(t.name); s != nil {
			return s.Value
		}
	}
	return ""
}
