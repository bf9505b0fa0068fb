package httpx

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

func TestParseBase(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://kms.example":           "https://kms.example|",
		"https://kms.example/":          "https://kms.example|",
		"https://kms.example/api":       "https://kms.example|",
		"https://kms.example/api/":      "https://kms.example|",
		" https://kms.example:8443/x/ ": "https://kms.example:8443|/x",
		"https://kms.example/x/api":     "https://kms.example|/x",
		"http://localhost:80":           "http://localhost:80|",
		"http://127.0.0.9:1":            "http://127.0.0.9:1|",
		"http://[::1]:1":                "http://[::1]:1|",
		"http://kms.example":            "",
		"http://127.0.0.1.evil.example": "",
		"http://localhost.evil.example": "",
		"ftp://localhost":               "",
		"kms.example":                   "",
		"https://":                      "",
		"https://u:canary@kms.example":  "",
		"https://kms.example/?canary=1": "",
		"https://kms.example/#canary":   "",
		"https://kms.example:canary":    "",
		"":                              "",
	} {
		origin, prefix, err := ParseBase(address, "/api")
		if got := origin + "|" + prefix; err == nil && got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
		if (err != nil) != (want == "") {
			t.Errorf("%q: error %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error quotes the address: %v", err)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	c, err := New(Options{
		Origin: "https://api.example", Now: time.Now,
		Fail: func(*Request, int, http.Header, []byte) *providers.Error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"https://api.example/2?page=2":     true,
		"https://API.example:443/2":        true,
		"/2.0/x":                           true,
		"?page=2":                          true,
		"http://api.example/2":             false,
		"https://api.example:444/":         false,
		"https://api.example.evil/":        false,
		"https://api.example@evil/":        false,
		"https://u@api.example/":           false,
		"//evil/":                          false,
		"https://evil/?u=https://api.exam": false,
		"ht!tp://%zz":                      false,
		"javascript:alert(1)":              false,
	} {
		if got := c.SameOrigin(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

func TestJoinPathReachesTheWireEscaped(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	w := start(t, func(rw http.ResponseWriter, r *http.Request) {
		seen.Store(r.RequestURI)
		_, _ = rw.Write([]byte("{}"))
	}, nil)
	for segment, want := range map[string]string{
		"{3f1c-00}":  "/p/%7B3f1c-00%7D/v",
		"a/b":        "/p/a%2Fb/v",
		"a b?c#d%":   "/p/a%20b%3Fc%23d%25/v",
		"..%2f":      "/p/..%252f/v",
		"ü":          "/p/%C3%BC/v",
		"plain-1._~": "/p/plain-1._~/v",
	} {
		path, err := JoinPath("/p", segment, "v")
		if err != nil {
			t.Fatal(err)
		}
		r := get()
		r.Path = path
		if _, err := w.Do(t.Context(), r); err != nil {
			t.Fatalf("%q: %v", segment, err)
		}
		if seen.Load() != want {
			t.Errorf("%q went out as %q, want %q", segment, seen.Load(), want)
		}
	}
	for _, bad := range []string{"", ".", ".."} {
		if path, err := JoinPath("/p", bad); err == nil {
			t.Errorf("%q gives %q, want an error", bad, path)
		}
	}
}

func TestUnsendablePaths(t *testing.T) {
	t.Parallel()
	w := start(t, func(http.ResponseWriter, *http.Request) {}, nil)
	for _, path := range []string{"", "thing", "//evil.example/%zz", "/a b", "@evil.example/"} {
		r := get()
		r.Path = path
		_, err := w.Do(t.Context(), r)
		mustFail(t, err, providers.KindInvalid)
	}
	w.wantHits(t, 0)
}

// Neither errors nor log lines hold the query, a header, the body or the error
// text of net/http.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	handlers := map[string]http.HandlerFunc{
		"refused": func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(400)
			_, _ = rw.Write([]byte(`{"m":"canary-answer"}`))
		},
		"dropped": drop,
		"redirect": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/?canary-answer", http.StatusFound)
		},
		"foreign": func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("canary-answer")) },
		"limited": func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(429)
			_, _ = rw.Write([]byte("canary-answer"))
		},
		"garbage": garbage,
	}
	for name, handler := range handlers {
		w := start(t, handler, nil)
		r := post()
		r.Query = map[string][]string{"q": {"canary-query"}}
		r.Authorize = func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer canary-token")
			return nil
		}
		_, err := w.Do(t.Context(), r)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		text := fmt.Sprintf("%v %+v %#v ", err, err, err) + w.logs.String()
		if strings.Contains(text, "canary") {
			t.Errorf("%s leaks: %s", name, text)
		}
		if !strings.Contains(w.logs.String(), "path=/{thing}") || !strings.Contains(w.logs.String(), "method=POST") {
			t.Errorf("%s: log is %q", name, w.logs.String())
		}
	}
}

// garbage answers what is not HTTP, which net/http quotes in its error.
func garbage(rw http.ResponseWriter, _ *http.Request) {
	conn, _, _ := rw.(http.Hijacker).Hijack()
	_, _ = conn.Write([]byte("canary-answer canary\r\n\r\n"))
	_ = conn.Close()
}

func TestCertificateIsChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	w := start(t, drop, func(o *Options) { o.Origin = server.URL })
	_, err := w.Do(t.Context(), post())
	e := mustFail(t, err, providers.KindUnavailable)
	if e.Sent || !strings.Contains(e.Hint, "SSL_CERT_FILE") || len(w.slept()) != 0 {
		t.Errorf("got %+v after %v, want one try, not sent", e, w.slept())
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
		time.Sleep(5 * time.Millisecond)
		_, _ = rw.Write([]byte("{}"))
	}, func(o *Options) { o.Parallelism = 6 })
	base := w.http.Transport.(*http.Transport)
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, addr)
	}
	for range 4 {
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				if _, err := w.Do(t.Context(), get()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if n := opened.Load(); n > 6 {
		t.Errorf("%d connections were opened for 6 requests at a time", n)
	}
	if base.TLSClientConfig.MinVersion < 0x0303 {
		t.Error("TLS below 1.2 is accepted")
	}
}
