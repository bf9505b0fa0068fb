package graph

import (
	"slices"

	"github.com/hanzoai/kmsync/config"
)

// Deletes says how many deletes a run may do.
type Deletes struct {
	// MaxCount is for the whole run, MaxPercent for each destination.
	MaxCount, MaxPercent int
	// Allowed replaces both, as --max-deletes does: so many in all, else none. nil:
	// nobody said.
	Allowed *int
}

// Allow returns the graph of a run that may delete n variables, and no more; nil
// leaves it to the configuration. The receiver stays as it is.
func (g *Graph) Allow(n *int) *Graph {
	with := *g
	with.Deletes.Allowed = n
	return &with
}

// Destroy returns the graph of a run that deletes what the declared syncs own. No
// source is read and nothing is wanted. A disabled sync takes part only where a target
// is its very address. The receiver stays as it is.
func (g *Graph) Destroy() *Graph {
	with := *g
	with.Destroying, with.Nodes = true, nil
	for _, node := range g.Nodes {
		n := *node
		with.Nodes = append(with.Nodes, &n)
		named := n.Names()
		n.named = &named
		if n.Choice != Chosen || (!n.Sync.Enabled.Value && !g.Selection.Names(n.Sync.Address)) {
			continue
		}
		sync := *n.Sync
		sync.Sources, sync.Enabled = nil, config.Located[bool]{Value: true, Range: n.Sync.Enabled.Range}
		n.Sync, n.Folders = &sync, nil
	}
	with.Nodes = slices.DeleteFunc(with.Nodes, func(n *Node) bool { return n.Removed != nil })
	with.gather()
	return &with
}
