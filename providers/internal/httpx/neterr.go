package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"

	"github.com/hanzoai/kmsync/providers"
)

// netFailure says in words of our own why no answer came. The error of net/http
// is only looked at, never quoted: it holds the URL with its query.
func (c *Client) netFailure(r *Request, err error, connected bool) *failure {
	cause, permanent := c.cause(err)
	return &failure{
		err: &providers.Error{
			Op: r.Op, Scope: r.Scope, Kind: providers.KindUnavailable, Hint: cause, Sent: connected,
		},
		fault: true, unsent: !connected, permanent: permanent,
	}
}

// cause returns a sentence, and whether trying again is of no use.
func (c *Client) cause(err error) (string, bool) {
	host := c.origin.Host
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "proxyconnect" {
		return "The proxy set in the environment for " + host + " cannot be reached.", false
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return "The name " + c.origin.Hostname() + " cannot be resolved.", e.IsNotFound
	}
	if isCertificate(err) {
		return "The certificate of " + host + " is not accepted; SSL_CERT_FILE can name further authorities.", true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return host + " does not speak TLS.", true
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return host + " refuses connections.", false
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return host + " gave no answer in time.", false
	}
	return "The connection to " + host + " broke.", false
}

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}
