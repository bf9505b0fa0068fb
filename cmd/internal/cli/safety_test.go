package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameRealTests: each test and each script that docs/safety.md names is there.
func TestDocsNameRealTests(t *testing.T) {
	t.Parallel()
	text := readDoc(t, "docs/safety.md")
	var sources strings.Builder
	err := filepath.WalkDir("../../..", func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			var content []byte
			content, err = os.ReadFile(path)
			sources.Write(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(text, -1)
	scripts := regexp.MustCompile(`([a-z*]+_[a-z_*]+\.txtar)`).FindAllStringSubmatch(text, -1)
	if len(tests) < 10 || len(scripts) < 20 {
		t.Fatalf("found %d tests and %d scripts", len(tests), len(scripts))
	}
	for _, name := range tests {
		if !strings.Contains(sources.String(), "func "+name[1]+"(t *testing.T)") {
			t.Errorf("docs/safety.md names %s, which is no test", name[1])
		}
	}
	for _, name := range scripts {
		if found, _ := filepath.Glob("../../../testdata/script/" + name[1]); len(found) == 0 {
			t.Errorf("docs/safety.md names %s, which is no script", name[1])
		}
	}
}
