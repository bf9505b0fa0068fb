package kms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

const (
	tokenError = `{"reqId":"r","statusCode":403,"error":"TokenError","message":"canary"}`
	unauth     = `{"reqId":"r","statusCode":401,"error":"UnauthorizedError","message":"canary"}`
	denied401  = `{"reqId":"r","statusCode":401,"error":"PermissionDenied","message":"canary"}`
)

func login(token string) reply { return reply{body: `{"accessToken":"` + token + `"}`} }

func TestLoginBodyAndHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1"))}})
	if _, err := s.client(nil).List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.seen[0].Header["Authorization"]; ok {
		t.Error("login carries an Authorization header")
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(s.bodies[0]), &body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"clientId": "client-id", "clientSecret": clientSecret}, body); diff != "" {
		t.Error(diff)
	}
}

func TestOneLoginForManyAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		listRoute:    {listOf(own("A", "1"))},
		projectRoute: {{body: `{"id":"` + projectID + `","slug":"payments","environments":[]}`}},
	})
	c := s.client(func(o *Options) { o.Project = "payments" })
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := c.List(t.Context(), dev); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s.want(map[string]int{loginRoute: 1, projectRoute: 1, listRoute: 20})
	if got := s.seen[len(s.seen)-1].URL.Query().Get("projectId"); got != projectID {
		t.Errorf("projectId is %q", got)
	}
}

// After three refusals the server locks the identity out, so there is one.
func TestRefusedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply reply
		kind  providers.Kind
	}{
		"401":    {reply{status: 401, body: unauth}, providers.KindUnauthenticated},
		"403":    {reply{status: 403, body: unauth}, providers.KindUnauthenticated},
		"404":    {reply{status: 404, body: `{"reqId":"r","error":"NotFound"}`}, providers.KindNotFound},
		"page":   {reply{kind: "text/html", body: "<html>canary"}, providers.KindForeign},
		"other":  {reply{body: `{"token":"canary"}`}, providers.KindUnavailable},
		"no API": {reply{status: 404, kind: "text/html", body: "<html>canary"}, providers.KindForeign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]reply{loginRoute: {c.reply}})
			client := s.client(nil)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					_, err := client.List(t.Context(), dev)
					wantKind(t, err, c.kind)
				})
			}
			group.Wait()
			s.want(map[string]int{loginRoute: 1})
		})
	}
}

func TestLoginSurvivesAFault(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		loginRoute: {{status: 502}, {status: 429, header: "Retry-After: 2"}, login(accessToken1)},
		listRoute:  {listOf(own("A", "1"))},
	})
	if _, err := s.client(nil).List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	s.want(map[string]int{loginRoute: 3, listRoute: 1})
}

func TestEndedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	good := listOf(own("A", "1"))
	for name, c := range map[string]struct {
		list           []reply
		logins, listed int
		kind           providers.Kind
	}{
		"expired":        {[]reply{{status: 403, body: tokenError}, good}, 2, 2, ""},
		"revoked":        {[]reply{{status: 401, body: unauth}, good}, 2, 2, ""},
		"2024":           {[]reply{{status: 403, body: unauth}, good}, 2, 2, ""},
		"jwt expired":    {[]reply{{status: 500, body: `{"error":"Internal Server Error","message":"jwt expired"}`}, good}, 2, 2, ""},
		"bad signature":  {[]reply{{status: 500, body: `{"message":"invalid signature"}`}, good}, 2, 2, ""},
		"in an object":   {[]reply{{status: 500, body: `{"message":{"text":"Invalid TOKEN"}}`}, good}, 2, 2, ""},
		"used up":        {[]reply{{status: 400, body: `{"error":"BadRequest","message":"Unable to renew because access token number of uses limit reached"}`}, good}, 2, 2, ""},
		"other 500":      {[]reply{{status: 500, body: `{"message":"Something went wrong"}`}, good}, 1, 2, ""},
		"validation":     {[]reply{{status: 403, body: `{"error":"ValidationFailure","message":[{"message":"token"}]}`}}, 1, 1, providers.KindInvalid},
		"no code":        {[]reply{{status: 401, body: `{}`}, good}, 2, 2, ""},
		"again":          {[]reply{{status: 403, body: tokenError}}, 2, 2, providers.KindUnauthenticated},
		"no right":       {[]reply{{status: 401, body: denied401}}, 1, 1, providers.KindForbidden},
		"no right 403":   {[]reply{{status: 403, body: strings.Replace(denied401, "401", "403", 1)}}, 1, 1, providers.KindForbidden},
		"not membership": {[]reply{{status: 403, body: `{"error":"ProjectMembershipNotFound"}`}}, 1, 1, providers.KindForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]reply{
				loginRoute: {login(accessToken1), login("canary-2"), login("canary-3")}, listRoute: c.list,
			})
			client := s.client(nil)
			_, err := client.List(t.Context(), dev)
			if c.kind == "" && err != nil {
				t.Fatal(err)
			}
			if c.kind != "" {
				wantKind(t, err, c.kind)
			}
			s.want(map[string]int{loginRoute: c.logins, listRoute: c.listed})
			if c.kind == "" && c.logins == 2 && s.seen[3].Header.Get("Authorization") != "Bearer canary-2" {
				t.Error("the repeat does not carry the new token")
			}
		})
	}
}

func TestOnlyOneNewLoginInARun(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		loginRoute: {login(accessToken1), login("canary-2"), login("canary-3")},
		listRoute:  {{status: 403, body: tokenError}},
	})
	c := s.client(nil)
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			_, err := c.List(t.Context(), dev)
			wantKind(t, err, providers.KindUnauthenticated)
		})
	}
	group.Wait()
	if n := s.count(loginRoute); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

func TestReadyToken(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1")), {status: 401, body: unauth}}})
	c := s.client(func(o *Options) { o.Credentials = Credentials{Token: text("canary-ready\n")} })
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[0].Header.Get("Authorization"); got != "Bearer canary-ready" {
		t.Errorf("Authorization is %q", got)
	}
	_, err := c.List(t.Context(), dev)
	wantKind(t, err, providers.KindUnauthenticated)
	s.want(map[string]int{listRoute: 2})
}

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	broken := func() (secret.Value, error) { return secret.Value{}, errors.New("open token file: no such file") }
	for name, c := range map[string]struct {
		credentials Credentials
		part        string
	}{
		"service token": {Credentials{Token: text("st.canary.abc")}, "service token"},
		"empty":         {Credentials{Token: text(" \n")}, "empty"},
		"two lines":     {Credentials{Token: text("canary\ncanary")}, "one line"},
		"unreadable":    {Credentials{Token: broken}, "no such file"},
		"no secret":     {Credentials{ClientID: text("x"), ClientSecret: text("")}, "client secret is empty"},
		"id unreadable": {Credentials{ClientID: broken, ClientSecret: text("canary")}, "client id cannot be read"},
	} {
		s := serve(t, map[string][]reply{})
		client := s.client(func(o *Options) { o.Credentials = c.credentials })
		_, err := client.List(t.Context(), dev)
		if e := wantKind(t, err, providers.KindUnauthenticated); !strings.Contains(e.Hint, c.part) {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
		s.want(nil)
	}
}

func TestCredentialIsReadAgainAtEveryLogin(t *testing.T) {
	t.Parallel()
	reads := 0
	s := serve(t, map[string][]reply{
		loginRoute: {login(accessToken1), login("canary-2")},
		listRoute:  {{status: 401, body: unauth}, listOf(own("A", "1"))},
	})
	c := s.client(func(o *Options) {
		o.Credentials.ClientSecret = func() (secret.Value, error) {
			reads++
			return secret.New(strings.Repeat("canary", reads)), nil
		}
	})
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	if reads != 2 || !strings.Contains(s.bodies[2], "canarycanary") {
		t.Errorf("read %d times, second login sent %q", reads, s.bodies[2])
	}
}

func TestCancelledRunDoesNotSpoilTheLogin(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {listOf(own("A", "1"))}})
	c := s.client(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.List(ctx, dev)
	wantKind(t, err, providers.KindCanceled)
	s.want(nil)
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Error(err)
	}
}

func TestProjectBySlug(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply reply
		kind  providers.Kind
	}{
		"missing":   {reply{status: 404, body: `{"reqId":"r","error":"NotFound"}`}, providers.KindNotFound},
		"not mine":  {reply{status: 403, body: `{"reqId":"r","error":"ProjectMembershipNotFound"}`}, providers.KindForbidden},
		"no id":     {reply{body: `{"slug":"payments"}`}, providers.KindUnavailable},
		"wrapped":   {reply{body: `{"project":{"id":"` + projectID + `"}}`}, providers.KindUnavailable},
		"not an id": {reply{body: `{"id":"../x"}`}, providers.KindUnavailable},
	} {
		s := serve(t, map[string][]reply{projectRoute: {c.reply}})
		client := s.client(func(o *Options) { o.Project = "payments" })
		for range 2 { // once per run, whatever comes of it
			_, err := client.List(t.Context(), dev)
			if e := wantKind(t, err, c.kind); e.Scope != "payments" {
				t.Errorf("%s: scope is %q", name, e.Scope)
			}
		}
		s.want(map[string]int{loginRoute: 1, projectRoute: 1})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{})
	good := Options{Address: "https://kms.example", Project: "p", Credentials: universal(), Now: s.client(nil).now}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"http":                 func(o *Options) { o.Address = "http://kms.example" },
		"password":             func(o *Options) { o.Address = "https://u:canary@kms.example" },
		"no project":           func(o *Options) { o.Project = "" },
		"no credentials":       func(o *Options) { o.Credentials = Credentials{} },
		"half":                 func(o *Options) { o.Credentials = Credentials{ClientID: text("x")} },
		"both":                 func(o *Options) { o.Credentials.Token = text("x") },
		"token and id":         func(o *Options) { o.Credentials = Credentials{Token: text("x"), ClientID: text("x")} },
		"OIDC without a token": func(o *Options) { o.Credentials = Credentials{IdentityID: text("x")} },
		"OIDC and a token":     func(o *Options) { o.Credentials = Credentials{IdentityID: text("x"), JWT: text("x"), Token: text("x")} },
		"OIDC and a secret":    func(o *Options) { o.Credentials.JWT = text("x") },
		"no clock":             func(o *Options) { o.Now = nil },
	} {
		opt := good
		change(&opt)
		if _, err := New(opt); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			noCanary(t, err.Error())
		}
	}
}

// The login by OIDC sends what the server knows, without an Authorization header, and
// says what is missing where the server has no such login.
func TestOIDCBody(t *testing.T) {
	t.Parallel()
	const route = "POST /api/v1/auth/oidc-auth/login"
	s := serve(t, map[string][]reply{route: {{status: 404, body: `{"statusCode":404,"error":"Not Found","message":"Route POST:/api/v1/auth/oidc-auth/login not found"}`}}})
	c := s.client(func(o *Options) {
		o.Credentials = Credentials{IdentityID: text(projectID + "\n"), JWT: text("canary-jwt ")}
	})
	_, err := c.List(t.Context(), dev)
	if e := wantKind(t, err, providers.KindUnsupported); !strings.Contains(e.Hint, "/api/v1/auth/oidc-auth/login") {
		t.Errorf("hint is %q", e.Hint)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(s.bodies[0]), &body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"identityId": projectID, "jwt": "canary-jwt"}, body); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.seen[0].Header["Authorization"]; ok {
		t.Error("login carries an Authorization header")
	}
	noCanary(t, s.logs.String())
}

// Requests that meet the end of the same token share one new login.
func TestRenewalIsShared(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		loginRoute: {login(accessToken1), login("canary-2"), login("canary-3")},
		listRoute:  {listOf(own("A", "1")), {status: 401, body: unauth}, {status: 401, body: unauth}, listOf(own("A", "1"))},
	})
	c := s.client(nil)
	if _, err := c.List(t.Context(), dev); err != nil { // what the server is, is known then
		t.Fatal(err)
	}
	first := s.http.Config.Handler
	var both sync.WaitGroup
	both.Add(2)
	s.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+accessToken1 {
			both.Done()
			both.Wait() // both carry the first token
		}
		first.ServeHTTP(w, r)
	})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, err := c.List(t.Context(), dev); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s.want(map[string]int{loginRoute: 2, listRoute: 5})
}

// A login that was given up because the run ended says nothing of the credential.
func TestAbandonedLoginIsNotRemembered(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		loginRoute: {{status: http.StatusTooManyRequests}, login(accessToken1)},
		listRoute:  {listOf(own("A", "1"))},
	})
	ctx, cancel := context.WithCancel(t.Context())
	c := s.client(func(o *Options) {
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	})
	_, err := c.List(ctx, dev)
	wantKind(t, err, providers.KindCanceled)
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Error(err)
	}
	s.want(map[string]int{loginRoute: 2, listRoute: 1})
}
