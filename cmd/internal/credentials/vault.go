// Package credentials finds what kmsync logs in with, and says where it may go.
// Credentials come from the environment, never from configuration files, and each
// belongs to one origin.
package credentials

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/bitbucket"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Vault finds credentials in the environment: NAME, or the file that NAME_FILE
// names, which is read again each time.
type Vault struct {
	Getenv func(string) string
	Dir    string // relative files are relative to it
}

// has reports whether a credential is there, without reading a file.
func (v Vault) has(name string) bool { return v.Getenv(name) != "" || v.Getenv(name+"_FILE") != "" }

// read returns a function that reads the credential now.
func (v Vault) read(name string) func() (secret.Value, error) {
	return func() (secret.Value, error) {
		file := v.Getenv(name + "_FILE")
		if file == "" {
			return secret.New(v.Getenv(name)), nil
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(v.Dir, file)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return secret.Value{}, fmt.Errorf("read the file that %s_FILE names: %w; make it readable, or name another", name, err)
		}
		value := secret.New(string(content)).TrimSpace()
		if value.IsEmpty() {
			return secret.Value{}, fmt.Errorf("the file that %s_FILE names is empty; write the credential into it", name)
		}
		return value, nil
	}
}

// checkOnce refuses a credential that is set in both ways.
func (v Vault) checkOnce(names ...string) error {
	for _, name := range names {
		if v.Getenv(name) != "" && v.Getenv(name+"_FILE") != "" {
			return fmt.Errorf("both %s and %s_FILE are set: unset one of them", name, name)
		}
	}
	return nil
}

// login is one kind of credentials: the variables that make it up.
type login struct {
	names []string
	or    string // what else may stand for the last name, "" for nothing
	later bool   // in the design, not in this version
}

// String returns the names as people read them: A and B, or A and (B or C).
func (l login) String() string {
	last := len(l.names) - 1
	if l.or == "" || l.names[last] == l.or {
		return strings.Join(l.names, " and ")
	}
	return strings.Join(l.names[:last], " and ") + " and (" + l.names[last] + " or " + l.or + ")"
}

// choose returns the one login whose variables are set. Several at once, half of
// one, or none is an error that names the variables.
func (v Vault) choose(logins []login) (login, error) {
	var begun []login
	for _, l := range logins {
		if v.has(l.names[0]) || (len(l.names) > 1 && v.has(l.names[1])) {
			begun = append(begun, l)
		}
	}
	switch {
	case len(begun) == 0:
		return login{}, fmt.Errorf("there are no credentials for it: set %s (each also as …_FILE)", describeLogins(usable(logins)))
	case len(begun) > 1:
		return login{}, fmt.Errorf("several kinds of credentials are set at once: %s; unset all but one", describeLogins(begun))
	case begun[0].later:
		return login{}, fmt.Errorf("logging in with %s is not supported yet: set %s", begun[0], describeLogins(usable(logins)))
	}
	for _, name := range begun[0].names {
		if !v.has(name) {
			return login{}, fmt.Errorf("%s is not set: %s are needed together", name, begun[0])
		}
	}
	return begun[0], v.checkOnce(begun[0].names...)
}

// usable leaves out what a later version will have.
func usable(logins []login) []login {
	return slices.DeleteFunc(slices.Clone(logins), func(l login) bool { return l.later })
}

func describeLogins(logins []login) string {
	var texts []string
	for _, l := range logins {
		texts = append(texts, l.String())
	}
	return strings.Join(texts, ", or ")
}

// KMS returns the credentials of a KMS with a prefix. The names of Infisical's
// own tools count where the default prefix has none of its own. The error names
// the variables to set or unset.
func (v Vault) KMS(prefix string) (kms.Credentials, error) {
	token := login{names: []string{prefix + "_TOKEN"}}
	universal := login{names: []string{prefix + "_CLIENT_ID", prefix + "_CLIENT_SECRET"}}
	oidc := v.oidc(prefix)
	logins := []login{token, universal, oidc}
	if prefix == DefaultKMSPrefix && !v.any(logins) {
		inToken := login{names: []string{"INFISICAL_TOKEN"}}
		inUniversal := login{names: []string{"INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"}}
		if in := []login{inToken, inUniversal}; v.any(in) {
			logins = in
		}
	}
	chosen, err := v.choose(logins)
	if err != nil {
		return kms.Credentials{}, err
	}
	switch {
	case len(chosen.names) == 1:
		return kms.Credentials{Token: v.read(chosen.names[0])}, nil
	case chosen.names[0] == oidc.names[0]:
		c := kms.Credentials{IdentityID: v.read(chosen.names[0]), JWT: v.read(chosen.names[1])}
		if err := c.Check(); err != nil {
			return kms.Credentials{}, fmt.Errorf("%s: %w", chosen.names[0], err)
		}
		return c, nil
	}
	return kms.Credentials{ClientID: v.read(chosen.names[0]), ClientSecret: v.read(chosen.names[1])}, nil
}

// StepToken holds the OIDC token of a step of Bitbucket Pipelines that has "oidc: true".
const StepToken = "BITBUCKET_STEP_OIDC_TOKEN"

// oidc returns the login by OIDC: the identity, and a token of ours or else that of the
// step. The step's alone does not make a login, since it may be there for others.
func (v Vault) oidc(prefix string) login {
	l := login{names: []string{prefix + "_IDENTITY_ID", prefix + "_OIDC_TOKEN"}, or: StepToken}
	if v.has(l.names[0]) && !v.has(l.names[1]) && v.has(StepToken) {
		l.names[1] = StepToken
	}
	return l
}

func (v Vault) any(logins []login) bool {
	for _, l := range logins {
		for _, name := range l.names {
			if v.has(name) {
				return true
			}
		}
	}
	return false
}

// Bitbucket returns the credentials of Bitbucket with a prefix. The error names
// the variables to set or unset.
func (v Vault) Bitbucket(prefix string) (bitbucket.Credentials, error) {
	access := login{names: []string{prefix + "_ACCESS_TOKEN"}}
	person := login{names: []string{prefix + "_EMAIL", prefix + "_API_TOKEN"}}
	oauth := login{names: []string{prefix + "_OAUTH_CLIENT_ID", prefix + "_OAUTH_CLIENT_SECRET"}, later: true}
	chosen, err := v.choose([]login{access, person, oauth})
	if err != nil {
		return bitbucket.Credentials{}, err
	}
	if len(chosen.names) == 1 {
		return bitbucket.Credentials{AccessToken: v.read(chosen.names[0])}, nil
	}
	return bitbucket.Credentials{Email: v.read(chosen.names[0]), APIToken: v.read(chosen.names[1])}, nil
}

// LedgerKey returns the text of the root key that the environment gives, or the
// empty value.
func (v Vault) LedgerKey() (secret.Value, error) {
	const name = "KMSYNC_LEDGER_KEY"
	if !v.has(name) {
		return secret.Value{}, nil
	}
	if err := v.checkOnce(name); err != nil {
		return secret.Value{}, err
	}
	return v.read(name)()
}
