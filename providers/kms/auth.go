package kms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Credentials are one way to log in: a ready-made access token, or the client id
// and client secret of universal auth. The functions are called at every login,
// so that a file is read again; blanks around what they return do not count.
// Their errors are shown to people: they name a variable or a file, never what
// it holds.
type Credentials struct {
	Token                  func() (secret.Value, error)
	ClientID, ClientSecret func() (secret.Value, error)
}

func (c Credentials) check() error {
	ready, universal := c.Token != nil, c.ClientID != nil && c.ClientSecret != nil
	if ready == universal || (ready && (c.ClientID != nil || c.ClientSecret != nil)) {
		return errors.New("credentials are either a token, or a client id and a client secret")
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

// maxLogins is one login for the run, and one more when the token ends early.
const maxLogins = 2

// auth holds the token. Everything below lock is guarded by it.
type auth struct {
	credentials Credentials
	login       func(ctx context.Context, id, key secret.Value) (secret.Value, error)

	lock    lock
	current token
	stale   bool  // current is not accepted any more
	failed  error // of the login that was refused; it is not tried again
}

// get returns the token, logging in for the first caller while all others wait
// for its outcome. A login that failed is not tried again in this run: after
// three refusals the server locks the identity out.
func (a *auth) get(ctx context.Context, r *httpx.Request) (token, error) {
	if a.lock.acquire(ctx) != nil {
		return token{}, &providers.Error{Op: r.Op, Scope: r.Scope, Kind: providers.KindCanceled}
	}
	defer a.lock.release()
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
	a.current, a.stale = token{value: value, serial: a.current.serial + 1}, false
	return a.current, nil
}

// renewable marks the token with that serial as no longer accepted, and reports
// whether there is, or may be, another.
func (a *auth) renewable(serial int) bool {
	a.lock <- struct{}{}
	defer a.lock.release()
	if serial < a.current.serial {
		return true // another request has renewed it
	}
	if a.credentials.Token != nil || a.current.serial >= maxLogins {
		return false
	}
	a.stale = true
	return true
}

func (a *auth) obtain(ctx context.Context) (secret.Value, error) {
	if a.credentials.Token != nil {
		return readyToken(a.credentials.Token)
	}
	id, err := readCredential(a.credentials.ClientID, "client id")
	if err != nil {
		return secret.Value{}, err
	}
	key, err := readCredential(a.credentials.ClientSecret, "client secret")
	if err != nil {
		return secret.Value{}, err
	}
	return a.login(ctx, id, key)
}

const opLogin = "log in to the KMS"

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
		return secret.Value{}, unauthenticated("The " + what + " is empty.")
	}
	if value.HasLineBreak() || !value.IsUTF8() {
		return secret.Value{}, unauthenticated("The " + what + " is not one line of text.")
	}
	return value, nil
}

// login asks POST /api/v1/auth/universal-auth/login for a token. It sends no
// Authorization header, since a bad one makes the login itself fail (403
// TokenError). It counts as idempotent: a login that was lost on the way leaves
// nothing but a token that nobody uses.
func (c *Client) login(ctx context.Context, id, key secret.Value) (secret.Value, error) {
	path, err := httpx.JoinPath(c.prefix, "api", "v1", "auth", "universal-auth", "login")
	if err != nil {
		return secret.Value{}, err
	}
	body, err := json.Marshal(map[string]string{"clientId": id.Reveal(), "clientSecret": key.Reveal()})
	if err != nil {
		return secret.Value{}, unauthenticated("The client id or client secret cannot be sent.")
	}
	var got secret.Value
	_, err = c.http.Do(ctx, httpx.Request{
		Op: opLogin, Method: http.MethodPost, Path: path, Template: "/api/v1/auth/universal-auth/login",
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
