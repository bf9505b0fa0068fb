package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

func TestSecuredValuesStayEmpty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item    string
		secured bool
		value   string
	}{
		"key left out":     {`"secured":true`, true, ""},
		"null":             {`"secured":true,"value":null`, true, ""},
		"empty":            {`"secured":true,"value":""`, true, ""},
		"shown regardless": {`"secured":true,"value":"canary"`, true, ""},
		"readable":         {`"secured":false,"value":"eu-1"`, false, "eu-1"},
		"readable, null":   {`"secured":false,"value":null`, false, ""},
		"unsaid, no value": {`"type":"x"`, true, ""},
		"unsaid, value":    {`"value":"eu-1"`, false, "eu-1"},
	} {
		s := answer(t, 200, `{"values":[{"uuid":"{00000000-0000-4000-8000-0000000000c0}","key":"K",`+c.item+`}]}`)
		got, err := s.client(nil).Variables(t.Context(), web)
		if err != nil {
			t.Fatal(err)
		}
		v := got.Variables[0]
		if v.Secured != c.secured || !v.Value.Equal(secret.New(c.value)) || v.UUID != "{00000000-0000-4000-8000-0000000000c0}" || v.Key != "K" {
			t.Errorf("%s: secured %v, value as wanted %v", name, v.Secured, v.Value.Equal(secret.New(c.value)))
		}
	}
}

func TestWritesSendTheWholeVariable(t *testing.T) {
	t.Parallel()
	const id = "{11111111-aaaa-4bbb-8ccc-000000000002}"
	const escaped = "/%7B11111111-aaaa-4bbb-8ccc-000000000002%7D"
	value := "canary <&> \u2028 ü \" \\"
	for _, scope := range []providers.Scope{web, staging, acme} {
		for _, secured := range []bool{true, false} {
			a := providers.Assignment{Key: "DB_URL", Value: secret.New(value), Secured: secured}
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusCreated)
				}
				write(w, object{"uuid": id, "key": "DB_URL", "secured": secured, "value": value})
			})
			c := s.client(nil)
			created, err := c.Create(t.Context(), scope, a)
			if err != nil {
				t.Fatal(err)
			}
			updated, err := c.Update(t.Context(), scope, id, a)
			if err != nil {
				t.Fatal(err)
			}
			root := repoVars
			switch scope {
			case staging:
				root = envVars
			case acme:
				root = spaceVars
			}
			s.wantRequests("POST "+root, "PUT "+root+escaped)
			for i, v := range []providers.Variable{created, updated} {
				if v.UUID != id || v.Key != "DB_URL" || v.Secured != secured || v.Value.IsEmpty() != secured {
					t.Errorf("answer %d is %+v", i, v)
				}
				var body map[string]any
				if err := json.Unmarshal([]byte(s.seen[i].body), &body); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]any{"key": "DB_URL", "value": value, "secured": secured}, body); diff != "" {
					t.Error(diff)
				}
			}
			if c.Requests() != 2 {
				t.Errorf("Requests is %d", c.Requests())
			}
			noCanary(t, s.logs.String())
		}
	}
}

// An answer that does not name what was sent leaves the write in doubt.
func TestAnswersThatProveNothing(t *testing.T) {
	t.Parallel()
	a := providers.Assignment{Key: "K", Value: secret.New("canary")}
	for name, c := range map[string]struct {
		body    string
		puts    int // requests of an update; a create is always one
		kind    providers.Kind
		foreign bool
	}{
		"no uuid":   {`{"key":"K"}`, 1, providers.KindUnavailable, false},
		"no form":   {`{"key":"K","uuid":"canary-uuid"}`, 1, providers.KindUnavailable, false},
		"no braces": {`{"key":"K","uuid":"00000000-0000-4000-8000-0000000000c0"}`, 1, providers.KindUnavailable, false},
		"other key": {`{"key":"L","uuid":"{00000000-0000-4000-8000-0000000000c0}","value":"canary"}`, 1, providers.KindUnavailable, false},
		"cut off":   {`{"key":"K","value":"canary`, 5, providers.KindUnavailable, false},
		"empty":     {``, 5, providers.KindUnavailable, false},
		"page":      {`<html>canary`, 1, providers.KindForeign, false},
	} {
		s := answer(t, http.StatusCreated, c.body)
		_, err := s.client(nil).Create(t.Context(), web, a)
		if e := wantKind(t, err, c.kind); !e.InDoubt() || !e.Sent {
			t.Errorf("%s: create is not in doubt: %+v", name, e)
		}
		if s.count() != 1 {
			t.Errorf("%s: the create was sent %d times", name, s.count())
		}
		s = answer(t, http.StatusOK, c.body)
		_, err = s.client(nil).Update(t.Context(), web, "{00000000-0000-4000-8000-0000000000c0}", a)
		if e := wantKind(t, err, c.kind); !e.InDoubt() {
			t.Errorf("%s: update is not in doubt: %+v", name, e)
		}
		if s.count() != c.puts {
			t.Errorf("%s: the update was sent %d times, want %d", name, s.count(), c.puts)
		}
	}
	s := answer(t, http.StatusOK, `{"key":"K","uuid":"{00000000-0000-4000-8000-0000000000c1}"}`)
	_, err := s.client(nil).Update(t.Context(), web, "{00000000-0000-4000-8000-0000000000c0}", a)
	if !providers.InDoubt(err) {
		t.Errorf("another UUID: %v", err)
	}
}

func TestCreateIsSentOnce(t *testing.T) {
	t.Parallel()
	a := providers.Assignment{Key: "K", Value: secret.New("canary")}
	for _, status := range []int{500, 502, 503, 504, 555, 408} {
		s := answer(t, status, `{"error":{"message":"canary"}}`)
		_, err := s.client(nil).Create(t.Context(), web, a)
		if e := wantKind(t, err, providers.KindUnavailable); !e.InDoubt() || s.count() != 1 {
			t.Errorf("%d: in doubt %v after %d requests", status, e.InDoubt(), s.count())
		}
		s = answer(t, status, "")
		_, err = s.client(nil).Update(t.Context(), web, "{00000000-0000-4000-8000-0000000000c0}", a)
		if !providers.InDoubt(err) || s.count() != 5 {
			t.Errorf("%d: update after %d requests: %v", status, s.count(), err)
		}
	}
}

func TestRateLimitsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		kind, body string
	}{
		"429":       {429, "application/json", `{"type":"error","error":{"message":"Rate limit for this resource has been exceeded"}}`},
		"429 plain": {429, "text/plain", "Rate limit exceeded canary"},
		"403":       {403, "application/json", `{"type":"error","error":{"message":"Rate limit for this resource has been exceeded"}}`},
		"403 plain": {403, "text/plain", "Rate limit for this resource has been exceeded"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				w.Header().Set("Content-Type", c.kind)
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
				return
			}
			write(w, object{"uuid": "{00000000-0000-4000-8000-0000000000c0}", "key": "K", "secured": true})
		})
		client := s.client(nil)
		begun := client.now()
		if _, err := client.Create(t.Context(), web, providers.Assignment{Key: "K", Value: secret.New("v")}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if waited := client.now().Sub(begun).Seconds(); waited != 30 || s.count() != 2 {
			t.Errorf("%s: waited %v s, %d requests", name, waited, s.count())
		}
	}
}

// A write whose evidence has grown too old while the service made it wait is not
// sent again, and is not in doubt.
func TestWritesEndWithTheirTime(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*Client, providers.Assignment) error{
		"create": func(c *Client, a providers.Assignment) error {
			_, err := c.Create(t.Context(), web, a)
			return err
		},
		"update": func(c *Client, a providers.Assignment) error {
			_, err := c.Update(t.Context(), staging, "{00000000-0000-4000-8000-0000000000c0}", a)
			return err
		},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", "31")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		c := s.client(nil)
		err := write(c, providers.Assignment{Key: "K", Value: secret.New("canary"), NotAfter: c.now().Add(30 * time.Second)})
		if e := wantKind(t, err, providers.KindStale); e.Sent || e.InDoubt() || s.count() != 1 {
			t.Errorf("%s: got %+v after %d requests", name, e, s.count())
		}
	}
}

func TestNothingIsSentForWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	s := answer(t, 200, `{}`)
	c := s.client(nil)
	good := providers.Assignment{Key: "K", Value: secret.New("v")}
	for name, try := range map[string]func() error{
		"value not UTF-8": func() error {
			_, err := c.Create(t.Context(), web, providers.Assignment{Key: "K", Value: secret.New("canary\xff")})
			return err
		},
		"key not UTF-8": func() error {
			_, err := c.Create(t.Context(), web, providers.Assignment{Key: "K\xff"})
			return err
		},
		"no uuid": func() error { _, err := c.Update(t.Context(), web, "", good); return err },
		"dots": func() error {
			_, err := c.Variables(t.Context(), providers.Scope{Workspace: "..", Repository: "web"})
			return err
		},
		"no repository": func() error {
			_, err := c.Variables(t.Context(), providers.Scope{Workspace: "acme", Environment: envUUID})
			return err
		},
		"no workspace":    func() error { _, err := c.Variables(t.Context(), providers.Scope{}); return err },
		"workspace, dots": func() error { _, err := c.Workspace(t.Context(), ".."); return err },
	} {
		if e := wantKind(t, try(), providers.KindInvalid); e.Sent {
			t.Errorf("%s: Sent is true", name)
		}
	}
	s.wantRequests()
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		credentials Credentials
		want        string
	}{
		"bearer": {Credentials{AccessToken: text(" canary-token\n")}, "Bearer canary-token"},
		"basic":  {Credentials{Email: text("a@b.example\n"), APIToken: text("canary\n")}, "Basic YUBiLmV4YW1wbGU6Y2FuYXJ5"},
	} {
		s := answer(t, 200, `{"uuid":"{00000000-0000-4000-8000-0000000000f0}"}`)
		client := s.client(func(o *Options) { o.Credentials = c.credentials; o.Address += "/2.0/" })
		for range 2 {
			if _, err := client.Repository(t.Context(), "acme", "web"); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range s.seen {
			if got := r.header.Get("Authorization"); got != c.want {
				t.Errorf("%s: Authorization is %q", name, got)
			}
		}
		s.wantRequests("GET /2.0/repositories/acme/web", "GET /2.0/repositories/acme/web")
		noCanary(t, s.logs.String()+fmt.Sprintf("%+v %#v", client, client))
	}
}

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	broken := func() (secret.Value, error) { return secret.Value{}, errors.New("open token file: no such file") }
	for name, c := range map[string]Credentials{
		"empty":      {AccessToken: text("\n")},
		"two lines":  {AccessToken: text("canary\r\ncanary")},
		"unreadable": {AccessToken: broken},
		"no email":   {Email: text(""), APIToken: text("canary")},
		"no token":   {Email: text("a@b.example"), APIToken: broken},
	} {
		s := answer(t, 200, `{}`)
		_, err := s.client(func(o *Options) { o.Credentials = c }).Repository(t.Context(), "acme", "web")
		if e := wantKind(t, err, providers.KindUnauthenticated); e.Hint == "" || e.Sent {
			t.Errorf("%s: %+v", name, e)
		}
		s.wantRequests()
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Options{Address: "https://api.example", Credentials: Credentials{AccessToken: text("x")}, Now: answer(t, 200, "").client(nil).now}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"http":           func(o *Options) { o.Address = "http://api.example" },
		"password":       func(o *Options) { o.Address = "https://u:canary@api.example" },
		"no credentials": func(o *Options) { o.Credentials = Credentials{} },
		"half":           func(o *Options) { o.Credentials = Credentials{Email: text("x")} },
		"both":           func(o *Options) { o.Credentials.Email, o.Credentials.APIToken = text("x"), text("x") },
		"one and a half": func(o *Options) { o.Credentials.Email = text("x") },
		"no clock":       func(o *Options) { o.Now = nil },
	} {
		opt := good
		change(&opt)
		_, err := New(opt)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		noCanary(t, err.Error())
	}
}

func TestCancelledBeforeSending(t *testing.T) {
	t.Parallel()
	s := answer(t, 200, `{}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client(nil).Create(ctx, web, providers.Assignment{Key: "K", Value: secret.New("v")})
	if e := wantKind(t, err, providers.KindCanceled); e.Sent || strings.Contains(e.Error(), "HTTP") {
		t.Errorf("got %+v", e)
	}
	s.wantRequests()
}
