package config

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

const (
	fixtures = "../testdata/fixtures/config"
	goldens  = "../testdata/golden/config"
)

// TestDiagnostics renders the mistakes of every fixture as people see them.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == "valid" {
			continue
		}
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			config, diags := Load(filepath.Join(fixtures, entry.Name()), LoadOptions{NeedInputs: true})
			checkGolden(t, entry.Name(), config, diags, fixtures+"/")
		})
	}
}

// checkGolden compares rendered diagnostics with a golden file; what of them
// depends on where the test runs is removed.
func checkGolden(t *testing.T, name string, config *Config, diags hcl.Diagnostics, remove string) {
	t.Helper()
	checkShape(t, diags)
	var b strings.Builder
	if err := hcl.NewDiagnosticTextWriter(&b, config.Files, 78, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(b.String(), remove, "")
	path := filepath.Join(goldens, name+".txt")
	if *update {
		if err := os.MkdirAll(goldens, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("diagnostics differ from %s (-want +got):\n%s", path, diff)
	}
}

// checkShape holds what is true of every diagnostic.
func checkShape(t *testing.T, diags hcl.Diagnostics) {
	t.Helper()
	if len(diags) == 0 {
		t.Error("no diagnostics")
	}
	for i, diag := range diags {
		if diag.Subject == nil {
			t.Fatalf("no place: %s", diag)
		}
		if i > 0 && compareRanges(*diags[i-1].Subject, *diag.Subject) > 0 {
			t.Errorf("not sorted: %s before %s", diags[i-1].Subject, diag.Subject)
		}
		if i > 0 && *diags[i-1].Subject == *diag.Subject && diags[i-1].Detail == diag.Detail {
			t.Errorf("reported twice: %s", diag)
		}
	}
}

// TestSummariesAreCovered finds summaries that no golden file shows.
func TestSummariesAreCovered(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(goldens + "/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rendered strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rendered.Write(text)
	}
	summaries := constantSummaries(t)
	if len(summaries) < 40 {
		t.Errorf("found only %d summaries", len(summaries))
	}
	for name, summary := range summaries {
		if !strings.Contains(rendered.String(), "Error: "+summary+"\n") {
			t.Errorf("no golden file shows %s (%q)", name, summary)
		}
	}
}

// constantSummaries returns the string constants of this package and those below
// it that are named as summaries.
func constantSummaries(t *testing.T) map[string]string {
	t.Helper()
	summaries := map[string]string{}
	for _, dir := range []string{".", "internal/rules", "internal/files", "internal/lang", "internal/spec", "internal/order", "internal/weight"} {
		paths, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok {
					collectSummary(t, spec, summaries)
				}
				return true
			})
		}
	}
	return summaries
}

func collectSummary(t *testing.T, spec *ast.ValueSpec, summaries map[string]string) {
	t.Helper()
	name := spec.Names[0].Name
	if !strings.HasPrefix(strings.ToLower(name), "summary") && name != "NotSupported" || len(spec.Values) != 1 {
		return
	}
	if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
		summary, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		summaries[name] = summary
	}
}
