package diagram

import (
	"fmt"
	"strings"
)

// DOT returns the drawing in the language of Graphviz, from left to right, for
// "dot -Tsvg".
func (d *Diagram) DOT() []byte {
	var b strings.Builder
	b.WriteString("digraph kmsync {\n  rankdir=LR\n  ranksep=2\n  node [shape=box]\n")
	for _, box := range d.boxes() {
		indent := "  "
		if box.group != nil {
			fmt.Fprintf(&b, "  subgraph cluster_%s {\n    label=%s\n", box.group.ID, dotString(box.group.Label))
			indent = "    "
		}
		for _, n := range box.nodes {
			fmt.Fprintf(&b, "%s%s [label=%s%s]\n", indent, n.ID, dotString(n.Label), dotShape(n))
		}
		if box.group != nil {
			b.WriteString("  }\n")
		}
	}
	for _, e := range d.Edges {
		fmt.Fprintf(&b, "  %s -> %s%s\n", e.From, e.To, dotEdge(e))
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func dotShape(n Node) string {
	switch {
	case n.Kind == KindSource:
		return ", shape=cylinder"
	case n.isDisabled():
		return `, style="rounded,dashed"`
	case n.Kind == KindSync:
		return ", style=rounded"
	}
	return ""
}

func dotEdge(e Edge) string {
	var attributes []string
	if e.Label != "" {
		attributes = append(attributes, "label="+dotString(e.Label))
	}
	if e.Disabled {
		attributes = append(attributes, "style=dashed")
	}
	if len(attributes) == 0 {
		return ""
	}
	return " [" + strings.Join(attributes, ", ") + "]"
}

// dotString returns a label as a quoted string. A backslash begins an escape in
// labels, and & an entity, as in HTML.
func dotString(label string) string {
	return `"` + escape(label, func(r rune) string {
		switch r {
		case '"', '\\':
			return `\` + string(r)
		case '&':
			return "&amp;"
		}
		return string(r)
	}) + `"`
}
