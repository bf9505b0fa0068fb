package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func inject(t *testing.T, s *sandbox.Server, f world.Fault) {
	t.Helper()
	if err := s.Inject(f); err != nil {
		t.Fatal(err)
	}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault   world.Fault
		check   func(result) bool
		effects int
	}{
		"status": {
			world.Fault{Kind: "status", Status: 503, RetryAfter: "7"},
			func(r result) bool {
				return r.status == 503 && r.header.Get("Retry-After") == "7" && strings.HasPrefix(r.body, `{"type":"error","error":{"message":`)
			}, 0,
		},
		"status by default": {world.Fault{Kind: "status"}, func(r result) bool { return r.status == 500 }, 0},
		"status with body":  {world.Fault{Kind: "status", Status: 429, Body: "slow down"}, func(r result) bool { return r.status == 429 && r.body == "slow down" }, 0},
		"drop before":       {world.Fault{Kind: "drop_before"}, func(r result) bool { return r.err != nil && r.status == 0 }, 0},
		"drop after":        {world.Fault{Kind: "drop_after"}, func(r result) bool { return r.err != nil && r.status == 0 }, 1},
		"truncate": {
			world.Fault{Kind: "truncate"},
			func(r result) bool {
				return r.err != nil && r.status == 201 && strings.HasPrefix(r.body, `{"type":`) && !strings.HasSuffix(r.body, "}")
			}, 1,
		},
		"slow": {world.Fault{Kind: "slow", Delay: world.Duration(time.Millisecond)}, func(r result) bool { return r.status == 201 }, 1},
		"html": {
			world.Fault{Kind: "html"},
			func(r result) bool {
				return r.status == 200 && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") && strings.Contains(r.body, "<p>")
			}, 0,
		},
		"html with status": {world.Fault{Kind: "html", Status: 502, Body: "<b>"}, func(r result) bool { return r.status == 502 && r.body == "<b>" }, 0},
		"redirect": {
			world.Fault{Kind: "redirect"},
			func(r result) bool {
				return r.status == 302 && r.header.Get("Location") == "https://login.example.invalid/"
			}, 0,
		},
		"redirect to": {world.Fault{Kind: "redirect", Status: 307, Body: "/x"}, func(r result) bool { return r.status == 307 && r.header.Get("Location") == "/x" }, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sandbox.Options{})
			tt.fault.Method, tt.fault.Times = "POST", 1
			inject(t, s, tt.fault)
			if r := send(t, s, "POST", variables, create); !tt.check(r) {
				t.Errorf("got %+v", r)
			}
			if got := len(s.Journal()); got != tt.effects {
				t.Errorf("%d effects, want %d", got, tt.effects)
			}
			if s.Total() != 1 {
				t.Errorf("%d requests counted", s.Total())
			}
			if r := send(t, s, "POST", variables, strings.Replace(create, "A", "B", 1)); r.status != 201 {
				t.Errorf("after the fault: %+v", r)
			}
		})
	}
}

func TestFaultInKMSShape(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	inject(t, s, world.Fault{Kind: "status", Status: 429, RetryAfter: "1"})
	var body struct {
		ReqID, Error string
		StatusCode   int
	}
	r := send(t, s, "GET", secrets, "")
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || body.StatusCode != 429 || body.Error != "RateLimitExceeded" || body.ReqID == "" {
		t.Errorf("%v: %+v", err, r)
	}
	s.ClearFaults()
	if r := send(t, s, "GET", secrets, ""); r.status != 200 {
		t.Errorf("after ClearFaults: %+v", r)
	}
}

// statuses sends n requests and renders the last digit of each status.
func statuses(t *testing.T, s *sandbox.Server, n int) string {
	t.Helper()
	var out strings.Builder
	for range n {
		switch r := send(t, s, "GET", variables, ""); r.status {
		case 200:
			out.WriteByte('.')
		default:
			out.WriteString(string(rune('0' + r.status%10)))
		}
	}
	return out.String()
}

func TestFaultTimesAndSkip(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	inject(t, s, world.Fault{Kind: "status", Status: 501, Skip: 1, Times: 2})
	inject(t, s, world.Fault{Kind: "status", Status: 502, Path: "/2.0/repositories/{workspace}/{repo}/pipelines_config/variables", Skip: 2})
	inject(t, s, world.Fault{Kind: "status", Status: 503, Path: "/api/**"})
	// The second fault counts only what the first one lets pass.
	if got := statuses(t, s, 6); got != ".11.22" {
		t.Errorf("got %q", got)
	}
	if err := s.Inject(world.Fault{Kind: "boom"}); err == nil {
		t.Error("an unknown kind was accepted")
	}
}

// Faults of the world keep count when the world changes elsewhere, and come
// after injected ones.
func TestFaultsOfTheWorld(t *testing.T) {
	t.Parallel()
	w := world.Default()
	w.Faults = []world.Fault{{Kind: "status", Status: 503, Times: 2}}
	s := start(t, sandbox.Options{World: w})
	inject(t, s, world.Fault{Kind: "status", Status: 501, Times: 1})
	if got := statuses(t, s, 2); got != "13" {
		t.Errorf("got %q", got)
	}
	s.Update(func(w *world.World) { w.KMS.Projects = nil })
	if got := statuses(t, s, 3); got != "3.." {
		t.Errorf("after a change elsewhere: got %q", got)
	}
	s.Update(func(w *world.World) { w.Faults[0].Status = 504 })
	if got := statuses(t, s, 3); got != "44." {
		t.Errorf("a changed fault starts anew: got %q", got)
	}
}
