package credentials_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/config"
)

type env map[string]string

func (e env) vault() credentials.Vault {
	return credentials.Vault{Getenv: func(name string) string { return e[name] }}
}

// TestLogins chooses between the kinds of credentials, and names the variables
// where it cannot.
func TestLogins(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		env       env
		prefix    string
		wants     string // "token", "universal", "oidc", "access", "basic", or what the error says
		bitbucket bool
	}{
		{"token", env{"KMS_TOKEN": "t"}, "KMS", "token", false},
		{"token of a file", env{"KMS_TOKEN_FILE": "f"}, "KMS", "token", false},
		{"universal auth", env{"KMS_CLIENT_ID": "i", "KMS_CLIENT_SECRET_FILE": "f"}, "KMS", "universal", false},
		{"another prefix", env{"TEAM_TOKEN": "t", "KMS_CLIENT_ID": "i"}, "TEAM", "token", false},
		{"names of other tools", env{"INFISICAL_TOKEN": "t"}, "KMS", "token", false},
		{"own names first", env{"INFISICAL_TOKEN": "t", "KMS_CLIENT_ID": "i", "KMS_CLIENT_SECRET": "s"}, "KMS", "universal", false},
		{"names of other tools, other prefix", env{"INFISICAL_TOKEN": "t"}, "TEAM", "set TEAM_TOKEN", false},
		{"none", env{}, "KMS", "set KMS_TOKEN, or KMS_CLIENT_ID and KMS_CLIENT_SECRET, or KMS_IDENTITY_ID and (KMS_OIDC_TOKEN or BITBUCKET_STEP_OIDC_TOKEN) (each also as …_FILE)", false},
		{"half", env{"KMS_CLIENT_SECRET": "s"}, "KMS", "KMS_CLIENT_ID is not set", false},
		{"two kinds", env{"KMS_TOKEN": "t", "KMS_CLIENT_ID": "i"}, "KMS", "KMS_TOKEN, or KMS_CLIENT_ID and KMS_CLIENT_SECRET; unset all but one", false},
		{"both ways", env{"KMS_TOKEN": "t", "KMS_TOKEN_FILE": "f"}, "KMS", "both KMS_TOKEN and KMS_TOKEN_FILE", false},
		{"OIDC", env{"KMS_IDENTITY_ID": "7c1f0a52-6d3e-4b8a-9f10-2b3c4d5e6f70", "KMS_OIDC_TOKEN": "j"}, "KMS", "oidc by KMS_OIDC_TOKEN", false},
		{"OIDC in files", env{"KMS_IDENTITY_ID_FILE": "f", "KMS_OIDC_TOKEN_FILE": "g"}, "KMS", "oidc", false},
		{"OIDC of a step", env{"KMS_IDENTITY_ID": "7c1f0a52-6d3e-4b8a-9f10-2b3c4d5e6f70", "BITBUCKET_STEP_OIDC_TOKEN": "s"}, "KMS", "oidc by BITBUCKET_STEP_OIDC_TOKEN", false},
		{"OIDC, own token first", env{"KMS_IDENTITY_ID": "7c1f0a52-6d3e-4b8a-9f10-2b3c4d5e6f70", "KMS_OIDC_TOKEN": "j", "BITBUCKET_STEP_OIDC_TOKEN": "s"}, "KMS", "oidc by KMS_OIDC_TOKEN", false},
		{"OIDC, another prefix", env{"TEAM_IDENTITY_ID": "7c1f0a52-6d3e-4b8a-9f10-2b3c4d5e6f70", "BITBUCKET_STEP_OIDC_TOKEN": "s", "KMS_TOKEN": "t"}, "TEAM", "oidc by BITBUCKET_STEP_OIDC_TOKEN", false},
		{"OIDC, no UUID", env{"KMS_IDENTITY_ID": "i", "KMS_OIDC_TOKEN": "j"}, "KMS", "KMS_IDENTITY_ID: the identity id is not a UUID", false},
		{"OIDC without a token", env{"KMS_IDENTITY_ID": "i"}, "KMS", "KMS_OIDC_TOKEN is not set: KMS_IDENTITY_ID and (KMS_OIDC_TOKEN or BITBUCKET_STEP_OIDC_TOKEN) are needed together", false},
		{"OIDC without an identity", env{"KMS_OIDC_TOKEN": "j"}, "KMS", "KMS_IDENTITY_ID is not set", false},
		{"the token of a step is no login", env{"BITBUCKET_STEP_OIDC_TOKEN": "s"}, "KMS", "there are no credentials", false},
		{"the token of a step beside another login", env{"KMS_TOKEN": "t", "BITBUCKET_STEP_OIDC_TOKEN": "s"}, "KMS", "token", false},
		{"OIDC and universal auth", env{"KMS_IDENTITY_ID": "i", "BITBUCKET_STEP_OIDC_TOKEN": "s", "KMS_CLIENT_ID": "c", "KMS_CLIENT_SECRET": "d"}, "KMS", "KMS_CLIENT_ID and KMS_CLIENT_SECRET, or KMS_IDENTITY_ID and BITBUCKET_STEP_OIDC_TOKEN; unset all but one", false},
		{"OIDC both ways", env{"KMS_IDENTITY_ID": "i", "KMS_OIDC_TOKEN": "j", "KMS_OIDC_TOKEN_FILE": "f"}, "KMS", "both KMS_OIDC_TOKEN and KMS_OIDC_TOKEN_FILE", false},
		{"access token", env{"BITBUCKET_ACCESS_TOKEN": "t"}, "BITBUCKET", "access", true},
		{"person", env{"BITBUCKET_EMAIL": "e", "BITBUCKET_API_TOKEN": "t"}, "BITBUCKET", "basic", true},
		{"person without address", env{"BITBUCKET_API_TOKEN": "t"}, "BITBUCKET", "BITBUCKET_EMAIL is not set", true},
		{"OAuth", env{"BITBUCKET_OAUTH_CLIENT_ID": "i", "BITBUCKET_OAUTH_CLIENT_SECRET": "s"}, "BITBUCKET", "not supported yet", true},
		{"two kinds at Bitbucket", env{"BITBUCKET_ACCESS_TOKEN": "t", "BITBUCKET_EMAIL": "e"}, "BITBUCKET", "unset all but one", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if row.bitbucket {
				c, err := row.env.vault().Bitbucket(row.prefix)
				switch {
				case err != nil:
					got = err.Error()
				case c.AccessToken != nil:
					got = "access"
				case c.Email != nil && c.APIToken != nil:
					got = "basic"
				}
			} else {
				c, err := row.env.vault().KMS(row.prefix)
				switch {
				case err != nil:
					got = err.Error()
				case c.Token != nil:
					got = "token"
				case c.ClientID != nil && c.ClientSecret != nil:
					got = "universal"
				case c.IdentityID != nil && c.JWT != nil:
					jwt, _ := c.JWT()
					name := map[string]string{"j": "KMS_OIDC_TOKEN", "s": "BITBUCKET_STEP_OIDC_TOKEN"}[jwt.Reveal()]
					got = "oidc by " + name
				}
			}
			if !strings.Contains(got, row.wants) {
				t.Errorf("got %q, want %q", got, row.wants)
			}
		})
	}
}

// TestFiles reads a credential's file each time, and never quotes it.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	v := credentials.Vault{Dir: dir, Getenv: func(name string) string { return map[string]string{"KMS_TOKEN_FILE": "token"}[name] }}
	c, err := v.KMS("KMS")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Token(); err == nil || !strings.Contains(err.Error(), "KMS_TOKEN_FILE") {
		t.Errorf("a missing file: %v", err)
	}
	for _, content := range []string{"first\n", "second"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Token(); err != nil || got.Reveal() != strings.TrimSpace(content) {
			t.Errorf("%q: got %q, %v", content, got.Reveal(), err)
		}
	}
	if err := os.WriteFile(path, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Token(); err == nil {
		t.Error("an empty file is taken for a credential")
	}
}

// TestOrigins holds addresses in files against where credentials belong.
func TestOrigins(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, written string
		env           env
		wants         string // the address, or what the diagnostic says
	}{
		{"default", "", env{}, "https://app.kms.hanzo.ai"},
		{"from the environment", "", env{"KMS_ADDRESS": "https://kms.example.com"}, "https://kms.example.com"},
		{"other tools' names", "", env{"INFISICAL_API_URL": "https://i.example.com/api"}, "https://i.example.com"},
		{"capitals, port and /api", "HTTPS://APP.kms.hanzo.ai:443/api/", env{}, "https://app.kms.hanzo.ai"},
		{"a slash", "https://app.kms.hanzo.ai/", env{}, "https://app.kms.hanzo.ai"},
		{"a path", "https://app.kms.hanzo.ai:/Kms/api", env{}, "https://app.kms.hanzo.ai/Kms"},
		{"spelled otherwise in the environment", "", env{"KMS_ADDRESS": "https://KMS.example.com:443//"}, "https://kms.example.com"},
		{"spelled otherwise where it is allowed", "https://KMS2.example.com/api", env{"KMSYNC_ALLOW_ORIGINS": "kms=https://kms2.example.com:443"}, "https://kms2.example.com"},
		{"written and not allowed", "https://evil.example.com", env{}, "must not send them elsewhere"},
		{"a default that the environment replaced", "https://app.kms.hanzo.ai", env{"KMS_ADDRESS": "https://kms.example.com"}, "must not send them elsewhere"},
		{"allowed", "https://kms2.example.com", env{"KMSYNC_ALLOW_ORIGINS": "bitbucket=https://b.example.com, kms=https://kms2.example.com"}, "https://kms2.example.com"},
		{"allowed for the other service", "https://kms2.example.com", env{"KMSYNC_ALLOW_ORIGINS": "bitbucket=https://kms2.example.com"}, "must not send them elsewhere"},
		{"another port", "https://app.kms.hanzo.ai:8443", env{}, "must not send them elsewhere"},
		{"a longer host", "https://app.kms.hanzo.ai.evil.example.com", env{}, "must not send them elsewhere"},
		{"http in the environment", "", env{"KMS_ADDRESS": "http://kms.example.com"}, "not https"},
		{"http on this machine", "", env{"KMS_ADDRESS": "http://127.0.0.1:1"}, "http://127.0.0.1:1"},
		{"http allowed elsewhere is not", "http://kms.example.com", env{"KMSYNC_ALLOW_ORIGINS": "kms=http://kms.example.com"}, "must not send them elsewhere"},
		{"a prefix that the environment knows", "", env{"prefix": "TEAM", "TEAM_ADDRESS": "https://app.kms.hanzo.ai"}, "https://app.kms.hanzo.ai"},
		{"a prefix that it does not know", "", env{"prefix": "GITHUB", "GITHUB_TOKEN": "t"}, "set GITHUB_ADDRESS"},
		{"Bitbucket's token for the KMS", "", env{"prefix": "BITBUCKET_ACCESS", "BITBUCKET_ADDRESS": "https://api.bitbucket.org"}, "set BITBUCKET_ACCESS_ADDRESS"},
		{"http in another tool's name", "", env{"KMS_API_URL": "http://kms.example.com"}, "Mend the variable KMS_API_URL."},
		{"nonsense in another tool's name", "", env{"INFISICAL_API_URL": "kms"}, "Mend the variable INFISICAL_API_URL."},
		{"nonsense in the own name", "", env{"prefix": "TEAM", "TEAM_ADDRESS": "kms"}, "Mend the variable TEAM_ADDRESS."},
		{"user in the address beside a written one", "https://kms2.example.com", env{"KMS_API_URL": "https://user:pass@kms.example.com"}, "Mend the variable KMS_API_URL."},
		{"user in the address", "", env{"KMS_ADDRESS": "https://user:pass@kms.example.com"}, "not a base URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			k := &config.KMS{CredentialsPrefix: config.Located[string]{Value: "KMS"}}
			if row.env["prefix"] != "" {
				k.CredentialsPrefix.Value = row.env["prefix"]
			}
			if row.written != "" {
				k.Address = config.Located[string]{Value: row.written, Range: hcl.Range{Filename: "main.sync.hcl"}}
			}
			got, diags := credentials.OfKMS(k).Choose(func(name string) string { return row.env[name] })
			if diags.HasErrors() {
				got = diags.Error()
			}
			address := strings.HasPrefix(row.wants, "http")
			if diags.HasErrors() == address || address && got != row.wants || !strings.Contains(got, row.wants) {
				t.Errorf("got %q, want %q", got, row.wants)
			}
			if strings.Contains(got, "pass@") {
				t.Errorf("a password is quoted: %q", got)
			}
		})
	}
}
