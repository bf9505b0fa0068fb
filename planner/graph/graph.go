package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
)

// Graph is what a configuration asks for: which folders feed which destinations
// through which syncs. It is made without any request.
type Graph struct {
	Nodes        []*Node          // one per sync, sorted by address
	Folders      []SourceRef      // to read, distinct, sorted
	Trees        []SourceRef      // to read with all below them, distinct, sorted
	Destinations []DestinationRef // to read, distinct, as written, sorted
	Name         string           // kmsync.name; "" for none
	// Services say what the kms and connection blocks lead to, by "kms.NAME" and
	// "connection.NAME": project, address and credentials as they are written.
	Services map[string]string
	// Selection says which keys may be written; see [Graph.Select].
	Selection address.Selection
	Deletes   Deletes
	// Destroying: what declared syncs own is to be deleted; see [Graph.Destroy].
	Destroying bool

	moved   map[string]*config.Moved // by the address before
	removed []*config.Removed
}

// Node is one sync with what it reads and feeds, or what a sync left behind in
// one destination, as a removed block speaks of it; see [Graph.Leavings].
type Node struct {
	Sync        *config.Sync
	Folders     []SourceRef // the sources, in order
	Destination DestinationRef
	Removed     *config.Removed // nil for a sync that is declared
	// Seen is the name by which the ledger last saw the environment of what a sync left:
	// the destination has its UUID. It is "" for a sync that is declared.
	Seen string
	// LedgerID is the id of the destination in the ledger, for what a sync left.
	LedgerID string
	Choice   Choice

	named *address.Sync // by which addresses are compared, where the sources are gone
}

// New returns the graph of a valid configuration. A disabled sync is a node,
// but nothing is read on its behalf.
func New(cfg *config.Config) *Graph {
	g := &Graph{Name: cfg.Name.Value, Services: map[string]string{}, moved: map[string]*config.Moved{}, removed: cfg.Removed, Deletes: Deletes{MaxCount: cfg.Deletes.MaxCount.Value, MaxPercent: cfg.Deletes.MaxPercent.Value}}
	for label, k := range cfg.KMS {
		g.Services["kms."+label] = strings.Join([]string{k.Project.Value, k.Address.Value, k.CredentialsPrefix.Value}, " ")
	}
	for label, c := range cfg.Connections {
		g.Services["connection."+label] = strings.Join([]string{c.Address.Value, c.CredentialsPrefix.Value}, " ")
	}
	for _, m := range cfg.Moved {
		g.moved[m.From.Value] = m
	}
	for _, sync := range cfg.Syncs {
		n := &Node{Sync: sync, Destination: destinationOf(sync)}
		for _, source := range sync.Sources {
			n.Folders = append(n.Folders, SourceRef{source.KMS, source.Environment.Value, source.SecretPath.Value})
		}
		g.Nodes = append(g.Nodes, n)
	}
	g.gather()
	return g
}

// gather lists what is to be read for the nodes.
func (g *Graph) gather() {
	g.Folders, g.Trees, g.Destinations = nil, nil, nil
	folders, trees, destinations := map[SourceRef]bool{}, map[SourceRef]bool{}, map[DestinationRef]bool{}
	for _, n := range g.Nodes {
		if !n.IsRead() {
			continue
		}
		destinations[n.Destination] = true
		for i, f := range n.Folders {
			if n.Sync.Sources[i].Recursive.Value {
				trees[f] = true
			} else {
				folders[f] = true
			}
		}
	}
	g.Folders, g.Trees = slices.SortedFunc(maps.Keys(folders), CompareSources), slices.SortedFunc(maps.Keys(trees), CompareSources)
	for d := range destinations {
		g.Destinations = append(g.Destinations, d)
	}
	slices.SortFunc(g.Destinations, CompareDestinations)
}

// WantsImports reports whether a sync wants what the folders of a tree import, by
// whichever block of its KMS.
func (g *Graph) WantsImports(tree SourceRef) bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		for i, source := range n.Sync.Sources {
			if n.IsRead() && source.Recursive.Value && source.IncludeImports.Value && n.Folders[i].Environment == tree.Environment && n.Folders[i].Path == tree.Path {
				return true
			}
		}
		return false
	})
}

func destinationOf(sync *config.Sync) DestinationRef {
	d := sync.Destination
	return DestinationRef{
		Connection:  d.Connection,
		Workspace:   d.Workspace.Value,
		Repository:  d.Repository.Value,
		Environment: d.DeploymentEnvironment.Value,
	}
}

// CompareSources orders folders by block, environment and path.
func CompareSources(a, b SourceRef) int {
	return cmp.Or(cmp.Compare(a.KMS, b.KMS), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Path, b.Path))
}

// CompareDestinations orders destinations by workspace, repository and environment.
func CompareDestinations(a, b DestinationRef) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Repository, b.Repository),
		cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Connection, b.Connection))
}

// SourceRef names a folder of a KMS: the label of its block, environment and path.
type SourceRef struct{ KMS, Environment, Path string }

// String returns the folder as people write it: dev:/payments.
func (s SourceRef) String() string { return s.Environment + ":" + s.Path }

// Contains reports whether a folder is in the tree of this one.
func (s SourceRef) Contains(at SourceRef) bool {
	return s.KMS == at.KMS && s.Environment == at.Environment && strings.HasPrefix(at.Path+"/", strings.TrimSuffix(s.Path, "/")+"/")
}

// DestinationRef names a destination by the names in force: the environment by
// its name where that is known, else as it was written. Without a repository it is
// the workspace's own variables.
type DestinationRef struct{ Connection, Workspace, Repository, Environment string }

// OfWorkspace reports whether it is the workspace's own variables.
func (d DestinationRef) OfWorkspace() bool { return d.Repository == "" }

// String returns the destination as people read it: acme/payments (Staging), or
// acme (workspace).
func (d DestinationRef) String() string {
	if d.OfWorkspace() {
		return d.Workspace + " (workspace)"
	}
	s := d.Workspace + "/" + d.Repository
	if d.Environment != "" {
		s += " (" + d.Environment + ")"
	}
	return s
}

// Root is the destination without its environment.
func (d DestinationRef) Root() DestinationRef {
	d.Environment = ""
	return d
}

// RootKind says what the destination without its environment is, in one word.
func (d DestinationRef) RootKind() string {
	if d.OfWorkspace() {
		return "workspace"
	}
	return "repository"
}
