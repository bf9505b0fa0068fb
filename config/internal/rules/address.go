package rules

import (
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// KMSAddress checks the base URL of a KMS; /api at its end is fine.
func KMSAddress(s string) *Problem { return address(s, "") }

// BitbucketAddress checks the base URL of Bitbucket's API.
func BitbucketAddress(s string) *Problem { return address(s, "/2.0") }

// address checks a base URL. Details never quote it: it may hold what
// should not be there. Whether credentials may go there is decided elsewhere.
func address(s, version string) *Problem {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return &Problem{summaryAddress, "An address is an absolute URL, as in \"https://kms.example.com\". Write it with https:// and a host."}
	case u.User != nil:
		return &Problem{summaryAddress, "An address holds no user name and no password. Remove them; credentials come from environment variables."}
	case strings.ContainsAny(s, "?#"):
		return &Problem{summaryAddress, "An address holds no query and no fragment. Remove everything from ? or # on."}
	case strings.Trim(u.Path, "/") != "" && path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return &Problem{summaryAddress, "The path of the address holds empty or relative parts. Write it without them."}
	case version != "" && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), version):
		return &Problem{summaryAddress, "The address ends with the version of the API, which kmsync adds itself. Remove " + version + "."}
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return &Problem{summaryInsecure, "Credentials and secrets go to this address, so http is allowed only to this machine (localhost, 127.0.0.0/8, ::1). Write https://."}
	}
	return nil
}

// isLoopback reports whether a host is this machine, by its name or address
// alone: no name is looked up.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
