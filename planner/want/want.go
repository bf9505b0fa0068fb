package want

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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
	"github.com/hanzoai/kmsync/planner/resolve"
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
	Value     secret.Value  // as it is sent: encoded, where encoding says so
	Uses      []resolve.Use // of what the value is made, besides the secret itself
	Secured   bool
	Block     verdict.Block
	Detail    string
	// Through is the source block that the secret comes through.
	Through *config.Source
	// Range is the entry of rename or include that names the secret; the zero Range
	// where none does.
	Range hcl.Range
}

// MadeOf returns a hash over the secrets that the value refers to, with their
// versions; "" where it refers to none.
func (w *Want) MadeOf() string {
	if len(w.Uses) == 0 {
		return ""
	}
	hash := sha256.New()
	for _, u := range w.Uses {
		fmt.Fprintf(hash, "%s\n%s\n%d\n", u.Folder, u.ID, u.Version)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
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
		s := &reading{node: n, source: source, ref: n.Folders[i], yield: obs.Yield(n, i), doubts: obs.SourceDoubts(n, i)}
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

// reading is one source of a sync, and what it yields.
type reading struct {
	node   *graph.Node
	source *config.Source
	ref    graph.SourceRef
	yield  observe.Yield
	doubts []providers.Doubt
}

// wants returns what the source yields, and what it must have and has not.
func (r *reading) wants() []*Want {
	var wants []*Want
	for _, item := range r.yield.Items {
		w := r.want(item.Name)
		w.Source = graph.SourceRef{KMS: r.ref.KMS, Environment: item.From.Environment, Path: item.From.Path}
		w.SecretID, w.Version, w.Value, w.Uses = item.Secret.ID, item.Secret.Version, item.Value, item.Uses
		if _, encoded := r.node.Sync.Options.EncodingOf(w.Key); encoded { // base64 is the only one
			w.Value = item.Value.Base64()
		}
		w.checkValue(item)
		w.checkName()
		wants = append(wants, w)
	}
	for _, required := range r.source.Required() {
		if !r.yield.Names[required.Value] {
			wants = append(wants, r.missing(required))
		}
	}
	return wants
}

func (r *reading) want(name string) *Want {
	options := r.node.Sync.Options
	key := options.KeySchema.Value.Render(r.ref.Environment, r.source.NameOf(name))
	_, unsecured := options.IsUnsecured(key)
	return &Want{
		Node: r.node, Through: r.source, Key: key, SecretKey: name, Source: r.ref, Secured: !unsecured, Range: r.entry(name),
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
func (r *reading) missing(required config.Located[string]) *Want {
	w := r.want(required.Value)
	w.Range = required.Range
	detail := "there is no " + required.Value
	if near := address.Nearest(required.Value, slices.Sorted(maps.Keys(r.yield.Names))); near != "" {
		detail += " (did you mean " + near + "?)"
	}
	if r.isDoubted() {
		detail += "; what " + r.ref.String() + " holds is not proven, so it may be there all the same"
	}
	w.refuse(verdict.RequiredMissing, "%s", detail)
	return w
}

// isDoubted reports whether the source may hold more than was read.
func (r *reading) isDoubted() bool {
	return len(r.doubts) > 0 || (len(r.yield.Names) == 0 && !r.node.Sync.Options.AllowEmpty.Value)
}

// checkValue refuses what cannot be sent. Hidden, empty and unresolved values are those
// of the KMS, whatever the encoding; what a variable can carry is asked of what is sent.
func (w *Want) checkValue(item resolve.Item) {
	switch {
	case item.Problem != nil && item.Problem.Hidden:
		w.refuse(verdict.HiddenValue, "%s", item.Problem.Detail)
	case item.Problem != nil:
		w.refuse(verdict.UnresolvedReference, "%s", item.Problem.Detail)
	case item.Value.IsMask():
		w.refuse(verdict.HiddenValue, "")
	case item.Value.IsEmpty():
		w.refuse(verdict.EmptyValue, "")
	case w.Value.HasLineBreak():
		w.refuse(verdict.LineBreak, "it has line breaks")
	case w.Value.HasNUL():
		w.refuse(verdict.LineBreak, "it holds a NUL byte")
	case !w.Value.IsUTF8():
		w.refuse(verdict.LineBreak, "it is not UTF-8 text")
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
