package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// The documents, relative to the root.
const (
	readme        = "README.md"
	architecture  = "ARCHITECTURE.md"
	contributing  = "CONTRIBUTING.md"
	configuration = "docs/configuration.md"
	decisions     = "docs/decisions.md"
	sandboxDoc    = "docs/sandbox.md"
)

func rootPath(name string) string {
	return filepath.Join("..", "..", "..", filepath.FromSlash(name))
}

// readDoc returns a file of the project as text.
func readDoc(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(rootPath(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// allDocs returns every Markdown file of the project by name.
func allDocs(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(rootPath(pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name := strings.TrimPrefix(filepath.ToSlash(path), "../../../")
			docs[name] = readDoc(t, name)
		}
	}
	if len(docs) < 8 {
		t.Fatalf("only %d documents found: %v", len(docs), slices.Sorted(maps.Keys(docs)))
	}
	return docs
}

// section returns what stands below a heading, up to the next of its level or
// above.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut("\n"+text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %q", heading)
	}
	level := strings.Count(strings.Fields(heading)[0], "#")
	if end := regexp.MustCompile(`(?m)^#{1,` + strconv.Itoa(level) + `} `).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	return rest
}

// rows returns the cells of every table row, without heads and rules.
func rows(text string) [][]string {
	var out [][]string
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		isHead := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || isHead {
			continue
		}
		// A bar that is escaped stands in a cell.
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|")
		for j := range cells {
			cells[j] = strings.ReplaceAll(strings.TrimSpace(cells[j]), "\x00", "|")
		}
		out = append(out, cells)
	}
	return out
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// codes returns what stands between backticks, in order.
func codes(text string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// column returns the code of one column of the tables of a text, sorted, each once.
func column(text string, at int) []string {
	found := map[string]bool{}
	for _, cells := range rows(text) {
		if at < len(cells) {
			for _, code := range codes(cells[at]) {
				found[code] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// blocks returns the fenced blocks of a language, without the indent of lists.
func blocks(text, language string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^( *)```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
		out = append(out, regexp.MustCompile("(?m)^"+m[1]).ReplaceAllString(m[2], ""))
	}
	return out
}

func parse(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), rootPath(name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// constants returns the values of constants whose name or type matches, sorted.
func constants(t *testing.T, file string, matches func(name, typeName string) bool) []string {
	t.Helper()
	var values []string
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		typeName := ""
		if ident, ok := spec.Type.(*ast.Ident); ok {
			typeName = ident.Name
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && matches(spec.Names[0].Name, typeName) {
			if value := strings.Trim(lit.Value, `"`); value != "" {
				values = append(values, value)
			}
		}
		return true
	})
	if len(values) < 5 {
		t.Fatalf("found %v in %s: the test looks in the wrong place", values, file)
	}
	slices.Sort(values)
	return values
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-code +document):\n%s", what, diff)
	}
}

// Every command and flag of the grammar is named for people.
func TestDocsNameCommandsAndFlags(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&root{}, kong.Name("kmsync"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for name, doc := range allDocs(t) {
		if name == readme || strings.HasPrefix(name, "docs/") {
			text.WriteString(doc)
		}
	}
	seen := 0
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch node := node.(type) {
		case *kong.Flag:
			seen++
			if !regexp.MustCompile("`--" + node.Name + "[` ]").MatchString(text.String()) {
				t.Errorf("no document names the flag --%s", node.Name)
			}
		case *kong.Node:
			if node.Type == kong.CommandNode && node.Leaf() {
				seen++
				path := strings.TrimPrefix(node.Path(), "kmsync ")
				if !regexp.MustCompile("(?m)^\\| `" + path + "[` ]").MatchString(text.String()) {
					t.Errorf("no table of commands names %s", path)
				}
			}
		}
		return next(nil)
	})
	if err != nil || seen < 15 {
		t.Fatalf("%d commands and flags, %v", seen, err)
	}
}

// The table of exit codes has every code and no other, and README and help agree
// on which comes first.
func TestDocsListExitCodes(t *testing.T) {
	t.Parallel()
	var got []string
	for _, cells := range rows(section(t, readDoc(t, readme), "### Exit codes")) {
		got = append(got, cells[0])
	}
	slices.Sort(got)
	same(t, "exit codes", constants(t, "cmd/internal/cli/exit.go", func(name, _ string) bool { return strings.HasPrefix(name, "exit") }), got)
	const precedence = "Where several hold, the first of 130/143, 6, 4, 1, 3, 2 is returned."
	for _, name := range []string{readme, "cmd/internal/cli/topics/exit-codes.txt"} {
		if !strings.Contains(readDoc(t, name), precedence) {
			t.Errorf("%s does not say: %s", name, precedence)
		}
	}
}

// docs/decisions.md has every reason, refusal and finding of the planner, and
// none that does not exist.
func TestDocsListDecisions(t *testing.T) {
	t.Parallel()
	text := readDoc(t, decisions)
	for _, test := range []struct {
		heading, typeName string
		column            int
	}{
		{"## Verdicts", "Reason", 3},
		{"## Refusals", "Block", 0},
		{"## Findings", "FindingKind", 0},
	} {
		want := constants(t, "planner/verdict/words.go", func(_, typeName string) bool { return typeName == test.typeName })
		same(t, test.heading, want, column(section(t, text, test.heading), test.column))
	}
}

// The table of imports is the one that arch_test.go enforces.
func TestDocsShowImports(t *testing.T) {
	t.Parallel()
	text := section(t, readDoc(t, architecture), "## Who may import whom")
	_, list, ok := strings.Cut(text, "HCL modules: ")
	if !ok {
		t.Fatal("the HCL modules are not listed")
	}
	same(t, "HCL modules", hclModules, codes(list))
	got := map[string][2][]string{}
	for _, cells := range rows(text) {
		third := codes(cells[2])
		if cells[2] == "HCL modules" {
			third = hclModules
		}
		got[codes(cells[0])[0]] = [2][]string{codes(cells[1]), third}
	}
	want := map[string][2][]string{}
	for name, allowed := range mayImport {
		want[name] = [2][]string{allowed.ours, allowed.third}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of imports (-arch_test.go +ARCHITECTURE.md):\n%s", diff)
	}
}

// Every relative link leads to a file that is there, and to a heading it has.
func TestDocsLinksResolve(t *testing.T) {
	t.Parallel()
	docs := allDocs(t)
	seen := 0
	for name, text := range docs {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
			}
			if _, err := os.Stat(rootPath(target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if anchor != "" && !slices.Contains(anchors(docs[target]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d links found", seen)
	}
}

// anchors returns the names of a document's headings as links use them.
func anchors(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(name, " ", "-"))
	}
	return out
}

// wholeConfigurations returns the snippets of a document that stand alone.
func wholeConfigurations(text string) []string {
	return slices.DeleteFunc(blocks(text, "hcl"), func(s string) bool {
		return !strings.Contains(s, "\nsync ") || !strings.Contains(s, "\nconnection ") || !strings.HasPrefix(s, "kms ") && !strings.HasPrefix(s, "variable ")
	})
}

// Every snippet that is a whole configuration loads.
func TestDocsSnippetsLoad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{readme, configuration} {
		whole := wholeConfigurations(readDoc(t, name))
		if len(whole) == 0 {
			t.Errorf("%s has no whole configuration", name)
		}
		for _, snippet := range whole {
			if _, diags := config.Load(writeConfiguration(t, snippet), config.LoadOptions{NeedInputs: true}); len(diags) > 0 {
				t.Errorf("%s: %v in:\n%s", name, diags, snippet)
			}
		}
	}
}

func writeConfiguration(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The transcript of the README is what the program prints with the README's
// configuration, but for the port. Keys are written at the same time, so lines
// are compared in order of the alphabet.
func TestDocsTranscriptIsTrue(t *testing.T) {
	t.Parallel()
	text := readDoc(t, readme)
	dir := writeConfiguration(t, wholeConfigurations(text)[0])
	calls := strings.Split(blocks(text, "console")[0], "$ kmsync ")[1:]
	if len(calls) < 3 {
		t.Fatalf("%d calls in the transcript", len(calls))
	}
	for _, call := range calls {
		command, want, _ := strings.Cut(call, "\n")
		var out bytes.Buffer // stdout and stderr, as on a terminal
		code := Main(context.Background(), Env{
			Args: strings.Fields(command), Stdin: strings.NewReader("yes\n"), Stdout: &out, Stderr: &out,
			Getenv: func(string) string { return "" }, Dir: dir, Host: "host", Now: time.Now, Random: rand.Reader,
			Sleep:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Version: "test", StdinTTY: true,
		})
		got := strings.ReplaceAll(out.String(), "taken as yes: ", "taken as yes: yes\n")
		if diff := cmp.Diff(unordered(want), unordered(got)); code != 0 || diff != "" {
			t.Errorf("kmsync %s: exit code %d (-README +program):\n%s", command, code, diff)
		}
	}
}

func unordered(text string) []string {
	lines := strings.Split(regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "127.0.0.1:PORT"), "\n")
	slices.Sort(lines)
	return lines
}

// Every file and function that the ten steps name is there: a function in one of
// the files of its step, or of an earlier one.
func TestDocsTenStepsExist(t *testing.T) {
	t.Parallel()
	text := section(t, readDoc(t, architecture), "## One apply, in ten steps")
	steps := regexp.MustCompile(`(?m)^\d+\. `).Split(text, -1)[1:]
	if len(steps) != 10 {
		t.Fatalf("%d steps", len(steps))
	}
	declared := map[string]bool{}
	for i, step := range steps {
		named := 0
		for _, code := range codes(step) {
			name, isFunction := strings.CutSuffix(code, "()")
			switch {
			case strings.HasSuffix(code, ".go"):
				maps.Copy(declared, functions(t, code))
			case isFunction && !declared[name]:
				t.Errorf("step %d names %s, which no file named up to there declares", i+1, code)
			case isFunction:
				named++
			}
		}
		if named == 0 {
			t.Errorf("step %d names no function", i+1)
		}
	}
}

// functions returns what a file declares: Name, or Type.Name for a method.
func functions(t *testing.T, file string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, d := range parse(t, file).Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil {
			receiver := f.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if ident, ok := receiver.(*ast.Ident); ok {
				name = ident.Name + "." + name
			}
		}
		out[name] = true
	}
	return out
}

// The world of docs/sandbox.md is one, and every field of a fault and every
// switch is explained.
func TestDocsShowTheWorld(t *testing.T) {
	t.Parallel()
	text := readDoc(t, sandboxDoc)
	snippets := blocks(text, "json")
	if len(snippets) != 1 {
		t.Fatalf("%d worlds", len(snippets))
	}
	if _, err := world.Decode("world.json", []byte(snippets[0])); err != nil {
		t.Error(err)
	}
	for heading, of := range map[string]reflect.Type{"## Faults": reflect.TypeFor[world.Fault](), "## Switches": reflect.TypeFor[world.Switches]()} {
		var want []string
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		slices.Sort(want)
		same(t, heading, want, column(section(t, text, heading), 0))
	}
	kinds := column(section(t, text, "## Faults"), 1)
	for _, kind := range constants(t, "providers/sandbox/world/fault.go", func(name, _ string) bool { return strings.HasPrefix(name, "Fault") }) {
		if !slices.Contains(kinds, kind) {
			t.Errorf("%s does not explain faults of kind %s", sandboxDoc, kind)
		}
	}
}

// CONTRIBUTING.md lists every target of make and every command of scripts.
func TestDocsListTargetsAndScriptCommands(t *testing.T) {
	t.Parallel()
	text := readDoc(t, contributing)
	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9]+):.*## `).FindAllStringSubmatch(readDoc(t, "Makefile"), -1) {
		targets = append(targets, "make "+m[1])
	}
	slices.Sort(targets)
	same(t, "targets", targets, slices.DeleteFunc(column(section(t, text, "## Set-up"), 0), func(s string) bool { return !strings.HasPrefix(s, "make ") }))
	var commands []string
	for _, m := range regexp.MustCompile(`(?m)^\t+"([a-z]+)": +[a-z]+Command,$`).FindAllStringSubmatch(readDoc(t, "cmd/kmsync/script_test.go"), -1) {
		commands = append(commands, m[1])
	}
	slices.Sort(commands)
	var named []string
	for _, usage := range column(section(t, text, "## Scripts"), 0) {
		named = append(named, strings.Fields(usage)[0])
	}
	slices.Sort(named)
	same(t, "commands of scripts", commands, named)
}
