package credentials

import (
	"cmp"
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

// home is where credentials with this prefix go unless a file says otherwise, and
// the variable that says so, "" for none.
func (a Address) home(getenv func(string) string) (address, variable string) {
	names := []string{a.prefix.Value + "_ADDRESS"}
	if a.prefix.Value == DefaultKMSPrefix {
		names = append(names, "KMS_API_URL", "INFISICAL_API_URL")
	}
	for _, name := range names {
		if value := getenv(name); value != "" {
			return value, name
		}
	}
	return a.fallback, ""
}

// Choose returns the base URL to use, in the one spelling that stands for all of that
// address. An address in a file that is neither where
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
	home, variable := a.home(getenv)
	if !a.written.IsSet() {
		if _, err := origin(home); err != nil {
			return "", a.unusable(variable, err)
		}
		return a.spell(home), nil
	}
	wanted, err := origin(a.written.Value)
	if err == nil {
		if belongs, err := origin(home); err == nil && belongs == wanted {
			return a.spell(a.written.Value), nil
		}
		for _, entry := range strings.FieldsFunc(getenv("KMSYNC_ALLOW_ORIGINS"), func(r rune) bool { return r == ',' || r == ' ' }) {
			service, allowed, _ := strings.Cut(entry, "=")
			if o, err := origin(allowed); err == nil && service == a.service && o == wanted {
				return a.spell(a.written.Value), nil
			}
		}
	}
	if _, err := origin(home); err != nil { // not quoted either: it may hold a password
		return "", a.unusable(variable, err)
	}
	return "", hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Address not allowed",
		Detail: fmt.Sprintf("The credentials with the prefix %s belong to %s, and a file must not send them elsewhere. "+
			"Where this address is right, allow it outside of the files: set %s_ADDRESS=%s, or add %s=%s to KMSYNC_ALLOW_ORIGINS.",
			a.prefix.Value, home, a.prefix.Value, a.written.Value, a.service, a.written.Value),
		Subject: a.written.Range.Ptr(),
	}}
}

// unusable says which variable holds something that is no address.
func (a Address) unusable(variable string, err error) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unusable address",
		Detail: fmt.Sprintf("The address of the %s service comes from the environment and %s. Mend the variable %s.", a.service, err, variable),
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

// spell writes a base URL in one way: scheme and host in lower case, without the
// port that goes without saying, a slash at the end or the KMS's /api.
func (a Address) spell(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || port == usualPort(u.Scheme) {
		host = strings.TrimSuffix(host, ":"+port)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if a.service == "kms" {
		path = strings.TrimRight(strings.TrimSuffix(path, "/api"), "/")
	}
	return u.Scheme + "://" + host + path
}

func usualPort(scheme string) string {
	return map[string]string{"http": "80", "https": "443"}[scheme]
}

// origin returns scheme, host and port of a base URL, in one spelling. Anything
// but https is for this machine only.
func origin(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("is not a base URL such as https://kms.example.com")
	}
	port := cmp.Or(u.Port(), usualPort(u.Scheme))
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
