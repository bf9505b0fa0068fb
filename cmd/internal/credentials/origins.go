package credentials

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
)

// DefaultKMSPrefix and DefaultBitbucketPrefix begin the names of the variables
// that hold credentials, unless a block says otherwise.
const (
	defaultKMSAddress       = "https://app.kms.hanzo.ai"
	defaultBitbucketAddress = "https://api.bitbucket.org"
	DefaultKMSPrefix        = "KMS"
	DefaultBitbucketPrefix  = "BITBUCKET"
)

// Address is where a block's credentials go.
type Address struct {
	service  string                 // "kms" or "bitbucket", as in KMSYNC_ALLOW_ORIGINS
	prefix   config.Located[string] // of the credentials
	usual    string                 // the service's default prefix
	fallback string                 // the service's default address
	written  config.Located[string]
}

// OfKMS returns the address of a kms block.
func OfKMS(k *config.KMS) Address {
	return Address{"kms", k.CredentialsPrefix, DefaultKMSPrefix, defaultKMSAddress, k.Address}
}

// OfBitbucket returns the address of a connection block.
func OfBitbucket(c *config.Connection) Address {
	return Address{"bitbucket", c.CredentialsPrefix, DefaultBitbucketPrefix, defaultBitbucketAddress, c.Address}
}

// home is where credentials with this prefix go unless a file says otherwise.
func (a Address) home(getenv func(string) string) string {
	names := []string{a.prefix.Value + "_ADDRESS"}
	if a.prefix.Value == DefaultKMSPrefix {
		names = append(names, "KMS_API_URL", "INFISICAL_API_URL")
	}
	for _, name := range names {
		if value := getenv(name); value != "" {
			return value
		}
	}
	return a.fallback
}

// Choose returns the base URL to use. An address in a file that is neither where
// the credentials belong nor listed in KMSYNC_ALLOW_ORIGINS is refused: whoever
// can change the file must not be able to send credentials elsewhere.
func (a Address) Choose(getenv func(string) string) (string, hcl.Diagnostics) {
	if diags := a.checkPrefix(getenv); diags.HasErrors() {
		return "", diags
	}
	return a.base(getenv)
}

// base is Choose without the check of the prefix, which needs to know where the
// run takes place.
func (a Address) base(getenv func(string) string) (string, hcl.Diagnostics) {
	home := a.home(getenv)
	if !a.written.IsSet() {
		if _, err := origin(home); err != nil {
			return "", hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: "Unusable address",
				Detail: fmt.Sprintf("The address of the %s service comes from the environment and %s. Mend the variable %s_ADDRESS.", a.service, err, a.prefix.Value),
			}}
		}
		return home, nil
	}
	wanted, err := origin(a.written.Value)
	if err == nil {
		if belongs, err := origin(home); err == nil && belongs == wanted {
			return a.written.Value, nil
		}
		for _, entry := range strings.FieldsFunc(getenv("KMSYNC_ALLOW_ORIGINS"), func(r rune) bool { return r == ',' || r == ' ' }) {
			service, allowed, _ := strings.Cut(entry, "=")
			if o, err := origin(allowed); err == nil && service == a.service && o == wanted {
				return a.written.Value, nil
			}
		}
	}
	return "", hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Address not allowed",
		Detail: fmt.Sprintf("The credentials with the prefix %s belong to %s, and a file must not send them elsewhere. "+
			"Where this address is right, allow it outside of the files: set %s_ADDRESS=%s, or add %s=%s to KMSYNC_ALLOW_ORIGINS.",
			a.prefix.Value, home, a.prefix.Value, a.written.Value, a.service, a.written.Value),
		Subject: a.written.Range.Ptr(),
	}}
}

// checkPrefix refuses a prefix of its own that nothing outside of the files knows.
// Else a changed file could send what another service's variable holds
// (GITHUB_TOKEN by the prefix GITHUB) to this one.
func (a Address) checkPrefix(getenv func(string) string) hcl.Diagnostics {
	if a.prefix.Value == a.usual || getenv(a.prefix.Value+"_ADDRESS") != "" {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Credentials not allowed",
		Detail: fmt.Sprintf("The variables that begin with %s_ may hold another service's credentials, and a file must not send them here. "+
			"Where they are meant for this service, say so outside of the files: set %s_ADDRESS to its address, for instance %s.",
			a.prefix.Value, a.prefix.Value, a.fallback),
		Subject: a.prefix.Range.Ptr(),
	}}
}

// origin returns scheme, host and port of a base URL, in one spelling. Anything
// but https is for this machine only.
func origin(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("is not a base URL such as https://kms.example.com")
	}
	port := u.Port()
	switch {
	case u.Scheme == "https" && port == "":
		port = "443"
	case u.Scheme == "http" && port == "":
		port = "80"
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(host)) {
		return "", fmt.Errorf("is not https, which is needed for every host but this machine")
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Check returns what is wrong with the addresses of a configuration.
func Check(cfg *config.Config, getenv func(string) string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, label := range slices.Sorted(maps.Keys(cfg.KMS)) {
		_, more := OfKMS(cfg.KMS[label]).base(getenv)
		diags = append(diags, more...)
	}
	for _, label := range slices.Sorted(maps.Keys(cfg.Connections)) {
		_, more := OfBitbucket(cfg.Connections[label]).base(getenv)
		diags = append(diags, more...)
	}
	return diags
}
