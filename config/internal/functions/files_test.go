package functions

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// folder makes a directory with a ledger, links and unusual files, and returns it
// as the configuration is read.
func folder(t *testing.T) fs.FS {
	t.Helper()
	outside, dir := t.TempDir(), t.TempDir()
	write := func(name, content string) error {
		path := filepath.Join(dir, name)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
	}
	link := func(target, name string) error { return os.Symlink(target, filepath.Join(dir, name)) }
	err := errors.Join(
		os.WriteFile(filepath.Join(outside, "secret"), []byte("canary"), 0o600),
		write("a.txt", "text"), write("services/web.yaml", "a: 1"), write("services/deep/er/db.yaml", "a: 2"),
		write("services/.hidden.yaml", ""), write(".kmsync/state.db", "canary"), write(".kmsync/deep/key.yaml", "canary"),
		write("empty", ""), write("latin1", "caf\xe9"), write("zero", "a\x00b"),
		write("full", strings.Repeat("a", maxFile)), write("huge", strings.Repeat("a", maxFile+1)),
		link(filepath.Join(outside, "secret"), "absolute"), link("../../"+filepath.Base(outside)+"/secret", "outside"),
		link("nothing", "dangling"), link("services", "linked"), link("a.txt", "same"), link("loop", "loop"),
		link(".kmsync/state.db", "ledger"), link(".kmsync", "ledgers"), link("../.kmsync/deep/key.yaml", "services/key.yaml"),
		os.Link(filepath.Join(dir, ".kmsync", "state.db"), filepath.Join(dir, "hard")),
	)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root.FS()
}

// TestFiles: what lies in the directory is read, also through links that stay in
// it; nothing else is, and nothing of the ledger.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for expression, want := range map[string]string{
		`file("a.txt")`:                                    `"text"`,
		`file("same")`:                                     `"text"`,
		`file("linked/web.yaml")`:                          `"a: 1"`,
		`file("empty")`:                                    `""`,
		`length(file("full"))`:                             `1048576`,
		`fileexists("same")`:                               `true`,
		`fileexists("dangling")`:                           `false`,
		`fileexists("services/none")`:                      `false`,
		`fileexists("a.txt/none")`:                         ``,
		`fileset(".", "*.txt")`:                            `toset(["a.txt"])`,
		`fileset("services", "*.yaml")`:                    `toset([".hidden.yaml", "web.yaml"])`,
		`fileset("services", "**/*.yaml")`:                 `toset([".hidden.yaml", "deep/er/db.yaml", "web.yaml"])`,
		`fileset("services", "**")`:                        `toset([".hidden.yaml", "deep/er/db.yaml", "web.yaml"])`,
		`fileset(".", "services/{web,db}.yaml")`:           `toset(["services/web.yaml"])`,
		`fileset(".", "**/*.db")`:                          `toset([])`,
		`fileset(".", ".kmsync/*")`:                        `toset([])`,
		`fileset(".", ".kms*/**")`:                         `toset([])`,
		`fileset("none", "*")`:                             `toset([])`,
		`fileset(".", "a.txt/*")`:                          `toset([])`,
		`fileset("linked", "*.yaml")`:                      `toset([".hidden.yaml", "web.yaml"])`,
		`fileset("ledgers", "**")`:                         `toset([])`,
		`fileset(".", "ledgers/*")`:                        `toset([])`,
		`file("ledger")`:                                   ``,
		`file("ledgers/state.db")`:                         ``,
		`file("ledgers/deep/key.yaml")`:                    ``,
		`file("services/key.yaml")`:                        ``,
		`file("hard")`:                                     ``,
		`fileexists("ledger")`:                             ``,
		`file("absolute")`:                                 ``,
		`file("outside")`:                                  ``,
		`fileexists("outside")`:                            ``,
		`file("loop")`:                                     ``,
		`file("linked")`:                                   ``,
		`file("latin1")`:                                   ``,
		`file("zero")`:                                     ``,
		`file("huge")`:                                     ``,
		`[for n in fileset(".", "*") : n if can(file(n))]`: `["a.txt", "empty", "full", "same"]`,
		`[for n in fileset(".", "**") : n if n == "same"]`: `["same"]`,
		`fileset(".", "lo*")`:                              `toset([])`,
		`try(file("outside"), file("ledger"), "neither")`:  `"neither"`,
		`can(file("services/../.kmsync/state.db"))`:        `false`,
		`can(file(".KMSYNC/state.db"))`:                    `false`,
		`can(file("ledgers/../.kmsync/state.db"))`:         `false`,
		`fileset(".", "**/")`:                              `toset([])`,
		`fileset("./services/", "*.yaml")`:                 `toset([".hidden.yaml", "web.yaml"])`,
	} {
		got, diags := evaluateIn(t, dir, expression)
		if want == "" {
			if !diags.HasErrors() {
				t.Errorf("%s is %#v", expression, got)
			}
			if strings.Contains(diags.Error(), "canary") || strings.Contains(diags.Error(), os.TempDir()) {
				t.Errorf("%s tells too much: %s", expression, diags)
			}
			continue
		}
		expected, _ := evaluateIn(t, dir, want)
		if diags.HasErrors() || !equal(got, expected) {
			t.Errorf("%s is %#v, want %#v: %v", expression, got, expected, diags)
		}
	}
}

// equal compares values; the type of an empty set does not matter.
func equal(a, b cty.Value) bool {
	if a.Type().IsSetType() && b.Type().IsSetType() && a.LengthInt() == 0 {
		return b.LengthInt() == 0
	}
	return a.RawEquals(b)
}

func evaluateIn(t *testing.T, dir fs.FS, text string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return expr.Value(&hcl.EvalContext{Functions: All(dir)})
}

// TestFileErrors: why a file cannot be read is said without the system's words.
func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for expression, want := range map[string]string{
		`file("none")`:              "there is no file none",
		`file("dangling")`:          "there is no file dangling",
		`file("outside")`:           "outside cannot be read, or is a link out of the directory",
		`file("ledger")`:            "ledger is a link into .kmsync, which only kmsync reads",
		`file("hard")`:              "hard is a link into .kmsync, which only kmsync reads",
		`file("services")`:          "services is not a regular file",
		`file("latin1")`:            "latin1 is no text in UTF-8",
		`file("zero")`:              "zero is no text in UTF-8",
		`file("huge")`:              "huge holds more than 1048576 bytes",
		`file("services/key.yaml")`: "is a link into .kmsync",
	} {
		if _, diags := evaluateIn(t, dir, expression); !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %s, want %s", expression, diags, want)
		}
	}
}

// forbidden is a directory of which nothing may be read.
type forbidden struct{}

func (forbidden) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestForbiddenFiles(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{`file("a")`, `fileexists("a")`} {
		if _, diags := evaluateIn(t, forbidden{}, expression); !strings.Contains(diags.Error(), "this user may not read a") {
			t.Errorf("%s: %s", expression, diags)
		}
	}
}
