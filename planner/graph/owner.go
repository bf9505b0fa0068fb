package graph

import (
	"maps"
	"slices"

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
