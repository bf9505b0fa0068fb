package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
)

// TestExamples validates, plans, applies and plans again every example on the
// default world of the sandbox.
func TestExamples(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../../examples/*/main.sync.hcl")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, main := range dirs {
		dir := filepath.Dir(main)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			work := t.TempDir()
			copyExample(t, dir, work)
			copyWorld(t, dir, work)
			runExample(t, work, 0, "", "fmt", "--check")
			runExample(t, work, 0, "valid", "validate")
			runExample(t, work, 2, "to create", "plan", "--detailed-exitcode")
			runExample(t, work, 0, "Applied: ", "apply", "--auto-approve")
			runExample(t, work, 0, "No changes.", "plan", "--detailed-exitcode")
			if _, err := os.Stat(filepath.Join(dir, "after")); err != nil {
				return
			}
			// What the files of the example become one day.
			copyExample(t, filepath.Join(dir, "after"), work)
			runExample(t, work, 0, "", "fmt", "--check")
			runExample(t, work, 0, "valid", "validate")
			runExample(t, work, 2, "to delete", "plan", "--detailed-exitcode")
			runExample(t, work, 0, " deleted", "apply", "--auto-approve")
			runExample(t, work, 0, "No changes.", "plan", "--detailed-exitcode")
		})
	}
}

// copyExample copies the configuration of an example.
func copyExample(t *testing.T, dir, work string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sync.hcl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the example has no configuration: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, filepath.Base(file)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// copyWorld gives the sandbox the world of an example, if it has one of its own.
func copyWorld(t *testing.T, dir, work string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	sandbox := filepath.Join(work, ".kmsync", "sandbox")
	if err := errors.Join(err, os.MkdirAll(sandbox, 0o700), os.WriteFile(filepath.Join(sandbox, "world.json"), content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func runExample(t *testing.T, dir string, code int, says string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := cli.Main(context.Background(), cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Dir: dir, Host: "host",
		Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Random: random{}, Version: "test",
		Getenv: func(name string) string { return map[string]string{"KMSYNC_SANDBOX": "1"}[name] },
	})
	if got != code || !strings.Contains(stdout.String(), says) {
		t.Fatalf("kmsync %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, &stdout, &stderr)
	}
}
