package observe

import (
	"strings"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
)

// overlaps asks again, now that names are resolved, what the configuration was
// asked when it was loaded: whether one of two syncs of one destination would
// delete what the other writes. Only spellings that differ are new. Disabled and
// excluded syncs count, as far as their names tell where they lead.
func overlaps(g *graph.Graph, obs *Observation) map[*config.Sync]error {
	found := map[*config.Sync]error{}
	if g.Destroying { // nothing is written, and only what a sync owns is deleted
		return found
	}
	syncs := placesOf(g, obs)
	for i, a := range syncs {
		for _, b := range syncs[i+1:] {
			if !a.overwrites && !b.overwrites {
				continue
			}
			place, same := a.meets(b)
			if !same || areSpelledAlike(a.Destination, b.Destination) {
				continue
			}
			example, overlap := config.Overlap(a.Sync, b.Sync)
			if !overlap {
				continue
			}
			err := &graph.OverlapError{First: a.Sync, Second: b.Sync, Place: place, Example: example}
			for _, s := range []*config.Sync{a.Sync, b.Sync} {
				if found[s] == nil {
					found[s] = err
				}
			}
		}
	}
	return found
}

// resolved is a declared sync with its destination as it was read, or nil where it
// was not read or not identified.
type resolved struct {
	*graph.Node
	read       *DestinationRead
	overwrites bool
}

func placesOf(g *graph.Graph, obs *Observation) []resolved {
	var syncs []resolved
	for _, n := range g.Nodes {
		if n.Removed != nil {
			continue
		}
		s := resolved{Node: n, overwrites: n.Sync.Options.OverwriteDestination.Value}
		if read := obs.Destinations[n.Destination]; n.IsRead() && read != nil && read.ID != "" {
			s.read = read
		}
		syncs = append(syncs, s)
	}
	return syncs
}

// meets reports whether two syncs lead, or may lead, to one destination, and returns
// its name. At least one of them was read.
func (s resolved) meets(other resolved) (graph.DestinationRef, bool) {
	switch {
	case s.read != nil && other.read != nil:
		return s.read.Ref, s.read.ID == other.read.ID
	case s.read != nil && !other.IsRead():
		return s.read.Ref, s.read.MayBe(other.Destination)
	case other.read != nil && !s.IsRead():
		return other.read.Ref, other.read.MayBe(s.Destination)
	}
	return graph.DestinationRef{}, false
}

// areSpelledAlike reports whether two destinations are the same as they are written,
// by whichever account.
func areSpelledAlike(d, other graph.DestinationRef) bool {
	return strings.EqualFold(d.Workspace, other.Workspace) && strings.EqualFold(d.Repository, other.Repository) &&
		d.Environment == other.Environment
}
