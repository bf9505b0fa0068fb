package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// TestExpansion: a small file cannot ask for much memory or time. Without a limit
// each of these would need gigabytes, or years.
func TestExpansion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, summary string }{
		"doubling":     {doublingWorkspaces(34), "Value too long"},
		"nested loops": {nestedLoops(8), "Too many loops"},
		"long loops":   {"locals {\n  a = [for i in range(1000) : [for j in range(1000) : [for k in range(1000) : k]]]\n}\n", "Too many loops"},
		"encodings":    {"locals {\n  a = " + strings.Repeat("jsonencode(", 60) + `"\""` + strings.Repeat(")", 60) + "\n}\n", "Error in function call"},
		"copies":       {"locals {\n  a = " + megabyte + "\n  b = [" + strings.Repeat("local.a, ", 20) + "]\n  c = local.b\n}\n", "Values too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := make(chan hcl.Diagnostics, 1)
			go func() {
				_, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(c.source)}}, ".", LoadOptions{})
				found <- diags
			}()
			select {
			case diags := <-found:
				if len(diags) == 0 || diags[0].Summary != c.summary {
					t.Errorf("want %q first, got %s", c.summary, diags)
				}
			case <-time.After(time.Minute):
				t.Fatal("not done after a minute")
			}
		})
	}
}

// megabyte is an expression of a text of about that size.
const megabyte = `join("", [for i in range(1000) : format("%999s", i)])`

// doublingWorkspaces declares n connections, each with a workspace made of the one
// before, twice.
func doublingWorkspaces(n int) string {
	var b strings.Builder
	b.WriteString("connection \"bitbucket\" \"c0\" {\n  workspace = \"xx\"\n}\n")
	for i := range n {
		fmt.Fprintf(&b, "connection \"bitbucket\" \"c%d\" {\n  workspace = \"${connection.bitbucket.c%d.workspace}${connection.bitbucket.c%[2]d.workspace}\"\n}\n", i+1, i)
	}
	return b.String()
}

// nestedLoops is a list made by loops over a hundred elements, n deep.
func nestedLoops(n int) string {
	elements := "[" + strings.Repeat("0,", 100) + "]"
	expr := `"A"`
	for i := range n {
		expr = fmt.Sprintf("[for x%d in %s : %s]", i, elements, expr)
	}
	return minimal + "connection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n" +
		"sync \"one\" {\n  source {\n    environment = \"dev\"\n  }\n  destination \"bitbucket\" {\n    repository = \"web\"\n  }\n" +
		"  options {\n    protect = " + expr + "\n  }\n}\n"
}
