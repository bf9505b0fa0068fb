package cli

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
)

// The topic environment names every variable that is looked up: those that the
// code spells out, and those of the default prefixes.
func TestTopicNamesTheEnvironment(t *testing.T) {
	t.Parallel()
	text := readDoc(t, "cmd/internal/cli/topics/environment.txt")
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`[A-Z][A-Z0-9_]*`).FindAllString(text, -1) {
		named[name] = true
	}
	names, suffixes := variablesRead(t)
	if len(names) < 20 || len(suffixes) < 8 {
		t.Fatalf("found %v and %v: the test looks in the wrong place", names, suffixes)
	}
	for name := range names {
		if !named[name] {
			t.Errorf("the topic environment does not name %s", name)
		}
	}
	for suffix := range suffixes {
		if !named["KMS"+suffix] && !named["BITBUCKET"+suffix] && !named["NAME"+suffix] {
			t.Errorf("the topic environment names no variable that ends in %s", suffix)
		}
	}
}

// variablesRead returns what in the sources of cli and credentials is spelt like
// the name of a variable, and what like the end of one.
func variablesRead(t *testing.T) (names, suffixes map[string]bool) {
	t.Helper()
	name, suffix := regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`), regexp.MustCompile(`^(_[A-Z0-9]+)+$`)
	names, suffixes = map[string]bool{}, map[string]bool{}
	for _, dir := range []string{"cmd/internal/cli", "cmd/internal/credentials"} {
		paths, err := filepath.Glob(filepath.Join(rootPath(dir), "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			ast.Inspect(parse(t, dir+"/"+filepath.Base(path)), func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				switch text, err := strconv.Unquote(literal.Value); {
				case err != nil:
					t.Error(err)
				case text == credentials.DefaultKMSPrefix || text == credentials.DefaultBitbucketPrefix:
				case name.MatchString(text):
					names[text] = true
				case suffix.MatchString(text):
					suffixes[text] = true
				}
				return true
			})
		}
	}
	return names, suffixes
}
