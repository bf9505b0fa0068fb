package planner

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Want is one destination key that a sync asks for, with the value to write. A
// key stopped by a rule about itself carries the rule in Block.
type Want struct {
	Node      *observe.Node
	Key       string
	SecretKey string
	Source    SourceRef
	SecretID  string
	Version   int
	Value     secret.Value
	Secured   bool
	Block     Block
	Detail    string
}

// refuse stops the want, unless something stopped it before.
func (w *Want) refuse(by Block, format string, args ...any) {
	if w.Block == NotBlocked {
		w.Block, w.Detail = by, fmt.Sprintf(format, args...)
	}
}

// legalName is what Bitbucket Pipelines surely takes as a variable's name.
var legalName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// wantsOf returns what one active sync asks for, from its source as it was read.
func wantsOf(n *observe.Node, obs *observe.Observation) []*Want {
	var wants []*Want
	for i, source := range n.Sync.Sources {
		ref := n.Folders[i]
		listing := obs.Folders[ref].Listing
		schema := n.Sync.Options.KeySchema.Value
		own := map[string]bool{}
		for _, s := range listing.Secrets {
			own[s.Name] = true
			w := &Want{
				Node: n, Key: schema.Render(ref.Environment, s.Name), SecretKey: s.Name, Source: ref,
				SecretID: s.ID, Version: s.Version, Value: s.Value, Secured: true,
			}
			w.checkValue(s, source.ExpandReferences.Value)
			w.checkName()
			wants = append(wants, w)
		}
		if !source.IncludeImports.Value {
			continue
		}
		for name, from := range imported(listing.Imports, own) {
			w := &Want{Node: n, Key: schema.Render(ref.Environment, name), SecretKey: name, Source: ref, Secured: true}
			w.refuse(NotSupportedYet, "it comes through the import of %s; set include_imports = false to leave imported keys out", from)
			wants = append(wants, w)
		}
	}
	slices.SortFunc(wants, func(a, b *Want) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.SecretKey, b.SecretKey))
	})
	return wants
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
		w.refuse(HiddenValue, "")
	case s.Value.IsEmpty():
		w.refuse(EmptyValue, "")
	case expand && s.Value.HasReference():
		w.refuse(NotSupportedYet, "the value of %s in %s holds a reference; set expand_references = false to write it as it stands", s.Name, w.Source)
	case s.Value.HasLineBreak():
		w.refuse(LineBreak, "")
	case s.Value.HasNUL():
		w.refuse(NotSupportedYet, "the value of %s in %s holds a NUL byte, which no variable can carry; store it there in base64", s.Name, w.Source)
	case !s.Value.IsUTF8():
		w.refuse(NotSupportedYet, "the value of %s in %s is not UTF-8 text", s.Name, w.Source)
	}
}

func (w *Want) checkName() {
	switch {
	case !legalName.MatchString(w.Key):
		w.refuse(IllegalName, "a variable's name is made of letters, digits and _ and does not start with a digit")
	case w.Key == "CI" || strings.HasPrefix(strings.ToUpper(w.Key), "BITBUCKET_"):
		w.refuse(IllegalName, "Pipelines sets this name itself")
	}
}

// mergeWants joins what the active syncs of one destination ask for into one
// want per key, and refuses what clashes: one key from two secrets, keys that
// differ by case only, and a key that differs by case only from a live variable.
func mergeWants(wants []*Want, live []providers.Variable, owns func(providers.Variable) bool) map[string][]*Want {
	byKey, byFold := map[string][]*Want{}, map[string][]string{}
	for _, w := range wants {
		if len(byKey[w.Key]) == 0 {
			fold := strings.ToLower(w.Key)
			byFold[fold] = append(byFold[fold], w.Key)
		}
		byKey[w.Key] = append(byKey[w.Key], w)
	}
	for _, same := range byKey {
		for i, w := range same {
			if len(same) > 1 {
				other := same[(i+1)%len(same)]
				w.refuse(DuplicateKey, "%s of %s and %s of %s (%s) both give it", w.SecretKey, w.Source, other.SecretKey, other.Source, other.Node.Sync.Address)
			}
		}
	}
	for _, keys := range byFold {
		for i, key := range keys {
			if len(keys) > 1 {
				refuseAll(byKey[key], CaseClash, "it differs from %s by case only", keys[(i+1)%len(keys)])
			}
		}
	}
	for _, v := range live {
		for _, key := range byFold[strings.ToLower(v.Key)] {
			switch {
			case key == v.Key:
			case owns(v):
				refuseAll(byKey[key], NotSupportedYet, "it differs by case only from %s, which kmsync wrote, and would be a rename", v.Key)
			default:
				refuseAll(byKey[key], CaseClash, "it differs by case only from the variable %s, which is there already", v.Key)
			}
		}
	}
	return byKey
}

func refuseAll(wants []*Want, by Block, format string, args ...any) {
	for _, w := range wants {
		w.refuse(by, format, args...)
	}
}

// MaxBuildSize is how many characters of names and values one build may see
// , as Atlassian's documentation says.
const MaxBuildSize = 120_000

// refuseOversize refuses the creates that would pass the limit of a build, in
// the order of their keys, and reports whether the variables that are there pass
// it already. others counts what a build sees from elsewhere.
func refuseOversize(byKey map[string][]*Want, live []providers.Variable, others int) (total int, over bool) {
	total = others
	there := map[string]bool{}
	for _, v := range live {
		there[v.Key] = true
		total += len(v.Key) + v.Value.Size()
		if same := byKey[v.Key]; len(same) == 1 {
			total += same[0].Value.Size() - v.Value.Size()
		}
	}
	over = total > MaxBuildSize
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		w := byKey[key][0]
		if there[key] || w.Block != NotBlocked {
			continue
		}
		size := len(key) + w.Value.Size()
		if total+size > MaxBuildSize {
			w.refuse(TooLarge, "with it, names and values of one build would pass %d characters", MaxBuildSize)
			continue
		}
		total += size
	}
	return total, over
}
