package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzLoad: no input panics, and what has no mistakes can be used.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob(fixtures + "/*/*.sync.hcl")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	for _, part := range []string{"(", "[", "{", "\"${", "!", "-", "1+", "1?1:", "a{\n", "f(", "a[0]", ".a", "%{if x}", "[for a in "} {
		f.Add([]byte("x = " + strings.Repeat(part, 1000)))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		config, diags := load(fstest.MapFS{"main.sync.hcl": {Data: source}}, ".")
		for _, diag := range diags {
			if diag.Subject == nil {
				t.Errorf("no place: %s", diag)
			}
		}
		if diags.HasErrors() {
			return
		}
		for _, s := range config.Syncs {
			checkUsable(t, config, s)
		}
	})
}

// checkUsable holds what a sync without mistakes promises.
func checkUsable(t *testing.T, config *Config, s *Sync) {
	t.Helper()
	if len(s.Sources) != 1 || s.Name.Value == "" || s.Destination.Repository.Value == "" || s.Destination.Workspace.Value == "" {
		t.Fatalf("incomplete: %+v", s)
	}
	if source := s.Sources[0]; config.KMS[source.KMS] == nil || source.Environment.Value == "" || !strings.HasPrefix(source.SecretPath.Value, "/") {
		t.Errorf("incomplete source: %+v", source)
	}
	if config.Connections[s.Destination.Connection] == nil {
		t.Errorf("no connection: %+v", s.Destination)
	}
}

func BenchmarkLoad(b *testing.B) {
	var source strings.Builder
	source.WriteString("kms \"hanzo\" {\n  project = \"p\"\n}\nconnection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n")
	for i := range 200 {
		fmt.Fprintf(&source, `sync "service-%d" {
  description = "Variables of ${kms.hanzo.project}"
  source {
    environment = "dev"
    secret_path = "/services/%d"
  }
  destination "bitbucket" {
    repository = "service-%d"
  }
  options {
    key_schema = "KMS_{{secretKey}}"
    protect    = ["A_*", "B"]
  }
}
`, i, i, i)
	}
	fsys := fstest.MapFS{"main.sync.hcl": {Data: []byte(source.String())}}
	for b.Loop() {
		if config, diags := load(fsys, "."); diags.HasErrors() || len(config.Syncs) != 200 {
			b.Fatal(diags)
		}
	}
}
