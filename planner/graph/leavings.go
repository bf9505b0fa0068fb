package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

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
	if state.Rolled || g.Destroying {
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

// blocksFor returns the removed blocks that decide about keys in a destination: for
// each sync the one that names the destination best. Where two do so equally well and
// differ, neither decides.
func (g *Graph) blocksFor(d *ledger.Destination, state *ledger.State) []*config.Removed {
	best := g.fitting(d, state)
	var blocks []*config.Removed
	for _, from := range slices.Sorted(maps.Keys(best)) {
		if same := best[from]; contradiction(same) == nil {
			blocks = append(blocks, same[0])
		}
	}
	return blocks
}

// contradiction returns a block that says another thing than the first, or nil.
func contradiction(same []*config.Removed) *config.Removed {
	for _, r := range same {
		if r.Keep.Value != same[0].Keep.Value {
			return r
		}
	}
	return nil
}

// fitting returns, by sync, the removed blocks that name a destination best, if the
// sync left keys there.
func (g *Graph) fitting(d *ledger.Destination, state *ledger.State) map[string][]*config.Removed {
	left := g.left(d)
	best := map[string][]*config.Removed{}
	for _, r := range g.removed {
		from := r.From.Value
		if !left[from] || !speaksOf(r, d, state) || (!r.Keep.Value && g.hasStray(from, state)) {
			continue
		}
		switch known := best[from]; {
		case len(known) == 0 || fit(r, d) > fit(known[0], d):
			best[from] = []*config.Removed{r}
		case fit(r, d) == fit(known[0], d):
			best[from] = append(known, r)
		}
	}
	return best
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

// Stray is a removed block that does not count: it names a destination which the
// ledger does not know, as by a slip of the hand, while its sync left keys elsewhere;
// or another block says the opposite of the same place.
type Stray struct {
	Removed *config.Removed
	Against *config.Removed  // the other block, or nil
	Left    []DestinationRef // where the sync left keys, sorted; or the place of both blocks
}

// Strays returns the removed blocks that do not count.
func (g *Graph) Strays(state *ledger.State) []Stray {
	var strays []Stray
	for _, id := range slices.Sorted(maps.Keys(state.Destinations)) {
		d := state.Destinations[id]
		best := g.fitting(d, state)
		for _, from := range slices.Sorted(maps.Keys(best)) {
			if other := contradiction(best[from]); other != nil && !state.Rolled {
				strays = append(strays, Stray{best[from][0], other, []DestinationRef{seenAs(d)}})
			}
		}
	}
	for _, r := range g.removed {
		if state.Rolled || !isStray(r, state) {
			continue
		}
		stray := Stray{Removed: r}
		for _, d := range state.Destinations {
			if n := g.Declared(r.From.Value); g.left(d)[r.From.Value] && (n == nil || !n.MayHaveFed(d)) {
				stray.Left = append(stray.Left, seenAs(d))
			}
		}
		if slices.SortFunc(stray.Left, CompareDestinations); len(stray.Left) > 0 {
			strays = append(strays, stray)
		}
	}
	return strays
}

// seenAs is a destination by the names it was last seen with.
func seenAs(d *ledger.Destination) DestinationRef {
	return DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}
}

// hasStray reports whether a removed block of a sync is a stray one. What that block
// means to keep is not known then, so no block deletes anything of that sync.
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
	fitAll = 1 + iota // it gives none
	fitSlug
	fitCase
	fitExact
)

func fit(r *config.Removed, d *ledger.Destination) int {
	switch {
	case r.Workspace == "":
		return fitAll
	case !strings.EqualFold(r.Workspace, d.Workspace) || !strings.EqualFold(r.Repository, d.Repository) || (r.Environment == "") != (d.EnvironmentUUID == ""):
		return 0
	case r.Environment == d.Environment || (r.Environment != "" && strings.EqualFold(r.Environment, d.EnvironmentUUID)):
		return fitExact
	case strings.EqualFold(r.Environment, d.Environment):
		return fitCase
	case slugOf(r.Environment) == slugOf(d.Environment):
		return fitSlug
	}
	return 0
}

// slugOf is the slug that Bitbucket makes of the name of an environment, as far as
// that was seen: lower case, with a hyphen for what is neither a letter nor a digit.
func slugOf(environment string) string {
	words := strings.FieldsFunc(strings.ToLower(environment), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}

// add adds what a removed block's sync left in a destination, unless the selection
// leaves it out: then it stays left behind for this run.
func (g *Graph) add(r *config.Removed, d *ledger.Destination) {
	ref := g.spelled(DestinationRef{Connection: r.Connection, Workspace: d.Workspace, Repository: d.Repository, Environment: d.EnvironmentUUID})
	sync := &config.Sync{Address: r.From.Value, Range: r.Range, Destination: config.Destination{Range: r.Range}}
	sync.Enabled.Value = true
	n := &Node{Sync: sync, Destination: ref, Removed: r, Seen: d.Environment, LedgerID: d.ID}
	if !g.hasRemoved(r, ref) && !g.Selection.Excludes(n.Names()) && !n.isExcludedByUUID(g.Selection) && (g.Selection.Targets(n.Names()) || g.isTouched(ref)) {
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
