package applier_test

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// gauge counts what is in flight, by name, and remembers the most.
type gauge struct {
	mu        sync.Mutex
	now, most map[string]int
}

func newGauge() *gauge { return &gauge{now: map[string]int{}, most: map[string]int{}} }

func (g *gauge) enter(names ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		g.now[name]++
		g.most[name] = max(g.most[name], g.now[name])
	}
}

func (g *gauge) leave(names ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		g.now[name]--
	}
}

// busy is a stage with many keys to create in several repositories, each write
// taking a second of the fake time.
func busy(keys int, repositories ...string) (*stage, *gauge) {
	s, g := newStage(), newGauge()
	s.nowFunc, s.syncs = time.Now, nil
	for i := range keys {
		s.secrets(fmt.Sprintf("K%02d", i))
	}
	for _, repository := range repositories {
		s.syncs = append(s.syncs, newSync(repository, "/app", repository))
		s.repositories["acme/"+repository] = "{" + repository + "}"
	}
	s.always = func(scope providers.Scope, key string) {
		names := []string{"all", scope.Repository, scope.Repository + "/" + key}
		g.enter(names...)
		time.Sleep(time.Second)
		g.leave(names...)
	}
	return s, g
}

// Requests in flight: at most 4 to a repository and the given number in all, and
// as many as that are really used.
func TestRequestsInFlight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		parallelism, all, one int
		repositories          []string
		takes                 time.Duration
	}{
		{8, 4, 4, []string{"r1"}, 5 * time.Second},
		{8, 8, 4, []string{"r1", "r2", "r3"}, 0}, // depends on who comes first
		{3, 3, 4, []string{"r1", "r2"}, 14 * time.Second},
		{1, 1, 1, []string{"r1"}, 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, g := busy(20, test.repositories...)
			s.parallelism = test.parallelism
			begun := time.Now()
			s.apply(t.Context(), t)
			alone := len(test.repositories) == 1
			if most := max(g.most["r1"], g.most["r2"], g.most["r3"]); g.most["all"] != test.all || most > test.one || (alone && most != test.one) {
				t.Errorf("at most %d in all and %d to one repository; want %d and %d", g.most["all"], most, test.all, test.one)
			}
			if took := time.Since(begun); test.takes > 0 && took != test.takes {
				t.Errorf("%d repositories, %d at a time: took %v, want %v", len(test.repositories), test.parallelism, took, test.takes)
			}
			want := 20 * len(test.repositories)
			creates := s.all("create")
			slices.Sort(creates)
			if len(creates) != want || len(slices.Compact(creates)) != want || s.result.Created != want {
				t.Errorf("%d creates and %d created; want one for each of %d keys", len(creates), s.result.Created, want)
			}
		})
	}
}

// The listing that settles lost creates counts among the requests in flight.
func TestTheSettlingListingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g := busy(6, "r1", "r2")
		s.parallelism = 1
		for _, repository := range []string{"acme/r1", "acme/r2"} {
			s.fail("create "+repository+" K00", fault{err: noAnswer()})
		}
		s.before = func() {
			for _, repository := range []string{"acme/r1", "acme/r2"} {
				s.fail("variables "+repository, fault{during: func() {
					g.enter("all")
					time.Sleep(time.Second)
					g.leave("all")
				}})
			}
		}
		s.apply(t.Context(), t)
		if g.most["all"] != 1 || s.result.Created != 12 || len(s.all("variables")) != 2 {
			t.Errorf("%d in flight, result %+v, listings %q", g.most["all"], s.result, s.all("variables"))
		}
	})
}

// Destinations are worked on in the order of the plan, so many at a time.
func TestDestinationsAtATime(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 2; at++ {
		synctest.Test(t, func(t *testing.T) {
			s, g := busy(4, "r1", "r2", "r3")
			s.destinations = at
			s.apply(t.Context(), t)
			if g.most["all"] != 4*at {
				t.Errorf("%d destinations at a time: %d requests in flight, want %d", at, g.most["all"], 4*at)
			}
			if at > 1 {
				return
			}
			var order []string
			for _, line := range s.all("create") {
				order = append(order, strings.Fields(line)[1])
			}
			if !slices.IsSorted(order) {
				t.Errorf("destinations in the order %q", slices.Compact(order))
			}
		})
	}
}

// A number below one means one.
func TestAtLeastOneDestination(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.destinations = 0
	if s.apply(t.Context(), t); s.result.Created != 1 {
		t.Errorf("result %+v", s.result)
	}
}

func goroutine() string {
	buf := make([]byte, 64)
	id, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), " [")
	return id
}

// Events come one at a time in the goroutine that called Apply.
func TestEventsComeFromOneGoroutine(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C", "D", "E", "F")
	s.syncs = append(s.syncs, newSync("b", "/app", "zebra"))
	s.repositories["acme/zebra"] = "{zebra}"
	from := map[string]bool{}
	s.during = func(applier.Event) { from[goroutine()] = true }
	s.apply(t.Context(), t)
	if len(from) != 1 || !from[goroutine()] {
		t.Errorf("events came from %v, and Apply was called in %s", from, goroutine())
	}
	if s.result.Created != 12 {
		t.Errorf("result %+v", s.result)
	}
}

// The events of a destination come in the order of the plan, whichever write ends
// first.
func TestEventsComeInPlanOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := busy(4, "r1")
		s.always = func(_ providers.Scope, key string) { time.Sleep(time.Duration('9'-key[2]) * time.Second) }
		s.fail("create acme/r1 K01", fault{err: refusal(400)})
		s.apply(t.Context(), t)
		var keys []string
		for _, event := range s.events {
			switch e := event.(type) {
			case applier.Wrote:
				keys = append(keys, e.Change.Key)
			case applier.Failed:
				keys = append(keys, e.Change.Key)
			}
		}
		if diff := cmp.Diff([]string{"K00", "K01", "K02", "K03"}, keys); diff != "" {
			t.Error(diff)
		}
	})
}

// The event of a write comes after the ledger has noted it.
func TestToldAfterNoted(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C")
	s.during = func(e applier.Event) {
		if wrote, ok := e.(applier.Wrote); ok && !slices.Contains(s.all("settle"), "settle "+wrote.Change.Key+" written") {
			t.Errorf("%s was told before it was noted", wrote.Change.Key)
		}
	}
	if s.apply(t.Context(), t); s.result.Created != 3 {
		t.Errorf("result %+v", s.result)
	}
}

// One run in which everything happens, counted.
func TestResultCounts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("CREATE", "UPDATE", "FAIL", "DOUBT", "MOVED", "ADOPT").variable("UPDATE").variable("FAIL").variable("DOUBT").variable("MOVED")
	s.variable("ADOPT").recorded("ADOPT", "{old-ADOPT}", canary+"ADOPT").recorded("GONE", "{gone}", "")
	s.state.Destinations[repositoryUUID].Entries["ADOPT"].Owner.Sync = "sync.before"
	s.put(app, "EMPTY", "")
	s.syncs = append(s.syncs, newSync("b", "/missing", "web"), newSync("c", "/app", "zebra"))
	s.repositories["acme/zebra"] = "{zebra}"
	s.fail("list dev:/missing", fault{err: refusal(404)})
	s.destinations = 1
	s.before = func() { s.drop(web, "MOVED") }
	s.fail("update acme/web FAIL", fault{err: refusal(403)})
	s.fail("update acme/web DOUBT", fault{err: refusal(500)})
	told := 0
	s.during = func(applier.Event) {
		if told++; told == 1+7 { // Started, and all of acme/web
			cancel()
		}
	}
	s.apply(ctx, t)
	want := applier.Result{
		Created: 1, Updated: 1, Adopted: 1, Forgotten: 1, Failed: 2, Stopped: 1, Skipped: 6, Held: 2, SyncErrors: 1, Interrupted: true,
	}
	if diff := cmp.Diff(want, s.result); diff != "" {
		t.Error(diff)
	}
	if s.result.Wrote() != 2 || s.result.Left() != 2+1+6+2 {
		t.Errorf("%d written and %d left", s.result.Wrote(), s.result.Left())
	}
}

// What a plan blocks is not sent, whatever it is.
func TestBlockedChangesAreLeft(t *testing.T) {
	t.Parallel()
	s := newStage().variable("OURS").recorded("OURS", "{old-OURS}", canary)
	s.put(app, "EMPTY", "")
	s.put(app, "no-name", canary)
	s.apply(t.Context(), t)
	if calls := s.all(); calls != nil {
		t.Errorf("calls %q, want none", calls)
	}
	if s.result.Held != 3 || s.result.Left() != 3 {
		t.Errorf("result %+v, want 3 held: a delete and two refusals", s.result)
	}
}

// TestNoEventCanHoldASecret walks the types of all events.
func TestNoEventCanHoldASecret(t *testing.T) {
	t.Parallel()
	for _, e := range []applier.Event{
		applier.Started{}, applier.Wrote{}, applier.Recorded{}, applier.Stopped{}, applier.Failed{}, applier.Skipped{}, applier.Waiting{}, applier.Finished{},
	} {
		if found := secretIn(reflect.TypeOf(e), nil); found != "" {
			t.Errorf("%T can hold a secret in %s", e, found)
		}
	}
	if secretIn(reflect.TypeFor[struct{ In []map[string]*ledger.Entry }](), nil) == "" {
		t.Error("the walk does not find a value where there is one")
	}
}

// secretIn returns where a type can hold a value, a key or a fingerprint, or a
// function that might give one.
func secretIn(t reflect.Type, above []reflect.Type) string {
	if slices.Contains(above, t) {
		return ""
	}
	above = append(above, t)
	switch t {
	case reflect.TypeFor[secret.Value](), reflect.TypeFor[secret.Key](), reflect.TypeFor[secret.Fingerprint]():
		return t.String()
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan:
		return t.String()
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		return secretIn(t.Elem(), above)
	case reflect.Struct:
		for f := range t.Fields() {
			if found := secretIn(f.Type, above); found != "" {
				return f.Name + " " + found
			}
		}
	}
	return ""
}
