package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
	"github.com/hanzoai/kmsync/providers/secret"
)

// The model of this file says what the vendor's own sync would deliver from a project,
// from what was seen of it: own secrets over imports, later imports over earlier, one
// level of imports of imports; references looked for in the folder where the value
// lives, and nothing in place of one that leads nowhere. It shares no code with kmsync
// or the sandbox.

// spot is a folder of the model.
type spot struct{ environment, path string }

func (s spot) String() string { return s.environment + ":" + s.path }

// stored is one secret of the model.
type stored struct {
	value  string
	quoted bool // skipMultilineEncoding
	hidden bool
}

// tree is a project: folders with secrets, and what they import.
type tree struct {
	folders map[spot]map[string]stored
	imports map[spot][]spot
}

// delivered is what the vendor's sync makes of one name.
type delivered struct {
	from  spot
	value string
	// clear: nothing about it is odd, so that kmsync must not refuse it.
	clear bool
}

var reference = regexp.MustCompile(`\$\{[A-Za-z0-9._@-]+\}`)

// deliver returns what a sync of one folder delivers, by name.
func (t *tree) deliver(at spot, tellsLines bool) map[string]delivered {
	out := map[string]delivered{}
	for name := range t.folders[at] {
		out[name] = t.value(at, name, tellsLines)
	}
	for _, from := range slices.Backward(t.imports[at]) {
		brought := map[string]delivered{}
		nested := map[string]int{}
		for _, far := range slices.Backward(t.imports[from]) {
			for name := range t.folders[far] {
				if far == at || far == from {
					continue
				}
				if _, known := brought[name]; !known {
					brought[name] = t.value(far, name, tellsLines)
				}
				nested[name]++
			}
		}
		for name, n := range nested { // which of two counts, servers do not agree
			if n > 1 {
				d := brought[name]
				d.clear = false
				brought[name] = d
			}
		}
		for name := range t.folders[from] {
			brought[name] = t.value(from, name, tellsLines)
		}
		for name, d := range brought {
			if _, known := out[name]; !known {
				out[name] = d
			}
		}
	}
	return out
}

func (t *tree) value(at spot, name string, tellsLines bool) delivered {
	s := t.folders[at][name]
	clear := !s.hidden
	value := t.expand(s.value, at, []string{at.String() + " " + name}, &clear)
	if refers := reference.MatchString(s.value); refers {
		clear = clear && !reference.MatchString(value)
		if strings.Contains(value, "\n") {
			clear = clear && tellsLines
			if s.quoted {
				value = `"` + strings.ReplaceAll(value, "\n", `\n`) + `"`
			}
		}
	}
	return delivered{at, value, clear}
}

// expand resolves references. What is odd about one clears clear.
func (t *tree) expand(text string, at spot, stack []string, clear *bool) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		parts := strings.Split(found[2:len(found)-1], ".")
		to, name := at, parts[len(parts)-1]
		if len(parts) > 1 {
			to = spot{parts[0], "/" + strings.Join(parts[1:len(parts)-1], "/")}
		}
		s, exists := t.folders[to][name]
		place := to.String() + " " + name
		switch {
		case strings.Contains(to.path, "//") || slices.Contains(parts, ""):
			*clear = false // kmsync does not guess what an empty name means
		}
		switch {
		case !exists || s.hidden || s.value == "":
			*clear = false
			return ""
		case slices.Contains(stack, place) || len(stack) > 10:
			*clear = false
			return s.value
		}
		return t.expand(s.value, to, append(slices.Clone(stack), place), clear)
	})
}

var (
	spots = []spot{{"dev", "/"}, {"dev", "/a"}, {"dev", "/a/b"}, {"dev", "/s"}, {"prod", "/"}, {"prod", "/a"}}
	names = []string{"K1", "K2", "K3", "K4", "K5"}
)

// grow makes a project at random. The root of an environment is always there. Servers of
// 2024 hide no values.
func grow(r *rand.Rand, generation string) *tree {
	t := &tree{folders: map[spot]map[string]stored{}, imports: map[spot][]spot{}}
	for _, at := range spots {
		if at.path != "/" && r.IntN(6) == 0 {
			continue
		}
		t.folders[at] = map[string]stored{}
		for _, name := range names {
			if r.IntN(3) > 0 {
				t.folders[at][name] = stored{value: phraseOf(r), quoted: r.IntN(2) == 0, hidden: r.IntN(25) == 0 && generation == world.Generation2026}
			}
		}
	}
	for _, at := range spots {
		if t.folders[at] == nil && slices.ContainsFunc(spots, func(s spot) bool {
			return t.folders[s] != nil && strings.HasPrefix(s.path, at.path+"/") && s.environment == at.environment
		}) {
			t.folders[at] = map[string]stored{} // what is above a folder exists by that
		}
	}
	for _, at := range spots {
		if t.folders[at] == nil {
			continue
		}
		for range r.IntN(4) {
			if from := spots[r.IntN(len(spots))]; from != at && !slices.Contains(t.imports[at], from) && !slices.Contains(t.imports[from], at) {
				t.imports[at] = append(t.imports[at], from)
			}
		}
	}
	return t
}

// phraseOf makes a value of plain texts and references, a few of which lead nowhere.
func phraseOf(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(4) {
		at := spots[r.IntN(len(spots))]
		dotted := strings.TrimSuffix(at.environment+strings.ReplaceAll(at.path, "/", "."), ".")
		switch r.IntN(12) {
		case 0, 1:
			fmt.Fprintf(&b, "${%s}", names[r.IntN(len(names))])
		case 2, 3:
			fmt.Fprintf(&b, "${%s.%s}", dotted, names[r.IntN(len(names))])
		case 4:
			b.WriteString([]string{"${NOPE}", "${dev.none.K1}", "${@shop.dev.K1}", "${a b}", "${", "$", "{K1}", "${dev..K1}"}[r.IntN(8)])
		case 5, 6:
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, "text-%d", r.IntN(1000))
		}
	}
	return b.String()
}

// world returns the project as the sandbox plays it.
func (t *tree) world(generation string, access []world.Access) *world.World {
	w := world.Default()
	w.KMS = world.KMS{Generation: generation, Identities: []world.Identity{{ClientID: "5a3d0c52-8a3e-4f0e-9b5c-0d1f6f7a1c01", ClientSecret: "made-up", Access: access}}}
	project := world.Project{ID: "b1f2aaaa-0000-4000-8000-000000000001", Slug: "demo"}
	for _, slug := range []string{"dev", "prod"} {
		e := world.Environment{Slug: slug}
		for _, at := range spots {
			secrets, exists := t.folders[at]
			if at.environment != slug || !exists {
				continue
			}
			f := world.Folder{Path: at.path}
			for _, name := range names {
				if s, has := secrets[name]; has {
					f.Secrets = append(f.Secrets, world.Secret{Key: name, Value: s.value, SkipMultilineEncoding: s.quoted, Hidden: s.hidden})
				}
			}
			for _, from := range t.imports[at] {
				f.Imports = append(f.Imports, world.Import{Environment: from.environment, Path: from.path})
			}
			e.Folders = append(e.Folders, f)
		}
		project.Environments = append(project.Environments, e)
	}
	w.KMS.Projects = []world.Project{project}
	return w
}

// read returns what kmsync makes of a folder, by name, and why it could not be read.
func read(t *testing.T, w *world.World, at spot) (map[string]observed, error) {
	t.Helper()
	server, err := sandbox.Start(t.Context(), sandbox.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	value := func(s string) func() (secret.Value, error) {
		return func() (secret.Value, error) { return secret.New(s), nil }
	}
	client, err := kms.New(kms.Options{
		Address: server.Address(), Project: "demo", Now: time.Now,
		Credentials: kms.Credentials{ClientID: value("5a3d0c52-8a3e-4f0e-9b5c-0d1f6f7a1c01"), ClientSecret: value("made-up")},
	})
	if err != nil {
		t.Fatal(err)
	}
	source := &config.Source{KMS: "k"}
	source.Environment.Value, source.SecretPath.Value = at.environment, at.path
	source.IncludeImports.Value, source.ExpandReferences.Value = true, true
	sync := &config.Sync{Address: "sync.x", Sources: []*config.Source{source}}
	sync.Enabled.Value, sync.Destination.Connection = true, "b"
	g := graph.New(&config.Config{Syncs: []*config.Sync{sync}})
	o := &observe.Observer{
		Sources: map[string]providers.Source{"k": client}, Readers: map[string]providers.Reader{"b": noReader{}},
		Limits: limits.New(4), Now: time.Now,
	}
	obs := o.Observe(t.Context(), g, &ledger.State{})
	if err := obs.SourceError(g.Nodes[0], 0); err != nil {
		return nil, err
	}
	out := map[string]observed{}
	for _, item := range obs.Yield(g.Nodes[0], 0).Items {
		got := observed{from: spot{item.From.Environment, item.From.Path}, value: item.Value.Reveal()}
		if item.Problem != nil {
			got.refused = "hidden"
			if item.Problem.Detail != "" {
				got.refused = item.Problem.Detail
			}
		}
		out[item.Name] = got
	}
	return out, nil
}

// observed is what kmsync makes of one name.
type observed struct {
	from           spot
	value, refused string
}

// noReader is a Bitbucket that cannot be read.
type noReader struct{}

func (noReader) Variables(context.Context, providers.Scope) (providers.VariableListing, error) {
	return providers.VariableListing{}, &providers.Error{Op: "list variables", Kind: providers.KindUnavailable}
}

func (noReader) Environments(context.Context, string, string) ([]providers.Environment, error) {
	return nil, &providers.Error{Op: "list environments", Kind: providers.KindUnavailable}
}

func (noReader) Repository(context.Context, string, string) (providers.Repository, error) {
	return providers.Repository{}, &providers.Error{Op: "read repository", Kind: providers.KindUnavailable}
}

func (noReader) Workspace(context.Context, string) (providers.Workspace, error) {
	return providers.Workspace{}, &providers.Error{Op: "read workspace", Kind: providers.KindUnavailable}
}

// TestValuesAreThoseOfTheVendor: over random trees of folders, imports and references,
// on both generations, each value is that of the vendor's own sync, or it is refused;
// what is not odd is not refused, and no name is missing or made up.
func TestValuesAreThoseOfTheVendor(t *testing.T) {
	t.Parallel()
	const worlds = 400
	for _, generation := range []string{world.Generation2026, world.Generation2024} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			equal, refused := 0, 0
			for seed := range uint64(worlds) {
				tree := grow(rand.New(rand.NewPCG(seed, 7)), generation)
				at := spots[seed%uint64(len(spots))]
				got, err := read(t, tree.world(generation, nil), at)
				if _, exists := tree.folders[at]; !exists || err != nil {
					if exists || providers.KindOf(err) != providers.KindNotFound {
						t.Errorf("world %d, %s: %v", seed, at, err)
					}
					continue
				}
				e, r := compare(t, fmt.Sprintf("world %d, %s", seed, at), tree, at, got, generation == world.Generation2026)
				equal, refused = equal+e, refused+r
			}
			t.Logf("%d values equal, %d refused", equal, refused)
			if equal < worlds || refused < worlds/10 {
				t.Errorf("%d values equal and %d refused: these worlds show nothing", equal, refused)
			}
		})
	}
}

// compare holds what kmsync makes of a folder against the model.
func compare(t *testing.T, where string, tree *tree, at spot, got map[string]observed, current bool) (equal, refused int) {
	t.Helper()
	// A server of 2024 mixes up blocks where an imported folder is gone, in those of imported folders too.
	gone := func(s spot) bool { return tree.folders[s] == nil }
	shifted := !current && (slices.ContainsFunc(tree.imports[at], gone) ||
		slices.ContainsFunc(tree.imports[at], func(s spot) bool { return slices.ContainsFunc(tree.imports[s], gone) }))
	want := tree.deliver(at, current)
	for name, d := range want {
		o, has := got[name]
		switch {
		case !has && shifted && d.from != at:
		case !has:
			t.Errorf("%s: %s is missing", where, name)
		case o.refused == "" && (o.value != d.value || (d.clear && o.from != d.from)):
			t.Errorf("%s: %s is %q from %s, and the vendor delivers %q from %s", where, name, o.value, o.from, d.value, d.from)
		case o.refused != "" && d.clear && !(shifted && d.from != at):
			t.Errorf("%s: %s of %s is refused: %s", where, name, d.from, o.refused)
		case o.refused != "":
			refused++
		default:
			equal++
		}
	}
	for name, o := range got {
		if _, has := want[name]; !has && o.refused == "" {
			t.Errorf("%s: %s is made up", where, name)
		}
	}
	return equal, refused
}

func upTo(n uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := uint64(0); i < n && yield(i); i++ {
		}
	}
}

// TestRightsNeverChangeAValue: an identity that may not read everything gets fewer
// values, never other ones.
func TestRightsNeverChangeAValue(t *testing.T) {
	t.Parallel()
	for _, generation := range []string{world.Generation2026, world.Generation2024} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			equal := 0
			// In the last ones a later import imports only what may not be read.
			for _, seed := range append(slices.Collect(upTo(150)), 2714, 2867) {
				r := rand.New(rand.NewPCG(seed, 11))
				tree := grow(r, generation)
				at := spots[seed%uint64(len(spots))]
				// Rights on single names hide an own secret behind an imported one: docs/kms.md.
				narrow := generation == world.Generation2026 && seed%2 == 0
				if narrow {
					tree.imports = nil
				}
				var access []world.Access
				for _, s := range spots {
					if s == at || r.IntN(3) > 0 {
						right := world.Access{Environment: s.environment, Path: s.path}
						if narrow && r.IntN(3) == 0 {
							right.Names = []string{"K1", "K2", "K3"}
						}
						access = append(access, right)
					}
				}
				got, err := read(t, tree.world(generation, access), at)
				if err != nil {
					continue // an error of the whole source: nothing is delivered
				}
				want := tree.deliver(at, generation == world.Generation2026)
				for name, o := range got {
					if o.refused != "" {
						continue
					}
					if d, has := want[name]; !has || d.value != o.value {
						t.Errorf("world %d, %s: %s is %q from %s, and the vendor delivers %q from %s", seed, at, name, o.value, o.from, d.value, d.from)
					}
					equal++
				}
			}
			if equal < 100 {
				t.Errorf("only %d values: these worlds show nothing", equal)
			}
		})
	}
}
