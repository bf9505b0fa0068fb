package kms_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
	"github.com/hanzoai/kmsync/providers/secret"
)

const (
	universalLogin = "POST /api/v1/auth/universal-auth/login"
	oidcLogin      = "POST /api/v1/auth/oidc-auth/login"
	identityID     = "7c1f0a52-6d3e-4b8a-9f10-2b3c4d5e6f70"
	issuer         = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
)

func span(d time.Duration) *world.Duration { w := world.Duration(d); return &w }

// ends lists a folder, lets something happen to the token, and lists it again, for
// which there must be one more login.
func ends(t *testing.T, generation string, change func(*world.Identity), then func(*fixture)) {
	t.Helper()
	f := emulate(t, generation, func(w *world.World) {
		if change != nil {
			change(&w.KMS.Identities[0])
		}
	})
	c := f.client(0, "demo")
	if _, err := c.List(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	then(f)
	f.server.ResetRequests()
	if _, err := c.List(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	got := f.server.Requests()
	if got[universalLogin] != 1 || f.server.Total() != 3 {
		t.Errorf("asked %v, want the list, one login, the list", got)
	}
}

// A login that carried the old token would fail by it, with 500 or 403.
func TestStaleHeaderSpoilsLogin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		ends(t, generation, short, func(f *fixture) { f.pass(2 * time.Hour) })
	})
}

func short(id *world.Identity) { id.TTL, id.MaxTTL = span(time.Hour), span(time.Hour) }

func TestExpiredTokenIs500In2024(t *testing.T) {
	t.Parallel()
	ends(t, world.Generation2024, short, func(f *fixture) { f.pass(2 * time.Hour) })
}

func TestTokenPastItsTTLIs403In2024(t *testing.T) {
	t.Parallel()
	ends(t, world.Generation2024, func(id *world.Identity) { id.TTL = span(time.Hour) }, func(f *fixture) { f.pass(2 * time.Hour) })
}

func TestExpiredTokenIsTokenError2026(t *testing.T) {
	t.Parallel()
	ends(t, world.Generation2026, short, func(f *fixture) { f.pass(2 * time.Hour) })
}

// Whoever issued the token has another key now: 500 "invalid signature" or 403.
func TestForeignToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		for _, text := range []string{"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl", "no-token-at-all"} {
			f.server.ResetRequests()
			c := f.as(kms.Credentials{Token: fixed(text)})
			_, err := c.List(t.Context(), web)
			if e := wants(t, err, providers.KindUnauthenticated); !strings.Contains(e.Hint, "access token") {
				t.Errorf("hint is %q", e.Hint)
			}
			got := f.server.Requests()
			delete(got, "GET /api/v4/secrets") // 2024: finds out that there is none
			if generation == world.Generation2026 && len(got) != 0 || got["GET /api/v3/secrets/raw"] > 1 {
				t.Errorf("asked %v, want one list: a ready-made token cannot be renewed", got)
			}
		}
	})
}

// Used up is 400 in 2024 and 401 in 2026. A run that needs more uses than a token has
// logs in as often as that.
func TestUsedUpTokenIsRenewed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, func(w *world.World) { w.KMS.Identities[0].Uses = 3 })
		c := f.client(0, f.world.KMS.Project("demo").ID)
		for range 8 {
			if _, err := c.List(t.Context(), web); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.server.Requests()[universalLogin]; n != 3 {
			t.Errorf("%d logins, want 3: %v", n, f.server.Requests())
		}
	})
}

// A token that is refused as soon as it is given is not given again and again.
func TestRevokedTokenEndsTheRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, f.world.KMS.Project("demo").ID)
		if _, err := c.List(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		f.server.Update(func(w *world.World) { w.KMS.Identities[0].Revoked = world.RevokedToken })
		for range 3 {
			_, err := c.List(t.Context(), web)
			wants(t, err, providers.KindUnauthenticated)
		}
		if n := f.server.Requests()[universalLogin]; n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

// The third refusal locks the identity out, so the first one is the last.
func TestRefusedLoginIsTriedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.as(kms.Credentials{ClientID: fixed(f.world.KMS.Identities[0].ClientID), ClientSecret: fixed("wrong")})
		for range 5 {
			_, err := c.List(t.Context(), web)
			wants(t, err, providers.KindUnauthenticated)
		}
		if got := f.server.Requests(); got[universalLogin] != 1 || f.server.Total() != 1 {
			t.Errorf("asked %v", got)
		}
	})
}

// as returns a client with other credentials.
func (f *fixture) as(credentials kms.Credentials) *kms.Client {
	f.t.Helper()
	c, err := kms.New(kms.Options{
		Address: f.server.Address(), Project: f.world.KMS.Project("demo").ID, Now: f.now, UserAgent: "kmsync/test",
		Sleep:       func(ctx context.Context, d time.Duration) error { f.pass(d); return ctx.Err() },
		Credentials: credentials,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func fixed(text string) func() (secret.Value, error) {
	return func() (secret.Value, error) { return secret.New(text), nil }
}

// oidc starts an emulator whose first identity logs in by OIDC.
func oidc(t *testing.T) *fixture {
	return emulate(t, world.Generation2026, func(w *world.World) {
		w.KMS.Identities[0].OIDC = &world.OIDC{
			ID: identityID, Issuer: issuer, Subject: "{repository}:{step}", Claims: map[string]string{"repositoryUuid": "{repository}"},
		}
		w.KMS.Identities[1].TTL = span(time.Hour)
	})
}

// mint returns a token as a pipeline would have it.
func (f *fixture) mint(more url.Values) string {
	f.t.Helper()
	q := url.Values{"identity": {identityID}, "sub": {"{repository}:{step}"}, "claim.repositoryUuid": {"{repository}"}}
	for name, values := range more {
		q[name] = values
	}
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.server.Address()+"/sandbox/oidc-token?"+q.Encode(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		f.t.Fatalf("no token: %d %s %v", answer.StatusCode, text, err)
	}
	return string(text)
}

func TestOIDCLogin(t *testing.T) {
	t.Parallel()
	f := oidc(t)
	reads := 0
	c := f.as(kms.Credentials{IdentityID: fixed(identityID + "\n"), JWT: func() (secret.Value, error) {
		reads++
		return secret.New(f.mint(nil) + "\n"), nil
	}})
	f.server.Update(func(w *world.World) { w.KMS.Identities[0].Uses = 1 })
	for range 3 { // each needs a login of its own, which reads the token again
		if _, err := c.List(t.Context(), web); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.server.Requests()[oidcLogin]; n != 3 || reads != 3 || f.server.Requests()[universalLogin] != 0 {
		t.Errorf("%d logins by OIDC, %d reads of the token: %v", n, reads, f.server.Requests())
	}
}

// Every refused login says what to check, and is tried once.
func TestOIDCLoginRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		identity string
		token    url.Values
		hint     string
	}{
		"not configured": {"00000000-0000-4000-8000-000000000000", nil, "not configured"},
		"subject":        {identityID, url.Values{"sub": {"{other}:{step}"}}, "subject"},
		"expired":        {identityID, url.Values{"expired": {"1"}}, "expired"},
		"claim":          {identityID, url.Values{"claim.repositoryUuid": {"{other}"}}, "claims"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := oidc(t)
			client := f.as(kms.Credentials{IdentityID: fixed(c.identity), JWT: fixed(f.mint(c.token))})
			f.server.ResetRequests()
			for range 2 {
				_, err := client.List(t.Context(), web)
				if e := wants(t, err, providers.KindUnauthenticated); !strings.Contains(e.Hint, c.hint) || e.Op != "log in to the KMS" {
					t.Errorf("%v, want a hint on %q", e, c.hint)
				}
			}
			if n := f.server.Total(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// The server answers 500 to it, which would say nothing.
func TestOIDCIdentityThatIsNoUUID(t *testing.T) {
	t.Parallel()
	f := oidc(t)
	_, err := f.as(kms.Credentials{IdentityID: fixed("deployer"), JWT: fixed("eyJ")}).List(t.Context(), web)
	if e := wants(t, err, providers.KindUnauthenticated); !strings.Contains(e.Hint, "not a UUID") || f.server.Total() != 0 {
		t.Errorf("%v after %d requests", e, f.server.Total())
	}
}
