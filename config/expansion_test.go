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
		"doubling":     {doublingWorkspaces(34), summaryTooLong},
		"nested loops": {nestedLoops(8), summaryNotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := make(chan hcl.Diagnostics, 1)
			go func() {
				_, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(c.source)}}, ".")
				found <- diags
			}()
			select {
			case diags := <-found:
				if len(diags) == 0 || diags[0].Summary != c.summary {
					t.Errorf("want %q first, got %s", c.summary, diags)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("not done after 10 seconds")
			}
		})
	}
}

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
