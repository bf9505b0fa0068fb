package format

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFormat: what is formatted has the same tokens on the same lines, and is
// formatted.
func FuzzFormat(f *testing.F) {
	for _, root := range []string{"../../testdata/fixtures/config", "../../examples"} {
		addSeeds(f, root)
	}
	for _, source := range odd {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		formatted, diags := Format("main.sync.hcl", source)
		if diags.HasErrors() {
			if formatted != nil {
				t.Fatalf("refused, and formatted to %q", formatted)
			}
			return
		}
		checkFormatted(t, source, formatted)
	})
}

// addSeeds adds every native configuration file below a directory.
func addSeeds(f *testing.F, root string) {
	f.Helper()
	found := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".hcl") {
			return err
		}
		source, err := os.ReadFile(path)
		f.Add(source)
		found++
		return err
	})
	if err != nil || found == 0 {
		f.Fatal(root, found, err)
	}
}

// odd are sources that a formatter easily gets wrong.
var odd = []string{
	"a = b. 0. 1\n", "a={\nb=1\nccc=2}\n", "a=<<-E\n   x ${ b }\n  E\n", "a=1", "\r\na=1\r\n", "a = <<E\r\n  x  \r\nE\r\nb=1\r\n",
	"/* a\r\n  b */\r\na=1 /* x */ // y\r\n", "\tb\t=\t1\t#c\t\n", "x = \"${ {a=1} }%{ if b ~}\n%{endif}\"\n",
	"x = - 1 - - 2 - ! a\n", "x=[for k , v in{a=1}:k=>v...if !v]\n", "a \"b\" c{d{}}\n", "x = a [0] . b [ * ] . c\n",
	"x = \"é\" # ü\nyy = \"a\u0301\" # z\n", "x = a::b (1 ... )\n", "a = [\n1, # x\n22, # y\n]\n",
}

// checkFormatted holds a result of Format against its source.
func checkFormatted(t *testing.T, source, formatted []byte) {
	t.Helper()
	if !sameTokens(tokens(source), tokens(formatted)) {
		t.Errorf("other tokens:\n%q\n%q", source, formatted)
	}
	if bytes.Count(source, []byte("\n")) != bytes.Count(formatted, []byte("\n")) {
		t.Errorf("other lines:\n%q\n%q", source, formatted)
	}
	again, diags := Format("main.sync.hcl", formatted)
	if diags.HasErrors() || !bytes.Equal(again, formatted) {
		t.Errorf("not formatted, %v:\n%q\n%q\n%q", diags, source, formatted, again)
	}
}
