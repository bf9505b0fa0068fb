package diagram

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
)

// read is what a reader of a format found: labels by id, edges as "from to label",
// and which node is in which group.
type read struct {
	Labels map[string]string
	Inside map[string]string
	Edges  []string
}

func newRead() read { return read{Labels: map[string]string{}, Inside: map[string]string{}} }

// expected is what a reader must find in a drawing, where show says how a label is
// read again.
func expected(d *Diagram, show func(string) string) read {
	r := newRead()
	for _, g := range d.Groups {
		r.Labels[g.ID] = show(g.Label)
	}
	for _, n := range d.Nodes {
		r.Labels[n.ID] = show(n.Label)
		if n.Group != "" {
			r.Inside[n.ID] = n.Group
		}
	}
	for _, e := range d.Edges {
		r.Edges = append(r.Edges, strings.TrimSpace(e.From+" "+e.To+" "+show(e.Label)))
	}
	return r
}

// onTerminal is how pictures show a label: one line, and never nothing.
func onTerminal(label string) string {
	if label == "" {
		return " "
	}
	return sanitize.Text(label)
}

// asText is how JSON keeps a label: as it is, but for bytes that are no text.
func asText(label string) string { return string([]rune(label)) }

// dotToken is what a scanner of Graphviz takes for one: an identifier, a mark, or
// a quoted string, in which only \" ends a backslash's reach.
var dotToken = regexp.MustCompile(`^(?:[A-Za-z_0-9.]+|->|[{}\[\]=,]|"(?:[^"\\]|\\[^\n])*")`)

func dotTokens(text string) ([]string, error) {
	var tokens []string
	for text = strings.TrimLeft(text, " \n"); text != ""; text = strings.TrimLeft(text, " \n") {
		token := dotToken.FindString(text)
		if token == "" {
			return nil, fmt.Errorf("no token at %.40q", text)
		}
		tokens, text = append(tokens, token), text[len(token):]
	}
	return tokens, nil
}

// dotReader reads statements; it knows those that may be there, and no others.
type dotReader struct {
	read
	tokens []string
	group  string
}

// readDOT reads a drawing as Graphviz does.
func readDOT(text string) (read, error) {
	tokens, err := dotTokens(text)
	r := &dotReader{read: newRead(), tokens: tokens}
	head := []string{"digraph", "kmsync", "{", "rankdir", "=", "LR", "ranksep", "=", "2", "node", "[", "shape", "=", "box", "]"}
	if err != nil || len(tokens) < len(head) || !slices.Equal(tokens[:len(head)], head) {
		return r.read, errors.Join(err, fmt.Errorf("begins with %q", tokens))
	}
	r.tokens = tokens[len(head):]
	for r.peek(0) != "}" || r.group != "" {
		if err := r.statement(); err != nil {
			return r.read, err
		}
	}
	if len(r.tokens) != 1 {
		return r.read, fmt.Errorf("goes on with %q", r.tokens[1:])
	}
	return r.read, nil
}

func (r *dotReader) peek(i int) string {
	if i >= len(r.tokens) {
		return ""
	}
	return r.tokens[i]
}

func (r *dotReader) statement() error {
	first := r.peek(0)
	switch {
	case first == "}":
		r.group, r.tokens = "", r.tokens[1:]
	case first == "subgraph" && r.group == "" && r.peek(2) == "{" && r.peek(3) == "label" && r.peek(4) == "=":
		r.group = strings.TrimPrefix(r.peek(1), "cluster_")
		r.Labels[r.group] = dotLabel(r.peek(5))
		r.tokens = r.tokens[6:]
	case r.peek(1) == "->":
		to := r.peek(2)
		r.tokens = r.tokens[3:]
		r.Edges = append(r.Edges, strings.TrimSpace(first+" "+to+" "+dotLabel(r.attributes()["label"])))
	case regexp.MustCompile(`^[syd][0-9]+$`).MatchString(first) && r.peek(1) == "[":
		r.tokens = r.tokens[1:]
		r.Labels[first] = dotLabel(r.attributes()["label"])
		if r.group != "" {
			r.Inside[first] = r.group
		}
	default:
		return fmt.Errorf("no statement at %q", r.tokens)
	}
	return nil
}

// attributes reads [name=value, ...] if there is one.
func (r *dotReader) attributes() map[string]string {
	found := map[string]string{}
	for i := 0; r.peek(0) == "[" && i < len(r.tokens); i += 4 {
		found[r.peek(i+1)] = r.peek(i + 3)
		if r.peek(i+2) == "=" && r.peek(i+4) == "]" {
			r.tokens = r.tokens[i+5:]
			break
		}
	}
	return found
}

// dotLabel returns what Graphviz shows for a string: a backslash before another
// letter would be an escape, and entities are those of HTML.
func dotLabel(token string) string {
	if token == "" {
		return ""
	}
	return html.UnescapeString(strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\`, `ESCAPE`).Replace(token[1 : len(token)-1]))
}

// mermaidAnywhere are what mermaid looks for in a text before it reads lines:
// directives and comments, HTML, another kind of diagram, styles of which it takes
// the last semicolon, and its own place-holders for entities.
var mermaidAnywhere = regexp.MustCompile(`%%|<\w|^\s*C4Context|C4Container|C4Component|C4Dynamic|C4Deployment|style.*:\S*#.*;|classDef.*:\S*#.*;|ﬂ°|¶ß`)

// mermaidLines are the lines that may be there, with what its lexer takes for a
// quoted string. A line with a direction in it is that and nothing else.
var (
	mermaidText      = `"([^"` + "`" + `][^"]*)"`
	mermaidNode      = regexp.MustCompile(`^ +([syd][0-9]+)(?:\[\(` + mermaidText + `\)\]|\(` + mermaidText + `\)(?::::disabled)?|\[` + mermaidText + `\])$`)
	mermaidGroup     = regexp.MustCompile(`^  subgraph (g[0-9]+)\[` + mermaidText + `\]$`)
	mermaidEdge      = regexp.MustCompile(`^  ([sy][0-9]+) (?:-->|-\.->)(?:\|` + mermaidText + `\|)? ([yd][0-9]+)$`)
	mermaidDirection = regexp.MustCompile(`direction\s+(TB|BT|RL|LR|TD)`)
	mermaidEntity    = regexp.MustCompile(`#(\w+);`)
)

// readMermaid reads a drawing as mermaid does.
func readMermaid(text string) (read, error) {
	r, group := newRead(), ""
	if found := mermaidAnywhere.FindString(text); found != "" {
		return r, fmt.Errorf("mermaid would act on %q", found)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != "flowchart LR" {
		return r, fmt.Errorf("begins with %q", lines[0])
	}
	for _, line := range lines[1:] {
		node, subgraph, edge := mermaidNode.FindStringSubmatch(line), mermaidGroup.FindStringSubmatch(line), mermaidEdge.FindStringSubmatch(line)
		switch {
		case mermaidDirection.MatchString(line):
			return r, fmt.Errorf("a direction: %q", line)
		case line == "  classDef disabled stroke-dasharray: 5 5":
		case line == "  end" && group != "":
			group = ""
		case subgraph != nil && group == "":
			group = subgraph[1]
			r.Labels[group] = mermaidLabel(subgraph[2])
		case node != nil:
			r.Labels[node[1]] = mermaidLabel(node[2] + node[3] + node[4])
			if group != "" {
				r.Inside[node[1]] = group
			}
		case edge != nil:
			r.Edges = append(r.Edges, strings.TrimSpace(edge[1]+" "+edge[3]+" "+mermaidLabel(edge[2])))
		default:
			return r, fmt.Errorf("no statement: %q", line)
		}
	}
	return r, nil
}

// mermaidLabel returns what is shown: #35; is the entity &#35; of HTML, and what is
// none of its own must not be one.
func mermaidLabel(text string) string {
	return html.UnescapeString(mermaidEntity.ReplaceAllStringFunc(text, func(entity string) string {
		if strings.Trim(entity, "#0123456789;") == "" {
			return "&" + entity
		}
		return "&" + entity[1:]
	}))
}

func readJSON(text string) (read, error) {
	r := newRead()
	var doc struct {
		Groups []Group
		Nodes  []struct{ ID, Label, Group string }
		Edges  []struct{ From, To, Label string }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return r, err
	}
	for _, g := range doc.Groups {
		r.Labels[g.ID] = g.Label
	}
	for _, n := range doc.Nodes {
		r.Labels[n.ID] = n.Label
		if n.Group != "" {
			r.Inside[n.ID] = n.Group
		}
	}
	for _, e := range doc.Edges {
		r.Edges = append(r.Edges, strings.TrimSpace(e.From+" "+e.To+" "+e.Label))
	}
	return r, nil
}

// named is a drawing in which everything has one of two names.
func named(name, other string) *Diagram {
	return &Diagram{
		Groups: []Group{{"g1", KindKMS, name}, {"g2", KindForEach, other}, {"g3", KindRepository, name}},
		Nodes: []Node{
			{ID: "s1", Kind: KindSource, Label: name, Group: "g1", Source: &Source{KMS: name, Project: other}},
			{ID: "s2", Kind: KindSource, Label: other, Group: "g1", Source: &Source{Path: name}},
			{ID: "y1", Kind: KindSync, Label: other, Group: "g2", Sync: &Sync{Address: name, Enabled: true}},
			{ID: "y2", Kind: KindSync, Label: name, Sync: &Sync{Address: other}},
			{ID: "d1", Kind: KindDestination, Label: name, Group: "g3", Destination: &Destination{Workspace: name, Environment: &other}},
			{ID: "d2", Kind: KindDestination, Label: other, Destination: &Destination{Repository: &name}},
		},
		Edges: []Edge{{"s1", "y1", "", false}, {"s2", "y2", "", true}, {"y1", "d1", name, false}, {"y2", "d2", other, true}},
	}
}

// check holds what readers find in each format against what was drawn.
func check(t *testing.T, d *Diagram) {
	t.Helper()
	written := formats(t, d)
	for name, format := range map[string]struct {
		read func(string) (read, error)
		show func(string) string
	}{"graph.mmd": {readMermaid, onTerminal}, "graph.dot": {readDOT, onTerminal}, "graph.json": {readJSON, asText}} {
		got, err := format.read(written[name])
		if err != nil {
			t.Errorf("%s: %v in\n%s", name, err, written[name])
			continue
		}
		if diff := cmp.Diff(expected(d, format.show), got); diff != "" {
			t.Errorf("%s (-drawn +read):\n%s%s", name, diff, written[name])
		}
		for _, r := range written[name] {
			if r != '\n' && sanitize.Text(string(r)) != string(r) {
				t.Errorf("%s holds %U, which a terminal might obey", name, r)
			}
		}
	}
}

// hostile are names that mean something in one of the formats.
var hostile = []string{
	"", " ", `"`, `"]`, `"]; end`, `\`, `\\`, `\"`, `ends in \`, `\N \l`, "&amp;", "&quot;", "#35;", "#quot;", "#", ";", "ﬂ°°35¶ß", "ﬁﬂﬀ",
	"end", "graph", "subgraph", "default", "class x y", "click x call f()", "direction TB", "a direction  LR b", "style a:#f;", "restyle:x#1;",
	"classDef x fill:#fff;", "C4Container", "C4Context", "%%", "%%{init: {}}%%", "%% comment", "`markdown`", "**bold**", "~~~", "a-->b", "a@b", "id@{shape: x}",
	"a|b", "|", "[x]", "(x)", "((x))", "{x}", "{{x}}", "<b>x</b>", "<", "<x y=\"z\">", "-->", "--- x", "//", "/* x */", "a\nb", "a\r\nb", "a\tb",
	"\x1b[2J", "\u202egnp", "\xff\xfe", "\x00", "\u2028", "日本語", "emoji 😀", "e\u0301", "$$x$$", "fa:fa-ban", "x:::disabled", "accTitle: x", "'", "=\"x\"",
}

// No name breaks a format, and each is shown as it is.
func TestNamesBreakNoFormat(t *testing.T) {
	t.Parallel()
	for i, name := range hostile {
		check(t, named(name, hostile[(i*7+1)%len(hostile)]))
		check(t, named(name+name, "x"+name+"y"))
	}
}

// The fifty syncs are read as they were drawn, too.
func TestFiftySyncsAreReadAsDrawn(t *testing.T) {
	t.Parallel()
	check(t, draw(t, "../../../../testdata/fixtures/graph/fifty"))
}

func FuzzNames(f *testing.F) {
	for i, name := range hostile {
		f.Add(name, hostile[len(hostile)-1-i])
	}
	f.Fuzz(func(t *testing.T, name, other string) { check(t, named(name, other)) })
}
