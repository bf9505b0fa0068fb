package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

// Diff compares what the configuration wants with what was observed and what
// the ledger remembers, and returns the plan. It is pure: the same input gives
// the same plan, and it neither reads nor writes anything.
func Diff(g *observe.Graph, obs *observe.Observation, state *ledger.State) *Plan {
	p := &Plan{Complete: true}
	diffs := map[string]*DestinationDiff{}
	for _, read := range obs.Destinations {
		if read.Err == nil && diffs[read.ID] == nil {
			diffs[read.ID] = DiffDestination(g, obs, state, read.ID)
		}
	}
	for _, n := range g.Nodes {
		p.Syncs = append(p.Syncs, syncPlan(n, obs, diffs))
	}
	p.addFindings(g, obs, diffs)
	p.LeftBehind = leftBehind(g, obs, state, diffs)
	for _, d := range diffs {
		p.Unmanaged += d.Unmanaged
	}
	for _, s := range p.Syncs {
		p.Complete = p.Complete && s.Status != StatusError
		for _, c := range s.Changes {
			if c.BlockedBy == NotBlocked && c.Action.Writes() {
				p.Requests.ToApply++
			}
		}
	}
	p.Digest = Digest(p)
	return p
}

// syncPlan gathers the part of one sync.
func syncPlan(n *observe.Node, obs *observe.Observation, diffs map[string]*DestinationDiff) SyncPlan {
	s := SyncPlan{
		Address: n.Sync.Address, Status: StatusPlanned, Sources: n.Folders, Destination: n.Destination, Range: n.Sync.Range,
	}
	read := obs.Destinations[n.Destination]
	if read != nil && read.Ref.Environment != "" {
		s.Destination.Environment = read.Ref.Environment
	}
	if !n.Sync.Enabled.Value {
		s.Status = StatusDisabled
		return s
	}
	if s.Failure = failureOf(n, obs); s.Failure != nil {
		s.Status = StatusError
	}
	if read.Err != nil {
		return s
	}
	d := diffs[read.ID]
	part := d.parts[n]
	s.Changes, s.Unchanged, s.OldestWrite, s.Kept = part.changes, part.unchanged, part.oldest, part.kept
	s.Unmanaged = d.Unmanaged
	return s
}

// failureOf says why an enabled sync could not be read, or returns nil. What was
// refused at both ends is told of both, so that one run finds all there is to mend.
func failureOf(n *observe.Node, obs *observe.Observation) *Failure {
	var failure *Failure
	for i, ref := range n.Folders {
		if err := obs.Folders[ref].Err; err != nil {
			failure = &Failure{Summary: "Cannot read the source", Detail: err.Error(), Range: n.Sync.Sources[i].Range}
			break
		}
	}
	err := obs.Destinations[n.Destination].Err
	switch {
	case err != nil && failure != nil:
		failure.Summary = "Cannot read the source and the destination"
		failure.Detail = strings.TrimSuffix(failure.Detail, ".") + "; " + err.Error()
	case err != nil:
		failure = &Failure{Summary: "Cannot read the destination", Detail: err.Error(), Range: n.Sync.Destination.Range}
	}
	return failure
}

// addFindings collects the findings of syncs and destinations in a fixed order,
// and the doubts of every read.
func (p *Plan) addFindings(g *observe.Graph, obs *observe.Observation, diffs map[string]*DestinationDiff) {
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		for _, doubt := range doubtsOf(n, obs) {
			p.Complete = false
			if !seen[doubt.Detail] {
				seen[doubt.Detail] = true
				p.Findings = append(p.Findings, Finding{
					Kind: FindDoubt, Severity: Warning, Address: n.Sync.Address, Detail: doubt.Detail, Range: n.Sync.Range,
				})
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(diffs)) {
		p.Findings = append(p.Findings, diffs[id].findings...)
	}
	slices.SortStableFunc(p.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Kind, b.Kind))
	})
}

// doubtsOf returns what the reads for one sync could not prove.
func doubtsOf(n *observe.Node, obs *observe.Observation) []providers.Doubt {
	if !n.Sync.Enabled.Value {
		return nil
	}
	var doubts []providers.Doubt
	for i, ref := range n.Folders {
		read := obs.Folders[ref]
		if read.Err != nil {
			continue
		}
		for _, d := range read.Listing.Doubts {
			if d.Kind != providers.DoubtImports || n.Sync.Sources[i].IncludeImports.Value {
				doubts = append(doubts, d)
			}
		}
		if len(read.Listing.Secrets) == 0 && !n.Sync.Options.AllowEmpty.Value {
			doubts = append(doubts, providers.Doubt{
				Kind:   providers.DoubtEmpty,
				Detail: fmt.Sprintf("%s holds no secret of its own. If that is meant, set allow_empty = true in the options of %s.", ref, n.Sync.Address),
			})
		}
	}
	if read := obs.Destinations[n.Destination]; read.Err == nil {
		doubts = append(doubts, read.Listing.Doubts...)
	}
	return doubts
}

// leftBehind counts, by sync and destination, the keys that belong to a sync
// that left the configuration or left the destination. Destinations that were
// not read are counted from the ledger, without a request.
func leftBehind(g *observe.Graph, obs *observe.Observation, state *ledger.State, diffs map[string]*DestinationDiff) []Remnant {
	if state.Rolled {
		return nil
	}
	var remnants []Remnant
	for id, d := range state.Destinations {
		counts := map[string]int{}
		if diff := diffs[id]; diff != nil {
			counts = diff.leftBehind
		} else {
			for _, e := range d.Entries {
				if e.UUID != "" && !e.Released && ownerState(g, obs, d, e.Owner.Sync) == OwnerGone {
					counts[e.Owner.Sync]++
				}
			}
		}
		ref := DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}
		for sync, keys := range counts {
			remnants = append(remnants, Remnant{Sync: sync, Destination: ref, Keys: keys})
		}
	}
	slices.SortFunc(remnants, func(a, b Remnant) int {
		return cmp.Or(cmp.Compare(a.Sync, b.Sync), observe.CompareDestinations(a.Destination, b.Destination))
	})
	return remnants
}

// ownerState says what has become of the sync that owns a record in a
// destination of the ledger.
func ownerState(g *observe.Graph, obs *observe.Observation, d *ledger.Destination, address string) OwnerState {
	i := slices.IndexFunc(g.Nodes, func(n *observe.Node) bool { return n.Sync.Address == address })
	if i < 0 {
		return OwnerGone
	}
	n := g.Nodes[i]
	if !n.Sync.Enabled.Value {
		return OwnerInactive
	}
	read := obs.Destinations[n.Destination]
	switch {
	case read.Err != nil && read.ID == "":
		// Not identified: it may well be this destination.
		return OwnerInactive
	case read.ID != d.ID:
		return OwnerGone
	case failureOf(n, obs) != nil:
		return OwnerInactive
	}
	return OwnerActive
}
