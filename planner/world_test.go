package planner

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// A tiny world: one folder, one destination, one key, and what the ledger says.
// Tests enumerate it, plan it, apply the plan to it by the book, and plan again.
type world struct {
	syncs   []*config.Sync
	secrets []providers.Secret
	config  config.Config // its name, moved and removed blocks
	broken  bool          // the source cannot be read
	doubts  []providers.Doubt
	live    []providers.Variable
	entries map[string]*ledger.Entry
	allowed bool // by --max-deletes
}

const (
	repositoryUUID = "{00000000-0000-4000-8000-000000000001}"
	liveUUID       = "{00000000-0000-4000-8000-00000000000a}"
	otherUUID      = "{00000000-0000-4000-8000-00000000000b}"
	newUUID        = "{00000000-0000-4000-8000-00000000000c}"
	syncA          = "sync.a"
)

// TestMain collects garbage seldom: the worlds are many, small and soon forgotten.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	m.Run()
}

// zeros is a source of random bytes that are not random.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

var testKey, _ = secret.NewKey(zeros{})

func set[T any](v T) config.Located[T] {
	return config.Located[T]{Value: v, Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: 1}}}
}

// newSync returns a valid sync from dev:/app to acme/web.
func newSync(label string) *config.Sync {
	return &config.Sync{
		Address: "sync." + label, Enabled: set(true),
		Sources: []*config.Source{{
			KMS: "k", Environment: set("dev"), SecretPath: set("/app"), IncludeImports: set(true), ExpandReferences: set(true),
		}},
		Destination: config.Destination{Connection: "b", Workspace: set("acme"), Repository: set("web")},
	}
}

func (w *world) graph() *graph.Graph {
	cfg := w.config
	cfg.Syncs, cfg.Deletes = w.syncs, usual
	g := graph.New(&cfg).Leavings(w.state())
	if many := 100; w.allowed {
		g = g.Allow(&many)
	}
	return g
}

func (w *world) observation(g *graph.Graph) *observe.Observation {
	obs := &observe.Observation{Folders: map[graph.SourceRef]*resolve.Read{}, Destinations: map[graph.DestinationRef]*observe.DestinationRead{}}
	for _, ref := range g.Folders {
		read := &resolve.Read{Listing: providers.SourceListing{Secrets: w.secrets, Snapshot: providers.Snapshot{Doubts: w.doubts}}}
		if w.broken {
			read = &resolve.Read{Err: &providers.Error{Op: "list secrets", Kind: providers.KindForbidden}}
		}
		obs.Folders[ref] = read
	}
	for _, ref := range g.Destinations {
		obs.Destinations[ref] = &observe.DestinationRead{
			ID: repositoryUUID, RepositoryUUID: repositoryUUID, Ref: ref,
			Listing: providers.VariableListing{Variables: w.live},
		}
	}
	return obs
}

func (w *world) state() *ledger.State {
	return &ledger.State{Serial: 1, Key: testKey, Destinations: map[string]*ledger.Destination{
		repositoryUUID: {ID: repositoryUUID, RepositoryUUID: repositoryUUID, Workspace: "acme", Repository: "web", Entries: w.entries},
	}}
}

func (w *world) plan() *plan.Plan {
	g := w.graph()
	return Diff(g, w.observation(g), w.state(), sceneNow)
}

// apply carries out what the plan does not block, as the applier would.
func (w *world) apply(p *plan.Plan) {
	var diff *DestinationDiff // has the values that are written
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy != verdict.NotBlocked {
				continue
			}
			if diff == nil && (c.Action.Creates() || c.Action == verdict.Update || c.Action == verdict.Adopt) {
				g := w.graph()
				diff = DiffDestination(g, w.observation(g), w.state(), repositoryUUID, sceneNow)
			}
			switch c.Action {
			case verdict.Delete:
				w.drop(c.VariableUUID)
				delete(w.entries, c.Key)
			case verdict.Create, verdict.Rename:
				if c.RenamesInPlace() {
					w.drop(c.VariableUUID)
					delete(w.entries, c.RenamedFrom)
				}
				w.live = append(w.live, providers.Variable{UUID: newUUID + c.Key, Key: c.Key, Secured: c.Secured, Value: shown(c, diff)})
				w.record(s.Address, c, newUUID+c.Key, diff)
			case verdict.Update, verdict.Adopt:
				for i := range w.live {
					if w.live[i].UUID == c.VariableUUID {
						w.live[i].Secured = c.Secured
						w.live[i].Value = shown(c, diff)
					}
				}
				w.record(s.Address, c, c.VariableUUID, diff)
			case verdict.Forget:
				delete(w.entries, c.Key)
			case verdict.Release:
				w.entries[c.Key].Released = true
			}
		}
	}
}

// drop takes a variable away.
func (w *world) drop(uuid string) {
	w.live = slices.DeleteFunc(w.live, func(v providers.Variable) bool { return v.UUID == uuid })
}

// shown is the value that Bitbucket shows of a variable once a change is done.
func shown(c plan.Change, diff *DestinationDiff) secret.Value {
	if c.Secured {
		return secret.Value{}
	}
	return diff.Want(c.Key).Value
}

func (w *world) record(owner string, c plan.Change, uuid string, diff *DestinationDiff) {
	writes := []ledger.Write{{At: sceneNow, Action: string(c.Action), Reason: string(c.Reason)}}
	if before := w.entries[c.Key]; c.Action == verdict.Adopt {
		writes = nil
		if before != nil { // what was written stays known
			writes = before.Writes
		}
	}
	w.entries[c.Key] = &ledger.Entry{
		Key: c.Key, Owner: ledger.Owner{Config: w.config.Name.Value, Sync: owner}, UUID: uuid, Secured: c.Secured, KeyID: testKey.ID(),
		Fingerprint: testKey.Fingerprint(repositoryUUID, c.Key, diff.Want(c.Key).Value),
		Source:      ledger.Source{KMS: c.Source.KMS, Environment: c.Source.Environment, Path: c.Source.Path, Name: c.SecretKey, ID: c.SecretID},
		Writes:      writes,
	}
}

// option is one choice in the enumeration of worlds.
type option struct {
	name  string
	apply func(w *world)
}

// worlds calls yield with every combination of one option from each list.
func worlds(lists [][]option, yield func(name func() string, w *world)) {
	chosen := make([]option, len(lists))
	name := func() string {
		var text strings.Builder
		for _, o := range chosen {
			text.WriteString(" / " + o.name)
		}
		return text.String()
	}
	var walk func(i int)
	walk = func(i int) {
		if i < len(lists) {
			for _, o := range lists[i] {
				chosen[i] = o
				walk(i + 1)
			}
			return
		}
		w := &world{syncs: []*config.Sync{newSync("a")}, entries: map[string]*ledger.Entry{}}
		for _, o := range chosen {
			o.apply(w)
		}
		yield(name, w)
	}
	walk(0)
}

func sourceOptions() []option {
	one := func(v string) func(*world) {
		return func(w *world) {
			w.secrets = []providers.Secret{{ID: "s1", Name: "KEY", Version: 2, Value: secret.New(v)}}
		}
	}
	return []option{
		{"secret", one("value")},
		{"empty value", one("")},
		{"reference", one("a${OTHER}b")},
		{"line break", one("a\nb")},
		{"hidden", func(w *world) {
			w.secrets = []providers.Secret{{ID: "s1", Name: "KEY", Hidden: true, Value: secret.New("<hidden-by-kms>")}}
		}},
		{"nothing", func(*world) {}},
		{"another", func(w *world) {
			w.secrets = []providers.Secret{{ID: "s2", Name: "OTHER", Version: 1, Value: secret.New("other")}}
		}},
		{"same secret, other name", func(w *world) {
			w.secrets = []providers.Secret{{ID: "s1", Name: "key", Version: 3, Value: secret.New("value")}}
		}},
		{"not readable", func(w *world) { w.broken = true }},
	}
}

func liveOptions() []option {
	one := func(v providers.Variable) func(*world) {
		return func(w *world) { w.live = append(w.live, v) }
	}
	return []option{
		{"absent", func(*world) {}},
		{"secured", one(providers.Variable{UUID: liveUUID, Key: "KEY", Secured: true})},
		{"readable", one(providers.Variable{UUID: liveUUID, Key: "KEY", Value: secret.New("value")})},
		{"case twin", one(providers.Variable{UUID: otherUUID, Key: "Key", Secured: true})},
	}
}

func ledgerOptions() []option {
	options := []option{{"no record", func(*world) {}}}
	for _, owner := range []string{syncA, "sync.gone", "sync.off"} {
		for _, uuid := range []string{"", liveUUID, otherUUID} {
			for bits := range 1 << 4 {
				e := ledger.Entry{
					Key: "KEY", Owner: ledger.Owner{Sync: owner}, UUID: uuid, Secured: true, KeyID: testKey.ID(),
					Fingerprint: testKey.Fingerprint(repositoryUUID, "KEY", secret.New("value")),
					Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "KEY", ID: "s1", Version: 1},
					InDoubt:     bits&1 != 0, Released: bits&2 != 0,
				}
				if uuid == "" && !e.InDoubt {
					continue
				}
				if bits&4 != 0 {
					e.Fingerprint = testKey.Fingerprint(repositoryUUID, "KEY", secret.New("old value"))
				}
				if bits&8 != 0 {
					e.Owner.Config = "another"
				}
				options = append(options, option{
					fmt.Sprintf("record of %s %q %04b", owner, uuid, bits),
					func(w *world) { copied := e; w.entries["KEY"] = &copied },
				})
			}
		}
	}
	// The newest write was to make the variable readable, and Bitbucket kept it secured.
	for _, owner := range []string{syncA, "sync.gone"} {
		for _, value := range []string{"value", "old value"} {
			options = append(options, option{fmt.Sprintf("stays secured, of %s, %s", owner, value), func(w *world) {
				w.entries["KEY"] = &ledger.Entry{
					Key: "KEY", Owner: ledger.Owner{Sync: owner}, UUID: liveUUID, Secured: true, KeyID: testKey.ID(),
					Fingerprint: testKey.Fingerprint(repositoryUUID, "KEY", secret.New(value)),
					Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "KEY", ID: "s1", Version: 1},
					Writes:      []ledger.Write{{At: sceneNow.Add(-time.Hour), Action: "update", Reason: "not_readable"}},
				}
			}})
		}
	}
	return options
}

// writtenOptions say how keys are written, alone and together with protect.
func writtenOptions() []option {
	glob := []config.Located[string]{set("K*")}
	var options []option
	for bits := 1; bits < 1<<4; bits++ {
		options = append(options, option{fmt.Sprintf("written %04b", bits), func(w *world) {
			o := &w.syncs[0].Options
			if bits&1 != 0 {
				o.Unsecured = glob
			}
			if bits&2 != 0 {
				o.MaxAge = set(30 * time.Minute)
			}
			if bits&4 != 0 {
				o.Encoding = []config.Encoding{{Glob: "K*", As: set("base64")}}
			}
			if bits&8 != 0 {
				o.Protect = glob
			}
		}})
	}
	return options
}

func optionOptions() []option {
	options := writtenOptions()
	for bits := range 1 << 5 {
		options = append(options, option{fmt.Sprintf("options %05b", bits), func(w *world) {
			o := &w.syncs[0].Options
			if bits&1 != 0 {
				o.OverwriteDestination = set(true)
			}
			if bits&2 != 0 {
				o.DisableSecretDeletion = set(true)
			}
			if bits&4 != 0 {
				o.Protect = []config.Located[string]{set("K*")}
			}
			if bits&8 != 0 {
				w.syncs[0].Enabled = set(false)
			}
			if bits&16 != 0 {
				off := newSync("off")
				off.Enabled = set(false)
				w.syncs = append(w.syncs, off)
			}
		}})
	}
	return options
}

func doubtOptions() []option {
	return []option{
		{"no doubt", func(*world) {}},
		{"deletes allowed", func(w *world) { w.allowed = true }}, // counts where something may be overwritten
		{"doubt", func(w *world) {
			w.doubts = []providers.Doubt{{Kind: providers.DoubtIncomplete, Detail: "Not everything was seen."}}
		}},
	}
}

// TestEveryWorldOfOneKey plans every small world, and holds each plan against
// the promises: nothing is deleted in doubt or without right, every key has one verdict,
// nothing is written that is not wanted, and the plan of the applied world is
// empty.
func TestEveryWorldOfOneKey(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	t.Run("sources", func(t *testing.T) {
		for _, source := range sourceOptions() {
			t.Run(source.name, func(t *testing.T) {
				t.Parallel()
				worlds([][]option{{source}, liveOptions(), ledgerOptions(), optionOptions(), doubtOptions()}, func(name func() string, w *world) {
					if w.allowed && !w.syncs[0].Options.OverwriteDestination.Value {
						return // a consent to nothing
					}
					if i := n.Add(1); !testing.Short() || i%17 == 0 {
						w.check(t, name)
					}
				})
			})
		}
	})
	if n.Load() < 100_000 {
		t.Fatalf("only %d worlds", n.Load())
	}
}

// check plans the world, applies the plan and plans again. It returns the first plan.
func (w *world) check(t *testing.T, name func() string) *plan.Plan {
	t.Helper()
	p := w.plan()
	if broken := w.brokenPromise(p); broken != "" {
		t.Fatalf("%s\nworld%s\nplan %+v", broken, name(), p.Syncs)
	}
	if !p.CanApply() {
		return p // nothing would change
	}
	w.apply(p)
	for _, s := range w.plan().Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy == verdict.NotBlocked && c.Action != verdict.Keep {
				t.Fatalf("the plan of the applied world is not empty\nworld%s\nplan %+v\nthen %+v", name(), p.Syncs, c)
			}
		}
	}
	return p
}

// has reports whether there is a secret of that name to read.
func (w *world) has(name string) bool {
	return !w.broken && slices.ContainsFunc(w.secrets, func(s providers.Secret) bool { return s.Name == name })
}

func (w *world) brokenPromise(p *plan.Plan) string {
	verdicts := map[string]int{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			verdicts[c.Key]++
			if broken := w.brokenDelete(p, c); broken != "" {
				return broken
			}
			if c.Action.Writes() && c.Action != verdict.Delete && c.BlockedBy == verdict.NotBlocked && !w.has(c.SecretKey) {
				return "a write without a secret behind it"
			}
			if c.Action.Writes() && c.BlockedBy == verdict.NotBlocked && s.Status != plan.StatusPlanned {
				return "a write for a sync that is not planned"
			}
			_, unsecured := w.syncs[0].Options.IsUnsecured(c.Key)
			if c.Action.Writes() && c.Action != verdict.Delete && c.BlockedBy == verdict.NotBlocked && c.Secured == unsecured {
				return "a secret is written readable, or the other way round"
			}
			if (c.Action == verdict.Rename) != (c.RenamedFrom != "") {
				return "a rename without an old name, or an old name without a rename"
			}
		}
	}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if c.RenamedFrom != "" && !c.RenamesInPlace() && verdicts[c.RenamedFrom] != 1 {
				return "nothing is said of the old name " + c.RenamedFrom
			}
		}
	}
	for key, times := range verdicts {
		if times > 1 {
			return "more than one verdict on " + key
		}
	}
	if p.Complete && (w.broken || len(w.doubts) > 0) && w.syncs[0].Enabled.Value {
		return "a plan with a doubt is called complete"
	}
	return ""
}

// brokenDelete says what is wrong with a change that would take a variable away. It
// knows the world, and nothing of how the plan was made.
func (w *world) brokenDelete(p *plan.Plan, c plan.Change) string {
	if !c.Deletes() || c.BlockedBy != verdict.NotBlocked {
		return ""
	}
	key, options := c.Key, w.syncs[0].Options
	if c.RenamesInPlace() {
		key = c.RenamedFrom
	}
	e := w.entries[key]
	i := slices.IndexFunc(w.live, func(v providers.Variable) bool { return v.UUID == c.VariableUUID })
	owned := e != nil && i >= 0 && e.UUID == w.live[i].UUID && !e.Released && e.Owner == ledger.Owner{Sync: syncA}
	switch {
	case w.broken || len(w.doubts) > 0 || !p.Complete:
		return "a delete in spite of a doubt"
	case i < 0 || w.live[i].Key != key:
		return "a delete of a variable that is not there"
	case !w.syncs[0].Enabled.Value:
		return "a delete for a sync that is off"
	case options.DisableSecretDeletion.Value:
		return "a delete although deletion is disabled"
	case len(options.Protect) > 0 && strings.HasPrefix(key, strings.TrimSuffix(options.Protect[0].Value, "*")):
		return "a delete of a protected variable"
	case !owned && !options.OverwriteDestination.Value:
		return "a delete of a variable that is not ours"
	case !owned && !w.allowed:
		return "an overwriting delete without a consent"
	case e != nil && (e.Owner.Config != "" || (e.Owner.Sync == "sync.off" && len(w.syncs) > 1) || (e.UUID == c.VariableUUID && e.Owner.Sync != syncA)):
		return "a delete of a variable that another owns"
	}
	for _, s := range w.secrets {
		if s.Name == key && (c.Reason == verdict.GoneFromSource || c.Reason == verdict.OverwriteDestination) {
			return "a delete of a key that is wanted"
		}
	}
	for _, s := range p.Syncs {
		if slices.ContainsFunc(s.Changes, func(c plan.Change) bool { return c.Reason == verdict.Refused }) {
			return "a delete beside a refused key"
		}
	}
	return ""
}
