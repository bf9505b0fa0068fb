package httpx

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// ParseBase splits the base address of a service into its origin and a path
// prefix. The path suffix (for instance "/api") and slashes at the end may be
// there or not; they are not part of the prefix. The errors never quote the
// address, which may hold a password.
func ParseBase(address, suffix string) (origin, prefix string, err error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", "", errors.New("the address is not a URL like https://host")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", errors.New("the address must not hold credentials, a query or a fragment")
	}
	prefix = strings.TrimRight(u.EscapedPath(), "/")
	prefix = strings.TrimRight(strings.TrimSuffix(prefix, suffix), "/")
	origin = u.Scheme + "://" + u.Host
	if _, err := parseOrigin(origin); err != nil {
		return "", "", err
	}
	return origin, prefix, nil
}

// parseOrigin refuses everything but https, or http to this machine. The host comes
// back in lower case: Go knows "localhost" in that spelling only, and would ask a
// proxy for any other.
func parseOrigin(origin string) (*url.URL, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" {
		return nil, errors.New("an origin is scheme://host[:port]")
	}
	u.Host = strings.ToLower(u.Host)
	switch {
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("the address must be https, except for this machine (localhost, 127.0.0.1)")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// originOf returns scheme, host and port in one spelling.
func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// JoinPath returns prefix followed by the segments, each escaped: a brace, which
// Bitbucket wants as %7B and %7D, and a slash never reach the wire as such. A
// segment that would change the path ("", ".", "..") is an error.
func JoinPath(prefix string, segments ...string) (string, error) {
	var b strings.Builder
	b.WriteString(prefix)
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", errors.New("a name in the path is empty or made of dots")
		}
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String(), nil
}
