package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// DestinationDiff is the verdict on every key of one destination.
type DestinationDiff struct {
	ID        string
	Unmanaged int
	// Wants holds the one want behind a key; refused keys may have several.
	Wants      map[string][]*Want
	parts      map[*observe.Node]*part
	leftBehind map[string]int // keys by sync that left
	findings   []Finding
	// Doubted: some listing of the destination is not proven complete.
	Doubted bool
	// Errs holds, by address, why a sync of this destination could not be read.
	Errs map[string]error
}

// Change returns the change of a key in the part of a sync, if there is one.
func (d *DestinationDiff) Change(address, key string) (Change, bool) {
	for n, p := range d.parts {
		if n.Sync.Address != address {
			continue
		}
		for _, c := range p.changes {
			if c.Key == key {
				return c, true
			}
		}
	}
	return Change{}, false
}

// Want returns the single want behind a key, or nil.
func (d *DestinationDiff) Want(key string) *Want {
	if same := d.Wants[key]; len(same) == 1 {
		return same[0]
	}
	return nil
}

// part is what one sync contributes to the plan of its destination.
type part struct {
	changes   []Change
	unchanged int
	kept      int
	oldest    time.Time
}

// destination is one destination while its keys are judged.
type destination struct {
	*DestinationDiff
	graph        *observe.Graph
	obs          *observe.Observation
	state        *ledger.State
	nodes        []*observe.Node // enabled syncs of this destination, sorted by address
	active       []*observe.Node // those of them that were read
	record       *ledger.Destination
	keyID        string          // of the root key; "" without one
	guards       []*observe.Node // declared syncs of this destination that protect keys
	fingerprints secret.DestinationKey
	live         map[string]providers.Variable
	twice        map[string]bool // keys that the list has twice
	uuids        map[string]bool
}

// DiffDestination judges every key of the destination with this id: those
// wanted, those live and those recorded. It needs of the observation only what
// belongs to that destination.
func DiffDestination(g *observe.Graph, obs *observe.Observation, state *ledger.State, id string) *DestinationDiff {
	d := newDestination(g, obs, state, id)
	d.gatherWants()
	keys := map[string]bool{}
	for key := range d.Wants {
		keys[key] = true
	}
	for key := range d.live {
		keys[key] = true
	}
	for key := range d.record.Entries {
		keys[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d.judge(key)
	}
	return d.DestinationDiff
}

func newDestination(g *observe.Graph, obs *observe.Observation, state *ledger.State, id string) *destination {
	d := &destination{
		DestinationDiff: &DestinationDiff{ID: id, parts: map[*observe.Node]*part{}, leftBehind: map[string]int{}, Errs: map[string]error{}},
		graph:           g, obs: obs, state: state,
		record: &ledger.Destination{ID: id},
		live:   map[string]providers.Variable{}, twice: map[string]bool{}, uuids: map[string]bool{},
	}
	if known := state.Destinations[id]; known != nil && !state.Rolled {
		d.record = known
	}
	if !state.Key.IsZero() {
		d.keyID, d.fingerprints = state.Key.ID(), state.Key.For(id)
	}
	for _, n := range g.Nodes {
		read := obs.Destinations[n.Destination]
		if !n.Sync.Enabled.Value || read == nil || read.ID != id {
			continue
		}
		d.nodes = append(d.nodes, n)
		d.parts[n] = &part{}
		if failureOf(n, obs) == nil {
			d.active = append(d.active, n)
		} else {
			d.Errs[n.Sync.Address] = firstError(n, obs)
		}
		d.Doubted = d.Doubted || len(read.Listing.Doubts) > 0
		for _, v := range read.Listing.Variables {
			if other, ok := d.live[v.Key]; ok && other.UUID != v.UUID {
				d.twice[v.Key] = true
			}
			d.live[v.Key] = v
			d.uuids[v.UUID] = true
		}
	}
	for _, n := range g.Nodes {
		if len(n.Sync.Options.Protect) > 0 && (slices.Contains(d.nodes, n) || d.mayBeHere(n)) {
			d.guards = append(d.guards, n)
		}
	}
	return d
}

func firstError(n *observe.Node, obs *observe.Observation) error {
	for _, ref := range n.Folders {
		if err := obs.Folders[ref].Err; err != nil {
			return err
		}
	}
	return obs.Destinations[n.Destination].Err
}

// gatherWants collects what the active syncs ask for and refuses what clashes or
// does not fit.
func (d *destination) gatherWants() {
	var wants []*Want
	for _, n := range d.active {
		wants = append(wants, wantsOf(n, d.obs)...)
	}
	live := slices.SortedFunc(maps.Values(d.live), func(a, b providers.Variable) int { return cmp.Compare(a.Key, b.Key) })
	d.Wants = mergeWants(wants, live, func(v providers.Variable) bool {
		e := d.record.Entries[v.Key]
		return e != nil && e.UUID == v.UUID
	})
	for key := range d.twice {
		refuseAll(d.Wants[key], InDoubt, "Bitbucket lists it twice, so which one a build sees is not known")
	}
	total, over := refuseOversize(d.Wants, live, d.repositorySize())
	if over {
		d.findings = append(d.findings, Finding{
			Kind: FindSize, Severity: Warning, Address: d.nodes[0].Sync.Address, Range: d.nodes[0].Sync.Range,
			Detail: fmt.Sprintf("Names and values in %s come to about %d characters, and one build carries at most %d. "+
				"Remove variables, or spread them over deployment environments.", d.obs.Destinations[d.nodes[0].Destination].Ref, total, MaxBuildSize),
		})
	}
}

// repositorySize returns how many characters a build of this deployment
// environment sees of the repository's own variables, as far as they are known:
// 0 for a destination that is the repository itself.
func (d *destination) repositorySize() int {
	here := d.obs.Destinations[d.nodes[0].Destination]
	if here.EnvironmentUUID == "" {
		return 0
	}
	for _, read := range d.obs.Destinations {
		if read.Err != nil || read.ID != here.RepositoryUUID {
			continue
		}
		repository := newDestination(d.graph, d.obs, d.state, read.ID)
		var wants []*Want
		for _, n := range repository.active {
			wants = append(wants, wantsOf(n, d.obs)...)
		}
		total, _ := refuseOversize(mergeWants(wants, nil, nil), read.Listing.Variables, 0)
		return total
	}
	return 0
}

// judge decides about one key and files the verdict.
func (d *destination) judge(key string) {
	same := d.Wants[key]
	if len(same) > 1 {
		for _, w := range same {
			d.file(w.Node, key, w, d.facts(key, w))
		}
		return
	}
	if len(same) == 1 {
		d.file(same[0].Node, key, same[0], d.facts(key, same[0]))
		return
	}
	f := d.facts(key, nil)
	d.file(d.home(key, f), key, nil, f)
}

// facts gathers what the verdict on a key depends on.
func (d *destination) facts(key string, w *Want) Facts {
	f := Facts{Record: d.recordFacts(key, w), Doubted: d.Doubted}
	v, isLive := d.live[key]
	switch {
	case isLive && v.Secured:
		f.Live = Secured
	case isLive:
		f.Live = Readable
	}
	_, _, f.Protected = d.protection(key)
	if w != nil {
		f.Wanted, f.Block, f.WantSecure = IsWanted, w.Block, w.Secured
		if w.Block != NotBlocked {
			f.Wanted = IsRefused
		}
		f.SameValue = isLive && !v.Secured && v.Value.Equal(w.Value)
		return f
	}
	for _, n := range d.nodes {
		if !inRange(n, key) {
			continue
		}
		options := n.Sync.Options
		switch {
		case !slices.Contains(d.active, n):
			f.UnreadRange = true
		case options.OverwriteDestination.Value:
			f.OverwriteRange = true
			f.DeletionDisabled = f.DeletionDisabled || options.DisableSecretDeletion.Value
		}
	}
	if owner := d.owner(key); owner != nil {
		f.DeletionDisabled = owner.Sync.Options.DisableSecretDeletion.Value
		f.Gone = d.goneReason(owner, d.record.Entries[key])
	}
	return f
}

func inRange(n *observe.Node, key string) bool {
	for _, ref := range n.Folders {
		if n.Sync.Options.KeySchema.Value.InRange(ref.Environment, key) {
			return true
		}
	}
	return false
}

// owner returns the active sync of this destination that owns the key's record.
func (d *destination) owner(key string) *observe.Node {
	e := d.record.Entries[key]
	if e == nil {
		return nil
	}
	for _, n := range d.active {
		if n.Sync.Address == e.Owner.Sync {
			return n
		}
	}
	return nil
}

// goneReason says why an active owner no longer wants a key: its secret is
// wanted under another name now, or it is gone from the source.
func (d *destination) goneReason(owner *observe.Node, e *ledger.Entry) Reason {
	for _, same := range d.Wants {
		for _, w := range same {
			if w.Node != owner || w.SecretID != e.Source.ID || w.SecretID == "" {
				continue
			}
			if w.SecretKey == e.Source.Name {
				return SchemaChanged
			}
			return Renamed
		}
	}
	return GoneFromSource
}

func (d *destination) recordFacts(key string, w *Want) Record {
	e := d.record.Entries[key]
	if e == nil {
		return Record{}
	}
	v, isLive := d.live[key]
	r := Record{
		Exists:   true,
		Foreign:  e.Owner.Config != "",
		Owner:    ownerState(d.graph, d.obs, d.record, e.Owner.Sync),
		HasUUID:  e.UUID != "",
		SameUUID: isLive && e.UUID == v.UUID,
		UUIDLive: e.UUID != "" && d.uuids[e.UUID],
		InDoubt:  e.InDoubt,
		Released: e.Released,
		OtherKey: d.keyID == "" || e.KeyID != d.keyID,
	}
	if w != nil {
		r.SameSync = e.Owner.Sync == w.Node.Sync.Address
		r.SameFingerprint = !r.OtherKey && e.Fingerprint.Equal(d.fingerprints.Fingerprint(key, w.Value))
	}
	return r
}

// protection returns the declared sync and the glob that protect a key. Disabled
// syncs protect too.
func (d *destination) protection(key string) (*observe.Node, hcl.Range, bool) {
	for _, n := range d.guards {
		if glob, ok := n.Sync.Options.IsProtected(key); ok {
			return n, glob.Range, true
		}
	}
	return nil, hcl.Range{}, false
}

// mayBeHere reports whether a sync that was not read is declared for this
// destination, by the names it is written with.
func (d *destination) mayBeHere(n *observe.Node) bool {
	for _, other := range d.nodes {
		read := d.obs.Destinations[other.Destination]
		sameRepository := strings.EqualFold(n.Destination.Workspace, read.Ref.Workspace) &&
			strings.EqualFold(n.Destination.Repository, read.Ref.Repository)
		environment := n.Destination.Environment
		if sameRepository && (environment == read.Ref.Environment || environment == other.Destination.Environment ||
			(environment != "" && strings.EqualFold(environment, read.EnvironmentUUID))) {
			return true
		}
	}
	return false
}
