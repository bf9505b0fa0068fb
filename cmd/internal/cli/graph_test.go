package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const graphDoc = "docs/graph.md"

// graphOf returns what kmsync graph prints for the configuration of docs/graph.md,
// without any variable of the environment.
func graphOf(t *testing.T, text string, args ...string) string {
	t.Helper()
	whole := wholeConfigurations(text)
	if len(whole) != 1 {
		t.Fatalf("%d configurations", len(whole))
	}
	var out, problems bytes.Buffer
	code := Main(context.Background(), Env{
		Args: append([]string{"graph"}, args...), Stdout: &out, Stderr: &problems,
		Getenv: func(string) string { return "" }, Dir: writeConfiguration(t, whole[0]), Version: "test",
	})
	if code != exitOK || problems.Len() > 0 {
		t.Fatalf("graph %q: exit code %d, %s", args, code, &problems)
	}
	return out.String()
}

// The examples of docs/graph.md are what the program prints.
func TestDocsGraphIsTrue(t *testing.T) {
	t.Parallel()
	text := readDoc(t, graphDoc)
	for _, format := range []string{"mermaid", "dot", "json"} {
		shown := blocks(text, format)
		if len(shown) != 1 {
			t.Errorf("%d blocks of %s", len(shown), format)
			continue
		}
		if diff := cmp.Diff(shown[0], graphOf(t, text, "--format", format)); diff != "" {
			t.Errorf("%s (-document +program):\n%s", format, diff)
		}
	}
}

// Every field of the JSON document is explained, and no other.
func TestDocsGraphNamesFields(t *testing.T) {
	t.Parallel()
	text := readDoc(t, graphDoc)
	var document map[string]any
	if err := json.Unmarshal([]byte(graphOf(t, text, "--json")), &document); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for name, part := range document {
		if name == "format_version" {
			continue
		}
		want[name] = true
		for _, element := range part.([]any) {
			for field, value := range element.(map[string]any) {
				want[field] = true
				if kind, _ := value.(string); field == "kind" {
					want[kind] = true
				}
			}
		}
	}
	named := map[string]bool{}
	for _, cells := range rows(section(t, text, "### JSON")) {
		for _, code := range codes(strings.Join(cells, " ")) {
			named[code] = true
		}
	}
	same(t, "fields", slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(named)))
}
