package planner

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/guard"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// Diff compares what the configuration wants with what was observed and what
// the ledger remembers, and returns the plan as of now. It is pure: the same input
// gives the same plan, and it neither reads nor writes anything.
func Diff(g *graph.Graph, obs *observe.Observation, state *ledger.State, now time.Time) *plan.Plan {
	p := &plan.Plan{Complete: !state.Rolled && !state.Unaccepted, Destroy: g.Destroying, Services: g.Services}
	diffs := map[string]*DestinationDiff{}
	for _, read := range obs.Destinations {
		if read.Err == nil && diffs[read.ID] == nil {
			diffs[read.ID] = DiffDestination(g, obs, state, read.ID, now)
		}
	}
	var left omitted
	for _, n := range g.Nodes {
		if n.Choice == graph.Untouched {
			continue
		}
		s := syncPlan(g, n, obs, diffs)
		left.narrow(&s, n, g.Selection)
		if n.Removed == nil || s.Failure != nil || len(s.Changes) > 0 {
			p.Syncs = append(p.Syncs, s)
		}
	}
	p.Keys = keysOf(diffs)
	guard.Count(p, g.Deletes, func(s plan.Sync) guard.Place {
		read := obs.Destinations[s.Written]
		if read == nil || diffs[read.ID] == nil {
			return guard.Place{}
		}
		return guard.Place{ID: read.ID, Claimed: diffs[read.ID].Claimed}
	})
	addFindings(p, g, obs, state, diffs)
	p.LeftBehind = leftBehind(g, obs, state, diffs)
	narrowRest(p, g, left)
	for _, d := range diffs {
		p.Unmanaged += d.Unmanaged
	}
	for _, s := range p.Syncs {
		p.Complete = p.Complete && s.Status != plan.StatusError
	}
	switch {
	case state.Rolled || state.Unaccepted:
		guard.Doubt(p, "ledger")
	case !p.Complete:
		guard.Doubt(p, "")
	}
	p.JoinRenames()
	p.Requests.ToApply = requests(p)
	p.Digest = plan.Digest(p)
	return p
}

// requests counts the writes that the plan needs. To make a variable readable takes two.
func requests(p *plan.Plan) int {
	n := 0
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			switch {
			case c.BlockedBy != verdict.NotBlocked || !c.Action.Writes():
			case c.Reason == verdict.NotReadable:
				n += 2
			default:
				n++
			}
		}
	}
	return n
}

// syncPlan gathers the part of one sync.
func syncPlan(g *graph.Graph, n *graph.Node, obs *observe.Observation, diffs map[string]*DestinationDiff) plan.Sync {
	s := plan.Sync{
		Address: n.Sync.Address, Status: plan.StatusPlanned, Sources: n.Folders, Destination: n.Destination, Written: n.Destination, Range: n.Sync.Range,
		Destroy: g.Destroying,
	}
	read := obs.Destinations[n.Destination]
	if read != nil && read.Ref.Environment != "" {
		s.Destination.Environment = read.Ref.Environment
	}
	switch {
	case n.Choice == graph.Excluded:
		s.Status = plan.StatusExcluded
		return s
	case !n.Sync.Enabled.Value:
		s.Status = plan.StatusDisabled
		return s
	}
	if s.Failure = failureOf(n, obs); s.Failure != nil {
		s.Status = plan.StatusError
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
func failureOf(n *graph.Node, obs *observe.Observation) *plan.Failure {
	var failure *plan.Failure
	for i := range n.Folders {
		if err := obs.SourceError(n, i); err != nil {
			failure = &plan.Failure{Summary: "Cannot read the source", Detail: err.Error(), Range: n.Sync.Sources[i].Range}
			break
		}
	}
	err := obs.Destinations[n.Destination].Err
	switch {
	case err != nil && failure != nil:
		failure.Summary = "Cannot read the source and the destination"
		failure.Detail = strings.TrimSuffix(failure.Detail, ".") + "; " + unread(n, obs, err)
	case err != nil:
		failure = &plan.Failure{Summary: "Cannot read the destination", Detail: unread(n, obs, err), Range: n.Sync.Destination.Range}
	case failure == nil && obs.Overlaps[n.Sync] != nil:
		failure = &plan.Failure{Summary: "Syncs overlap", Detail: obs.Overlaps[n.Sync].Error(), Range: n.Sync.Destination.Range}
	}
	return failure
}

// unread says why a destination could not be read. One that is not there is named
// before the request that found out, with one of a near name that was read.
func unread(n *graph.Node, obs *observe.Observation, err error) string {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != providers.KindNotFound || e.Status == 0 {
		return err.Error()
	}
	var names []string
	for _, read := range obs.Destinations {
		if read.Err == nil && strings.EqualFold(read.Ref.Workspace, n.Destination.Workspace) {
			names = append(names, read.Ref.Repository)
		}
	}
	slices.Sort(names)
	did, name := "", n.Destination.Root()
	if near := address.Nearest(name.Repository, names); near != "" && near != name.Repository {
		did = fmt.Sprintf(" Did you mean %q?", near)
	}
	return fmt.Sprintf("%s not found: %s (%s: HTTP %d).%s Check the name, or leave the sync out with --exclude %s.",
		name, e.Hint, e.Op, e.Status, did, address.Quote(n.Sync.Address))
}

// addFindings collects the findings of syncs and destinations in a fixed order,
// and the doubts of every read.
func addFindings(p *plan.Plan, g *graph.Graph, obs *observe.Observation, state *ledger.State, diffs map[string]*DestinationDiff) {
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		for _, doubt := range append(doubtsOf(n, obs), evidence.Doubts(n, obs, p)...) {
			p.Complete = false
			if !seen[doubt.Detail] {
				seen[doubt.Detail] = true
				p.Findings = append(p.Findings, plan.Finding{
					Kind: verdict.FindDoubt, Severity: plan.Warning, Address: n.Sync.Address, Detail: doubt.Detail, Range: n.Sync.Range,
				})
			}
		}
	}
	for _, stray := range g.Strays(state) {
		p.Findings = append(p.Findings, strayFinding(stray))
	}
	for _, id := range slices.Sorted(maps.Keys(diffs)) {
		p.Findings = append(p.Findings, diffs[id].findings...)
	}
	slices.SortStableFunc(p.Findings, func(a, b plan.Finding) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Kind, b.Kind))
	})
}

// strayFinding says that a removed block names a place where nothing is known, or that
// another says the opposite.
func strayFinding(s graph.Stray) plan.Finding {
	r := s.Removed
	left := make([]string, len(s.Left))
	for i, d := range s.Left {
		left[i] = address.Destination{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}.String()
	}
	if s.Against != nil {
		at := s.Against.Range
		return plan.Finding{
			Kind: verdict.FindRemoved, Severity: plan.Warning, Address: r.From.Value, Range: r.Range,
			Detail: fmt.Sprintf("Two removed blocks for %s speak of %s, this one and that at %s:%d, and one keeps what the other deletes. "+
				"Neither counts there. Remove one of them.", r.From.Value, left[0], at.Filename, at.Start.Line),
		}
	}
	return plan.Finding{
		Kind: verdict.FindRemoved, Severity: plan.Warning, Address: r.From.Value, Range: r.Range,
		Detail: fmt.Sprintf("The removed block for %s names %s, where the ledger knows nothing, so nothing is done for it; "+
			"until that is mended, no block deletes what %s left. Name a place where it left keys: %s.", r.From.Value, r.Destination.Value, r.From.Value, strings.Join(left, ", ")),
	}
}

// doubtsOf returns what the reads for one sync could not prove.
func doubtsOf(n *graph.Node, obs *observe.Observation) []providers.Doubt {
	if !n.IsRead() {
		return nil
	}
	var doubts []providers.Doubt
	for i, ref := range n.Folders {
		if obs.SourceError(n, i) != nil {
			continue
		}
		doubts = append(doubts, obs.SourceDoubts(n, i)...)
		doubts = append(doubts, evidence.Broken(n, obs, i)...)
		if y := obs.Yield(n, i); len(y.Items) == 0 && !n.Sync.Options.AllowEmpty.Value {
			what := "%s holds no secret"
			if len(y.Names) > 0 {
				what = "include and exclude take no secret of %s"
			}
			doubts = append(doubts, providers.Doubt{
				Kind:   providers.DoubtEmpty,
				Detail: fmt.Sprintf(what+". If that is meant, set allow_empty = true in the options of %s.", ref, n.Sync.Address),
			})
		}
	}
	if read := obs.Destinations[n.Destination]; read.Err == nil {
		doubts = append(doubts, read.Listing.Doubts...)
	}
	return doubts
}

// Doubts says what is not proven about one destination, for the deletes that a plan has
// there: full sentences, or none.
func Doubts(g *graph.Graph, obs *observe.Observation, p *plan.Plan, id string) []string {
	var doubts []string
	for _, n := range g.Nodes {
		read := obs.Destinations[n.Destination]
		if !n.IsRead() || read == nil || read.ID != id {
			continue
		}
		if failure := failureOf(n, obs); failure != nil {
			doubts = append(doubts, failure.Detail)
		}
		for _, doubt := range append(doubtsOf(n, obs), evidence.Doubts(n, obs, p)...) {
			doubts = append(doubts, doubt.Detail)
		}
	}
	return doubts
}

// leftBehind counts, by sync and destination, the keys that belong to a sync
// that left the configuration or left the destination. Destinations that were
// not read are counted from the ledger, without a request.
func leftBehind(g *graph.Graph, obs *observe.Observation, state *ledger.State, diffs map[string]*DestinationDiff) []plan.Remnant {
	if state.Rolled {
		return nil
	}
	var remnants []plan.Remnant
	for id, d := range state.Destinations {
		counts := map[string]int{}
		if diff := diffs[id]; diff != nil {
			counts = diff.leftBehind
		} else {
			owners := g.Owners(d)
			for _, e := range d.Entries {
				owner := owners.Of(e.Owner)
				if owner != "" && e.UUID != "" && !e.Released && ownerState(g, obs, d, owner) == verdict.OwnerGone {
					counts[owner]++
				}
			}
		}
		ref := graph.DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}
		for sync, keys := range counts {
			remnants = append(remnants, plan.Remnant{Sync: sync, Destination: ref, Keys: keys})
		}
	}
	slices.SortFunc(remnants, func(a, b plan.Remnant) int {
		return cmp.Or(cmp.Compare(a.Sync, b.Sync), graph.CompareDestinations(a.Destination, b.Destination))
	})
	return remnants
}

// ownerState says what has become of the sync that owns a record in a
// destination of the ledger.
func ownerState(g *graph.Graph, obs *observe.Observation, d *ledger.Destination, address string) verdict.OwnerState {
	n := g.Declared(address)
	if n == nil {
		return verdict.OwnerGone
	}
	if !n.IsRead() {
		if n.Choice == graph.Untouched && n.Sync.Enabled.Value && !n.MayHaveFed(d) {
			return verdict.OwnerGone // it writes elsewhere
		}
		return verdict.OwnerInactive
	}
	read := obs.Destinations[n.Destination]
	switch {
	case read.Err != nil && read.ID == "":
		// Not identified: it may well be this destination.
		return verdict.OwnerInactive
	case read.ID != d.ID:
		return verdict.OwnerGone
	case failureOf(n, obs) != nil:
		return verdict.OwnerInactive
	}
	return verdict.OwnerActive
}
