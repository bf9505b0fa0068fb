package bitbucket_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func TestStuckNext(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{StuckNext: true}))
	for _, key := range []string{"A", "B", "C"} {
		b.want(b.do("POST", envVars, `{"key":"`+key+`","value":"v"}`), 201)
	}
	for _, path := range []string{repo + "/environments", envVars} {
		body := b.want(b.do("GET", path+"?pagelen=1&page=2", ""), 200)
		if next, _ := body["next"].(string); !strings.HasSuffix(next, "?page=2&pagelen=1") {
			t.Errorf("%s: next is %q", path, next)
		}
	}
	body := b.want(b.do("GET", repoVars+"?pagelen=1", ""), 200)
	if next, _ := body["next"].(string); !strings.HasSuffix(next, "?page=2&pagelen=1") {
		t.Errorf("variables of the repository are not concerned: next is %q", next)
	}
}

func TestStaysSecured(t *testing.T) {
	t.Parallel()
	for stays, want := range map[bool]bool{true: true, false: false} {
		b := newBench(t, switches(world.Switches{StaysSecured: stays}))
		made := b.want(b.do("POST", repoVars, `{"key":"A","value":"v","secured":true}`), 201)
		uuid := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(made["uuid"].(string))
		if got := b.want(b.do("PUT", repoVars+"/"+uuid, `{"key":"A","value":"w","secured":false}`), 200); got["secured"] != want {
			t.Errorf("with the switch %v: %v", stays, got)
		}
	}
}

func TestEmptyEnvironmentListing(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{EmptyEnvironmentListing: true}))
	b.want(b.do("POST", envVars, `{"key":"A","value":"v"}`), 201)
	b.wantCode(b.do("POST", envVars, `{"key":"A","value":"v"}`), 409, "variable-service.variable.duplicate")
	if got := b.keys(envVars) + "|" + b.keys(repoVars); got != "|REGION TOKEN" {
		t.Errorf("lists: %q", got)
	}
}

func TestDelayReads(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{DelayReads: 2}))
	b.want(b.do("POST", repoVars, `{"key":"A","value":"v"}`), 201)
	b.wantCode(b.do("POST", repoVars, `{"key":"A","value":"v"}`), 409, "variable-service.variable.duplicate")
	var seen []string
	for range 3 {
		first := b.want(b.do("GET", repoVars+"?pagelen=2&page=1", ""), 200)
		second := b.want(b.do("GET", repoVars+"?pagelen=2&page=2", ""), 200)
		if first["size"] != second["size"] {
			t.Errorf("pages of one listing disagree: %v and %v", first["size"], second["size"])
		}
		values, _ := second["values"].([]any)
		seen = append(seen, strings.Repeat("x", len(values)))
	}
	if got := strings.Join(seen, ","); got != ",,x" {
		t.Errorf("the new variable was seen in %q, want in the third listing", got)
	}
}

func TestBurst429(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status      int
		retryAfter  string
		contentType string
	}{
		world.BurstRetryAfter: {429, "1", "application/json; charset=utf-8"},
		world.BurstBare:       {429, "", "application/json; charset=utf-8"},
		world.BurstPlain:      {429, "", "text/plain"},
		world.Burst403:        {403, "", "application/json; charset=utf-8"},
	}
	for form, tt := range tests {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, switches(world.Switches{Burst429: &world.Burst{Every: 2, Form: form}}))
			b.want(b.do("POST", repoVars, `{"key":"A","value":"v"}`), 201)
			b.want(b.do("GET", repoVars, ""), 200) // reads do not count
			w := b.do("POST", repoVars, `{"key":"B","value":"v"}`)
			if w.Code != tt.status || w.Header().Get("Retry-After") != tt.retryAfter || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("got %d %v", w.Code, w.Header())
			}
			if !strings.Contains(w.Body.String(), "Rate limit for this resource has been exceeded") {
				t.Errorf("body %s", w.Body)
			}
			b.want(b.do("POST", repoVars, `{"key":"B","value":"v"}`), 201) // no effect before
		})
	}
}

func TestLeanErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{LeanErrors: true}))
	body := b.want(b.do("POST", repoVars, `{"key":"REGION","value":"v"}`), 409)
	if _, typed := body["type"]; typed || at(body, "data", "key") != "variable-service.variable.duplicate" || at(body, "error", "data") != nil {
		t.Errorf("got %v", body)
	}
	body = b.want(b.do("POST", repoVars, `{"key":"A","value":"v"}`, "Authorization", "Bearer reader"), 403)
	if _, text := at(body, "error", "detail").(string); !text {
		t.Errorf("got %v", body)
	}
}

func TestNoType(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{NoType: true}))
	for _, v := range []map[string]any{
		b.want(b.do("GET", repoVars+"/"+openUUID, ""), 200),
		b.want(b.do("POST", repoVars, `{"key":"A","value":"v"}`), 201),
	} {
		if _, typed := v["type"]; typed {
			t.Errorf("got %v", v)
		}
	}
}

// Each credential may ask so often in any hour, whatever it asks for; an access
// token is told how it stands.
func TestHourLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, switches(world.Switches{HourLimit: 5}))
	for i, near := range []string{"false", "false", "false", "false", "true"} {
		method, path, body, want := "GET", repoVars, "", 200
		if i == 1 {
			method, path, body, want = "POST", repoVars, `{"key":"A","value":"v"}`, 201
		}
		w := b.do(method, path, body)
		b.want(w, want)
		if h := w.Header(); h.Get("X-RateLimit-Limit") != "5" || h.Get("X-RateLimit-NearLimit") != near || h.Get("X-RateLimit-Resource") == "" {
			t.Errorf("request %d: headers %v", i, h)
		}
		b.move(time.Minute)
	}
	w := b.do("POST", repoVars, `{"key":"B","value":"v"}`)
	b.want(w, 429)
	if w.Header().Get("Retry-After") != "" || !strings.Contains(w.Body.String(), "Rate limit for this resource has been exceeded") {
		t.Errorf("got %v %s", w.Header(), w.Body)
	}
	if got := b.keys(repoVars, "Authorization", "Bearer reader"); got != "REGION TOKEN A" {
		t.Errorf("another credential is refused, or the refused write took effect: %q", got)
	}
	person := b.do("GET", repoVars, "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("a@acme.example:person")))
	if b.want(person, 200); person.Header().Get("X-RateLimit-Limit") != "" {
		t.Errorf("a person is told of the limit: %v", person.Header())
	}
	b.move(55*time.Minute - time.Second) // the first request is an hour old in a second
	b.want(b.do("GET", repoVars, ""), 429)
	b.move(time.Second)
	b.want(b.do("GET", repoVars, ""), 200)
	b.want(b.do("GET", repoVars, ""), 429)
}

// Before Pipelines is switched on a repository is there, and has nothing.
func TestPipelinesOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(b *world.Bitbucket) { b.Workspaces[0].Repositories[0].PipelinesOff = true })
	b.want(b.do("GET", repo, ""), 200)
	if size := b.want(b.do("GET", repo+"/environments", ""), 200)["size"]; size != 0.0 {
		t.Errorf("%v environments", size)
	}
	for _, path := range []string{repoVars, repoVars + "/" + openUUID, envVars, repo + "/environments/" + envUUID} {
		b.want(b.do("GET", path, ""), 404)
	}
	b.want(b.do("POST", repoVars, `{"key":"A","value":"v"}`), 404)
	b.want(b.do("PUT", repoVars+"/"+openUUID, `{"value":"v"}`), 404)
	b.want(b.do("DELETE", repoVars+"/"+openUUID, ""), 404)
	if effects := b.svc.Journal(); len(effects) != 0 {
		t.Errorf("effects %v", effects)
	}
}
