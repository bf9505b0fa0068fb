package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// What the second file of the fuzz target is, and whether inputs are needed.
const (
	fuzzNative = iota
	fuzzJSON
	fuzzInputs
	fuzzNeedInputs = 4
)

// FuzzLoad: no two files panic or take long, and what has no mistakes can be used.
func FuzzLoad(f *testing.F) {
	seedFixtures(f)
	for _, part := range []string{"(", "[", "{", "\"${", "!", "-", "1+", "1?1:", "a{\n", "f(", "a[0]", ".a", "%{if x}", "[for a in ", "{\"a\":", "jsonencode("} {
		source := []byte("x = " + strings.Repeat(part, 300))
		f.Add(source, source, byte(fuzzJSON))
		f.Add([]byte(minimal), []byte(`{"locals":{"x":"${`+strings.ReplaceAll(strings.Repeat(part, 300), `"`, `\"`)+`}"}}`), byte(fuzzJSON))
	}
	for _, name := range sortedNames(jsonMistakes) {
		f.Add([]byte(minimal), []byte(jsonMistakes[name]), byte(fuzzJSON|fuzzNeedInputs))
	}
	f.Add([]byte(everythingNative), []byte(everythingJSON), byte(fuzzJSON))
	f.Add([]byte(inputsConfig), []byte("region = \"eu\"\nnames = [\"a\"]\n"), byte(fuzzInputs|fuzzNeedInputs))
	f.Add([]byte(inputsConfig), []byte("names = { a = 1 }\nnone = [for x in [1] : x]\n"), byte(fuzzInputs))
	f.Fuzz(func(t *testing.T, source, second []byte, kind byte) {
		fsys := fstest.MapFS{"main.sync.hcl": {Data: source}, "text.txt": {Data: []byte("text")}}
		name := map[byte]string{fuzzNative: "second.sync.hcl", fuzzJSON: "second.sync.json", fuzzInputs: "second.auto.syncvars"}[kind&3]
		if name != "" {
			fsys[name] = &fstest.MapFile{Data: second}
		}
		opt := LoadOptions{NeedInputs: kind&fuzzNeedInputs != 0}
		before := time.Now()
		config, diags := load(fsys, ".", opt)
		if took := time.Since(before); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
		for _, diag := range diags {
			if diag.Subject == nil {
				t.Errorf("no place: %s", diag)
			}
		}
		if diags.HasErrors() || !opt.NeedInputs {
			return
		}
		for _, s := range config.Syncs {
			checkUsable(t, config, s)
		}
	})
}

// seedFixtures adds every file that tests load, alone and as the second of two.
func seedFixtures(f *testing.F) {
	f.Helper()
	for kind, suffix := range []string{fuzzNative: "hcl", fuzzJSON: "json"} {
		paths, err := filepath.Glob(fixtures + "/*/*.sync." + suffix)
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
			f.Add([]byte(minimal), source, byte(kind|fuzzNeedInputs))
			f.Add(source, []byte(minimal), byte(fuzzNative))
		}
	}
}

// checkUsable holds what a sync without mistakes promises.
func checkUsable(t *testing.T, config *Config, s *Sync) {
	t.Helper()
	if len(s.Sources) == 0 || s.Name.Value == "" || (s.Destination.Repository.Value == "") != s.Destination.WorkspaceScope.Value || s.Destination.Workspace.Value == "" {
		t.Fatalf("incomplete: %+v", s)
	}
	for _, source := range s.Sources {
		if config.KMS[source.KMS] == nil || source.Environment.Value == "" || !strings.HasPrefix(source.SecretPath.Value, "/") {
			t.Errorf("incomplete source: %+v", source)
		}
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
		if config, diags := load(fsys, ".", LoadOptions{}); diags.HasErrors() || len(config.Syncs) != 200 {
			b.Fatal(diags)
		}
	}
}

// BenchmarkLanguage loads syncs of one for_each and hand-written ones, in the
// proportion of a large configuration.
func BenchmarkLanguage(b *testing.B) {
	for _, n := range []int{250, 500, 1000} {
		fsys := largeConfig(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if config, diags := load(fsys, ".", LoadOptions{}); diags.HasErrors() || len(config.Syncs) != n+n/5 {
					b.Fatal(len(config.Syncs), diags)
				}
			}
		})
	}
}

// largeConfig declares n syncs by one for_each, and n/5 by hand.
func largeConfig(n int) fstest.MapFS {
	var each, byHand strings.Builder
	each.WriteString("kms \"hanzo\" {\n  project = \"p\"\n}\nconnection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\nlocals {\n  services = {\n")
	for i := range n {
		fmt.Fprintf(&each, "    service-%d = { repository = \"repo-%d\", environments = [\"dev\", \"prod\"] }\n", i, i)
	}
	each.WriteString(`  }
}
sync "service" {
  for_each    = local.services
  description = "Variables of ${each.key}, ${join("/", each.value.environments)}"
  source {
    environment = each.value.environments[0]
    secret_path = "/services/${each.key}"
    include     = ["A", "B_*"]
    rename      = { A = "AA" }
  }
  source {
    environment = "dev"
    secret_path = "/shared"
    override    = true
  }
  destination "bitbucket" {
    repository             = local.services[each.key].repository
    deployment_environment = "Production"
  }
  options {
    key_schema = "KMS_{{secretKey}}"
    protect    = ["KMS_LEGACY_*", upper(each.key)]
  }
}
`)
	for i := range n / 5 {
		fmt.Fprintf(&byHand, "sync \"hand-%d\" {\n  source {\n    environment = \"dev\"\n    secret_path = \"/hand/%d\"\n  }\n  destination \"bitbucket\" {\n    repository = \"${local.services[\"service-%d\"].repository}-hand\"\n  }\n}\n", i, i, i)
	}
	return fstest.MapFS{"each.sync.hcl": {Data: []byte(each.String())}, "hand.sync.hcl": {Data: []byte(byHand.String())}}
}
