package format

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

// TestDiagnostics renders what is wrong with paths and files as people see it.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	content := map[string]string{
		"syntax.sync.hcl": "a = {\n", "other.sync.json": "{}", "gone.sync.hcl": "-> nothing", "out.sync.hcl": "-> ../outside.sync.hcl",
		"askew.sync.hcl": "-> deep/down/../text", "deep/down": "-> ../real/below", "real/below/keep": "", "deep/text": ugly, "real/text": ugly,
		"full/main.sync.hcl": ugly, "other": ugly, "odd.sync.hcl": "-> other", ".hidden.sync.hcl": ugly, "hidden.sync.hcl": "-> .hidden.sync.hcl",
	}
	for i := range maxTemporary {
		content[fmt.Sprintf("full/.main.sync.hcl.%d.tmp", i)] = ""
	}
	dir := tree(t, content)
	paths := []string{".", "full", "nothing", "nothing/main.sync.hcl", "other.sync.json"}
	result, diags, err := Files(context.Background(), dir, paths, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "files", result.Sources, diags, "\x00")
	forbidden := unwritable("main.sync.hcl", &fs.PathError{Op: "openat", Path: "main.sync.hcl", Err: fs.ErrPermission})
	changed := unwritable("main.sync.hcl", errChanged)
	checkGolden(t, "forbidden", nil, hcl.Diagnostics{forbidden, changed}, "\x00")
	result, diags, err = Files(context.Background(), filepath.Join(dir, "nothing"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "directory", result.Sources, diags, dir+string(filepath.Separator))
}

// checkGolden compares rendered diagnostics with a golden file; the directory of the
// test is removed.
func checkGolden(t *testing.T, name string, sources map[string]*hcl.File, diags hcl.Diagnostics, remove string) {
	t.Helper()
	var b strings.Builder
	if err := hcl.NewDiagnosticTextWriter(&b, sources, 78, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(b.String(), remove, "")
	path := filepath.Join("../../testdata/golden/format", name+".txt")
	if *update {
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
