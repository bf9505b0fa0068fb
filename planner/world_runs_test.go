package planner

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// side is one of the two syncs of a history: sync.a from dev:/a, or sync.b from dev:/b.
// Both lead to acme/web.
type side struct {
	declared, enabled, moved             bool
	overwrites, protects, keepsVariables bool
	removed                              verdict.Removal // by a block, once it is not declared
	secrets                              []providers.Secret
	// What holds for one run only.
	excluded, unread, doubted, hides bool
}

// history is two syncs on one destination, of which one has changed between runs, and
// what the test itself remembers of what kmsync wrote.
type history struct {
	sides      [2]side
	schemas    [2]config.Located[config.KeySchema]
	ranges     bool // each sync has a range of its own
	allowEmpty bool
	live       []providers.Variable
	entries    map[string]*ledger.Entry
	consent    bool // in the ledger
	lost       bool // there is no ledger
	rolled     bool // the ledger is an old copy
	unaccepted bool // an old copy was in use, and nobody has accepted that
	made       int  // variables, by kmsync or by hand
	// What holds for one run only.
	allowed, listDoubted bool

	marks  map[string]mark // by UUID: what kmsync wrote
	agreed bool            // somebody allowed overwriting since the ledger began
	steps  []string
}

// mark is what the test remembers of a variable that kmsync wrote or took over.
type mark struct {
	by       int  // which sync wrote it last
	known    bool // the ledger that knows it is still there
	released bool
	value    string // that it holds
}

var paths = [2]string{"/a", "/b"}

// clone returns a history that goes on by itself.
func (h *history) clone() *history {
	c := *h
	c.live, c.entries, c.marks = slices.Clone(h.live), maps.Clone(h.entries), maps.Clone(h.marks)
	return &c
}

func (h *history) address(i int) string {
	switch {
	case i == 1:
		return "sync.b"
	case h.sides[0].moved:
		return "sync.later"
	}
	return "sync.a"
}

// key is the variable that a secret of a sync becomes.
func (h *history) key(i int, name string) string {
	if h.ranges {
		return string("AB"[i]) + "_" + name
	}
	return name
}

// isActive reports whether a sync is read in this run, as far as that can be.
func (h *history) isActive(i int) bool {
	s := h.sides[i]
	return s.declared && s.enabled && !s.excluded
}

// isRead reports whether anything is read of the destination.
func (h *history) isRead(g *graph.Graph) bool { return len(g.Destinations) > 0 }

// listed are the secrets that the list of a folder shows.
func (h *history) listed(i int) []providers.Secret {
	if h.sides[i].hides && len(h.sides[i].secrets) > 0 {
		return h.sides[i].secrets[1:]
	}
	return h.sides[i].secrets
}

// yields reports whether a sync that is active asks for a key.
func (h *history) yields(i int, key string) bool {
	return h.isActive(i) && !h.sides[i].unread &&
		slices.ContainsFunc(h.listed(i), func(s providers.Secret) bool { return h.key(i, s.Name) == key })
}

// excludes are the selections that leave out one sync.
var excludes = func() map[string]address.Selection {
	all := map[string]address.Selection{}
	for _, text := range []string{"sync.a", "sync.b", "sync.later"} {
		s, err := address.ParseSelection(nil, []string{text})
		if err != nil {
			panic(err)
		}
		all[text] = s
	}
	return all
}()

func (h *history) sync(i int) *config.Sync {
	s, given := newSync(strings.TrimPrefix(h.address(i), "sync.")), h.sides[i]
	s.Enabled = set(given.enabled)
	s.Sources[0].SecretPath, s.Sources[0].IncludeImports = set(paths[i]), set(false)
	s.Options.KeySchema = h.schemas[i]
	s.Options.AllowEmpty = set(h.allowEmpty)
	s.Options.OverwriteDestination, s.Options.DisableSecretDeletion = set(given.overwrites), set(given.keepsVariables)
	if given.protects {
		s.Options.Protect = []config.Located[string]{set(h.key(i, "ONE"))}
	}
	return s
}

func (h *history) graph(state *ledger.State) *graph.Graph {
	cfg := &config.Config{Deletes: usual}
	var selection address.Selection
	for i, s := range h.sides {
		switch {
		case s.declared:
			cfg.Syncs = append(cfg.Syncs, h.sync(i))
		case s.removed != verdict.NoRemoval:
			cfg.Removed = append(cfg.Removed, removedBlock(h.address(i), s.removed == verdict.RemovalKeep, ""))
		}
		if s.declared && s.moved {
			cfg.Moved = moves([2]string{"sync.a", "sync.later"})
		}
		if s.declared && s.excluded {
			selection.Exclude = append(selection.Exclude, excludes[h.address(i)].Exclude...)
		}
	}
	g := graph.New(cfg)
	if !selection.IsZero() {
		g = g.Select(selection)
	}
	if many := 100; h.allowed {
		g = g.Allow(&many)
	}
	return g.Leavings(state)
}

func (h *history) state() *ledger.State {
	if h.lost {
		return &ledger.State{}
	}
	d := &ledger.Destination{ID: repositoryUUID, RepositoryUUID: repositoryUUID, Workspace: "acme", Repository: "web", Entries: h.entries}
	if h.consent {
		d.Consent = &ledger.Consent{By: "somebody", At: sceneNow}
	}
	return &ledger.State{
		Serial: 1, Key: testKey, Rolled: h.rolled, Unaccepted: h.unaccepted,
		Destinations: map[string]*ledger.Destination{repositoryUUID: d},
	}
}

func (h *history) observe(g *graph.Graph) *observe.Observation {
	obs := &observe.Observation{Folders: map[graph.SourceRef]*resolve.Read{}, Destinations: map[graph.DestinationRef]*observe.DestinationRead{}}
	doubts := []providers.Doubt{{Kind: providers.DoubtIncomplete, Detail: "Not everything was seen."}}
	for i, path := range paths {
		read := &resolve.Read{Listing: providers.SourceListing{Secrets: h.listed(i)}}
		switch {
		case h.sides[i].unread:
			read = &resolve.Read{Err: &providers.Error{Op: "list secrets", Kind: providers.KindForbidden}}
		case h.sides[i].doubted:
			read.Listing.Doubts = doubts
		}
		obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: path}] = read
	}
	for _, ref := range g.Destinations {
		read := &observe.DestinationRead{ID: repositoryUUID, RepositoryUUID: repositoryUUID, Ref: ref, Listing: providers.VariableListing{Variables: h.live}}
		if obs.Destinations[ref] = read; h.listDoubted {
			read.Listing.Doubts = doubts
		}
	}
	return obs
}

// plan plans as a run does: what deletes rest on is asked, and then it is planned anew.
func (h *history) plan() (*plan.Plan, *graph.Graph) {
	state := h.state()
	g := h.graph(state)
	obs := h.observe(g)
	p := Diff(g, obs, state, sceneNow)
	questions := evidence.Questions(g, obs, p)
	if len(questions) == 0 {
		return p, g
	}
	obs.Answers = map[observe.Question]observe.Answer{}
	for _, q := range questions {
		there := slices.ContainsFunc(h.sides[slices.Index(paths[:], q.At.Path)].secrets, func(s providers.Secret) bool { return s.Name == q.Name })
		obs.Answers[q] = observe.Answer{Found: there}
	}
	return Diff(g, obs, state, sceneNow), g
}

// apply carries out what the plan does not block, deletes last, and remembers it.
func (h *history) apply(p *plan.Plan, g *graph.Graph) {
	if h.rolled {
		h.entries, h.consent, h.rolled = map[string]*ledger.Entry{}, false, false
	}
	h.lost = false
	for _, late := range []bool{false, true} {
		for _, s := range p.Syncs {
			for _, c := range s.Changes {
				if c.BlockedBy == verdict.NotBlocked && c.Action != verdict.Keep && c.Deletes() == late {
					h.follow(g, s.Address)
					h.do(s.Address, c)
				}
			}
		}
	}
}

// follow gives the records of a sync that has anything to do the address that it has
// today.
func (h *history) follow(g *graph.Graph, address string) {
	if len(h.entries) == 0 || !h.sides[0].moved {
		return
	}
	owners := g.Owners(&ledger.Destination{Entries: h.entries})
	for key, e := range h.entries {
		if now := owners.Of(e.Owner); now == address && now != e.Owner.Sync {
			changed := *e
			changed.Owner.Sync = now
			h.entries[key] = &changed
		}
	}
}

// do is one change, done.
func (h *history) do(address string, c plan.Change) {
	by := 0
	if address == "sync.b" {
		by = 1
	}
	i := slices.IndexFunc(h.live, func(v providers.Variable) bool { return v.UUID == c.VariableUUID })
	switch c.Action {
	case verdict.Delete:
		h.live = slices.Delete(h.live, i, i+1)
		delete(h.entries, c.Key)
		delete(h.marks, c.VariableUUID)
		if c.Reason == verdict.OverwriteDestination {
			h.consent = true
		}
	case verdict.Create, verdict.Rename:
		v := h.make(c.Key)
		h.marks[v.UUID] = mark{by: by, known: true, value: h.write(address, c, v.UUID)}
	case verdict.Update:
		h.live[i].Secured, h.live[i].Value = true, secret.Value{}
		h.marks[c.VariableUUID] = mark{by: by, known: true, value: h.write(address, c, c.VariableUUID)}
	case verdict.Adopt:
		h.write(address, c, c.VariableUUID)
		h.marks[c.VariableUUID] = mark{by: by, known: true, value: h.marks[c.VariableUUID].value}
	case verdict.Forget:
		delete(h.entries, c.Key)
	case verdict.Release:
		changed := *h.entries[c.Key]
		changed.Released = true
		h.entries[c.Key] = &changed
		h.marks[c.VariableUUID] = mark{by: by, known: true, released: true, value: h.marks[c.VariableUUID].value}
	}
}

// make puts a secured variable there.
func (h *history) make(key string) providers.Variable {
	h.made++
	v := providers.Variable{UUID: "{" + strconv.Itoa(h.made) + "}", Key: key, Secured: true}
	h.live = append(h.live, v)
	return v
}

// write notes a change in the ledger, and returns the value of its secret.
func (h *history) write(address string, c plan.Change, uuid string) string {
	var value secret.Value
	for _, s := range h.sides[slices.Index(paths[:], c.Source.Path)].secrets {
		if s.ID == c.SecretID {
			value = s.Value
		}
	}
	h.entries[c.Key] = &ledger.Entry{
		Key: c.Key, Owner: ledger.Owner{Sync: address}, UUID: uuid, Secured: c.Secured, KeyID: testKey.ID(),
		Fingerprint: testKey.Fingerprint(repositoryUUID, c.Key, value),
		Source:      ledger.Source{KMS: c.Source.KMS, Environment: c.Source.Environment, Path: c.Source.Path, Name: c.SecretKey, ID: c.SecretID},
		Writes:      []ledger.Write{{At: sceneNow, Action: string(c.Action), Reason: string(c.Reason)}},
	}
	return value.Reveal()
}

// begin returns where histories begin: after a run, or before the first.
func begin(t *testing.T) []*history {
	var schemas [2]config.Located[config.KeySchema]
	for i, template := range []string{"A_{{secretKey}}", "B_{{secretKey}}"} {
		schemas[i] = schemaOf(t, template)
	}
	var all []*history
	for bits := range 1 << 3 {
		if bits == 2 || bits == 3 { // before the first run it matters little whether a folder may be empty
			continue
		}
		h := &history{
			ranges: bits&1 != 0, allowEmpty: bits&2 != 0, entries: map[string]*ledger.Entry{}, marks: map[string]mark{}, lost: true,
		}
		if h.ranges {
			h.schemas = schemas
		}
		for i, name := range []string{"ONE", "TWO"} {
			h.sides[i] = side{declared: true, enabled: true, secrets: []providers.Secret{{ID: "s" + name, Name: name, Version: 1, Value: secret.New("value of " + name)}}}
		}
		h.make("BY_HAND")
		h.make(h.key(0, "BY_HAND"))
		if h.steps = []string{strconv.Itoa(bits)}; bits&4 != 0 {
			h.run(t)
		} else {
			h.make(h.key(0, "ONE")) // by hand too
		}
		all = append(all, h)
	}
	// A variable that was left behind, by a sync that left, and one that was released.
	for _, step := range []string{"a leaves", "a leaves, keep"} {
		h := all[len(all)-1].clone()
		for _, s := range steps() {
			if s.name == step {
				s.change(h)
			}
		}
		h.steps = []string{step}
		h.run(t)
		all = append(all, h)
	}
	return all
}

// TestEveryHistory plans, and carries out, every sequence of three runs on two keys and
// two syncs of one destination between which one thing happened, and holds each plan
// against the promises.
func TestEveryHistory(t *testing.T) {
	t.Parallel()
	beginnings, all := begin(t), steps()
	depth, sample := 3, 1
	if testing.Short() {
		sample = 17
	}
	counts := make([]int, len(beginnings))
	seen := make([]map[string]int, len(beginnings))
	t.Run("from", func(t *testing.T) {
		for i, h := range beginnings {
			seen[i] = map[string]int{}
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				var walk func(h *history, left int)
				walk = func(h *history, left int) {
					for _, s := range all {
						next := h.clone()
						next.fresh()
						if !s.change(next) {
							continue
						}
						if counts[i]++; left == 1 && counts[i]%sample != 0 {
							continue
						}
						next.steps = append(h.steps[:len(h.steps):len(h.steps)], s.name)
						next.count(next.run(t), seen[i])
						if left > 1 {
							walk(next, left-1)
						}
					}
				}
				walk(h, depth)
			})
		}
	})
	total, kinds := 0, map[string]int{}
	for i, n := range counts {
		total += n
		for kind, times := range seen[i] {
			kinds[kind] += times
		}
	}
	t.Logf("%d histories, %v", total, kinds)
	if total < 100_000 {
		t.Errorf("only %d histories", total)
	}
	for _, kind := range everyKind {
		if kinds[kind] < 5 && !testing.Short() {
			t.Errorf("%s came in %d of %d histories", kind, kinds[kind], total)
		}
	}
}
