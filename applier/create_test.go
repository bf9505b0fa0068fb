package applier_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// TestCreate plays what can become of a create: the calls it leads to, what is
// told, and what the ledger is told. Its outcome is "" where the doubt stays.
func TestCreate(t *testing.T) {
	t.Parallel()
	const (
		created = "A wrote create"
		doubt   = "A in doubt"
		failed  = "A failed"
		foreign = "A stopped: the variable exists now, and this run did not create it"
		hidden  = "A stopped: Bitbucket says that the variable exists, and does not list it"
	)
	creates := func(faults ...fault) func(*stage) {
		return func(s *stage) { s.fail("create acme/web A", faults...) }
	}
	updates := func(faults ...fault) func(*stage) {
		return func(s *stage) { s.fail("update acme/web A", faults...) }
	}
	// Only the listings of the apply fail: the plan's own has been made.
	listings := func(faults ...fault) func(*stage) {
		return func(s *stage) { s.before = func() { s.fail("variables acme/web", faults...) } }
	}
	appears := func(uuid string) func(*stage) {
		return func(s *stage) {
			s.before = func() { s.set(web, providers.Variable{UUID: uuid, Key: "A", Secured: true}) }
		}
	}
	known := func(s *stage) { s.recorded("A", "{old-A}", "before") }
	rolled := func(s *stage) { s.state.Rolled = true }
	// The listing that shows nothing lagged: the second try meets the variable.
	lags := func(s *stage) {
		s.fail("create acme/web A", fault{err: noAnswer()}, fault{during: func() {
			s.set(web, providers.Variable{UUID: "{new-A}", Key: "A", Secured: true})
		}})
	}
	// The variable that a conflict speaks of is on the third list after the plan's.
	listedLate := func(uuid string) func(*stage) {
		return func(s *stage) {
			s.before = func() {
				s.fail("variables acme/web", fault{}, fault{}, fault{during: func() {
					s.set(web, providers.Variable{UUID: uuid, Key: "A", Secured: true})
				}})
			}
		}
	}
	lost, effect := fault{err: noAnswer()}, fault{err: noAnswer(), effect: true}
	late := fault{err: &providers.Error{Op: "write variable", Kind: providers.KindStale}}
	refused := func(status int) fault { return fault{err: refusal(status)} }

	for name, test := range map[string]struct {
		setup   []func(*stage)
		calls   string // c: create, l: list, u: update
		told    string
		outcome string
	}{
		"done":                                  {nil, "c", created, "written"},
		"refused":                               {[]func(*stage){creates(refused(400))}, "c", failed, "not done"},
		"refused for the rate":                  {[]func(*stage){creates(refused(429))}, "c", failed, "not done"},
		"ended before it was sent":              {[]func(*stage){creates(fault{err: canceled()})}, "c", "A skipped", "not done"},
		"conflict with a foreign variable":      {[]func(*stage){appears("{foreign}")}, "cl", foreign, "not done"},
		"conflict with another UUID":            {[]func(*stage){known, appears("{foreign}")}, "cl", foreign, "not done"},
		"conflict with our own":                 {[]func(*stage){known, appears("{old-A}")}, "clu", created, "written"},
		"conflict with our own, PUT refused":    {[]func(*stage){known, appears("{old-A}"), updates(refused(403))}, "clu", failed, "not done"},
		"conflict with our own, PUT lost":       {[]func(*stage){known, appears("{old-A}"), updates(lost, lost)}, "clulu", doubt, ""},
		"conflict with our own, gone meanwhile": {[]func(*stage){known, appears("{old-A}"), updates(refused(404))}, "clu", "A stopped: the variable is gone", "not done"},
		"conflict with our own, PUTs conflict":  {[]func(*stage){known, appears("{old-A}"), updates(refused(409), refused(409))}, "clulu", failed, "not done"},
		"conflict, the ledger is not believed":  {[]func(*stage){known, rolled, appears("{old-A}")}, "cl", foreign, "not done"},
		"conflict, not listed":                  {[]func(*stage){creates(refused(409))}, "cllllll", hidden, "not done"},
		"conflict, a foreign one, listed late":  {[]func(*stage){creates(refused(409)), listedLate("{foreign}")}, "clll", foreign, "not done"},
		"conflict with our own, listed late":    {[]func(*stage){known, creates(refused(409)), listedLate("{old-A}")}, "clllu", created, "written"},
		"conflict, the second list fails":       {[]func(*stage){creates(refused(409)), listings(fault{}, refused(503))}, "cll", failed, "not done"},
		"conflict with our own, PUT too late":   {[]func(*stage){known, appears("{old-A}"), updates(late)}, "cluclu", created, "written"},
		"its evidence grew too old":             {[]func(*stage){creates(late)}, "cc", created, "written"},
		"conflict, listing fails":               {[]func(*stage){creates(refused(409)), listings(refused(403))}, "cl", failed, "not done"},

		"lost after the effect":           {[]func(*stage){creates(effect)}, "clu", created, "written"},
		"server fault after the effect":   {[]func(*stage){creates(fault{err: refusal(500), effect: true})}, "clu", created, "written"},
		"time-out after the effect":       {[]func(*stage){creates(fault{err: refusal(408), effect: true})}, "clu", created, "written"},
		"lost before the effect":          {[]func(*stage){creates(lost)}, "clc", created, "written"},
		"lost, listing lags":              {[]func(*stage){lags}, "clclu", created, "written"},
		"lost, conflict, never listed":    {[]func(*stage){creates(lost, refused(409))}, "clcllllll", doubt, ""},
		"lost, conflict, listed late":     {[]func(*stage){creates(lost, refused(409)), listedLate("{new-A}")}, "clcllu", created, "written"},
		"lost, second try too late":       {[]func(*stage){creates(lost, late)}, "clclc", created, "written"},
		"lost, listed, PUT too late":      {[]func(*stage){creates(effect), updates(late)}, "clulu", created, "written"},
		"lost, always too late":           {[]func(*stage){creates(lost, late, late, late, late)}, "clclclc", doubt, ""},
		"lost twice":                      {[]func(*stage){creates(lost, lost)}, "clc", doubt, ""},
		"lost, second try cancelled":      {[]func(*stage){creates(lost, fault{err: canceled()})}, "clc", doubt, ""},
		"lost, second try refused":        {[]func(*stage){creates(lost, refused(400))}, "clc", doubt, ""},
		"lost, second try over the rate":  {[]func(*stage){creates(lost, refused(429))}, "clc", doubt, ""},
		"lost, listing fails":             {[]func(*stage){creates(effect), listings(refused(403))}, "cl", doubt, ""},
		"lost, conflict, listing fails":   {[]func(*stage){creates(lost, refused(409)), listings(fault{}, refused(403))}, "clcl", doubt, ""},
		"lost, listed, PUT lost":          {[]func(*stage){creates(effect), updates(lost)}, "clu", doubt, ""},
		"lost, listed, PUT refused":       {[]func(*stage){creates(effect), updates(refused(403))}, "clu", doubt, ""},
		"lost, listed, PUT cancelled":     {[]func(*stage){creates(effect), updates(fault{err: canceled()})}, "clu", doubt, ""},
		"lost, listed, gone at the PUT":   {[]func(*stage){creates(effect), updates(refused(404))}, "clu", doubt, ""},
		"lost, listing lags, PUT refused": {[]func(*stage){lags, updates(refused(403))}, "clclu", doubt, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage().secrets("A")
			for _, do := range test.setup {
				do(s)
			}
			s.apply(t.Context(), t)
			var calls strings.Builder
			for _, line := range s.all("create", "variables", "update") {
				calls.WriteString(map[string]string{"create": "c", "variables": "l", "update": "u"}[strings.Fields(line)[0]])
			}
			outcome := ""
			if o, ok := s.book.outcomes["A"]; ok {
				outcome = kindName(o.Kind)
			}
			got := []string{calls.String(), strings.Join(s.told(), ", "), outcome}
			if want := []string{test.calls, test.told, test.outcome}; !slices.Equal(got, want) {
				t.Errorf("calls, told, outcome:\n got %q\nwant %q", got, want)
			}
			if test.outcome == "" && !slices.Equal(s.book.doubts(), []string{"A"}) {
				t.Errorf("the ledger has no doubt about A")
			}
			if test.outcome == "written" && s.book.outcomes["A"].Entry.UUID != s.live[web][0].UUID {
				t.Errorf("the ledger has UUID %s, and the variable %s", s.book.outcomes["A"].Entry.UUID, s.live[web][0].UUID)
			}
		})
	}
}

// A conflict at one key of a destination lists the destination; so do the
// conflicts of a hundred.
func TestConflictsAreSettledByOneListing(t *testing.T) {
	t.Parallel()
	s := newStage()
	var want []string
	for i := range 20 {
		key := fmt.Sprintf("K%02d", i)
		s.secrets(key).recorded(key, "{old-"+key+"}", "before")
		want = append(want, key+" wrote create")
	}
	s.before = func() {
		for i := range 20 {
			s.variable(fmt.Sprintf("K%02d", i))
		}
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff(want, s.told()); diff != "" {
		t.Error(diff)
	}
	if listed := s.all("variables"); len(listed) != 1 {
		t.Errorf("the destination was listed %d times, want once for all conflicts", len(listed))
	}
}

// A list that lacks what a conflict has shown is asked for with growing pauses, as
// long as the evidence lasts that a write could rest on, and 30 s at most.
func TestConflictsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]int{0: 6, 20 * time.Second: 5, 29 * time.Second: 2, 30 * time.Second: 1} {
		s := newStage().secrets("A", "B")
		s.fail("create acme/web A", fault{err: refusal(409)})
		s.fail("create acme/web B", fault{err: refusal(409)})
		s.before = func() { s.clock.advance(age) }
		s.apply(t.Context(), t)
		if listed := s.all("variables"); len(listed) != want || s.result.Stopped != 2 {
			t.Errorf("after %v: listed %d times for both keys, want %d; result %+v", age, len(listed), want, s.result)
		}
		if waited := s.clock.now().Sub(newStage().clock.now()); waited != 30*time.Second {
			t.Errorf("after %v: gave up %v after the reads", age, waited)
		}
	}
}

// A run that ends while a list is waited for sends nothing more.
func TestWaitingForAConflictEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A")
	s.fail("create acme/web A", fault{err: refusal(409)})
	s.before = func() { s.fail("variables acme/web", fault{during: cancel}) }
	s.apply(ctx, t)
	if diff := cmp.Diff([]string{"intend A", "create acme/web A", "variables acme/web", "settle A not done"}, s.all()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A skipped"}, s.told()); diff != "" {
		t.Error(diff)
	}
}

// A create whose answer is lost while the run ends stays in doubt: nothing more is
// sent, since what a listing shows could not be acted on.
func TestALostCreateWhileTheRunEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A")
	s.fail("create acme/web A", fault{err: noAnswer(), effect: true, during: cancel})
	s.apply(ctx, t)
	if diff := cmp.Diff([]string{"intend A", "create acme/web A"}, s.all()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A in doubt"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A"}, s.book.doubts()); diff != "" {
		t.Error(diff)
	}
}

// The error of a doubt names the destination and stays a doubt, whatever the
// last try ended with.
func TestADoubtSaysWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]fault{
		"refused":   {{err: noAnswer()}, {err: refusal(403)}},
		"cancelled": {{err: noAnswer()}, {err: canceled()}},
	} {
		s := newStage().secrets("A")
		s.fail("create acme/web A", faults...)
		err := s.apply(t.Context(), t).failure(t, "A")
		if !providers.InDoubt(err) || !strings.Contains(err.Error(), web) || !strings.Contains(err.Error(), "the answer was lost") {
			t.Errorf("%s: got %v, want a doubt about %s", name, err, web)
		}
	}
}

// What the ledger learns of a create.
func TestCreateIsRecorded(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").apply(t.Context(), t)
	got := s.book.outcomes["A"]
	if !got.Entry.Fingerprint.Equal(testKey.Fingerprint(repositoryUUID, "A", s.folder[app][0].Value)) {
		t.Error("the fingerprint is not that of the value sent")
	}
	want := ledger.Outcome{
		Kind: ledger.Written,
		Entry: ledger.Entry{
			Key: "A", Owner: ledger.Owner{Sync: "sync.a"}, UUID: "{new-A}", Secured: true, KeyID: testKey.ID(),
			Source: ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "A", ID: "id-A", Version: 1},
		},
		Write: ledger.Write{At: s.clock.now(), Action: "create", Reason: "missing", Version: 1, Run: "ann@host"},
	}
	if diff := cmp.Diff(want, got, noFingerprints); diff != "" {
		t.Error(diff)
	}
}

// noFingerprints leaves fingerprints out of a comparison.
var noFingerprints = cmpopts.IgnoreFields(ledger.Entry{}, "Fingerprint")
