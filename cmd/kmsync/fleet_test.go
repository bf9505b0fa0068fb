package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFleet describes forty repositories in two environments with the example of
// many repositories: sixty lines, and one more for each service. It plans, applies
// and plans again.
func TestFleet(t *testing.T) {
	t.Parallel()
	const services = 40
	example, err := os.ReadFile("../../examples/many-repositories/main.sync.hcl")
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range services {
		fmt.Fprintf(&lines, "    service-%02d = {}\n", i)
	}
	text := regexp.MustCompile(`(?s)(  services = \{\n).*?(  \}\n)`).ReplaceAllString(string(example), "${1}"+lines.String()+"${2}")
	if n := strings.Count(text, "\n") - services; n > 60 {
		t.Errorf("%d lines beside those of the services", n)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	writeFleet(t, filepath.Join(dir, ".kmsync", "sandbox"), services)
	runExample(t, dir, 0, "80 syncs", "validate")
	runExample(t, dir, 2, "Plan: 400 to create.", "plan", "--detailed-exitcode")
	runExample(t, dir, 0, "Applied: 400 created.", "apply", "--auto-approve")
	runExample(t, dir, 0, "No changes. 400 keys believed in sync.", "plan", "--detailed-exitcode")
}

type object = map[string]any

// writeFleet makes a world with that many services: three shared secrets and two of
// each service in each environment, and a repository with two deployment
// environments for each.
func writeFleet(t *testing.T, dir string, services int) {
	t.Helper()
	secrets := func(names ...string) []object {
		var list []object
		for _, name := range names {
			list = append(list, object{"key": name, "value": "made-up-" + name})
		}
		return list
	}
	var environments, repositories []object
	for _, slug := range []string{"staging", "prod"} {
		folders := []object{{"path": "/shared", "secrets": secrets("SENTRY_DSN", "REGION", "LOG_TOKEN")}}
		for i := range services {
			folders = append(folders, object{"path": fmt.Sprintf("/services/service-%02d", i), "secrets": secrets("DATABASE_URL", "SESSION_KEY")})
		}
		environments = append(environments, object{"slug": slug, "folders": folders})
	}
	for i := range services {
		repositories = append(repositories, object{
			"slug": fmt.Sprintf("service-%02d", i), "environments": []object{{"name": "Staging"}, {"name": "Production"}},
		})
	}
	world := object{
		"kms": object{
			"identities": []object{{"client_id": "5a3d0c52-8a3e-4f0e-9b5c-0d1f6f7a1c01", "client_secret": "made-up-secret", "token": "made-up-kms-token"}},
			"projects":   []object{{"slug": "shop", "environments": environments}},
		},
		"bitbucket": object{
			"tokens":     []object{{"access_token": "made-up-bitbucket-token"}},
			"workspaces": []object{{"slug": "acme", "repositories": repositories}},
		},
	}
	content, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "world.json"), content, 0o600); err != nil {
		t.Fatal(err)
	}
}
