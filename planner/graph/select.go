package graph

import (
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// Choice is what --target and --exclude say about a sync.
type Choice int

// The choices.
const (
	Chosen    Choice = iota // read and judged; which of its keys are written is Graph.Selection's to say
	Excluded                // not read; what may be its own is kept
	Untouched               // not read and not shown: no target is at its destination
)

// IsRead reports whether the sync's source and destination are read on its behalf.
func (n *Node) IsRead() bool { return n.Sync.Enabled.Value && n.Choice == Chosen }

// Names returns the sync as addresses are compared with it.
func (n *Node) Names() address.Sync {
	if n.named != nil {
		return *n.named
	}
	d := n.Destination
	if n.Seen != "" {
		d.Environment = n.Seen
	}
	s := address.Sync{Address: n.Sync.Address, Destination: address.Destination{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}}
	for _, f := range n.Folders {
		s.Sources = append(s.Sources, address.Source{Environment: f.Environment, Path: f.Path})
	}
	return s
}

// isExcludedByUUID reports whether a selection excludes the node by the UUID of its
// environment, while its names have the name.
func (n *Node) isExcludedByUUID(s address.Selection) bool {
	names := n.Names()
	names.Destination.Environment = n.Destination.Environment
	return n.Seen != "" && s.ByUUID().Excludes(names)
}

// Names returns all syncs as addresses are compared with them.
func (g *Graph) Names() []address.Sync {
	names := make([]address.Sync, len(g.Nodes))
	for i, n := range g.Nodes {
		names[i] = n.Names()
	}
	return names
}

// Select returns the graph narrowed to a selection that fits it. Of the syncs that
// are not excluded, those are read that a target names, and with them every other
// that may write to the same place, since their keys decide too. All stay nodes:
// what they own stays theirs. The receiver stays as it is.
func (g *Graph) Select(s address.Selection) *Graph {
	chosen := *g
	chosen.Selection, chosen.Nodes = s, nil
	var touched []DestinationRef
	for _, node := range g.Nodes {
		n := *node
		chosen.Nodes = append(chosen.Nodes, &n)
		switch names := n.Names(); {
		case s.Excludes(names) || n.isExcludedByUUID(s):
			n.Choice = Excluded
		case s.Targets(names):
			n.Choice, touched = Chosen, append(touched, n.Destination)
		default:
			n.Choice = Untouched
		}
	}
	for _, n := range chosen.Nodes {
		shares := func(d DestinationRef) bool { return n.Destination.MayBe(d, "") }
		if n.Choice == Untouched && slices.ContainsFunc(touched, shares) {
			n.Choice = Chosen
		}
	}
	chosen.gather()
	return &chosen
}

// MayBe reports whether two destinations may be the same, by their names alone:
// the case of slugs does not matter, and an environment may be written as its name,
// its slug or its UUID. environmentUUID is that of the other one, or "" where it is
// not known.
func (d DestinationRef) MayBe(other DestinationRef, environmentUUID string) bool {
	if !strings.EqualFold(d.Workspace, other.Workspace) || !strings.EqualFold(d.Repository, other.Repository) ||
		(d.Environment == "") != (other.Environment == "") {
		return false
	}
	isUUID, otherIsUUID := strings.HasPrefix(d.Environment, "{"), strings.HasPrefix(other.Environment, "{")
	switch {
	case isUUID && environmentUUID != "":
		return strings.EqualFold(d.Environment, environmentUUID)
	case isUUID != otherIsUUID:
		return true // which one it is, only Bitbucket knows
	}
	return strings.EqualFold(d.Environment, other.Environment) || address.PlainName(d.Environment) == address.PlainName(other.Environment)
}

// MayHaveFed reports whether the sync may be one of a destination of the ledger, by
// the names that this was last seen with.
func (n *Node) MayHaveFed(d *ledger.Destination) bool {
	return d.Workspace != "" && n.Destination.MayBe(seenAs(d), d.EnvironmentUUID)
}
