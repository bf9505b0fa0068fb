package observe_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

// lagging is a stage whose lists show more with time, on a clock that only
// sleeping moves.
type lagging struct {
	*services
	mu     sync.Mutex
	now    time.Time
	sleeps []time.Duration
	// appears: what acme/web shows from then on.
	appears map[time.Duration][]providers.Variable
	// asleep is called in every sleep.
	asleep func()
}

func newLagging() *lagging {
	l := &lagging{services: newServices(), now: begin, appears: map[time.Duration][]providers.Variable{}}
	l.live["acme/web"] = nil
	return l
}

func (l *lagging) sleep(ctx context.Context, d time.Duration) error {
	l.mu.Lock()
	l.sleeps = append(l.sleeps, d)
	l.now = l.now.Add(d)
	for after, variables := range l.appears {
		if !begin.Add(after).After(l.now) {
			l.live["acme/web"] = variables
		}
	}
	l.mu.Unlock()
	if l.asleep != nil {
		l.asleep()
	}
	return ctx.Err()
}

func (l *lagging) observer() *observe.Observer {
	o := l.services.observer(8)
	o.Now = func() time.Time { l.mu.Lock(); defer l.mu.Unlock(); return l.now }
	o.Sleep = l.sleep
	return o
}

// wrote returns the ledger of acme/web with A, written so long before begin.
func wrote(ago time.Duration) *ledger.State {
	state := remembers(webUUID, "", "{v1}")
	state.Destinations[webUUID].Entries["A"].Writes = []ledger.Write{{At: begin.Add(-ago)}}
	return state
}

func seconds(list ...int) []time.Duration {
	var out []time.Duration
	for _, n := range list {
		out = append(out, time.Duration(n)*time.Second)
	}
	return out
}

// TestAwait: a list that lacks what was written less than 60 s ago is asked for
// again, with growing pauses, for 30 s at most.
func TestAwait(t *testing.T) {
	t.Parallel()
	a := []providers.Variable{{UUID: "{v1}", Key: "A", Secured: true}}
	other := []providers.Variable{{UUID: "{v9}", Key: "B", Secured: true}}
	change := func(do func(*ledger.State, *ledger.Entry)) *ledger.State {
		state := wrote(time.Second)
		do(state, state.Destinations[webUUID].Entries["A"])
		return state
	}
	for name, test := range map[string]struct {
		state   *ledger.State
		at      []providers.Variable // what is listed at first
		appears map[time.Duration][]providers.Variable
		sleeps  []time.Duration
		listed  int // variables of the last list
		doubt   bool
	}{
		"listed at once":                         {wrote(time.Second), a, nil, nil, 1, false},
		"listed after a second":                  {wrote(time.Second), other, map[time.Duration][]providers.Variable{time.Second: append(a, other...)}, seconds(1), 2, false},
		"listed after nine seconds":              {wrote(time.Second), nil, map[time.Duration][]providers.Variable{9 * time.Second: a}, seconds(1, 2, 4, 8), 1, false},
		"never listed, the list is not empty":    {wrote(time.Second), other, nil, seconds(1, 2, 4, 8, 15), 1, false},
		"never listed, the list is empty":        {wrote(time.Second), nil, nil, seconds(1, 2, 4, 8, 15), 0, true},
		"the list empties while it is asked for": {wrote(time.Second), other, map[time.Duration][]providers.Variable{3 * time.Second: {}}, seconds(1, 2, 4, 8, 15), 0, true},
		"written 59 s ago":                       {wrote(59 * time.Second), other, nil, seconds(1), 1, false},
		"written a minute ago":                   {wrote(time.Minute), other, nil, nil, 1, false},
		"never written":                          {remembers(webUUID, "", "{v1}"), other, nil, nil, 1, false},
		"a create in doubt":                      {change(func(_ *ledger.State, e *ledger.Entry) { e.UUID = "" }), other, nil, nil, 1, false},
		"a ledger that is not believed":          {change(func(s *ledger.State, _ *ledger.Entry) { s.Rolled = true }), other, nil, nil, 1, false},
		"nothing known":                          {nothing(), nil, nil, nil, 0, false},
	} {
		l := newLagging()
		l.live["acme/web"], l.appears = test.at, test.appears
		read := l.observer().Observe(t.Context(), graphOf(newSync("a", "/app", "web")), test.state).Destinations[ref("web", "")]
		if diff := cmp.Diff(test.sleeps, l.sleeps); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		lists := slices.DeleteFunc(l.made(), func(call string) bool { return call != "variables acme/web" })
		if len(lists) != len(test.sleeps)+1 {
			t.Errorf("%s: listed %d times", name, len(lists))
		}
		if read.Err != nil || len(read.Listing.Variables) != test.listed {
			t.Errorf("%s: listed %v, error %v", name, read.Listing.Variables, read.Err)
		}
		if doubts := read.Listing.Doubts; (len(doubts) == 1 && doubts[0].Kind == providers.DoubtEmpty) != test.doubt || (!test.doubt && len(doubts) > 0) {
			t.Errorf("%s: doubts %v", name, doubts)
		}
	}
}

// What a later list fails with is the error of the read, and the end of it.
func TestAwaitFails(t *testing.T) {
	t.Parallel()
	l := newLagging()
	l.asleep = func() {
		l.errs["variables acme/web"] = &providers.Error{Op: "list variables", Kind: providers.KindUnavailable, Status: 503}
	}
	read := l.observer().Observe(t.Context(), graphOf(newSync("a", "/app", "web")), wrote(0)).Destinations[ref("web", "")]
	if providers.KindOf(read.Err) != providers.KindUnavailable || len(l.sleeps) != 1 || len(read.Listing.Doubts) > 0 {
		t.Errorf("error %v after %v, doubts %v", read.Err, l.sleeps, read.Listing.Doubts)
	}
}

// A run that ends while a list is waited for has no list to believe.
func TestAwaitCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	l := newLagging()
	l.asleep = cancel
	read := l.observer().Observe(ctx, graphOf(newSync("a", "/app", "web")), wrote(0)).Destinations[ref("web", "")]
	if providers.KindOf(read.Err) != providers.KindCanceled || len(l.sleeps) != 1 {
		t.Errorf("error %v after %v", read.Err, l.sleeps)
	}
	// The folder may have been read by then, or not.
	calls := slices.DeleteFunc(l.made(), func(call string) bool { return call == "list dev:/app" })
	if diff := cmp.Diff([]string{"repository acme/web", "variables acme/web"}, calls); diff != "" {
		t.Error(diff)
	}
}

// One destination in two spellings, or through two connections of one account, is
// waited for once, and all see the last list.
func TestAwaitOncePerDestination(t *testing.T) {
	t.Parallel()
	l := newLagging()
	l.appears[3*time.Second] = []providers.Variable{{UUID: "{v1}", Key: "A"}}
	second := newSync("b", "/app", "web")
	second.Destination.Connection = "c"
	obs := l.observer().Observe(t.Context(), graphOf(newSync("a", "/app", "web"), second), wrote(0))
	if diff := cmp.Diff(seconds(1, 2), l.sleeps); diff != "" || len(obs.Destinations) != 2 {
		t.Errorf("%d destinations, %s", len(obs.Destinations), diff)
	}
	for at, read := range obs.Destinations {
		if read.Err != nil || len(read.Listing.Variables) != 1 || read.ID != webUUID {
			t.Errorf("%s through %q: %+v", at, at.Connection, read)
		}
	}
}

// TestAwaitAConflict: a list is asked for again while it lacks a key that is known
// to be there, as long as there is time.
func TestAwaitAConflict(t *testing.T) {
	t.Parallel()
	a, b := providers.Variable{Key: "A", UUID: "{a}"}, providers.Variable{Key: "B", UUID: "{b}"}
	for name, test := range map[string]struct {
		keys    []string
		at      []providers.Variable
		appears map[time.Duration][]providers.Variable
		left    time.Duration
		sleeps  []time.Duration
		listed  int
	}{
		"no key":            {nil, nil, nil, time.Hour, nil, 0},
		"listed":            {[]string{"A", "B"}, []providers.Variable{a, b}, nil, time.Hour, nil, 2},
		"one of two late":   {[]string{"A", "B"}, []providers.Variable{a}, map[time.Duration][]providers.Variable{3 * time.Second: {a, b}}, time.Hour, seconds(1, 2), 2},
		"never":             {[]string{"B"}, []providers.Variable{a}, nil, time.Hour, seconds(1, 2, 4, 8, 15), 1},
		"until then":        {[]string{"B"}, []providers.Variable{a}, nil, 10 * time.Second, seconds(1, 2, 4, 3), 1},
		"no time is left":   {[]string{"B"}, []providers.Variable{a}, nil, 0, nil, 1},
		"that time is over": {[]string{"B"}, []providers.Variable{a}, nil, -time.Second, nil, 1},
	} {
		l := newLagging()
		l.live["acme/web"], l.appears = test.at, test.appears
		g, o := graphOf(newSync("a", "/app", "web")), l.observer()
		r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
		listing, err := r.Await(t.Context(), ref("web", ""), test.keys, begin.Add(test.left))
		if err != nil || len(listing.Variables) != test.listed {
			t.Errorf("%s: listed %v, error %v", name, listing.Variables, err)
		}
		if diff := cmp.Diff(test.sleeps, l.sleeps); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A list that fails is not asked for again, and one that nobody waits for any more
// is an error.
func TestAwaitAConflictFails(t *testing.T) {
	t.Parallel()
	for kind, prepare := range map[providers.Kind]func(l *lagging, cancel func()){
		providers.KindForbidden: func(l *lagging, _ func()) {
			l.errs["variables acme/web"] = &providers.Error{Kind: providers.KindForbidden, Status: 403}
		},
		providers.KindCanceled: func(l *lagging, cancel func()) { l.asleep = cancel },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		l := newLagging()
		g, o := graphOf(newSync("a", "/app", "web")), l.observer()
		r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
		l.made()
		prepare(l, cancel)
		_, err := r.Await(ctx, ref("web", ""), []string{"A"}, begin.Add(time.Hour))
		if calls := l.made(); providers.KindOf(err) != kind || len(calls) != 1 {
			t.Errorf("%s: error %v, calls %q", kind, err, calls)
		}
		cancel()
	}
}
