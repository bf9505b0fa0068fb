package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hanzoai/kmsync/"

// mayImport is the table of ARCHITECTURE.md: which of our packages a package may
// import, and which third-party modules. "…" at the end of a name covers what
// lies below. What is not in the table may not exist.
var mayImport = map[string]struct{ ours, third []string }{
	"providers/secret":              {},
	"providers":                     {ours: []string{"providers/secret"}},
	"providers/internal/httpx":      {ours: []string{"providers", "providers/secret"}, third: []string{"github.com/cenkalti/backoff/v5"}},
	"providers/internal/lock":       {},
	"providers/internal/near":       {third: []string{"github.com/agext/levenshtein"}},
	"providers/kms":                 {ours: []string{"providers", "providers/secret", "providers/internal/httpx", "providers/internal/lock", "providers/internal/near"}},
	"providers/bitbucket":           {ours: []string{"providers", "providers/secret", "providers/internal/httpx"}},
	"providers/providertest":        {ours: []string{"providers", "providers/secret"}, third: []string{"github.com/google/go-cmp"}},
	"providers/sandbox":             {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/bitbucket":   {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/contract":    {},
	"providers/sandbox/kms":         {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/kms/answer":  {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/kms/current": {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/kms/legacy":  {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/kms/resolve": {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/kms/token":   {ours: []string{"providers/sandbox/…"}},
	"providers/sandbox/world":       {ours: []string{"providers/sandbox/…"}},
	"config":                        {ours: []string{"config/internal/…", "config/keyspace"}, third: hclModules},
	"config/format":                 {ours: []string{"config/internal/…"}, third: hclModules},
	"config/keyspace":               {},
	"config/internal/files":         {ours: []string{"config/internal/…"}, third: hclModules},
	"config/internal/functions":     {ours: []string{"config/internal/weight"}, third: hclModules},
	"config/internal/lang":          {ours: []string{"config/internal/…"}, third: hclModules},
	"config/internal/language":      {ours: []string{"config/internal/rules", "config/internal/spec"}, third: hclModules},
	"config/internal/order":         {ours: []string{"config/internal/spec"}, third: hclModules},
	"config/internal/rules":         {third: hclModules},
	"config/internal/spec":          {ours: []string{"config/internal/rules"}, third: hclModules},
	"config/internal/weight":        {ours: []string{"config/internal/spec"}, third: hclModules},
	"planner/ledger":                {ours: []string{"providers/secret"}},
	"planner/ledger/private":        {},
	"planner/ledger/record":         {ours: []string{"planner/ledger", "providers/secret"}},
	"planner/ledger/lockfile":       {ours: []string{"planner/ledger", "planner/ledger/private"}, third: []string{"github.com/gofrs/flock"}},
	"planner/ledger/rootkey":        {ours: []string{"planner/ledger", "planner/ledger/private", "providers/secret"}},
	"planner/ledger/table":          {ours: []string{"planner/ledger/record", "providers/secret"}},
	"planner/ledger/sqlite": {
		ours:  []string{"planner/ledger", "planner/ledger/lockfile", "planner/ledger/private", "planner/ledger/record", "planner/ledger/rootkey", "planner/ledger/table", "providers/secret"},
		third: []string{"modernc.org/sqlite"},
	},
	"planner/address":     {third: []string{"github.com/agext/levenshtein"}},
	"planner/graph":       {ours: []string{"config", "planner/address", "planner/ledger"}},
	"planner/observe":     {ours: []string{"config", "planner/address", "planner/environment", "planner/graph", "planner/identity", "planner/ledger", "planner/limits", "planner/resolve", "providers", "providers/secret"}},
	"planner/identity":    {ours: []string{"planner/address", "planner/graph", "planner/ledger", "providers"}},
	"planner/environment": {ours: []string{"planner/address", "planner/graph", "providers"}},
	"planner/limits":      {},
	"planner/forget":      {ours: []string{"planner/address", "planner/ledger"}},
	"planner/resolve":     {ours: []string{"providers", "providers/secret"}},
	"planner/verdict":     {},
	"planner/want": {
		ours:  []string{"config", "planner/address", "planner/graph", "planner/observe", "planner/resolve", "planner/verdict", "providers", "providers/secret"},
		third: []string{"github.com/hashicorp/hcl/v2"},
	},
	"planner/guard":    {ours: []string{"planner/graph", "planner/plan", "planner/verdict"}},
	"planner/evidence": {ours: []string{"planner/address", "planner/graph", "planner/observe", "planner/plan", "planner/verdict", "providers"}},
	"planner": {
		ours:  []string{"config", "planner/address", "planner/evidence", "planner/graph", "planner/guard", "planner/ledger", "planner/observe", "planner/plan", "planner/resolve", "planner/verdict", "planner/want", "providers", "providers/secret"},
		third: []string{"github.com/hashicorp/hcl/v2"},
	},
	"planner/plan":  {ours: []string{"planner/address", "planner/graph", "planner/verdict"}, third: []string{"github.com/hashicorp/hcl/v2"}},
	"planner/codec": {ours: []string{"planner/graph", "planner/plan", "planner/verdict"}, third: []string{"github.com/hashicorp/hcl/v2"}},
	"applier": {
		ours: []string{"planner", "planner/evidence", "planner/graph", "planner/ledger", "planner/limits", "planner/observe", "planner/plan", "planner/verdict", "providers", "providers/secret"},
	},
	"cmd/internal/view/group":  {ours: []string{"planner/plan", "planner/verdict"}},
	"cmd/internal/view/phrase": {ours: []string{"planner/graph", "planner/plan", "planner/verdict"}, third: []string{"github.com/hashicorp/hcl/v2"}},
	"cmd/internal/view/diagram": {
		ours: []string{"cmd/internal/view", "cmd/internal/view/sanitize", "config", "planner/codec", "planner/graph"},
	},
	"cmd/internal/view/care":     {ours: []string{"cmd/internal/view/sanitize", "planner/codec", "planner/forget", "planner/graph", "planner/ledger"}},
	"cmd/internal/view/sanitize": {},
	"cmd/internal/view/textdiff": {third: []string{"github.com/sergi/go-diff"}},
	"cmd/internal/view": {
		ours:  []string{"cmd/internal/view/…", "applier", "config", "config/format", "planner/codec", "planner/graph", "planner/ledger", "planner/plan", "planner/verdict", "providers"},
		third: []string{"github.com/hashicorp/hcl/v2"},
	},
	"cmd/internal/canary": {},
	"cmd/internal/credentials": {
		ours:  []string{"config", "providers/kms", "providers/bitbucket", "providers/secret"},
		third: []string{"github.com/hashicorp/hcl/v2"},
	},
	"cmd/internal/flags": {third: []string{"github.com/alecthomas/kong"}},
	"cmd/internal/wire": {
		ours: []string{
			"cmd/internal/credentials", "config", "planner/graph", "planner/ledger", "planner/ledger/private", "planner/ledger/rootkey", "planner/ledger/sqlite",
			"providers", "providers/bitbucket", "providers/kms", "providers/sandbox", "providers/secret",
		},
		third: []string{"github.com/hashicorp/hcl/v2"},
	},
	"cmd/internal/cli": {
		ours:  []string{"…"},
		third: []string{"github.com/alecthomas/kong", "github.com/hashicorp/hcl/v2", "golang.org/x/term"},
	},
	"cmd/kmsync": {ours: []string{"cmd/internal/cli"}},
}

var hclModules = []string{
	"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty", "github.com/agext/levenshtein",
	"github.com/zclconf/go-cty-yaml", "go.yaml.in/yaml/v4", "github.com/hashicorp/go-version", "github.com/bmatcuk/doublestar/v4",
}

// mayReveal are the files that build a request body or an Authorization header,
// the only ones that may look at a secret.
var mayReveal = []string{
	"providers/secret/value.go", "providers/secret/reference.go", "providers/secret/fingerprint.go",
	"providers/kms/auth.go", "providers/bitbucket/auth.go", "providers/bitbucket/variables.go",
}

// mayAskTheProcess are the packages that may look at the process's environment,
// clock, streams and random source. The sandbox makes its own series of UUIDs.
var mayAskTheProcess = []string{"cmd/"}

// The size rules of the house, in lines.
const (
	maxFile     = 400
	maxTestFile = 600
	maxFunction = 80
	maxPackage  = 1500
)

// source is one Go file of the project.
type source struct {
	path, dir string // relative to the root, with slashes
	test      bool
	lines     int
	file      *ast.File
	fset      *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	root := filepath.Join("..", "..", "..")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, content, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out = append(out, source{
			path: filepath.ToSlash(rel), dir: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(name, "_test.go"),
			lines: strings.Count(string(content), "\n"), file: file, fset: fset,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d files found: the test looks in the wrong place", len(out))
	}
	return out
}

// TestImports holds the imports of every file against the table.
func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range sources(t) {
		seen[s.dir] = true
		allowed, ok := mayImport[s.dir]
		if !ok {
			t.Errorf("%s: the package %s is not in the table of imports", s.path, s.dir)
			continue
		}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if problem := forbidden(s, path, allowed.ours, allowed.third); problem != "" {
				t.Errorf("%s imports %s: %s", s.path, path, problem)
			}
		}
	}
	for dir := range mayImport {
		if !seen[dir] {
			t.Errorf("the table of imports names %s, which does not exist", dir)
		}
	}
}

func forbidden(s source, path string, ours, third []string) string {
	ourPath, isOurs := strings.CutPrefix(path, module)
	switch {
	case isOurs && (ourPath == s.dir || within(ourPath, ours)):
		return ""
	case isOurs && s.test && within(ourPath, []string{"providers/sandbox/…", "providers/sandbox", "providers/providertest", "providers/secret", "cmd/internal/canary"}):
		return ""
	case isOurs && s.test && s.dir == "applier" && (ourPath == "config" || ourPath == "planner/address"): // the graph is made of it
		return ""
	case isOurs && s.test && s.dir == "cmd/kmsync":
		return ""
	case isOurs:
		return "the table does not allow it"
	case path == "unsafe" || path == "C":
		return "neither is needed here"
	case !strings.Contains(strings.SplitN(path, "/", 2)[0], "."): // the standard library
		return ""
	case s.test || slices.ContainsFunc(third, func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") }):
		return ""
	}
	return "the table does not allow this module"
}

// within reports whether a package is in a list, where "x/…" covers what lies
// below x.
func within(path string, list []string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		prefix, below := strings.CutSuffix(entry, "…")
		return path == entry || (below && strings.HasPrefix(path, prefix))
	})
}

// TestSizes holds files, functions and packages against the size rules.
func TestSizes(t *testing.T) {
	t.Parallel()
	packages := map[string]int{}
	for _, s := range sources(t) {
		limit := maxFile
		if s.test {
			limit = maxTestFile
		} else {
			packages[s.dir] += s.lines
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, more than %d: a concept is missing", s.path, s.lines, limit)
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && !s.test {
				if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFunction {
					t.Errorf("%s: %s has %d lines, more than %d", s.path, f.Name.Name, n, maxFunction)
				}
			}
		}
	}
	for dir, lines := range packages {
		if lines > maxPackage {
			t.Errorf("package %s has %d lines, more than %d", dir, lines, maxPackage)
		}
	}
}

// TestReveal finds whoever looks at a secret and should not. It looks for the
// name, called or not, so that a method value does not slip through.
func TestReveal(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.dir, "providers/sandbox") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
				used[s.path] = true
				if !slices.Contains(mayReveal, s.path) {
					t.Errorf("%s: a secret is revealed where no request body or Authorization header is built", s.fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	for _, path := range mayReveal {
		if !used[path] {
			t.Errorf("%s is allowed to reveal secrets and does not: take it off the list", path)
		}
	}
}

// TestNoSecretStrings finds fields and parameters of type string that are named
// like a secret or a token.
func TestNoSecretStrings(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.dir, "providers/sandbox") || s.dir == "cmd/internal/canary" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || fmt.Sprint(f.Type) != "string" {
				return true
			}
			for _, name := range f.Names {
				lower := strings.ToLower(name.Name)
				for _, word := range []string{"token", "password", "secretvalue", "apikey", "clientsecret"} {
					if strings.Contains(lower, word) {
						t.Errorf("%s: %s is a string: keep it in a secret.Value", s.fset.Position(f.Pos()), name.Name)
					}
				}
			}
			return true
		})
	}
}

// TestProcessIsAskedOnlyByCommands finds code that asks the process for what
// should come in through Env: tests run commands in parallel.
func TestProcessIsAskedOnlyByCommands(t *testing.T) {
	t.Parallel()
	forbidden := map[string][]string{
		"os":            {"Getenv", "LookupEnv", "Environ", "Stdout", "Stderr", "Stdin", "Exit", "Args", "Getwd", "Hostname", "UserHomeDir"},
		"time":          {"Now", "Since", "Until"},
		"math/rand":     {"*"},
		"math/rand/v2":  {"*"},
		"crypto/rand":   {"*"},
		"fmt":           {"Print", "Println", "Printf"},
		"log":           {"Print", "Println", "Printf", "Fatal", "Fatalf", "Panic"},
		"log/slog":      {"Default", "Info", "Warn", "Error", "Debug", "SetDefault"},
		"encoding/gob":  {"*"},
		"os/exec":       {"*"},
		"plugin":        {"*"},
		"html/template": {"*"},
	}
	for _, s := range sources(t) {
		if s.test || slices.ContainsFunc(mayAskTheProcess, func(p string) bool { return strings.HasPrefix(s.path, p) }) {
			continue
		}
		names := map[string]string{}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if forbidden[path] == nil {
				continue
			}
			name := path[strings.LastIndex(path, "/")+1:]
			if name == "v2" {
				name = "rand"
			}
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if forbidden[path][0] == "*" {
				t.Errorf("%s imports %s", s.path, path)
			}
			names[name] = path
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden[names[x.Name]], sel.Sel.Name) {
				t.Errorf("%s: %s.%s: it must come in through Env", s.fset.Position(n.Pos()), x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// TestExportedNamesAreDocumented finds exported names without a comment.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && isExportedMethod(d) {
					t.Errorf("%s: %s has no comment", s.fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s: %s has no comment", s.fset.Position(ts.Pos()), ts.Name.Name)
					}
				}
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

// isExportedMethod reports whether others can call f: it is a function, or a
// method of an exported type.
func isExportedMethod(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	name, ok := t.(*ast.Ident)
	return !ok || name.IsExported()
}
