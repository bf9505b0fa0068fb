package wire_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/wire"
	"github.com/hanzoai/kmsync/config"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

// TestConnectDiagnostics renders what is wrong with the credentials of blocks as
// people see it.
func TestConnectDiagnostics(t *testing.T) {
	t.Parallel()
	const source = `kms "main" {
  project = "demo"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}
`
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.sync.hcl"), source)
	cfg, diags := config.Load(dir, config.LoadOptions{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	place, err := wire.Open(context.Background(), surroundings(dir, map[string]string{"HOME": dir}))
	if err != nil {
		t.Fatal(err)
	}
	_, diags = place.Connect(cfg, wire.Needs{KMS: []string{"main"}, Connections: []string{"acme"}}, 1, func(string, time.Duration) {})
	var b strings.Builder
	if err := hcl.NewDiagnosticTextWriter(&b, cfg.Files, 78, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "connect", b.String())
}

// TestOpenErrors shows why a run finds no place for its ledger or its sandbox.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range []struct {
		what    string
		prepare func(t *testing.T, dir string)
		change  func(*wire.Surroundings)
	}{
		{"no home", func(*testing.T, string) {}, func(s *wire.Surroundings) { s.Getenv = func(string) string { return "" } }},
		{
			"a link on the way to the ledger",
			func(t *testing.T, dir string) { link(t, filepath.Join(dir, "state")) },
			func(s *wire.Surroundings) { s.LedgerPath = "state/ledger" },
		},
		{
			"a link on the way to the sandbox",
			func(t *testing.T, dir string) { link(t, filepath.Join(dir, ".kmsync")) },
			func(s *wire.Surroundings) { s.Sandbox = true },
		},
		{
			"a sandbox without a world",
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, ".kmsync", "sandbox", "world.json"), "{") },
			func(s *wire.Surroundings) { s.Sandbox = true },
		},
	} {
		dir := t.TempDir()
		c.prepare(t, dir)
		s := surroundings(dir, map[string]string{"HOME": dir})
		c.change(&s)
		place, err := wire.Open(context.Background(), s)
		if err == nil {
			t.Errorf("%s: no error", c.what)
			_ = place.Close()
			continue
		}
		fmt.Fprintf(&b, "Error: %s\n\n%s\n\n", c.what, strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	}
	checkGolden(t, "open", b.String())
}

func surroundings(dir string, env map[string]string) wire.Surroundings {
	return wire.Surroundings{
		Getenv: func(name string) string { return env[name] }, WorkDir: dir, Dir: dir, LedgerPath: ".kmsync",
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, path string) {
	t.Helper()
	if err := os.Symlink(t.TempDir(), path); err != nil {
		t.Fatal(err)
	}
}

// checkGolden compares a text with a golden file.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("../../../testdata/golden/wire", name+".txt")
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
		t.Errorf("differs from %s (-want +got):\n%s", path, diff)
	}
}
