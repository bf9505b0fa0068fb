package diagram

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// draw returns the drawing of a directory.
func draw(t *testing.T, dir string) *Diagram {
	t.Helper()
	cfg, diags := config.Load(dir, config.LoadOptions{NeedInputs: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return New(cfg, graph.New(cfg))
}

// drawText returns the drawing of one file.
func drawText(t *testing.T, text string) *Diagram {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return draw(t, dir)
}

// formats writes a drawing in each format.
func formats(t *testing.T, d *Diagram) map[string]string {
	t.Helper()
	written := map[string]string{}
	for name, format := range map[string]string{"graph.mmd": "mermaid", "graph.dot": "dot", "graph.json": "json"} {
		text, err := d.In(format)
		if err != nil {
			t.Fatal(err)
		}
		written[name] = string(text)
	}
	return written
}

// What 50 syncs look like, and that drawing them again gives equal bytes.
func TestGoldenOfFiftySyncs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "..", "testdata", "fixtures", "graph", "fifty")
	d := draw(t, dir)
	if n := count(d, KindSync); n != 50 {
		t.Fatalf("%d syncs", n)
	}
	again := formats(t, draw(t, dir))
	for name, got := range formats(t, d) {
		if got != again[name] {
			t.Errorf("%s differs the second time", name)
		}
		path := filepath.Join("..", "..", "..", "..", "testdata", "golden", "view", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got; -update accepts it):\n%s", name, diff)
		}
	}
}

func count(d *Diagram, kind Kind) int {
	n := 0
	for _, node := range d.Nodes {
		if node.Kind == kind {
			n++
		}
	}
	return n
}

const head = `
kms "demo" {
  project = "demo-project"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}
`

// sync writes a sync block.
func sync(label, path, destination, more string) string {
	return "\nsync \"" + label + "\" {\n  source {\n    environment = \"dev\"\n    secret_path = \"" + path + "\"\n  }\n" +
		"  destination \"bitbucket\" {\n    " + destination + "\n  }\n" + more + "\n}\n"
}

// brief returns nodes and edges as one line each.
func brief(d *Diagram) string {
	groups := map[string]string{"": ""}
	for _, g := range d.Groups {
		groups[g.ID] = " in " + string(g.Kind) + " " + g.Label
	}
	var b strings.Builder
	for _, n := range d.Nodes {
		b.WriteString(n.ID + " " + n.Label + groups[n.Group] + "\n")
	}
	for _, e := range d.Edges {
		words := []string{e.From, ">", e.To}
		if e.Label != "" {
			words = append(words, e.Label)
		}
		if e.Disabled {
			words = append(words, "disabled")
		}
		b.WriteString(strings.Join(words, " ") + "\n")
	}
	return b.String()
}

// Shared folders and destinations are one node each; a repository has a box where
// there are several destinations in it; a disabled sync and what only it uses are
// drawn too.
func TestNodesAreShared(t *testing.T) {
	t.Parallel()
	got := brief(drawText(t, head+
		sync("b", "/x", `repository = "web"`, "options {\n key_schema = \"B_{{secretKey}}\"\n}")+
		sync("a", "/x", `repository = "web"`, "options {\n key_schema = \"A_{{secretKey}}\"\n}")+
		sync("c", "/off", "repository = \"web\"\n deployment_environment = \"Staging\"", "enabled = false")+
		sync("d", "/x", `scope = "workspace"`, "")+
		sync("e", "/x", `repository = "single"`, "")))
	want := `s1 dev:/off in kms kms.demo (demo-project)
s2 dev:/x in kms kms.demo (demo-project)
y1 sync.a
y2 sync.b
y3 sync.c (disabled)
y4 sync.d
y5 sync.e
d1 acme (workspace)
d2 acme/single
d3 acme/web in repository acme/web
d4 acme/web (Staging) in repository acme/web
s2 > y1
y1 > d3 A_{{secretKey}}
s2 > y2
y2 > d3 B_{{secretKey}}
s1 > y3 disabled
y3 > d4 disabled
s2 > y4
y4 > d1
s2 > y5
y5 > d2
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The syncs of one for_each share a box, even a single one.
func TestForEachHasABox(t *testing.T) {
	t.Parallel()
	got := brief(drawText(t, head+sync("one", "/x", `repository = "web"`, `for_each = toset(["on[l]y"])`)+
		sync("two", "/x", `repository = each.key`, `for_each = toset(["a", "z"])`)))
	for _, want := range []string{
		"y1 sync.one[\"on[l]y\"] in for_each sync.one\n", "y2 sync.two[\"a\"] in for_each sync.two\n", "y3 sync.two[\"z\"] in for_each sync.two\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Several source blocks on one folder make one edge.
func TestFolderReadTwiceHasOneEdge(t *testing.T) {
	t.Parallel()
	twice := "source {\n environment = \"dev\"\n secret_path = \"/x\"\n exclude = [\"A\"]\n override = true\n}"
	d := drawText(t, head+sync("a", "/x", `repository = "web"`, twice))
	if len(d.Edges) != 2 || count(d, KindSource) != 1 {
		t.Errorf("drawn as\n%s", brief(d))
	}
}

// A destination through two connections is two nodes, which name theirs, in boxes
// of their own.
func TestConnectionsAreToldApart(t *testing.T) {
	t.Parallel()
	second := "connection \"bitbucket\" \"other\" {\n  workspace = \"acme\"\n credentials_prefix = \"OTHER\"\n}\n"
	got := brief(drawText(t, head+second+
		sync("a", "/x", "connection = connection.bitbucket.acme\n repository = \"web\"", "")+
		sync("b", "/x", "connection = connection.bitbucket.other\n repository = \"web\"", "")))
	for _, want := range []string{"d1 acme/web through connection.bitbucket.acme\n", "d2 acme/web through connection.bitbucket.other\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Nothing to draw is still a drawing.
func TestEmptyDiagram(t *testing.T) {
	t.Parallel()
	got := formats(t, &Diagram{})
	want := map[string]string{
		"graph.mmd":  "flowchart LR\n",
		"graph.dot":  "digraph kmsync {\n  rankdir=LR\n  ranksep=2\n  node [shape=box]\n}\n",
		"graph.json": "{\n  \"format_version\": \"1.0\",\n  \"groups\": [],\n  \"nodes\": [],\n  \"edges\": []\n}\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// JSON has the fields of a node's kind and no others, and null for what there is
// none of.
func TestJSONFields(t *testing.T) {
	t.Parallel()
	d := drawText(t, head+sync("a", "/x", `repository = "web"`, "")+sync("b", "/x", `scope = "workspace"`, "enabled = false"))
	var got struct {
		Nodes []map[string]any `json:"nodes"`
		Edges []map[string]any `json:"edges"`
	}
	if err := json.Unmarshal([]byte(formats(t, d)["graph.json"]), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"id": "s1", "kind": "source", "label": "dev:/x", "group": "g1", "kms": "demo", "project": "demo-project", "environment": "dev", "path": "/x"},
		{"id": "y1", "kind": "sync", "label": "sync.a", "group": nil, "address": "sync.a", "name": "a", "enabled": true},
		{"id": "y2", "kind": "sync", "label": "sync.b (disabled)", "group": nil, "address": "sync.b", "name": "b", "enabled": false},
		{"id": "d1", "kind": "destination", "label": "acme (workspace)", "group": nil, "connection": "acme", "workspace": "acme", "repository": nil, "deployment_environment": nil},
		{"id": "d2", "kind": "destination", "label": "acme/web", "group": nil, "connection": "acme", "workspace": "acme", "repository": "web", "deployment_environment": nil},
	}
	if diff := cmp.Diff(want, got.Nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"from": "s1", "to": "y1", "label": nil}, got.Edges[0]); diff != "" {
		t.Errorf("edge (-want +got):\n%s", diff)
	}
}
