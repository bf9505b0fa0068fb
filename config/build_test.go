package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// loadValid loads the fixture without mistakes.
func loadValid(t *testing.T) *Config {
	t.Helper()
	config, diags := Load(fixtures+"/valid", LoadOptions{NeedInputs: true})
	if len(diags) != 0 {
		t.Fatal(diags)
	}
	return config
}

var (
	withoutRanges = cmpopts.IgnoreTypes(hcl.Range{})
	withKeySchema = cmp.AllowUnexported(KeySchema{})
)

func written[T any](v T) Located[T] { return Located[T]{Value: v} }

func TestLoad(t *testing.T) {
	t.Parallel()
	got := loadValid(t)
	want := &Config{
		Deletes: Deletes{MaxCount: written(20), MaxPercent: written(30)},
		KMS: map[string]*KMS{"hanzo": {
			Label: "hanzo", Project: written("payments-platform"), CredentialsPrefix: written("KMS"),
		}},
		Connections: map[string]*Connection{"acme": {
			Label: "acme", Workspace: written("acme"), CredentialsPrefix: written("BITBUCKET"),
		}},
		Syncs: []*Sync{
			{
				Address: "sync.billing", Name: written("acme-billing"),
				Sources:     []*Source{{KMS: "hanzo", Environment: written("dev"), SecretPath: written("/"), ExpandReferences: written(true)}},
				Destination: Destination{Connection: "acme", Workspace: written("x-acme"), Repository: written("billing")},
				Options:     Options{AutoSync: written(true)},
			},
			{
				Address: "sync.payments-dev", Name: written("payments-dev"), Enabled: written(true),
				Description: written("Pipeline variables of payments-platform"),
				Sources: []*Source{{
					KMS: "hanzo", Environment: written("dev"), SecretPath: written("/payments"),
					IncludeImports: written(true), ExpandReferences: written(true),
				}},
				Destination: Destination{
					Connection: "acme", Workspace: written("acme"), Repository: written("payments"), DeploymentEnvironment: written("Staging"),
				},
				Options: Options{
					OverwriteDestination: written(true), KeySchema: written(KeySchema{"KMS_{{secretKey}}"}),
					DisableSecretDeletion: written(true), AllowEmpty: written(true),
					Protect: []Located[string]{written("A_*"), written("acme-billing")},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got, withoutRanges, withKeySchema, cmpopts.IgnoreFields(Config{}, "Files", "LedgerPath")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRanges: what was written says where; what was not has no range.
func TestRanges(t *testing.T) {
	t.Parallel()
	config := loadValid(t)
	billing, payments := config.Syncs[0], config.Syncs[1]
	for _, c := range []struct {
		what string
		rng  hcl.Range
		want string
	}{
		{"kms block", config.KMS["hanzo"].Range, "main.sync.hcl:1"},
		{"default address", config.KMS["hanzo"].Address.Range, ""},
		{"default prefix", config.Connections["acme"].CredentialsPrefix.Range, ""},
		{"sync block", payments.Range, "main.sync.hcl:9"},
		{"description", payments.Description.Range, "main.sync.hcl:10"},
		{"default name", payments.Name.Range, ""},
		{"source block", payments.Sources[0].Range, "main.sync.hcl:11"},
		{"secret_path", payments.Sources[0].SecretPath.Range, "main.sync.hcl:13"},
		{"workspace of the connection", payments.Destination.Workspace.Range, "main.sync.hcl:6"},
		{"overwrite", payments.Options.OverwriteDestination.Range, "main.sync.hcl:20"},
		{"key schema", payments.Options.KeySchema.Range, "main.sync.hcl:21"},
		{"second glob", payments.Options.Protect[1].Range, "main.sync.hcl:22"},
		{"no options block", billing.Options.Range, ""},
		{"default auto_sync", billing.Options.AutoSync.Range, ""},
		{"own workspace", billing.Destination.Workspace.Range, "other.sync.hcl:12"},
	} {
		got := ""
		if c.rng.Filename != "" {
			got = spec.Place(c.rng)
		}
		if got != c.want {
			t.Errorf("%s: at %q, want %q", c.what, got, c.want)
		}
	}
}

// TestOrderDoesNotMatter moves the blocks of the valid fixture to other files and
// places.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	want := loadValid(t)
	var blocks []string
	for _, name := range []string{"main.sync.hcl", "other.sync.hcl"} {
		source, err := os.ReadFile(filepath.Join(fixtures, "valid", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(source), "\r\n", "\n")
		blocks = append(blocks, strings.SplitAfter(strings.TrimSpace(text)+"\n", "\n}\n")...)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		fsys := fstest.MapFS{}
		for _, i := range random.Perm(len(blocks)) {
			name := fmt.Sprintf("%c.sync.hcl", 'a'+random.IntN(4))
			if fsys[name] == nil {
				fsys[name] = &fstest.MapFile{}
			}
			fsys[name].Data = append(fsys[name].Data, blocks[i]...)
		}
		got, diags := load(fsys, ".", LoadOptions{})
		if len(diags) != 0 {
			t.Fatal(diags)
		}
		if diff := cmp.Diff(want, got, withoutRanges, withKeySchema, cmpopts.IgnoreFields(Config{}, "Files", "LedgerPath")); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func TestProtected(t *testing.T) {
	t.Parallel()
	options := loadValid(t).Syncs[1].Options
	for key, want := range map[string]string{"A_X": "A_*", "A_": "A_*", "AX": "", "acme-billing": "acme-billing"} {
		glob, ok := options.IsProtected(key)
		if glob.Value != want || ok != (want != "") {
			t.Errorf("%s: matched by %q, %t", key, glob.Value, ok)
		}
	}
}
