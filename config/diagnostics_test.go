package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// diagnosing are the packages whose words become diagnostics.
var diagnosing = []string{
	".", "format", "keyspace", "internal/*", "../cmd/internal/credentials", "../cmd/internal/wire",
}

// TestEveryDiagnosticHasAGolden holds each text of a mistake, as the code writes it,
// against the goldens. A text with a summary must be found below that summary, one
// with verbs or variables in it in one diagnostic, and one that is written at several
// places in as many.
func TestEveryDiagnosticHasAGolden(t *testing.T) {
	t.Parallel()
	shown := renderedDiagnostics(t)
	texts := findTexts(t)
	if len(texts) < 250 {
		t.Errorf("found only %d texts", len(texts))
	}
	places := map[string][]string{}
	for _, text := range texts {
		places[text.pattern] = append(places[text.pattern], text.at)
	}
	for _, pattern := range sortedNames(places) {
		if n := countMatches(shown, regexp.MustCompile(pattern)); n < len(places[pattern]) {
			t.Errorf("%s: %d diagnostics of golden files show %s", strings.Join(places[pattern], ", "), n, pattern)
		}
	}
}

func countMatches(shown []string, pattern *regexp.Regexp) int {
	n := 0
	for _, diagnostic := range shown {
		if pattern.MatchString(diagnostic) {
			n++
		}
	}
	return n
}

// renderedDiagnostics returns every diagnostic of the golden files, with single
// spaces only, since they are wrapped.
func renderedDiagnostics(t *testing.T) []string {
	t.Helper()
	var shown []string
	for _, dir := range []string{"config", "format", "credentials", "wire"} {
		paths, err := filepath.Glob("../testdata/golden/" + dir + "/*.txt")
		if err != nil || len(paths) == 0 {
			t.Fatalf("golden files of %s: %d, %v", dir, len(paths), err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range regexp.MustCompile(`(?m)^(Error|Warning): `).Split(string(content), -1) {
				shown = append(shown, strings.Join(strings.Fields(part), " "))
			}
		}
	}
	return shown
}

// text is one text of a mistake.
type text struct{ at, pattern string }

// finder gathers the texts of the packages.
type finder struct {
	fset      *token.FileSet
	constants map[string]ast.Expr // by package and name: rules.NotSupported
	pkg       string              // that is looked at
	taken     map[ast.Node]bool   // literals that are part of a text
	texts     []text
}

func findTexts(t *testing.T) []text {
	t.Helper()
	f := &finder{fset: token.NewFileSet(), constants: map[string]ast.Expr{}, taken: map[ast.Node]bool{}}
	files := f.parse(t)
	for _, file := range files {
		f.declare(file)
	}
	for _, file := range files {
		f.pkg = file.Name.Name
		ast.Inspect(file, f.visit)
	}
	return f.texts
}

func (f *finder) parse(t *testing.T) []*ast.File {
	t.Helper()
	var files []*ast.File
	for _, dir := range diagnosing {
		paths, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(paths) == 0 {
			t.Fatalf("files of %s: %d, %v", dir, len(paths), err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || path == "reference.go" { // which writes the documentation
				continue
			}
			file, err := parser.ParseFile(f.fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	return files
}

// declare notes the constants of a file.
func (f *finder) declare(file *ast.File) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			if value := spec.(*ast.ValueSpec); len(value.Values) == len(value.Names) {
				for i, name := range value.Names {
					f.constants[file.Name.Name+"."+name.Name] = value.Values[i]
				}
			}
		}
	}
}

// visit takes the texts of a node: of what makes a diagnostic, with its summary, and
// any other text of three words, which becomes a part of one.
func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.KeyValueExpr:
		return !isDescription(n)
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ { // words of somebody else
			return false
		}
	case *ast.CallExpr:
		if name := calledName(n); name == "Fprintf" { // output
			return false
		} else if (name == "ErrorAt" || name == "errorAt" || name == "errorIn") && len(n.Args) == 3 {
			f.diagnostic(n.Args[1], n.Args[2])
		}
	case *ast.CompositeLit:
		f.literal(n)
	}
	f.alone(n)
	return true
}

// alone takes a text that is not yet part of another.
func (f *finder) alone(n ast.Node) {
	var pattern string
	var words int
	switch n := n.(type) {
	case *ast.BasicLit, *ast.BinaryExpr, *ast.CallExpr:
		if !f.taken[n] {
			pattern, words = f.fold(n.(ast.Expr))
		}
	}
	if words < 3 {
		return
	}
	if f.pkg == "functions" { // HCL says which call failed
		pattern = "^(Invalid function argument|Error in function call) .*: " + pattern
	}
	f.add(n, pattern)
}

// isDescription reports whether a field describes the language for its documentation,
// or is an example of a block: no mistake.
func isDescription(field *ast.KeyValueExpr) bool {
	name, ok := field.Key.(*ast.Ident)
	return ok && (name.Name == "Doc" || name.Name == "DocDefault" || name.Name == "Example" || name.Name == "Header")
}

func calledName(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

// literal takes a diagnostic or a problem that is written out.
func (f *finder) literal(n *ast.CompositeLit) {
	if name, ok := n.Type.(*ast.Ident); ok && name.Name == "Problem" && len(n.Elts) == 2 {
		f.diagnostic(n.Elts[0], n.Elts[1])
		return
	}
	fields := map[string]ast.Expr{}
	for _, element := range n.Elts {
		if field, ok := element.(*ast.KeyValueExpr); ok {
			if name, ok := field.Key.(*ast.Ident); ok {
				fields[name.Name] = field.Value
			}
		}
	}
	if summary, detail := fields["Summary"], fields["Detail"]; summary != nil && detail != nil {
		f.diagnostic(summary, detail)
	}
}

func (f *finder) diagnostic(summary, detail ast.Expr) {
	first, known := f.fold(summary)
	second, words := f.fold(detail)
	if known > 0 && words > 0 {
		f.add(summary, "^"+first+" .*"+second)
	}
}

func (f *finder) add(n ast.Node, pattern string) {
	at := f.fset.Position(n.Pos())
	f.texts = append(f.texts, text{fmt.Sprintf("%s:%d", at.Filename, at.Line), pattern})
}

// fold returns a pattern for what an expression makes, and how many words of it are
// known. What is not known is anything.
func (f *finder) fold(expr ast.Expr) (pattern string, words int) {
	const anything = ".*"
	switch e := expr.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			break
		}
		f.taken[e] = true
		value, _ := strconv.Unquote(e.Value)
		return patternOf(value)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			break
		}
		f.taken[e] = true
		left, n := f.fold(e.X)
		right, m := f.fold(e.Y)
		return left + right, n + m
	case *ast.Ident:
		return f.constant(f.pkg+"."+e.Name, anything)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			return f.constant(pkg.Name+"."+e.Sel.Name, anything)
		}
	case *ast.CallExpr:
		if name := calledName(e); name == "Sprintf" || name == "Errorf" || name == "New" && len(e.Args) == 1 {
			f.taken[e] = true
			return f.fold(e.Args[0])
		}
	}
	return anything, 0
}

// constant folds the value of a constant, which is looked at as a text of its own too.
func (f *finder) constant(name, otherwise string) (string, int) {
	literal, ok := f.constants[name].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return otherwise, 0
	}
	value, _ := strconv.Unquote(literal.Value)
	return patternOf(value)
}

var (
	verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)
	gap  = regexp.MustCompile(`\s+`)
	word = regexp.MustCompile(`[A-Za-z]`)
)

// patternOf makes a pattern of a text, in which verbs are anything.
func patternOf(value string) (pattern string, words int) {
	for i, piece := range verb.Split(value, -1) {
		if i > 0 {
			pattern += ".*"
		}
		pattern += gap.ReplaceAllString(regexp.QuoteMeta(piece), " ?")
		for _, field := range strings.Fields(piece) {
			if word.MatchString(field) {
				words++
			}
		}
	}
	return pattern, words
}
