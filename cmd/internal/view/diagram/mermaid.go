package diagram

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mermaid returns the drawing as a mermaid flowchart from left to right, as
// Markdown takes it in a block of the language mermaid.
func (d *Diagram) Mermaid() []byte {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	disabled := false
	for _, box := range d.boxes() {
		indent := "  "
		if box.group != nil {
			fmt.Fprintf(&b, "  subgraph %s[%s]\n", box.group.ID, mermaidString(box.group.Label))
			indent = "    "
		}
		for _, n := range box.nodes {
			fmt.Fprintf(&b, "%s%s%s\n", indent, n.ID, mermaidShape(n))
			disabled = disabled || n.isDisabled()
		}
		if box.group != nil {
			b.WriteString("  end\n")
		}
	}
	for _, e := range d.Edges {
		fmt.Fprintf(&b, "  %s %s %s\n", e.From, mermaidArrow(e), e.To)
	}
	if disabled {
		b.WriteString("  classDef disabled stroke-dasharray: 5 5\n")
	}
	return []byte(b.String())
}

func mermaidShape(n Node) string {
	text := mermaidString(n.Label)
	switch {
	case n.Kind == KindSource:
		return "[(" + text + ")]"
	case n.isDisabled():
		return "(" + text + "):::disabled"
	case n.Kind == KindSync:
		return "(" + text + ")"
	}
	return "[" + text + "]"
}

func mermaidArrow(e Edge) string {
	arrow := "-->"
	if e.Disabled {
		arrow = "-.->"
	}
	if e.Label != "" {
		arrow += "|" + mermaidString(e.Label) + "|"
	}
	return arrow
}

// mermaidPlain are the marks that mean nothing inside of a quoted string. Not
// among them: " ends it, a backtick begins Markdown, # and ; make an entity, < > &
// are HTML, %% is a comment or directive, $$ a formula, a backslash and n a new
// line, * and ~ emphasis.
const mermaidPlain = " -_.,:/()[]{}=+?!'"

// mermaidSpells are words that mermaid looks for in the whole text or from the
// beginning of a line, quoted or not: it removes a semicolon after style and
// classDef, obeys "direction TB", and takes a text with C4Container for another
// kind of diagram.
var mermaidSpells = strings.NewReplacer(
	"style", entity('s')+"tyle", "classDef", entity('c')+"lassDef", "direction", entity('d')+"irection", "C4", entity('C')+"4",
)

// mermaidString returns a label as a quoted string, with every rune that could
// mean something as an entity.
func mermaidString(label string) string {
	return `"` + mermaidSpells.Replace(escape(label, func(r rune) string {
		if isMermaidPlain(r) {
			return string(r)
		}
		return entity(r)
	})) + `"`
}

// isMermaidPlain allows letters and digits besides. What mermaid itself puts in the
// place of an entity has a degree sign or a pilcrow in it, which are neither.
func isMermaidPlain(r rune) bool {
	return r < utf8.RuneSelf && strings.ContainsRune(mermaidPlain, r) || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// entity returns a rune by its number, or by its name where addresses hold it.
func entity(r rune) string {
	if r == '"' {
		return "#quot;"
	}
	return fmt.Sprintf("#%d;", r)
}
