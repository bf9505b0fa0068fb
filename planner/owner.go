package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// ownerOf returns the address that the owner of the key's record has today; ""
// without a record, and for one of another configuration.
func (d *destination) ownerOf(key string) string {
	e := d.record.Entries[key]
	if e == nil {
		return ""
	}
	return d.owners.Of(e.Owner)
}

// ownerNode returns what stands in the plan for the owner of the key's record:
// its sync, or else the removed block that speaks of it, or nil.
func (d *destination) ownerNode(key string) *graph.Node {
	address := d.ownerOf(key)
	var left *graph.Node
	for _, n := range d.nodes {
		switch {
		case n.Sync.Address != address:
		case n.Removed == nil:
			return n
		default:
			left = n
		}
	}
	return left
}

// removal returns what a removed block says about the key's owner here.
func (d *destination) removal(key string) verdict.Removal {
	n := d.ownerNode(key)
	if n == nil || n.Removed == nil {
		return verdict.NoRemoval
	}
	declared := d.graph.Declared(n.Sync.Address)
	switch {
	case declared != nil && !declared.IsRead(): // whether it left this place is not known in this run
		return verdict.NoRemoval
	case n.Removed.Keep.Value:
		return verdict.RemovalKeep
	}
	return verdict.RemovalDelete
}

// unreadIn returns a sync of this destination that could not be read and in whose
// range the key is, or nil.
func (d *destination) unreadIn(key string) *graph.Node {
	for _, n := range d.nodes {
		if !slices.Contains(d.active, n) && inRange(n, key) {
			return n
		}
	}
	return nil
}

// first returns the first sync of this destination, or the first removed block
// where there is none.
func (d *destination) first() *graph.Node {
	for _, n := range d.nodes {
		if n.Removed == nil {
			return n
		}
	}
	return d.nodes[0]
}

// foreignOwner names the sync of another configuration that wrote a key, and both
// configurations.
func (d *destination) foreignOwner(key string) string {
	other := d.record.Entries[key].Owner
	here := "this one has no name"
	if d.graph.Name != "" {
		here = fmt.Sprintf("this one is %q", d.graph.Name)
	}
	return fmt.Sprintf("%s of the configuration %q, and %s", other.Sync, other.Config, here)
}

// adoption says from whom a sync takes over the record of a key: another sync, or
// itself under the address or the configuration that it had before.
func (d *destination) adoption(key string, n *graph.Node) string {
	e := d.record.Entries[key]
	if d.ownerOf(key) != n.Sync.Address {
		return "adopted from " + e.Owner.Sync
	}
	var clauses []string
	if m := d.graph.Move(e.Owner.Sync); m != nil {
		clauses = append(clauses, fmt.Sprintf("moved from %s (%s:%d)", e.Owner.Sync, m.Range.Filename, m.Range.Start.Line))
	}
	if e.Owner.Config != d.graph.Name {
		clauses = append(clauses, "now of the configuration "+d.graph.Name)
	}
	if e.Released {
		clauses = append(clauses, "wanted again after it was released")
	}
	return strings.Join(clauses, "; ")
}

// arrival says of a key that its sync no longer wants who wrote it, where a move
// brought it here.
func (d *destination) arrival(key string, n *graph.Node) string {
	if e := d.record.Entries[key]; e.Owner.Sync != n.Sync.Address {
		return "written by " + e.Owner.Sync + ", which was moved here"
	}
	return ""
}

// gatherConflicts files a finding for each move that does not count here.
func (d *destination) gatherConflicts() {
	ref := d.obs.Destinations[d.nodes[0].Destination].Ref
	for _, c := range d.owners.Conflicts() {
		d.findings = append(d.findings, plan.Finding{
			Kind: verdict.FindMove, Severity: plan.Warning, Address: c.To, Range: c.Move.Range,
			Detail: fmt.Sprintf("%s was moved to %s, which owns %s in %s itself, so the %s of %s there are not moved: "+
				"those that %s wants it adopts, the others are left behind. Replace the moved block by a removed block that says what becomes of them.",
				c.Move.From.Value, c.To, plural(c.Own, "key", "keys"), ref, plural(c.Keys, "key", "keys"), c.Move.From.Value, c.To),
		})
	}
}
