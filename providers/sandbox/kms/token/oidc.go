package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// oidcLife is how long a minted token lives.
const oidcLife = time.Hour

// Provider stands in for an OIDC provider. Its key is made when it is first
// needed.
type Provider struct {
	key func() (*rsa.PrivateKey, error)
}

// NewProvider returns a provider with a key of its own. Package rsa takes the
// random numbers for it from a secure source by itself.
func NewProvider() *Provider {
	return &Provider{key: sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(nil, 2048) })}
}

// Mint makes a token as Bitbucket gives one to a step, which the identity's
// configuration accepts unless q says otherwise: "sub", "expired=1", "nokid=1",
// and "claim.NAME" for any other claim, "iss" and "aud" included (given twice:
// a list; dots in NAME nest).
func (p *Provider) Mint(o *world.OIDC, now time.Time, q url.Values) (string, error) {
	key, err := p.key()
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	claims := map[string]any{"iss": o.Issuer, "sub": first(q.Get("sub"), o.Subject, "sandbox"), "iat": now.Unix(), "exp": now.Add(oidcLife).Unix()}
	switch len(o.Audiences) {
	case 0:
		claims["aud"] = "sandbox"
	case 1:
		claims["aud"] = o.Audiences[0]
	default:
		claims["aud"] = o.Audiences
	}
	for _, name := range slices.Sorted(maps.Keys(o.Claims)) {
		nest(claims, name, strings.Split(o.Claims[name], ", ")[0])
	}
	if q.Get("expired") == "1" {
		claims["iat"], claims["exp"] = now.Add(-2*oidcLife).Unix(), now.Add(-oidcLife).Unix()
	}
	for _, param := range slices.Sorted(maps.Keys(q)) {
		values := q[param]
		if name, ok := strings.CutPrefix(param, "claim."); ok && len(values) == 1 {
			nest(claims, name, values[0])
		} else if ok {
			nest(claims, name, values)
		}
	}
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": "sandbox"}
	if q.Get("nokid") == "1" {
		delete(header, "kid")
	}
	return encode(header, claims, func(text string) ([]byte, error) {
		sum := sha256.Sum256([]byte(text))
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	})
}

// Refusal says what in an OIDC token is not as the identity's configuration
// wants it.
type Refusal int

// The refusals, in the order in which the service looks.
const (
	// NotRefused: the token is accepted.
	NotRefused Refusal = iota
	// BadToken: not a JWT of this provider, expired, or of another issuer.
	BadToken
	// WrongSubject is the one that is answered with 403.
	WrongSubject
	// WrongAudience and WrongClaim complete the list.
	WrongAudience
	WrongClaim
)

// Check judges a token: signature and issuer, subject, audiences, claims. An
// exact match is tried first, then a glob; a missing "kid" is accepted (both
// seen in 2026).
func (p *Provider) Check(o *world.OIDC, text string, now time.Time) Refusal {
	t, cause := parse(text)
	if cause != Accepted || t.timely(now) != Accepted || !p.signed(t) || t.claims["iss"] != o.Issuer {
		return BadToken
	}
	if o.Subject != "" && !bound([]string{o.Subject}, values(t.claims["sub"])) {
		return WrongSubject
	}
	if len(o.Audiences) > 0 && !bound(o.Audiences, values(t.claims["aud"])) {
		return WrongAudience
	}
	for name, allowed := range o.Claims {
		if !bound(strings.Split(allowed, ", "), values(dig(t.claims, name))) {
			return WrongClaim
		}
	}
	return NotRefused
}

func (p *Provider) signed(t jwt) bool {
	key, err := p.key()
	if err != nil || t.header["alg"] != "RS256" {
		return false
	}
	sum := sha256.Sum256([]byte(t.signed))
	return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], t.signature) == nil
}

// bound tells whether one of the values is one of the allowed ones, exactly or as
// a glob.
func bound(allowed, have []string) bool {
	return slices.ContainsFunc(have, func(value string) bool {
		return slices.Contains(allowed, value) || slices.ContainsFunc(allowed, func(glob string) bool {
			ok, err := path.Match(glob, value)
			return err == nil && ok
		})
	})
}

// values turns a claim, one text or a list, into a list.
func values(claim any) []string {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		var out []string
		for _, v := range c {
			out = append(out, values(v)...)
		}
		return out
	case nil:
		return nil
	}
	return []string{fmt.Sprint(claim)}
}

// dig finds a claim by its path, dots between the names.
func dig(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	head, rest, nested := strings.Cut(name, ".")
	if inner, ok := claims[head].(map[string]any); ok && nested {
		return dig(inner, rest)
	}
	return nil
}

func nest(claims map[string]any, name string, value any) {
	head, rest, nested := strings.Cut(name, ".")
	if !nested {
		claims[name] = value
		return
	}
	inner, ok := claims[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		claims[head] = inner
	}
	nest(inner, rest, value)
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
