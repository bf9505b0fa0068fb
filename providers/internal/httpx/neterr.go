package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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
		return "The proxy set in the environment for " + host + " cannot be reached; check HTTPS_PROXY and NO_PROXY.", false
	}
	if status, ok := errors.AsType[proxyRefusal](err); ok {
		return fmt.Sprintf("The proxy set in the environment refuses to connect to %s (HTTP %d); check HTTPS_PROXY and NO_PROXY.", host, int(status)), status < 500
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return "The name " + c.origin.Hostname() + " cannot be resolved; check the address and the network.", e.IsNotFound
	}
	if isCertificate(err) {
		return "The certificate of " + host + " is not accepted; SSL_CERT_FILE can name further authorities.", true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return host + " does not speak TLS; check the port of the address.", true
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return host + " refuses connections; check the address, and that the service runs.", false
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return host + " gave no answer in time; check the network, then try again.", false
	}
	return "The connection to " + host + " broke; check the network, then try again.", false
}

// proxyRefusal is the status of a proxy's answer to CONNECT, where that is not 200.
type proxyRefusal int

func (p proxyRefusal) Error() string { return fmt.Sprintf("the proxy answered %d", int(p)) }

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
