package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// referencePage is the documentation of the language.
const referencePage = "../docs/configuration.md"

var generated = regexp.MustCompile(`(?s)<!-- begin ([a-z.-]+) -->\n(.*?)<!-- end ([a-z.-]+) -->`)

// TestReferencePage holds the documentation against the language: every part that
// the language makes is there, as it makes it. -update writes them.
func TestReferencePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	parts := Reference()
	shown := map[string]bool{}
	want := generated.ReplaceAllStringFunc(string(page), func(found string) string {
		name := generated.FindStringSubmatch(found)[1]
		if parts[name] == "" {
			t.Errorf("the page has a part %q, and the language has not", name)
		}
		shown[name] = true
		return "<!-- begin " + name + " -->\n" + parts[name] + "<!-- end " + name + " -->"
	})
	for _, name := range sortedNames(parts) {
		if !shown[name] {
			t.Errorf("the page lacks the part %q", name)
		}
	}
	if *update {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("run the test with -update (-want +got):\n%s", diff)
	}
}

// TestEveryArgumentIsDescribed: what a person may write has a meaning and, where
// it is not a value, a default in words.
func TestEveryArgumentIsDescribed(t *testing.T) {
	t.Parallel()
	for name, part := range Reference() {
		for _, line := range strings.Split(part, "\n") {
			if strings.HasPrefix(line, "| `") && (strings.HasSuffix(line, "|  |") || strings.Contains(line, "|  |")) {
				t.Errorf("%s: nothing is said in %s", name, line)
			}
		}
	}
}
