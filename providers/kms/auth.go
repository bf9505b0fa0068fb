package kms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	"github.com/hanzoai/kmsync/providers/internal/lock"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Credentials are one way to log in: a ready-made access token, the client id and
// client secret of universal auth, or the id of an identity and a token of the OIDC
// provider that it trusts. The functions are called at every login, so that a file is
// read again; blanks around what they return do not count. Their errors are shown to
// people: they name a variable or a file, never what it holds.
type Credentials struct {
	Token                  func() (secret.Value, error)
	ClientID, ClientSecret func() (secret.Value, error)
	IdentityID, JWT        func() (secret.Value, error)
}

func (c Credentials) check() error {
	kinds, half := 0, false
	for _, pair := range [][2]func() (secret.Value, error){{c.Token, c.Token}, {c.ClientID, c.ClientSecret}, {c.IdentityID, c.JWT}} {
		half = half || (pair[0] == nil) != (pair[1] == nil)
		if pair[0] != nil {
			kinds++
		}
	}
	if half || kinds != 1 {
		return errors.New("credentials are either a token, or a client id and a client secret, or an identity id and an OIDC token")
	}
	return nil
}

var errNoUUID = errors.New("the identity id is not a UUID: take the one that the KMS shows for the machine identity")

// Check reads the identity id, if there is one, and refuses one that is not a UUID, so
// that this is found before any request: the server answers 500 to it. What cannot be
// read is an error of the login.
func (c Credentials) Check() error {
	if c.IdentityID == nil {
		return nil
	}
	if id, err := readCredential(c.IdentityID, "identity id"); err == nil && !uuid.MatchString(id.Reveal()) {
		return errNoUUID
	}
	return nil
}

// token is an access token, numbered from 1 so that a request can tell whether
// the one it used was replaced meanwhile.
type token struct {
	value  secret.Value
	serial int
}

func (t token) authorize(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+t.value.Reveal())
	return nil
}

// auth holds the token. Everything below lock is guarded by it.
type auth struct {
	credentials Credentials
	// login exchanges the fields of a kind of login for a token.
	login func(ctx context.Context, kind string, fields map[string]secret.Value) (secret.Value, error)
	// worked is the serial of the last token that the server is known to have accepted.
	worked atomic.Int64

	now func() time.Time

	lock    lock.Lock
	current token
	logins  []time.Time // of the last minute
	stale   bool        // current is not accepted any more
	failed  error       // of the login that was refused; it is not tried again
}

// maxLogins is how often a client logs in within a minute, however often the server
// says that a token has ended: a client secret may be good for so many logins only.
const maxLogins = 10

func (a *auth) isBusy() bool {
	a.logins = slices.DeleteFunc(a.logins, func(at time.Time) bool { return a.now().Sub(at) >= time.Minute })
	return len(a.logins) >= maxLogins
}

// get returns the token, logging in for the first caller while all others wait
// for its outcome. A login that failed is not tried again in this run: after
// three refusals the server locks the identity out.
func (a *auth) get(ctx context.Context, r *httpx.Request) (token, error) {
	if a.lock.Acquire(ctx) != nil {
		return token{}, &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindCanceled}
	}
	defer a.lock.Release()
	if a.failed != nil {
		return token{}, a.failed
	}
	if a.current.serial > 0 && !a.stale {
		return a.current, nil
	}
	value, err := a.obtain(ctx)
	if err != nil {
		if providers.KindOf(err) != providers.KindCanceled {
			a.failed = err
		}
		return token{}, err
	}
	a.current, a.stale, a.logins = token{value: value, serial: a.current.serial + 1}, false, append(a.logins, a.now())
	return a.current, nil
}

// accept notes that the server accepted the token with that serial.
func (a *auth) accept(serial int) {
	if int64(serial) > a.worked.Load() {
		a.worked.Store(int64(serial))
	}
}

// renewable marks the token with that serial as no longer accepted, and reports
// whether there is, or may be, another. A new token that was never accepted is not
// renewed: another would not be, either.
func (a *auth) renewable(serial int) bool {
	a.lock <- struct{}{}
	defer a.lock.Release()
	switch {
	case serial < a.current.serial:
		return true // another request has renewed it
	case a.credentials.Token != nil, serial > 1 && a.worked.Load() < int64(serial):
		return false
	case a.isBusy():
		return false
	}
	a.stale = true
	return true
}

// obtain reads the credentials and exchanges them for a token.
func (a *auth) obtain(ctx context.Context) (secret.Value, error) {
	switch {
	case a.credentials.Token != nil:
		return readyToken(a.credentials.Token)
	case a.credentials.IdentityID != nil:
		id, err := readCredential(a.credentials.IdentityID, "identity id")
		if err != nil {
			return secret.Value{}, err
		}
		if !uuid.MatchString(id.Reveal()) {
			return secret.Value{}, unauthenticated("It was not tried, since " + errNoUUID.Error() + ".")
		}
		jwt, err := readCredential(a.credentials.JWT, "OIDC token")
		if err != nil {
			return secret.Value{}, err
		}
		return a.login(ctx, kindOIDC, map[string]secret.Value{"identityId": id, "jwt": jwt})
	}
	id, err := readCredential(a.credentials.ClientID, "client id")
	if err != nil {
		return secret.Value{}, err
	}
	key, err := readCredential(a.credentials.ClientSecret, "client secret")
	if err != nil {
		return secret.Value{}, err
	}
	return a.login(ctx, kindUniversal, map[string]secret.Value{"clientId": id, "clientSecret": key})
}

const opLogin = "log in to the KMS"

// The kinds of logins, as the path of the server has them.
const (
	kindUniversal = "universal-auth"
	kindOIDC      = "oidc-auth"
)

func loginPath(kind string) string { return "/api/v1/auth/" + kind + "/login" }

func unauthenticated(hint string) *providers.Error {
	return &providers.Error{Op: opLogin, Kind: providers.KindUnauthenticated, Hint: hint}
}

// readyToken refuses service tokens: with one scope the server reads the
// environment and path of the token instead of those asked for.
func readyToken(read func() (secret.Value, error)) (secret.Value, error) {
	value, err := readCredential(read, "access token")
	if err == nil && value.HasPrefix("st.") {
		return secret.Value{}, unauthenticated("A service token (st.…) is not accepted, since the server may answer it with another path than was asked for. Use the access token of a machine identity, or universal auth.")
	}
	return value, err
}

func readCredential(read func() (secret.Value, error), what string) (secret.Value, error) {
	value, err := read()
	if err != nil {
		return secret.Value{}, unauthenticated("The " + what + " cannot be read: " + err.Error() + ".")
	}
	value = value.TrimSpace()
	if value.IsEmpty() {
		return secret.Value{}, unauthenticated("The " + what + " is empty; set it, or its file.")
	}
	if value.HasLineBreak() || !value.IsUTF8() {
		return secret.Value{}, unauthenticated("The " + what + " is not one line of text; write it there alone.")
	}
	return value, nil
}

// login asks POST /api/v1/auth/{kind}/login for a token. It sends no Authorization
// header, since a bad one makes the login itself fail (403 TokenError in 2026, 500 in
// 2024). It counts as idempotent: a login that was lost on the way leaves nothing but
// a token that nobody uses.
func (c *Client) login(ctx context.Context, kind string, fields map[string]secret.Value) (secret.Value, error) {
	path, err := httpx.JoinPath(c.prefix, segments(loginPath(kind))...)
	if err != nil {
		return secret.Value{}, err
	}
	plain := map[string]string{}
	for name, value := range fields {
		plain[name] = value.Reveal()
	}
	body, err := json.Marshal(plain)
	if err != nil {
		return secret.Value{}, unauthenticated("The credentials cannot be sent.")
	}
	var got secret.Value
	_, err = c.http.Do(ctx, httpx.Request{
		Op: opLogin, Method: http.MethodPost, Path: path, Template: loginPath(kind),
		Body: body, Idempotent: true,
		Decode: func(body []byte) (err error) {
			got, err = accessToken(body)
			return err
		},
	})
	return got, err
}

// accessToken reads the answer to a login.
func accessToken(body []byte) (secret.Value, error) {
	var answer struct {
		AccessToken secret.Value `json:"accessToken"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return secret.Value{}, err
	}
	if answer.AccessToken.IsEmpty() || answer.AccessToken.HasLineBreak() {
		return secret.Value{}, errors.New("no token")
	}
	return answer.AccessToken, nil
}
