package bitbucket

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
)

func pageURI(path string, n int) string {
	return fmt.Sprintf("GET %s?page=%d&pagelen=100", path, n)
}

// A listing of two and a half pages, as the service gives it and with the ways in
// which its pages are known to lie.
func TestPaging(t *testing.T) {
	t.Parallel()
	const next = "https://%s" // the host is filled in
	for name, c := range map[string]struct {
		total int
		page  func(n int, p object) // changes page n as the service would send it
		pages int
		count int
		doubt string
	}{
		"none":               {total: 0, pages: 1, count: 0},
		"one short page":     {total: 7, pages: 1, count: 7},
		"exactly a page":     {total: 100, pages: 1, count: 100},
		"three":              {total: 250, pages: 3, count: 250},
		"no size":            {total: 250, page: func(_ int, p object) { delete(p, "size") }, pages: 3, count: 250},
		"no next":            {total: 250, page: func(_ int, p object) { delete(p, "next") }, pages: 3, count: 250},
		"neither":            {total: 250, page: func(_ int, p object) { delete(p, "next"); delete(p, "size") }, pages: 3, count: 250},
		"full, neither":      {total: 100, page: func(_ int, p object) { delete(p, "next"); delete(p, "size") }, pages: 2, count: 100},
		"stuck next":         {total: 150, page: func(_ int, p object) { p["next"] = "?page=1" }, pages: 2, count: 150},
		"stuck next no size": {total: 7, page: func(_ int, p object) { p["next"] = "?page=1"; delete(p, "size") }, pages: 2, count: 7, doubt: "page 2 is empty and says that there is more"},
		"size too large":     {total: 250, page: func(_ int, p object) { p["size"] = 251 }, pages: 3, count: 250, doubt: "251 items were announced and 250 came"},
		"size too small":     {total: 250, page: func(_ int, p object) { p["size"] = 150 }, pages: 2, count: 200, doubt: "150 items were announced and 200 came"},
		"size moves": {total: 250, page: func(n int, p object) {
			if n == 1 {
				p["size"] = 249
			}
		}, pages: 3, count: 250, doubt: "changed while reading"},
		"repeated page": {total: 250, page: func(n int, p object) {
			delete(p, "size")
			if n == 2 {
				p["values"] = variablesFrom(0, 100)
			}
		}, pages: 2, count: 100, doubt: "came twice"},
		"always page 1": {total: 250, page: func(_ int, p object) { p["page"] = 1; p["values"] = variablesFrom(0, 100) }, pages: 2, count: 100, doubt: "page 2 was asked for and page 1 came"},
		"repeated item": {total: 250, page: func(n int, p object) { p["values"].([]any)[0] = variable(0) }, pages: 3, count: 248, doubt: "came twice"},
		"no UUID":       {total: 3, page: func(_ int, p object) { p["values"].([]any)[1] = object{"key": "X"} }, pages: 1, count: 2, doubt: "has no UUID"},
		"no key": {total: 3, page: func(_ int, p object) {
			p["values"].([]any)[1] = object{"uuid": "{00000000-0000-4000-8000-0000000000c2}"}
		}, pages: 1, count: 2, doubt: "has no key"},
		"same key twice": {total: 3, page: func(_ int, p object) {
			p["values"].([]any)[1] = object{"uuid": "{00000000-0000-4000-8000-0000000000c2}", "key": "KEY_000"}
		}, pages: 1, count: 3, doubt: "same key"},
		"no UUID's form": {total: 3, page: func(_ int, p object) {
			p["values"].([]any)[1] = object{"uuid": "canary-uuid", "key": "X"}
		}, pages: 1, count: 2, doubt: "has no UUID"},
		"UUID without braces": {total: 3, page: func(_ int, p object) {
			p["values"].([]any)[1] = object{"uuid": "00000000-0000-4000-8000-0000000000c2", "key": "X"}
		}, pages: 1, count: 2, doubt: "has no UUID"},
		"UUID and more": {total: 3, page: func(_ int, p object) {
			p["values"].([]any)[1] = object{"uuid": "{00000000-0000-4000-8000-0000000000c2}\n", "key": "X"}
		}, pages: 1, count: 2, doubt: "has no UUID"},
		"empty but more": {total: 0, page: func(_ int, p object) { delete(p, "size"); p["next"] = "?page=2" }, pages: 1, count: 0, doubt: "page 1 is empty"},
		"empty, size":    {total: 0, page: func(_ int, p object) { p["size"] = 4 }, pages: 1, count: 0, doubt: "4 items were announced and 0 came"},
		"endless": {total: 250, page: func(n int, p object) {
			delete(p, "size")
			p["values"] = variablesFrom(n*100, n*100+100)
		}, pages: 100, count: 10000, doubt: "more than 100 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				n, _ := strconv.Atoi(r.URL.Query().Get("page"))
				from := min((n-1)*100, c.total)
				to := min(from+100, c.total)
				p := object{"page": n, "pagelen": 100, "size": c.total, "values": variablesFrom(from, to)}
				if to < c.total {
					p["next"] = strings.Replace(fmt.Sprintf(next, r.Host), "https", "http", 1) + "/wrong?page=77"
				}
				if c.page != nil {
					c.page(n, p)
				}
				write(w, p)
			})
			client := s.client(nil)
			got, err := client.Variables(t.Context(), staging)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Variables) != c.count || client.Requests() != c.pages {
				t.Errorf("%d variables in %d requests, want %d in %d", len(got.Variables), client.Requests(), c.count, c.pages)
			}
			var want []string
			for n := 1; n <= c.pages; n++ {
				want = append(want, pageURI(envVars, n))
			}
			s.wantRequests(want...)
			switch {
			case c.doubt == "" && len(got.Doubts) != 0:
				t.Errorf("doubts are %v, want none", got.Doubts)
			case c.doubt != "" && (len(got.Doubts) != 1 || got.Doubts[0].Kind != providers.DoubtIncomplete || !strings.Contains(got.Doubts[0].Detail, c.doubt)):
				t.Errorf("doubts are %v, want one about %q", got.Doubts, c.doubt)
			}
			for i := 1; i < len(got.Variables); i++ {
				if got.Variables[i-1].Key > got.Variables[i].Key {
					t.Fatal("not sorted by key")
				}
			}
		})
	}
}

// A service that gives fewer at once than asked for is read to its end.
func TestSmallerPages(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		write(w, object{"page": n, "pagelen": 10, "values": variablesFrom((n-1)*10, min(n*10, 25))})
	})
	got, err := s.client(nil).Variables(t.Context(), web)
	if err != nil || len(got.Variables) != 25 || len(got.Doubts) != 0 || s.count() != 3 {
		t.Errorf("%d variables, %v, %v in %d requests", len(got.Variables), got.Doubts, err, s.count())
	}
}

func TestForeignNextIsAnError(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"https://evil.example/2.0/x?page=2&canary", "//evil.example/", "http://%zz", "https://user@127.0.0.1/"} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			write(w, object{"values": variablesFrom(0, 100), "next": next})
		})
		_, err := s.client(nil).Variables(t.Context(), web)
		wantKind(t, err, providers.KindForeign)
		s.wantRequests(pageURI(repoVars, 1))
	}
}

func TestFailureOnALaterPageIsAnError(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		write(w, object{"values": variablesFrom(0, 100)})
	})
	got, err := s.client(nil).Variables(t.Context(), web)
	wantKind(t, err, providers.KindForbidden)
	if got.Variables != nil {
		t.Error("a part of the list was returned")
	}
}

func TestListsOfAnotherShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		hits int
	}{
		"no values":   {`{"message":"canary"}`, 1},
		"null values": {`{"values":null}`, 1},
		"array":       {`["canary"]`, 1},
		"bad item":    {`{"values":[{"uuid":1,"value":"canary"}]}`, 1},
		"bad value":   {`{"values":[{"uuid":"x","value":12345}]}`, 1},
		"cut off":     {`{"values":[{"value":"canary`, 5},
		"empty":       {"", 5},
	} {
		s := answer(t, 200, c.body)
		_, err := s.client(nil).Variables(t.Context(), web)
		wantKind(t, err, providers.KindUnavailable)
		if s.count() != c.hits {
			t.Errorf("%s: %d requests, want %d", name, s.count(), c.hits)
		}
		noCanary(t, s.logs.String())
	}
}

func TestEnvironments(t *testing.T) {
	t.Parallel()
	body := `{"values":[{"uuid":"{00000000-0000-4000-8000-0000000000e2}","name":"Test","slug":"test","hidden":false},{"uuid":"{00000000-0000-4000-8000-0000000000e1}","name":"Staging","slug":"staging"}]}`
	s := answer(t, 200, body)
	got, err := s.client(nil).Environments(t.Context(), "acme", "{00000000-0000-4000-8000-0000000000f1}")
	want := []providers.Environment{{UUID: "{00000000-0000-4000-8000-0000000000e1}", Name: "Staging", Slug: "staging"}, {UUID: "{00000000-0000-4000-8000-0000000000e2}", Name: "Test", Slug: "test"}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	s.wantRequests(pageURI("/2.0/repositories/acme/%7B00000000-0000-4000-8000-0000000000f1%7D/environments", 1))

	// Nothing is picked here: two of one name, and a name that looks like a UUID, come
	// as they are.
	s = answer(t, 200, `{"values":[{"uuid":"{00000000-0000-4000-8000-0000000000e2}","name":"Staging"},{"uuid":"{00000000-0000-4000-8000-0000000000e1}","name":"Staging"},{"uuid":"{00000000-0000-4000-8000-0000000000e3}","name":"{00000000-0000-4000-8000-0000000000e1}"}]}`)
	got, err = s.client(nil).Environments(t.Context(), "acme", "web")
	want = []providers.Environment{{UUID: "{00000000-0000-4000-8000-0000000000e1}", Name: "Staging"}, {UUID: "{00000000-0000-4000-8000-0000000000e2}", Name: "Staging"}, {UUID: "{00000000-0000-4000-8000-0000000000e3}", Name: "{00000000-0000-4000-8000-0000000000e1}"}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}

	s = answer(t, 200, `{"size":3,"values":[{"uuid":"{00000000-0000-4000-8000-0000000000e2}","name":"Test"}]}`)
	_, err = s.client(nil).Environments(t.Context(), "acme", "web")
	wantKind(t, err, providers.KindUnavailable)
}

// What is no UUID is not taken for one, and not shown.
func TestEnvironmentWithoutUUID(t *testing.T) {
	t.Parallel()
	for _, uuid := range []string{"", "canary-uuid", "{canary}", "00000000-0000-4000-8000-0000000000e1"} {
		s := answer(t, 200, `{"values":[{"uuid":"`+uuid+`","name":"Staging"}]}`)
		got, err := s.client(nil).Environments(t.Context(), "acme", "web")
		wantKind(t, err, providers.KindUnavailable)
		if len(got) != 0 {
			t.Errorf("%q: got %v", uuid, got)
		}
	}
}

// A page with more than was asked for is none of this list's.
func TestPageThatIsTooLong(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{100: true, 101: false} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, number int) {
			if number > 1 {
				write(w, object{"values": []any{}})
				return
			}
			write(w, object{"values": variablesFrom(0, n)})
		})
		got, err := s.client(nil).Variables(t.Context(), web)
		if ok && (err != nil || len(got.Variables) != n) {
			t.Errorf("%d on a page: %d, %v", n, len(got.Variables), err)
		}
		if !ok {
			wantKind(t, err, providers.KindUnavailable)
		}
	}
}

func TestRepository(t *testing.T) {
	t.Parallel()
	s := answer(t, 200, `{"uuid":"{00000000-0000-4000-8000-0000000000f1}","full_name":"acme/web"}`)
	got, err := s.client(nil).Repository(t.Context(), "acme", "web")
	if err != nil || got.UUID != "{00000000-0000-4000-8000-0000000000f1}" {
		t.Errorf("got %v, %v", got, err)
	}
	s.wantRequests("GET /2.0/repositories/acme/web")
	for _, body := range []string{`{}`, `{"uuid":""}`, `{"uuid":7}`, `{"uuid":"canary"}`, `{"uuid":"00000000-0000-4000-8000-0000000000f1"}`} {
		_, err := answer(t, 200, body).client(nil).Repository(t.Context(), "acme", "web")
		wantKind(t, err, providers.KindUnavailable)
	}
}

// Whether Pipelines is off is asked for a repository's own variables only: what an
// environment or a workspace lacks has other causes.
func TestNotFoundElsewhereIsNotPipelines(t *testing.T) {
	t.Parallel()
	for _, scope := range []providers.Scope{staging, acme} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.URL.Path == "/2.0/repositories/acme/web" {
				write(w, object{"uuid": envUUID})
				return
			}
			w.WriteHeader(http.StatusNotFound)
			write(w, object{"error": object{"message": "Not found"}})
		})
		_, err := s.client(nil).Variables(t.Context(), scope)
		wantKind(t, err, providers.KindNotFound)
		if s.count() != 1 {
			t.Errorf("%v: %d requests", scope, s.count())
		}
	}
}
