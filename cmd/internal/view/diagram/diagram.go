// Package diagram draws what a configuration asks for: folders of a KMS, the
// syncs that read them, and the destinations these feed. [New] is where to start;
// a [Diagram] is written by [Diagram.In], or by the method of a format.
//
// Drawing needs no request and shows names only, never a secret. Equal
// configurations give equal bytes. docs/graph.md shows each format.
package diagram

import "github.com/hanzoai/kmsync/cmd/internal/view/sanitize"

// Kind is what a node or a group stands for.
type Kind string

// The kinds of nodes, and those of groups: a kms block, a sync block with
// for_each, a repository with several destinations.
const (
	KindSource      Kind = "source"
	KindSync        Kind = "sync"
	KindDestination Kind = "destination"
	KindKMS         Kind = "kms"
	KindForEach     Kind = "for_each"
	KindRepository  Kind = "repository"
)

// Diagram is a drawing before it has a format. Nodes stand in the order of their
// ids, and groups in that of their first nodes.
type Diagram struct {
	Groups []Group
	Nodes  []Node
	Edges  []Edge
}

// Group is a box around nodes.
type Group struct {
	ID    string
	Kind  Kind
	Label string
}

// Node is a source, a sync or a destination. Of the three pointers one is set.
type Node struct {
	ID          string
	Kind        Kind
	Label       string // what people read, not yet safe to print
	Group       string // id of its group, or ""
	Source      *Source
	Sync        *Sync
	Destination *Destination
}

// Source is a folder of a KMS.
type Source struct {
	KMS         string `json:"kms"` // label of the kms block
	Project     string `json:"project"`
	Environment string `json:"environment"`
	Path        string `json:"path"`
}

// Sync is what moves secrets.
type Sync struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

// Destination is where variables go: a workspace, a repository, or one of its
// deployment environments.
type Destination struct {
	Connection  string  `json:"connection"` // label of the connection block
	Workspace   string  `json:"workspace"`
	Repository  *string `json:"repository"`             // nil: the workspace's own variables
	Environment *string `json:"deployment_environment"` // nil: the repository's own variables
}

// Edge leads from a source to a sync, or from a sync to a destination.
type Edge struct {
	From, To string // ids of nodes
	Label    string // key schema of the sync, or ""
	Disabled bool   // nothing goes this way: its sync is disabled
}

// In returns the drawing in the format of that name: dot, json, or else mermaid.
// The error is that of the JSON encoder.
func (d *Diagram) In(format string) ([]byte, error) {
	switch format {
	case "dot":
		return d.DOT(), nil
	case "json":
		return d.JSON()
	}
	return d.Mermaid(), nil
}

// isDisabled reports whether a node is a sync that is disabled.
func (n Node) isDisabled() bool { return n.Sync != nil && !n.Sync.Enabled }

// box is a run of the drawing: a group with its nodes, or one node without a
// group.
type box struct {
	group *Group
	nodes []Node
}

// boxes returns every node once, where its group is first seen.
func (d *Diagram) boxes() []box {
	groups := map[string]*Group{}
	for i := range d.Groups {
		groups[d.Groups[i].ID] = &d.Groups[i]
	}
	var boxes []box
	at := map[string]int{}
	for _, n := range d.Nodes {
		if i, seen := at[n.Group]; seen && n.Group != "" {
			boxes[i].nodes = append(boxes[i].nodes, n)
			continue
		}
		at[n.Group] = len(boxes)
		boxes = append(boxes, box{groups[n.Group], []Node{n}})
	}
	return boxes
}

// escape writes a label: one line that is safe on a terminal, each rune as the
// format has it. An empty label becomes a blank, since formats need some text.
func escape(label string, write func(rune) string) string {
	label = sanitize.Text(label)
	if label == "" {
		return " "
	}
	out := make([]byte, 0, len(label)+16)
	for _, r := range label {
		out = append(out, write(r)...)
	}
	return string(out)
}
