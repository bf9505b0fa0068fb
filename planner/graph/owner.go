package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// Owners says who owns the records of one destination today.
type Owners struct {
	graph *Graph
	own   map[string]int // by address: the variables recorded under it
}

// Owners returns who owns the records of a destination of the ledger.
func (g *Graph) Owners(d *ledger.Destination) *Owners {
	o := &Owners{graph: g, own: map[string]int{}}
	for _, e := range d.Entries {
		if g.isOurs(e.Owner) && e.UUID != "" && !e.Released {
			o.own[e.Owner.Sync]++
		}
	}
	return o
}

func (g *Graph) isOurs(o ledger.Owner) bool { return o.Config == "" || o.Config == g.Name }

// Of returns the address that the owner of a record has today, after the moves of
// the configuration. It returns "" for a record of another configuration. One
// without a name belongs to whichever asks.
//
// A sync that owns records of its own in the destination takes none of another's by
// a move: the two were never one.
func (o *Owners) Of(owner ledger.Owner) string {
	if !o.graph.isOurs(owner) {
		return ""
	}
	address := owner.Sync
	for range o.graph.moved { // a valid configuration has no circle, and a chain no more links
		m := o.graph.moved[address]
		if m == nil {
			break
		}
		if address = m.To.Value; o.own[address] > 0 {
			return owner.Sync
		}
	}
	return address
}

// Conflict is a move that does not count in a destination, since the sync that it
// leads to owns keys there itself.
type Conflict struct {
	Move *config.Moved // of the address that was left
	To   string        // the sync that owns keys itself
	// Keys are those of the address that was left, Own those of To.
	Keys, Own int
}

// Conflicts returns the moves that do not count in the destination, by address.
func (o *Owners) Conflicts() []Conflict {
	var conflicts []Conflict
	for _, from := range slices.Sorted(maps.Keys(o.own)) {
		m := o.graph.moved[from]
		if m == nil || o.Of(ledger.Owner{Sync: from}) != from {
			continue
		}
		to := m
		for o.own[to.To.Value] == 0 {
			to = o.graph.moved[to.To.Value]
		}
		conflicts = append(conflicts, Conflict{Move: m, To: to.To.Value, Keys: o.own[from], Own: o.own[to.To.Value]})
	}
	return conflicts
}

// Move returns the moved block of an address that was left, or nil.
func (g *Graph) Move(address string) *config.Moved { return g.moved[address] }

// Declared returns the node of the sync that is declared with this address, or nil.
func (g *Graph) Declared(address string) *Node {
	for _, n := range g.Nodes {
		if n.Removed == nil && n.Sync.Address == address {
			return n
		}
	}
	return nil
}

// Leavings returns the graph with a node for each removed block and destination
// of the ledger where its sync left keys. What such a node feeds is read like any
// other destination; it has no source. Repositories have the names they were last
// seen by, environments their UUIDs. A ledger that is not believed adds nothing,
// and neither do keys that were released. The receiver stays as it is.
func (g *Graph) Leavings(state *ledger.State) *Graph {
	with := *g
	with.Nodes = slices.DeleteFunc(slices.Clone(g.Nodes), func(n *Node) bool { return n.Removed != nil })
	with.gather()
	if state.Rolled {
		return &with
	}
	for _, id := range slices.Sorted(maps.Keys(state.Destinations)) {
		d := state.Destinations[id]
		for _, r := range g.blocksFor(d, state) {
			with.add(r, d)
		}
	}
	slices.SortStableFunc(with.Nodes, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Sync.Address, b.Sync.Address), CompareDestinations(a.Destination, b.Destination))
	})
	return with.Select(g.Selection)
}

// blocksFor returns the removed blocks that decide about keys in a destination:
// of two for one sync, the one that names the destination.
func (g *Graph) blocksFor(d *ledger.Destination, state *ledger.State) []*config.Removed {
	left, owners := map[string]bool{}, g.Owners(d)
	for _, e := range d.Entries {
		if !e.Released {
			left[owners.Of(e.Owner)] = true
		}
	}
	var blocks []*config.Removed
	for _, r := range g.removed {
		if !left[r.From.Value] || !speaksOf(r, d, state) || (r.Workspace == "" && !r.Keep.Value && g.hasStray(r.From.Value, state)) {
			continue
		}
		i := slices.IndexFunc(blocks, func(b *config.Removed) bool { return b.From.Value == r.From.Value })
		switch {
		case i < 0:
			blocks = append(blocks, r)
		case r.Workspace != "":
			blocks[i] = r
		}
	}
	return blocks
}

// hasStray reports whether a removed block of a sync names a destination that the
// ledger does not know, as by a slip of the hand. What that block means to keep is
// not known then, so the block for all destinations deletes nothing.
func (g *Graph) hasStray(from string, state *ledger.State) bool {
	return slices.ContainsFunc(g.removed, func(r *config.Removed) bool {
		if r.From.Value != from || r.Workspace == "" {
			return false
		}
		for _, d := range state.Destinations {
			if speaksOf(r, d, state) {
				return false
			}
		}
		return true
	})
}

// speaksOf reports whether a removed block is about a destination: it names none,
// or this one. An environment is written as its name, ignoring case where no
// other has exactly that name, or as its UUID.
func speaksOf(r *config.Removed, d *ledger.Destination, state *ledger.State) bool {
	if r.Workspace == "" {
		return true
	}
	if !strings.EqualFold(r.Workspace, d.Workspace) || !strings.EqualFold(r.Repository, d.Repository) {
		return false
	}
	if r.Environment == d.Environment || (r.Environment != "" && strings.EqualFold(r.Environment, d.EnvironmentUUID)) {
		return true
	}
	if !strings.EqualFold(r.Environment, d.Environment) {
		return false
	}
	for _, other := range state.Destinations {
		if other != d && other.RepositoryUUID == d.RepositoryUUID && strings.EqualFold(r.Environment, other.Environment) {
			return false // which of the two is meant is not known
		}
	}
	return true
}

// add adds what a removed block's sync left in a destination, unless the selection
// leaves it out: then it stays left behind for this run.
func (g *Graph) add(r *config.Removed, d *ledger.Destination) {
	ref := g.spelled(DestinationRef{Connection: r.Connection, Workspace: d.Workspace, Repository: d.Repository, Environment: d.EnvironmentUUID})
	sync := &config.Sync{Address: r.From.Value, Range: r.Range, Destination: config.Destination{Range: r.Range}}
	sync.Enabled.Value = true
	n := &Node{Sync: sync, Destination: ref, Removed: r}
	if !g.hasRemoved(r, ref) && !g.Selection.Excludes(n.Names()) && (g.Selection.Targets(n.Names()) || g.isTouched(ref)) {
		g.Nodes = append(g.Nodes, n)
	}
}

// isTouched reports whether a sync that is read may write to the destination.
func (g *Graph) isTouched(ref DestinationRef) bool {
	return slices.ContainsFunc(g.Destinations, func(d DestinationRef) bool { return ref.MayBe(d, "") })
}

// spelled returns the destination as a sync writes it that is read anyway, so that
// one list answers for both.
func (g *Graph) spelled(ref DestinationRef) DestinationRef {
	for _, known := range g.Destinations {
		if known.Connection == ref.Connection && strings.EqualFold(known.Workspace, ref.Workspace) && strings.EqualFold(known.Repository, ref.Repository) {
			ref.Workspace, ref.Repository = known.Workspace, known.Repository
		}
	}
	return ref
}

// hasRemoved reports whether the block has a node for the destination already:
// two of the ledger may have had one name.
func (g *Graph) hasRemoved(r *config.Removed, ref DestinationRef) bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool { return n.Removed == r && n.Destination == ref })
}
