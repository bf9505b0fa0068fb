package diagram

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
)

// builder turns a graph into nodes and remembers which is which.
type builder struct {
	diagram      *Diagram
	cfg          *config.Config
	groups       map[groupKey]string // ids
	sources      map[graph.SourceRef]string
	destinations map[graph.DestinationRef]string
}

// groupKey is what a group has in common.
type groupKey struct {
	kind             Kind
	name, connection string
}

// New draws the graph of a configuration, which must be valid. Disabled syncs and
// what only they use are part of it.
func New(cfg *config.Config, g *graph.Graph) *Diagram {
	b := &builder{
		diagram: &Diagram{}, cfg: cfg, groups: map[groupKey]string{},
		sources: map[graph.SourceRef]string{}, destinations: map[graph.DestinationRef]string{},
	}
	b.addSources(g)
	syncs := b.addSyncs(g)
	b.addDestinations(g)
	for i, n := range g.Nodes {
		b.addEdges(n, syncs[i])
	}
	return b.diagram
}

// addSources draws each folder once, whoever reads it.
func (b *builder) addSources(g *graph.Graph) {
	var refs []graph.SourceRef
	for _, n := range g.Nodes {
		refs = append(refs, n.Folders...)
	}
	slices.SortFunc(refs, graph.CompareSources)
	for _, ref := range slices.Compact(refs) {
		project := b.project(ref.KMS)
		group := b.group(groupKey{kind: KindKMS, name: ref.KMS}, fmt.Sprintf("kms.%s (%s)", ref.KMS, project))
		b.sources[ref] = b.add("s", len(b.sources), Node{
			Kind: KindSource, Label: ref.String(), Group: group,
			Source: &Source{KMS: ref.KMS, Project: project, Environment: ref.Environment, Path: ref.Path},
		})
	}
}

// project returns the id or slug of the project of a kms block.
func (b *builder) project(label string) string {
	if k := b.cfg.KMS[label]; k != nil {
		return k.Project.Value
	}
	return ""
}

// addSyncs draws every sync and returns their ids.
func (b *builder) addSyncs(g *graph.Graph) []string {
	var ids []string
	for i, n := range g.Nodes {
		drawn := &Sync{Address: n.Sync.Address, Name: n.Sync.Name.Value, Enabled: n.Sync.Enabled.Value}
		label, group := drawn.Address, ""
		if !drawn.Enabled {
			label += " (disabled)"
		}
		if block, _, isElement := strings.Cut(drawn.Address, "["); isElement {
			group = b.group(groupKey{kind: KindForEach, name: block}, block)
		}
		ids = append(ids, b.add("y", i, Node{Kind: KindSync, Label: label, Group: group, Sync: drawn}))
	}
	return ids
}

// addDestinations draws each destination once, and a box around those of a
// repository if there are several.
func (b *builder) addDestinations(g *graph.Graph) {
	var refs []graph.DestinationRef
	for _, n := range g.Nodes {
		refs = append(refs, n.Destination)
	}
	slices.SortFunc(refs, graph.CompareDestinations)
	refs = slices.Compact(refs)
	siblings, namesakes := map[groupKey]int{}, map[string]int{}
	for _, ref := range refs {
		siblings[repositoryOf(ref)]++
		namesakes[ref.String()]++
	}
	for i, ref := range refs {
		label, group := ref.String(), ""
		if namesakes[label] > 1 {
			label += " through connection.bitbucket." + ref.Connection
		}
		if key := repositoryOf(ref); siblings[key] > 1 {
			group = b.group(key, key.name)
		}
		b.destinations[ref] = b.add("d", i, Node{
			Kind: KindDestination, Label: label, Group: group,
			Destination: &Destination{ref.Connection, ref.Workspace, optional(ref.Repository), optional(ref.Environment)},
		})
	}
}

func repositoryOf(ref graph.DestinationRef) groupKey {
	return groupKey{KindRepository, ref.Workspace + "/" + ref.Repository, ref.Connection}
}

// addEdges draws what a sync reads and where it writes. A folder that it reads
// through several source blocks has one edge.
func (b *builder) addEdges(n *graph.Node, sync string) {
	disabled := !n.Sync.Enabled.Value
	drawn := map[graph.SourceRef]bool{}
	for _, folder := range n.Folders {
		if !drawn[folder] {
			drawn[folder] = true
			b.diagram.Edges = append(b.diagram.Edges, Edge{From: b.sources[folder], To: sync, Disabled: disabled})
		}
	}
	b.diagram.Edges = append(b.diagram.Edges, Edge{
		From: sync, To: b.destinations[n.Destination], Label: n.Sync.Options.KeySchema.Value.String(), Disabled: disabled,
	})
}

// add appends a node and returns its id: the prefix and a number that counts
// from 1.
func (b *builder) add(prefix string, before int, n Node) string {
	n.ID = fmt.Sprint(prefix, before+1)
	b.diagram.Nodes = append(b.diagram.Nodes, n)
	return n.ID
}

// group returns the id of a group, which is made when it is first asked for.
func (b *builder) group(key groupKey, label string) string {
	id, ok := b.groups[key]
	if !ok {
		id = fmt.Sprint("g", len(b.groups)+1)
		b.groups[key] = id
		b.diagram.Groups = append(b.diagram.Groups, Group{id, key.kind, label})
	}
	return id
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
