package want

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Want is one destination key that a sync asks for, with the value to write. A
// key stopped by a rule about itself carries the rule in Block.
type Want struct {
	Node      *graph.Node
	Key       string
	SecretKey string
	Source    graph.SourceRef
	SecretID  string // "" where no row of the folder is behind it
	Version   int
	Value     secret.Value
	Secured   bool
	Block     verdict.Block
	Detail    string
	// Through is the source block that the secret comes through.
	Through *config.Source
	// Range is the entry of rename or include that names the secret; the zero Range
	// where none does.
	Range hcl.Range
}

// refuse stops the want, unless something stopped it before.
func (w *Want) refuse(by verdict.Block, format string, args ...any) {
	if w.Block == verdict.NotBlocked {
		w.Block, w.Detail = by, fmt.Sprintf(format, args...)
	}
}

// Of returns what one active sync asks for, from its sources as they were read,
// sorted by key. A key of several sources is there as often, unless a later one
// overrides.
func Of(n *graph.Node, obs *observe.Observation) []*Want {
	var wants []*Want
	for i, source := range n.Sync.Sources {
		s := &reading{node: n, source: source, ref: n.Folders[i], listing: obs.Folders[n.Folders[i]].Listing}
		later := s.wants()
		if source.Override.Value {
			wants, later = override(wants, later)
		}
		wants = append(wants, later...)
	}
	slices.SortStableFunc(wants, func(a, b *Want) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.SecretKey, b.SecretKey))
	})
	return wants
}

// override takes the keys of the later wants out of the earlier ones. A later want
// that is refused replaces all the same: another value is never taken in its stead.
// But a name that an earlier source requires and lacks stays refused, whatever a
// later one has: the file says that it must be there.
func override(earlier, later []*Want) (left, kept []*Want) {
	missing, keys := map[string]bool{}, map[string]bool{}
	for _, w := range earlier {
		missing[w.Key] = missing[w.Key] || w.Block == verdict.RequiredMissing
	}
	for _, w := range later {
		keys[w.Key] = true
	}
	left = slices.DeleteFunc(earlier, func(w *Want) bool { return keys[w.Key] && w.Block != verdict.RequiredMissing })
	kept = slices.DeleteFunc(later, func(w *Want) bool { return missing[w.Key] })
	return left, kept
}

// reading is one source of a sync, and its folder as it was read.
type reading struct {
	node    *graph.Node
	source  *config.Source
	ref     graph.SourceRef
	listing providers.SourceListing
}

// wants returns what the source yields: its own secrets, what it imports, and
// what it must have and has not.
func (r *reading) wants() []*Want {
	var wants []*Want
	names := map[string]bool{}
	for _, s := range r.listing.Secrets {
		names[s.Name] = true
		if !r.source.Wants(s.Name) {
			continue
		}
		w := r.want(s.Name)
		w.SecretID, w.Version, w.Value = s.ID, s.Version, s.Value
		w.checkValue(s, r.source.ExpandReferences.Value)
		w.checkName()
		wants = append(wants, w)
	}
	if r.source.IncludeImports.Value {
		for name, from := range imported(r.listing.Imports, names) {
			names[name] = true
			if r.source.Wants(name) {
				w := r.want(name)
				w.refuse(verdict.NotSupportedYet, "it comes through the import of %s; set include_imports = false to leave imported keys out", from)
				wants = append(wants, w)
			}
		}
	}
	for _, required := range r.source.Required() {
		if !names[required.Value] {
			wants = append(wants, r.missing(required, names))
		}
	}
	return wants
}

func (r *reading) want(name string) *Want {
	return &Want{
		Node: r.node, Through: r.source, SecretKey: name, Source: r.ref, Secured: true, Range: r.entry(name),
		Key: r.node.Sync.Options.KeySchema.Value.Render(r.ref.Environment, r.source.NameOf(name)),
	}
}

// entry is the place that names a secret: in rename, else in include.
func (r *reading) entry(name string) hcl.Range {
	if entry, renamed := r.source.Rename[name]; renamed {
		return entry.Range
	}
	for _, glob := range r.source.Include {
		if glob.Value == name {
			return glob.Range
		}
	}
	return hcl.Range{}
}

// missing is the want for a required name that the source does not have.
func (r *reading) missing(required config.Located[string], names map[string]bool) *Want {
	w := r.want(required.Value)
	w.Range = required.Range
	detail := "there is no " + required.Value
	if near := address.Nearest(required.Value, slices.Sorted(maps.Keys(names))); near != "" {
		detail += " (did you mean " + near + "?)"
	}
	if r.isDoubted() {
		detail += "; what " + r.ref.String() + " holds is not proven, so it may be there all the same"
	}
	w.refuse(verdict.RequiredMissing, "%s", detail)
	return w
}

// isDoubted reports whether the folder may hold more than was read.
func (r *reading) isDoubted() bool {
	if len(r.listing.Secrets) == 0 && !r.node.Sync.Options.AllowEmpty.Value {
		return true
	}
	return slices.ContainsFunc(r.listing.Doubts, func(d providers.Doubt) bool {
		return d.Kind != providers.DoubtImports || r.source.IncludeImports.Value
	})
}

// imported returns the names that import blocks bring and the folder itself has
// not, with the block that decides: the later one beats the earlier.
func imported(imports []providers.Import, own map[string]bool) map[string]providers.Folder {
	from := map[string]providers.Folder{}
	for _, block := range imports {
		for _, name := range block.Names {
			if !own[name] {
				from[name] = block.Folder
			}
		}
	}
	return from
}

func (w *Want) checkValue(s providers.Secret, expand bool) {
	switch {
	case s.Hidden || s.Value.IsMask():
		w.refuse(verdict.HiddenValue, "")
	case s.Value.IsEmpty():
		w.refuse(verdict.EmptyValue, "")
	case expand && s.Value.HasReference():
		w.refuse(verdict.NotSupportedYet, "the value of %s in %s holds a reference; set expand_references = false to write it as it stands", s.Name, w.Source)
	case s.Value.HasLineBreak():
		w.refuse(verdict.LineBreak, "")
	case s.Value.HasNUL():
		w.refuse(verdict.NotSupportedYet, "the value of %s in %s holds a NUL byte, which no variable can carry; store it there in base64", s.Name, w.Source)
	case !s.Value.IsUTF8():
		w.refuse(verdict.NotSupportedYet, "the value of %s in %s is not UTF-8 text", s.Name, w.Source)
	}
}

// legalName is what Bitbucket Pipelines surely takes as a variable's name.
var legalName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (w *Want) checkName() {
	switch {
	case !legalName.MatchString(w.Key):
		w.refuse(verdict.IllegalName, "a variable's name is made of letters, digits and _ and does not start with a digit")
	case w.Key == "CI" || strings.HasPrefix(strings.ToUpper(w.Key), "BITBUCKET_"):
		w.refuse(verdict.IllegalName, "Pipelines sets this name itself")
	}
}
