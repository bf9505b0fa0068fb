package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/guard"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// DestinationDiff is the verdict on every key of one destination.
type DestinationDiff struct {
	ID        string
	Unmanaged int
	// Claimed counts the variables that kmsync owns, by whichever sync, and those in
	// range of an overwrite-destination.
	Claimed int
	// Wants holds the one want behind a key; refused keys may have several.
	Wants      want.Map
	parts      map[*graph.Node]*part
	leftBehind map[string]int // keys by sync that left
	findings   []plan.Finding
	// Doubted: some listing of the destination is not proven complete.
	Doubted bool
	// Errs holds, by address, why a sync of this destination could not be read.
	Errs map[string]error
}

// Change returns the change of a key in the part of a sync, if there is one.
func (d *DestinationDiff) Change(address, key string) (plan.Change, bool) {
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
	return plan.Change{}, false
}

// Overwrites counts the variables that overwrite-destination would delete there, whatever
// a selection leaves out.
func (d *DestinationDiff) Overwrites() int {
	n := 0
	for _, p := range d.parts {
		for _, c := range p.changes {
			if c.Action == verdict.Delete && c.Reason == verdict.OverwriteDestination {
				n++
			}
		}
	}
	return n
}

// Want returns the single want behind a key, or nil.
func (d *DestinationDiff) Want(key string) *want.Want { return d.Wants.Single(key) }

// part is what one sync contributes to the plan of its destination.
type part struct {
	changes   []plan.Change
	unchanged int
	kept      int
	oldest    time.Time
	keys      []address.Key
}

// destination is one destination while its keys are judged.
type destination struct {
	*DestinationDiff
	graph        *graph.Graph
	obs          *observe.Observation
	state        *ledger.State
	nodes        []*graph.Node // enabled syncs of this destination, sorted by address
	active       []*graph.Node // those of them that were read
	excluded     []*graph.Node // enabled syncs that may be of this destination, and are not read in this run
	record       *ledger.Destination
	owners       *graph.Owners // of the keys of record
	keyID        string        // of the root key; "" without one
	now          time.Time
	guards       []*graph.Node // declared syncs of this destination that protect keys
	fingerprints secret.DestinationKey
	live         map[string]providers.Variable
	twice        map[string]bool // keys that the list has twice
	uuids        map[string]bool
	renames      renames
	wanted       map[secretOf]*want.Want // made where a key is no longer wanted
}

// DiffDestination judges every key of the destination with this id: those
// wanted, those live and those recorded, as of now. It needs of the observation
// only what belongs to that destination.
func DiffDestination(g *graph.Graph, obs *observe.Observation, state *ledger.State, id string, now time.Time) *DestinationDiff {
	d := newDestination(g, obs, state, id, now)
	d.gatherWants()
	d.gatherConflicts()
	d.gatherRenames()
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
	d.guard()
	return d.DestinationDiff
}

// guard holds the deletes that a refused key or a missing consent stops.
func (d *destination) guard() {
	consented := d.graph.Deletes.Allowed != nil || d.record.Consent != nil
	for _, p := range d.parts {
		guard.RefusedKey(p.changes)
		if !consented {
			guard.NoConsent(p.changes)
		}
	}
}

func newDestination(g *graph.Graph, obs *observe.Observation, state *ledger.State, id string, now time.Time) *destination {
	d := &destination{
		DestinationDiff: &DestinationDiff{ID: id, parts: map[*graph.Node]*part{}, leftBehind: map[string]int{}, Errs: map[string]error{}},
		graph:           g, obs: obs, state: state, now: now,
		record: &ledger.Destination{ID: id},
		live:   map[string]providers.Variable{}, twice: map[string]bool{}, uuids: map[string]bool{},
	}
	if known := state.Destinations[id]; known != nil && !state.Rolled {
		d.record = known
	}
	d.owners = g.Owners(d.record)
	if !state.Key.IsZero() {
		d.keyID, d.fingerprints = state.Key.ID(), state.Key.For(id)
	}
	for _, n := range g.Nodes {
		read := obs.Destinations[n.Destination]
		if !n.IsRead() || read == nil || read.ID != id {
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
		if len(n.Sync.Options.Protect) > 0 && (slices.Contains(d.nodes, n) || d.isLike(n)) {
			d.guards = append(d.guards, n)
		}
		if n.Choice != graph.Chosen && n.Sync.Enabled.Value && d.isLike(n) {
			d.excluded = append(d.excluded, n)
		}
	}
	return d
}

func firstError(n *graph.Node, obs *observe.Observation) error {
	for i := range n.Folders {
		if err := obs.SourceError(n, i); err != nil {
			return err
		}
	}
	return cmp.Or(obs.Destinations[n.Destination].Err, obs.Overlaps[n.Sync])
}

// gatherWants collects what the active syncs ask for and refuses what clashes or
// does not fit.
func (d *destination) gatherWants() {
	var wants []*want.Want
	for _, n := range d.active {
		wants = append(wants, want.Of(n, d.obs)...)
	}
	live := slices.SortedFunc(maps.Values(d.live), func(a, b providers.Variable) int { return cmp.Compare(a.Key, b.Key) })
	d.Wants = want.Merge(wants, live, d.mayRename)
	for key := range d.twice {
		d.Wants.Refuse(key, verdict.InDoubt, "Bitbucket lists it twice, so which one a build sees is not known")
	}
	total, over := d.Wants.RefuseOversize(live, d.otherSize())
	if over {
		d.findings = append(d.findings, plan.Finding{
			Kind: verdict.FindSize, Severity: plan.Warning, Address: d.nodes[0].Sync.Address, Range: d.nodes[0].Sync.Range,
			Detail: fmt.Sprintf("Names and values in %s come to about %d characters, and one build carries at most %d. "+
				"Remove variables, or spread them over deployment environments.", d.obs.Destinations[d.nodes[0].Destination].Ref, total, want.MaxBuildSize),
		})
	}
}

// otherSize returns how many characters a build sees besides those of this
// destination, as far as they are known: the workspace's own variables, and those
// of the repository that a deployment environment is of.
func (d *destination) otherSize() int {
	here := d.obs.Destinations[d.nodes[0].Destination]
	total, seen := 0, map[string]bool{}
	for _, read := range d.obs.Destinations {
		if read.Err == nil && !seen[read.ID] && isWider(read, here) {
			seen[read.ID] = true
			total += d.sizeOf(read)
		}
	}
	return total
}

// isWider reports whether builds that see the variables of here see those of other
// too.
func isWider(other, here *observe.DestinationRead) bool {
	if other.Ref.OfWorkspace() {
		return !here.Ref.OfWorkspace() && strings.EqualFold(other.Ref.Workspace, here.Ref.Workspace)
	}
	return here.EnvironmentUUID != "" && other.ID == here.RepositoryUUID
}

// sizeOf returns how many characters the names and values of another destination
// come to, with what its syncs are about to write.
func (d *destination) sizeOf(read *observe.DestinationRead) int {
	other := newDestination(d.graph, d.obs, d.state, read.ID, d.now)
	var wants []*want.Want
	for _, n := range other.active {
		wants = append(wants, want.Of(n, d.obs)...)
	}
	total, _ := want.Merge(wants, nil, nil).RefuseOversize(read.Listing.Variables, 0)
	return total
}

// claim counts a variable that kmsync owns or that an overwrite-destination claims.
func (d *destination) claim(key string) {
	v, isLive := d.live[key]
	e := d.record.Entries[key]
	owned := e != nil && e.UUID == v.UUID && !e.Released && d.ownerOf(key) != ""
	claimed := slices.ContainsFunc(d.active, func(n *graph.Node) bool {
		return n.Sync.Options.OverwriteDestination.Value && inRange(n, key)
	})
	if isLive && (owned || claimed) {
		d.Claimed++
	}
}

// judge decides about one key and files the verdict.
func (d *destination) judge(key string) {
	d.claim(key)
	same := d.Wants[key]
	if len(same) > 0 {
		filed := map[*graph.Node]bool{}
		for _, w := range same {
			if !filed[w.Node] { // a key stands once under a sync
				filed[w.Node] = true
				d.file(w.Node, key, w, d.facts(key, w))
			}
		}
		return
	}
	f := d.facts(key, nil)
	if r := d.renames.of[key]; r != nil && r.inPlace && d.renames.into[r.to.Key] == r {
		return // it becomes the new key
	}
	d.file(d.home(key, f), key, nil, f)
}

// facts gathers what the verdict on a key depends on.
func (d *destination) facts(key string, w *want.Want) verdict.Facts {
	f := verdict.Facts{Record: d.recordFacts(key, w), Doubted: d.Doubted}
	v, isLive := d.live[key]
	switch {
	case isLive && v.Secured:
		f.Live = verdict.Secured
	case isLive:
		f.Live = verdict.Readable
	}
	_, _, f.Protected = d.protection(key)
	if w != nil {
		f.Wanted, f.Block, f.WantSecure = verdict.IsWanted, w.Block, w.Secured
		if w.Block != verdict.NotBlocked {
			f.Wanted = verdict.IsRefused
		}
		f.SameValue = isLive && !v.Secured && v.Value.Equal(w.Value)
		f.NewName = d.renames.into[key] != nil
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
	f.Removal = d.removal(key)
	f.UnreadRange = (f.UnreadRange || d.excludedIn(key) != nil) && !d.graph.Destroying // which reads no source at all
	if owner := d.owner(key); owner != nil {
		f.DeletionDisabled = owner.Sync.Options.DisableSecretDeletion.Value
		f.Gone = d.goneReason(owner, d.record.Entries[key])
		if r := d.renames.of[key]; r != nil {
			f.Rename = r.state
		}
	}
	return f
}

func inRange(n *graph.Node, key string) bool {
	for _, ref := range n.Folders {
		if n.Sync.Options.KeySchema.Value.InRange(ref.Environment, key) {
			return true
		}
	}
	return false
}

// owner returns the active sync of this destination that owns the key's record.
func (d *destination) owner(key string) *graph.Node {
	for _, n := range d.active {
		if n.Removed == nil && n.Sync.Address == d.ownerOf(key) {
			return n
		}
	}
	return nil
}

func (d *destination) recordFacts(key string, w *want.Want) verdict.Record {
	e := d.record.Entries[key]
	if e == nil {
		return verdict.Record{}
	}
	v, isLive := d.live[key]
	r := verdict.Record{
		Exists:   true,
		Foreign:  d.ownerOf(key) == "",
		Owner:    ownerState(d.graph, d.obs, d.record, d.ownerOf(key)),
		HasUUID:  e.UUID != "",
		SameUUID: isLive && e.UUID == v.UUID,
		UUIDLive: e.UUID != "" && d.uuids[e.UUID],
		InDoubt:  e.InDoubt,
		Released: e.Released,
		OtherKey: d.keyID == "" || e.KeyID != d.keyID,
	}
	if w != nil {
		r.SameSync = e.Owner == ledger.Owner{Config: d.graph.Name, Sync: w.Node.Sync.Address}
		r.SameFingerprint = !r.OtherKey && e.Fingerprint.Equal(d.fingerprints.Fingerprint(key, w.Value))
		age := w.Node.Sync.Options.MaxAge.Value
		r.Expired = age > 0 && d.now.Sub(e.LastWrite()) > age // a write that is not remembered is old
		r.StaysSecured = e.Secured && len(e.Writes) > 0 && e.Writes[0].Reason == string(verdict.NotReadable)
	}
	return r
}

// protection returns the declared sync and the glob that protect a key. Disabled
// syncs protect too.
func (d *destination) protection(key string) (*graph.Node, hcl.Range, bool) {
	for _, n := range d.guards {
		if glob, ok := n.Sync.Options.IsProtected(key); ok {
			return n, glob.Range, true
		}
	}
	return nil, hcl.Range{}, false
}
