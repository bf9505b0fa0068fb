package credentials_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/config"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

// TestAddressDiagnostics renders what is wrong with addresses as people see it.
func TestAddressDiagnostics(t *testing.T) {
	t.Parallel()
	const source = `kms "main" {
  project            = "demo"
  address            = "https://evil.example.com"
  credentials_prefix = "GITHUB"
}
`
	loaded := load(t, source)
	written, plain := loaded.KMS["main"], &config.KMS{CredentialsPrefix: config.Located[string]{Value: "KMS"}}
	known := *written
	known.CredentialsPrefix.Value = "KMS"
	connection := &config.Connection{CredentialsPrefix: config.Located[string]{Value: "BITBUCKET"}}
	var diags hcl.Diagnostics
	for _, c := range []struct {
		address credentials.Address
		env     env
	}{
		{credentials.OfKMS(written), nil},
		{credentials.OfKMS(&known), nil},
		{credentials.OfKMS(plain), env{"KMS_ADDRESS": "http://kms.example.com"}},
		{credentials.OfBitbucket(connection), env{"BITBUCKET_ADDRESS": "https://user:pass@example.com"}},
	} {
		_, found := c.address.Choose(func(name string) string { return c.env[name] })
		diags = append(diags, found...)
	}
	var b strings.Builder
	if err := hcl.NewDiagnosticTextWriter(&b, loaded.Files, 78, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "addresses", b.String())
}

// load loads a configuration of one file.
func load(t *testing.T, source string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, diags := config.Load(dir, config.LoadOptions{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return loaded
}

// TestLoginErrors shows every error about logins, which name the variables to set or
// unset.
func TestLoginErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "empty"), []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	show := func(what string, err error) {
		if err == nil {
			t.Errorf("%s: no error", what)
			return
		}
		fmt.Fprintf(&b, "Error: %s\n\n%s\n\n", what, strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	}
	for _, c := range []struct {
		what string
		env  env
	}{
		{"none", nil},
		{"half", env{"KMS_CLIENT_ID": "i"}},
		{"two kinds", env{"KMS_TOKEN": "t", "KMS_CLIENT_ID": "i"}},
		{"both ways", env{"KMS_TOKEN": "t", "KMS_TOKEN_FILE": "f"}},
		{"an identity alone", env{"KMS_IDENTITY_ID": "i"}},
	} {
		_, err := c.env.vault().KMS("KMS")
		show(c.what, err)
	}
	for _, file := range []string{"missing", "empty"} {
		vault := env{"KMS_TOKEN_FILE": file}.vault()
		vault.Dir = dir
		login, err := vault.KMS("KMS")
		if err != nil {
			t.Fatal(err)
		}
		_, err = login.Token()
		show("file: "+file, err)
	}
	_, err := env{}.vault().Bitbucket("BITBUCKET")
	show("none of Bitbucket", err)
	_, err = env{"BITBUCKET_OAUTH_CLIENT_ID": "i", "BITBUCKET_OAUTH_CLIENT_SECRET": "s"}.vault().Bitbucket("BITBUCKET")
	show("a later kind", err)
	_, err = env{"KMSYNC_LEDGER_KEY": "k", "KMSYNC_LEDGER_KEY_FILE": "f"}.vault().LedgerKey()
	show("root key both ways", err)
	checkGolden(t, "logins", b.String())
}

// checkGolden compares a text with a golden file.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("../../../testdata/golden/credentials", name+".txt")
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
