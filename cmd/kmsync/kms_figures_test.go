package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const figuresProject = "b7f1c0de-1a2b-4c3d-8e4f-5a6b7c8d9e0f"

// TestSharedFolderIsListedOnce: forty syncs, each with a folder of its own that imports
// one shared folder, make forty-one lists of secrets, in a plan and in an apply. Where
// nothing is empty and nothing is deleted, the KMS is asked for nothing else than the
// login and the project; a server that lacks v4 costs one failed call.
func TestSharedFolderIsListedOnce(t *testing.T) {
	t.Parallel()
	const syncs = 40
	const login, bySlug = "POST /api/v1/auth/universal-auth/login", "GET /api/v1/projects/slug/{slug}"
	for name, test := range map[string]struct {
		generation, project string
		want                map[string]int
	}{
		"2026":                {world.Generation2026, "demo", map[string]int{login: 1, bySlug: 1, "GET /api/v4/secrets": syncs + 1}},
		"2026, project by id": {world.Generation2026, figuresProject, map[string]int{login: 1, "GET /api/v4/secrets": syncs + 1}},
		// A look-up of the project, where there is one, is the call that fails.
		"2024": {world.Generation2024, "demo", map[string]int{
			login: 1, bySlug: 1, "GET /api/v2/workspace/{slug}": 1, "GET /api/v3/secrets/raw": syncs + 1,
		}},
		"2024, project by id": {world.Generation2024, figuresProject, map[string]int{
			login: 1, "GET /api/v4/secrets": 1, "GET /api/v3/secrets/raw": syncs + 1,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := sandbox.Start(t.Context(), sandbox.Options{World: figuresWorld(test.generation, syncs)})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			dir := figuresFiles(t, test.project, syncs)
			for _, args := range [][]string{{"plan"}, {"apply", "--auto-approve"}, {"plan", "--detailed-exitcode"}} {
				server.ResetRequests()
				figuresRun(t, server, dir, args...)
				got := server.Requests()
				maps.DeleteFunc(got, func(route string, _ int) bool { return !strings.Contains(route, " /api/") })
				if test.generation == world.Generation2024 {
					// Servers of 2024 leave out imports without a word, so what a folder with import
					// blocks imports is listed too, once (docs/kms.md).
					if n := got["GET /api/v1/secret-imports"]; n > syncs {
						t.Errorf("%s: %d lists of imports for %d folders that import", args[0], n, syncs)
					}
					delete(got, "GET /api/v1/secret-imports")
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s: requests to the KMS (-want +got):\n%s", args[0], diff)
				}
			}
		})
	}
}

// figuresWorld makes a world with that many folders with a secret and a repository each,
// which all import /shared.
func figuresWorld(generation string, syncs int) *world.World {
	w := world.Default()
	w.KMS.Generation = generation
	dev := world.Environment{Slug: "dev", Folders: []world.Folder{{Path: "/shared", Secrets: []world.Secret{{Key: "SHARED", Value: "made-up-shared"}}}}}
	acme := world.Workspace{Slug: "acme"}
	for i := range syncs {
		dev.Folders = append(dev.Folders, world.Folder{
			Path: fmt.Sprintf("/service-%02d", i), Secrets: []world.Secret{{Key: "OWN", Value: fmt.Sprintf("made-up-%02d", i)}},
			Imports: []world.Import{{Environment: "dev", Path: "/shared"}},
		})
		acme.Repositories = append(acme.Repositories, world.Repository{Slug: fmt.Sprintf("service-%02d", i)})
	}
	w.KMS.Projects = []world.Project{{ID: figuresProject, Slug: "demo", Environments: []world.Environment{dev}}}
	w.Bitbucket.Workspaces = []world.Workspace{acme}
	return w
}

// figuresFiles writes a configuration with that many syncs.
func figuresFiles(t *testing.T, project string, syncs int) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "kms \"demo\" {\n  project = %q\n}\n\nconnection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n", project)
	for i := range syncs {
		fmt.Fprintf(&text, `
sync "service-%02[1]d" {
  source {
    environment = "dev"
    secret_path = "/service-%02[1]d"
  }

  destination "bitbucket" {
    repository = "service-%02[1]d"
  }
}
`, i)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// figuresRun runs kmsync on a sandbox, with its credentials.
func figuresRun(t *testing.T, server *sandbox.Server, dir string, args ...string) {
	t.Helper()
	made := server.Credentials()
	env := map[string]string{
		"HOME": filepath.Join(dir, ".home"), "KMS_ADDRESS": server.Address(), "BITBUCKET_ADDRESS": server.Address(),
		"KMS_CLIENT_ID": made.ClientID, "KMS_CLIENT_SECRET": made.ClientSecret, "BITBUCKET_ACCESS_TOKEN": made.AccessToken,
	}
	var stdout, stderr bytes.Buffer
	code := cli.Main(t.Context(), cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return env[name] },
		Dir: dir, Host: "host", Now: time.Now, Random: random{}, Version: "test",
	})
	if code != 0 {
		t.Fatalf("kmsync %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout.String(), stderr.String())
	}
}
