package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFileFunctionMistakes reads what no checkout can hold faithfully: a file of the
// ledger by another name, a large one, one that is no text, a link out.
func TestFileFunctionMistakes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config")
	for name, content := range map[string]string{
		".kmsync/ledger.db": "x", "large": strings.Repeat("x", 1<<20+1), "latin1": "caf\xe9", "folder/x": "x", "../outside": "x",
		"main.sync.hcl": `locals {
  ledger = file("ledger")
  large  = file("large")
  latin1 = file("latin1")
  folder = file("folder")
  out    = file("out")
}
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"ledger": ".kmsync/ledger.db", "out": "../outside"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	config, diags := Load(dir, LoadOptions{})
	checkGolden(t, "functions_files", config, diags, "\x00")
}

// TestFileFunctionsRefused: a file that this user may not read, and a pattern of too
// many files.
func TestFileFunctionsRefused(t *testing.T) {
	t.Parallel()
	fsys := failing{fstest.MapFS{
		"main.sync.hcl": {Data: []byte("locals {\n  hidden = file(\"hidden\")\n  many   = fileset(\".\", \"many/*\")\n}\n")},
		"hidden":        {Data: []byte("x")},
	}, "hidden", fs.ErrPermission}
	for i := range 10_001 {
		fsys.MapFS[fmt.Sprintf("many/%d", i)] = &fstest.MapFile{}
	}
	config, diags := load(fsys, ".", LoadOptions{})
	checkGolden(t, "functions_refused", config, diags, "\x00")
}

// TestLongTextInJSON: a text that could nest too deeply is refused, unparsed.
func TestLongTextInJSON(t *testing.T) {
	t.Parallel()
	dots := strings.Repeat(".", 10_001)
	config, diags := loadFile("main.sync.json", `{"locals": {"a": "${`+dots+`}"}}`)
	checkGolden(t, "json_long_text", config, diags, dots)
}

// TestBracketsBehindAMistakeInJSON: HCL's parser goes on behind a mistake, and would
// recurse until the stack is full.
func TestBracketsBehindAMistakeInJSON(t *testing.T) {
	t.Parallel()
	brackets := strings.Repeat("[", 500_000)
	for _, start := range []string{`{"a": [01,`, `{"a": 01, "b": `, `{"a": "\x", "b": `, `{"a": nope, "b": `} {
		config, diags := loadFile("main.sync.json", start+brackets)
		if len(diags) != 1 || diags[0].Summary != "Expression too complex" {
			t.Errorf("%s: %v", start, diags)
		}
		if start == `{"a": 01, "b": ` {
			checkGolden(t, "json_brackets", config, diags, brackets)
		}
	}
	if _, diags := loadFile("main.sync.json", `{"a": 01, "b": [`); diags[0].Summary == "Expression too complex" {
		t.Errorf("a small mistake is not left to the parser: %v", diags)
	}
}

// TestAnotherVersion names the version that runs, and the one that is wanted.
func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	source := "kmsync {\n  required_version = \"~> 1.2\"\n}\n"
	config, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(source)}}, ".", LoadOptions{Version: "0.3.0"})
	checkGolden(t, "version", config, diags, "\x00")
}
