package applier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// All intents of a destination are noted in one call, which ends before the
// first request begins.
func TestIntentsComeFirst(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C").variable("B").recorded("C", "{old-C}", "before").variable("C")
	s.apply(t.Context(), t)
	calls := s.all()
	if calls[0] != "intend A B C" || len(s.all("intend")) != 1 {
		t.Errorf("calls %q, want all intents in one call, first", calls)
	}
	source := func(name string) ledger.Source {
		return ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: name, ID: "id-" + name, Version: 1}
	}
	owner := ledger.Owner{Sync: "sync.a"}
	want := []ledger.Intent{
		{Key: "A", Owner: owner, Source: source("A")},
		{Key: "B", Owner: owner, Source: source("B"), UUID: "{old-B}"},
		{Key: "C", Owner: owner, Source: source("C"), UUID: "{old-C}"},
	}
	if diff := cmp.Diff(want, s.book.intents); diff != "" {
		t.Error(diff)
	}
	for _, d := range s.book.noted {
		if diff := cmp.Diff(ledger.Destination{ID: repositoryUUID, RepositoryUUID: repositoryUUID, Workspace: "acme", Repository: "web"}, d); diff != "" {
			t.Error(diff)
		}
	}
}

// Without a durable intent nothing is sent.
func TestNoIntentNoRequest(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B")
	s.book.intendErr = errors.New("disk full")
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"intend A B"}, s.all()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A failed", "B failed"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if err := s.failure(t, "A"); !errors.Is(err, s.book.intendErr) || !strings.HasPrefix(err.Error(), "note the write before sending it: ") {
		t.Errorf("got %v", err)
	}
}

// TestUpdate plays what can become of an update. The client repeats one that got
// no answer by itself, so here it is sent once.
func TestUpdate(t *testing.T) {
	t.Parallel()
	goneAfterALostTry := &providers.Error{Op: "update variable", Kind: providers.KindNotFound, Sent: true}
	limited := &providers.Error{Op: "update variable", Kind: providers.KindRateLimited}
	for name, test := range map[string]struct {
		fault   error
		told    string
		outcome string // "" where the doubt stays
	}{
		"done":                   {nil, "A wrote update", "written"},
		"400":                    {refusal(400), "A failed", "not done"},
		"401":                    {refusal(401), "A failed", "not done"},
		"403":                    {refusal(403), "A failed", "not done"},
		"429":                    {refusal(429), "A failed", "not done"},
		"not sent for the rate":  {limited, "A failed", "not done"},
		"cancelled":              {canceled(), "A skipped", "not done"},
		"cancelled in flight":    {&providers.Error{Kind: providers.KindCanceled, Sent: true}, "A in doubt", ""},
		"404":                    {refusal(404), "A stopped: the variable is gone", "not done"},
		"404 after a lost try":   {goneAfterALostTry, "A in doubt", ""},
		"408":                    {refusal(408), "A in doubt", ""},
		"500":                    {refusal(500), "A in doubt", ""},
		"503":                    {refusal(503), "A in doubt", ""},
		"no answer":              {noAnswer(), "A in doubt", ""},
		"not an error we know":   {errors.New("odd"), "A failed", "not done"},
		"conflict at the update": {refusal(409), "A failed", "not done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage().secrets("A", "B").variable("A")
			if test.fault != nil {
				s.fail("update acme/web A", fault{err: test.fault})
			}
			s.apply(t.Context(), t)
			if diff := cmp.Diff([]string{test.told, "B wrote create"}, s.told()); diff != "" {
				t.Error(diff)
			}
			outcome := ""
			if o, ok := s.book.outcomes["A"]; ok {
				outcome = kindName(o.Kind)
			}
			if outcome != test.outcome {
				t.Errorf("the ledger was told %q, want %q", outcome, test.outcome)
			}
			if n := len(s.all("update")); n != 1 {
				t.Errorf("%d updates, want 1", n)
			}
		})
	}
}

// What the ledger learns of an update: the UUID of the answer, and a fingerprint
// of what was sent.
func TestUpdateIsRecorded(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", canary+"before")
	s.put(app, "A", canary+"now")
	s.apply(t.Context(), t)
	got := s.book.outcomes["A"]
	if !got.Entry.Fingerprint.Equal(testKey.Fingerprint(repositoryUUID, "A", s.folder[app][0].Value)) {
		t.Error("the fingerprint is not that of the value sent")
	}
	want := ledger.Outcome{
		Entry: ledger.Entry{
			Key: "A", Owner: ledger.Owner{Sync: "sync.a"}, UUID: "{old-A}", Secured: true, KeyID: testKey.ID(),
			Source: ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "A", ID: "id-A", Version: 2},
		},
		Write: ledger.Write{At: s.clock.now(), Action: "update", Reason: "source_changed", Version: 2, Run: "ann@host"},
	}
	if diff := cmp.Diff(want, got, noFingerprints); diff != "" {
		t.Error(diff)
	}
}

// The write is done and the ledger cannot say so: told as a doubt, since the next
// run will see one. A refusal that cannot be noted did nothing.
func TestAnOutcomeThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C")
	s.book.settleErr, s.book.settleKey = errors.New("disk full"), "A"
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A in doubt", "B wrote create", "C wrote create"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if err := s.failure(t, "A"); !errors.Is(err, s.book.settleErr) || s.result.Created != 2 || s.result.Failed != 1 || s.result.Taken != 1 {
		t.Errorf("got %v, result %+v", err, s.result)
	}

	refused := newStage().secrets("A")
	refused.book.settleErr = errors.New("disk full")
	refused.fail("create acme/web A", fault{err: refusal(403)})
	err := refused.apply(t.Context(), t).failure(t, "A")
	if providers.KindOf(err) != providers.KindForbidden || !errors.Is(err, refused.book.settleErr) {
		t.Errorf("got %v, want both errors", err)
	}
	if diff := cmp.Diff([]string{"A failed"}, refused.told()); diff != "" || refused.result.Taken != 0 {
		t.Errorf("result %+v %s", refused.result, diff)
	}
}

// An answer that says "not secured" is a failure, and the ledger is told what the
// variable is now.
func TestAnAnswerThatIsNotSecured(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("B").secrets("B")
	s.unsecured = true
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed", "B failed"}, s.told()); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"A", "B"} {
		if o := s.book.outcomes[key]; o.Kind != ledger.Written || o.Entry.Secured {
			t.Errorf("%s: the ledger was told %+v, want a write that is not secured", key, o)
		}
	}
	if s.result.Wrote() != 2 || s.result.Taken != 2 || s.result.Failed != 2 || s.result.Left() != 2 {
		t.Errorf("result %+v: want two failed that were taken all the same", s.result)
	}
}

// Adopting and forgetting change the ledger and send nothing.
func TestChangesOfTheLedgerAlone(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", canary+"A").recorded("GONE", "{gone}", "")
	s.state.Destinations[repositoryUUID].Entries["A"].Owner.Sync = "sync.before"
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"settle A adopted", "settle GONE forgotten"}, s.all()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A recorded adopt", "GONE recorded forget"}, s.told()); diff != "" {
		t.Error(diff)
	}
	want := *s.state.Destinations[repositoryUUID].Entries["A"]
	want.Owner.Sync, want.Source.Version = "sync.a", 1
	got := s.book.outcomes["A"].Entry
	if diff := cmp.Diff(want, got, noFingerprints); diff != "" || !got.Fingerprint.Equal(want.Fingerprint) {
		t.Errorf("adopted with another fingerprint, or: %s", diff)
	}
	if s.result.Adopted != 1 || s.result.Forgotten != 1 || s.result.Wrote() != 0 {
		t.Errorf("result %+v", s.result)
	}

	failing := newStage().recorded("GONE", "{gone}", "").variable("LIVE")
	failing.book.settleErr = errors.New("disk full")
	if err := failing.apply(t.Context(), t).failure(t, "GONE"); !errors.Is(err, failing.book.settleErr) {
		t.Errorf("got %v", err)
	}
}

// When the run ends, the request in flight is carried through and noted; what has
// not begun is left, with its intent taken back, and other destinations are not
// touched.
func TestTheRunEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A", "B", "C")
	s.syncs = append(s.syncs, newSync("b", "/app", "zebra"))
	s.repositories["acme/zebra"] = "{zebra}"
	s.parallelism, s.destinations = 1, 1
	s.always = func(providers.Scope, string) { cancel() }
	s.apply(ctx, t)
	if s.result.Created != 1 || s.result.Skipped != 5 || !s.result.Interrupted {
		t.Errorf("result %+v, want one created and five skipped", s.result)
	}
	if creates, intents := s.all("create"), s.all("intend"); len(creates) != 1 || !slices.Equal(intents, []string{"intend A B C"}) {
		t.Errorf("sent %q, intended %q", creates, intents)
	}
	kinds := map[ledger.OutcomeKind]int{}
	for _, o := range s.book.outcomes {
		kinds[o.Kind]++
	}
	if kinds[ledger.Written] != 1 || kinds[ledger.NotDone] != 2 {
		t.Errorf("outcomes %v, want one written and two intents taken back", kinds)
	}
}

// A run that has ended before, or while evidence is read again, intends nothing.
func TestTheRunEndsEarly(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"before it began": false, "while reading again": true} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newStage().secrets("A").recorded("GONE", "{gone}", "").variable("LIVE")
		s.before = cancel
		if late {
			s.before = func() {
				s.clock.advance(time.Minute)
				s.fail("list "+app, fault{during: cancel})
			}
		}
		s.apply(ctx, t)
		if diff := cmp.Diff([]string{"A skipped", "GONE skipped"}, s.told()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if calls := s.all("intend", "create", "settle"); calls != nil {
			t.Errorf("%s: calls %q, want none", name, calls)
		}
		if !s.result.Interrupted {
			t.Errorf("%s: the result does not say that the run was interrupted", name)
		}
	}
}

// A run that ends between the changes of the ledger and the writes notes its
// intents and takes them back: a ledger that refuses to note them is a failure.
func TestTheRunEndsBeforeTheIntents(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A").recorded("GONE", "{gone}", "").variable("LIVE")
	s.book.during = cancel
	s.apply(ctx, t)
	if diff := cmp.Diff([]string{"settle GONE forgotten", "intend A", "settle A not done"}, s.all()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A skipped", "GONE recorded forget"}, s.told()); diff != "" {
		t.Error(diff)
	}
}

// A key that was skipped in a run that goes on is no interruption of the run.
func TestASkippedKeyIsNoInterruption(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.fail("create acme/web A", fault{err: canceled()})
	if s.apply(t.Context(), t); s.result.Skipped != 1 || s.result.Interrupted {
		t.Errorf("result %+v", s.result)
	}
}

// A run whose last write was in flight when it was told to end has done it all.
func TestNothingLeftIsNoInterruption(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A")
	s.during = func(e applier.Event) {
		if _, wrote := e.(applier.Wrote); wrote {
			cancel()
		}
	}
	if s.apply(ctx, t); s.result.Interrupted || s.result.Created != 1 {
		t.Errorf("result %+v", s.result)
	}
}

// An update whose answer was lost, and that could not be repeated in time, is sent
// again after its evidence was read again: unless the secret or the variable is
// another by then.
func TestALostUpdateComesAgain(t *testing.T) {
	t.Parallel()
	const late = "A in doubt"
	for name, c := range map[string]struct {
		meanwhile func(*stage)
		told      string
		updates   int
	}{
		"as it was":       {func(*stage) {}, "A wrote update", 2},
		"secret changed":  {func(s *stage) { s.put(app, "A", canary+"new") }, late, 1},
		"variable gone":   {func(s *stage) { s.drop(web, "A") }, late, 1},
		"made again":      {func(s *stage) { s.set(web, providers.Variable{UUID: "{other-A}", Key: "A", Secured: true}) }, late, 1},
		"late ever after": {func(s *stage) { s.fail("update acme/web A", lostAndLate(), lostAndLate(), lostAndLate()) }, late, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage().secrets("A", "B").variable("A")
			fault := lostAndLate()
			fault.during = func() {
				s.clock.advance(31 * time.Second)
				c.meanwhile(s)
			}
			s.fail("update acme/web A", fault)
			s.apply(t.Context(), t)
			if told := s.told(); !slices.Contains(told, c.told) {
				t.Errorf("told %q, want %s", told, c.told)
			}
			if n := len(s.all("update")); n != c.updates {
				t.Errorf("%d updates, want %d", n, c.updates)
			}
			if doubts := s.book.doubts(); (c.told == late) != slices.Contains(doubts, "A") {
				t.Errorf("doubts %q", doubts)
			}
		})
	}
}

func lostAndLate() fault { return fault{err: &providers.Error{Kind: providers.KindStale, Sent: true}} }
