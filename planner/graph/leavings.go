package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
)

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
	left := g.left(d)
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

// left returns the addresses of today that records of the destination belong to.
func (g *Graph) left(d *ledger.Destination) map[string]bool {
	left, owners := map[string]bool{}, g.Owners(d)
	for _, e := range d.Entries {
		if !e.Released {
			left[owners.Of(e.Owner)] = true
		}
	}
	return left
}

// Stray is a removed block that names a destination which the ledger does not know,
// as by a slip of the hand, while its sync left keys elsewhere.
type Stray struct {
	Removed *config.Removed
	Left    []DestinationRef // where the sync left keys, sorted
}

// Strays returns the removed blocks that name no destination of the ledger.
func (g *Graph) Strays(state *ledger.State) []Stray {
	var strays []Stray
	for _, r := range g.removed {
		if state.Rolled || !isStray(r, state) {
			continue
		}
		stray := Stray{Removed: r}
		for _, d := range state.Destinations {
			if g.left(d)[r.From.Value] {
				stray.Left = append(stray.Left, DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment})
			}
		}
		if slices.SortFunc(stray.Left, CompareDestinations); len(stray.Left) > 0 {
			strays = append(strays, stray)
		}
	}
	return strays
}

// hasStray reports whether a removed block of a sync is a stray one. What that block
// means to keep is not known then, so the block for all destinations deletes nothing.
func (g *Graph) hasStray(from string, state *ledger.State) bool {
	return slices.ContainsFunc(g.removed, func(r *config.Removed) bool { return r.From.Value == from && isStray(r, state) })
}

func isStray(r *config.Removed, state *ledger.State) bool {
	for _, d := range state.Destinations {
		if speaksOf(r, d, state) {
			return false
		}
	}
	return r.Workspace != ""
}

// speaksOf reports whether a removed block is about a destination: it names none,
// or this one. An environment is written as its name or its UUID, or else, where
// only one of the repository fits, as its name in another case or its slug.
func speaksOf(r *config.Removed, d *ledger.Destination, state *ledger.State) bool {
	if r.Workspace == "" {
		return true
	}
	fits := fit(r, d)
	for _, other := range state.Destinations {
		if other != d && fits < fitExact && fit(r, other) >= fits {
			return false // that one is meant, or which of the two is not known
		}
	}
	return fits > 0
}

// How well a destination fits the name that a removed block gives.
const (
	fitSlug = 1 + iota
	fitCase
	fitExact
)

func fit(r *config.Removed, d *ledger.Destination) int {
	switch {
	case !strings.EqualFold(r.Workspace, d.Workspace) || !strings.EqualFold(r.Repository, d.Repository) || (r.Environment == "") != (d.EnvironmentUUID == ""):
		return 0
	case r.Environment == d.Environment || (r.Environment != "" && strings.EqualFold(r.Environment, d.EnvironmentUUID)):
		return fitExact
	case strings.EqualFold(r.Environment, d.Environment):
		return fitCase
	case plainName(r.Environment) == plainName(d.Environment):
		return fitSlug
	}
	return 0
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
