package httpx

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// proxied is the variable that tells a test that it runs in a process of its own:
// Go reads the proxy variables once for each process.
const proxied = "KMSYNC_TEST_PROXIED"

// behind runs the test again in a process with these variables, and reports
// whether it is that process.
func behind(t *testing.T, variables ...string) bool {
	t.Helper()
	if os.Getenv(proxied) != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(v), "=")
		return strings.HasSuffix(name, "_PROXY") || name == "REQUEST_METHOD"
	})
	cmd.Env = append(append(cmd.Env, proxied+"=1"), variables...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("behind a proxy: %v\n%s", err, out)
	}
	return false
}

// The variables for proxies are honoured, and this machine is never asked for
// through one, however it is spelled: over plain http a credential would go to
// the proxy in clear.
func TestProxyFromTheEnvironment(t *testing.T) {
	t.Parallel()
	if !behind(t, "HTTPS_PROXY=http://proxy.example:3128", "HTTP_PROXY=http://plain.example:3128", "NO_PROXY=.direct.example,10.0.0.0/8") {
		return
	}
	for origin, want := range map[string]string{
		"https://api.example":        "http://proxy.example:3128",
		"https://api.example:8443":   "http://proxy.example:3128",
		"https://kms.direct.example": "",
		"https://10.1.2.3":           "",
		"https://localhost:8443":     "",
		"http://localhost:80":        "",
		"http://LocalHost:80":        "",
		"http://127.0.0.9:1":         "",
		"http://[::1]:1":             "",
	} {
		c, err := New(Options{
			Origin: origin, Now: time.Now,
			Fail: func(*Request, int, http.Header, []byte) *providers.Error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		r := get()
		req, refused := c.build(t.Context(), &r)
		if refused != nil {
			t.Fatal(refused)
		}
		proxy, err := c.http.Transport.(*http.Transport).Proxy(req)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if proxy != nil {
			got = proxy.String()
		}
		if got != want {
			t.Errorf("%s is asked for through %q, want %q", origin, got, want)
		}
	}
}

// A proxy is asked for a tunnel and learns the host, and no more.
func TestProxySeesTheHostOnly(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		_ = r.Header.Write(&text)
		_, _ = io.Copy(&text, r.Body)
		mu.Lock()
		seen = append(seen, r.Method+" "+r.RequestURI+" "+text.String())
		mu.Unlock()
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	if behind(t, "HTTPS_PROXY="+proxy.URL) {
		w := start(t, drop, func(o *Options) { o.Origin = "https://service.example" })
		r := post()
		r.Query = map[string][]string{"q": {"canary-query"}}
		r.Authorize = func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer canary-token")
			return nil
		}
		_, err := w.Do(t.Context(), r)
		if e := mustFail(t, err, providers.KindUnavailable); e.Sent || strings.Contains(e.Error(), "canary") ||
			!strings.Contains(e.Hint, "refuses to connect to service.example (HTTP 407); check HTTPS_PROXY") {
			t.Errorf("got %+v, want not sent", e)
		}
		if n := len(w.slept()); n != 0 {
			t.Errorf("tried %d times more, and a proxy that wants a login keeps to that", n)
		}
		return
	}
	if len(seen) == 0 {
		t.Fatal("the proxy was not asked")
	}
	for _, request := range seen {
		if !strings.HasPrefix(request, "CONNECT service.example:443 ") || strings.Contains(request, "canary") || strings.Contains(request, "thing") {
			t.Errorf("the proxy saw %q", request)
		}
	}
}

// A client for plain http, but to this machine, cannot be made, so that no
// credential goes there.
func TestNewRefusesPlainHTTP(t *testing.T) {
	t.Parallel()
	for origin, ok := range map[string]bool{
		"https://api.example": true, "http://localhost:1": true, "http://127.0.0.1:1": true, "http://[::1]:1": true,
		"http://api.example": false, "http://localhost.example": false, "http://10.0.0.1": false, "http://0.0.0.0:1": false,
		"http://127.0.0.1.example": false, "http://127.1": false, "http://[fe80::1]:1": false, "ftp://localhost": false, "": false,
	} {
		_, err := New(Options{
			Origin: origin, Now: time.Now,
			Fail: func(*Request, int, http.Header, []byte) *providers.Error { return nil },
		})
		if (err == nil) != ok {
			t.Errorf("%q: error %v", origin, err)
		}
	}
}
