package diagram

import "github.com/hanzoai/kmsync/planner/codec"

// formatVersion is the version of the JSON document. Minor versions only add
// fields.
const formatVersion = "1.0"

type document struct {
	FormatVersion string          `json:"format_version"`
	Groups        []groupDocument `json:"groups"`
	Nodes         []nodeDocument  `json:"nodes"`
	Edges         []edgeDocument  `json:"edges"`
}

type groupDocument struct {
	ID    string `json:"id"`
	Kind  Kind   `json:"kind"`
	Label string `json:"label"`
}

// nodeDocument has the fields of the one pointer that is set beside its own.
type nodeDocument struct {
	ID    string  `json:"id"`
	Kind  Kind    `json:"kind"`
	Label string  `json:"label"`
	Group *string `json:"group"`
	*Source
	*Sync
	*Destination
}

type edgeDocument struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Label *string `json:"label"`
}

// JSON returns the drawing as one JSON document. Lists are never null; what there
// is none of (group, label of an edge, repository, deployment_environment) is
// null. The error is that of the JSON encoder.
func (d *Diagram) JSON() ([]byte, error) {
	doc := document{FormatVersion: formatVersion, Groups: []groupDocument{}, Nodes: []nodeDocument{}, Edges: []edgeDocument{}}
	for _, g := range d.Groups {
		doc.Groups = append(doc.Groups, groupDocument(g))
	}
	for _, n := range d.Nodes {
		doc.Nodes = append(doc.Nodes, nodeDocument{n.ID, n.Kind, n.Label, optional(n.Group), n.Source, n.Sync, n.Destination})
	}
	for _, e := range d.Edges {
		doc.Edges = append(doc.Edges, edgeDocument{e.From, e.To, optional(e.Label)})
	}
	return codec.JSON(doc, "  ")
}
