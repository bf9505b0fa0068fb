package applier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
)

// A conflict is settled by a listing. Where that fails, whatever it fails with,
// nothing is ours: the variable is left alone.
func TestAConflictThatCannotBeListed(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"a page of a proxy": &providers.Error{Op: "list variables", Kind: providers.KindForeign, Status: 200, Sent: true},
		"a fault":           refusal(503),
		"no answer":         noAnswer(),
	} {
		s := newStage().secrets("A", "B")
		s.before = func() { s.variable("A") }
		s.fail("variables acme/web", fault{}, fault{err: err}) // the plan's, then the one that settles
		s.apply(t.Context(), t)
		if diff := cmp.Diff([]string{"A failed", "B wrote create"}, s.told()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if updates := s.all("update"); len(updates) > 0 {
			t.Errorf("%s: somebody else's variable was set: %q", name, updates)
		}
		if o := s.book.outcomes["A"]; len(s.book.doubts()) > 0 {
			t.Errorf("%s: the refused create is left in doubt: %+v", name, o)
		}
	}
}

// While a question was open, the repository's name went to another repository:
// nothing is written there.
func TestANameThatWentToAnotherRepository(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B").variable("B")
	s.before = func() {
		s.clock.advance(time.Hour)
		s.drop(web, "B")
		s.repositories[web] = "{another}"
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed", "B failed"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if writes := s.all("create", "update", "intend"); len(writes) > 0 {
		t.Errorf("written to another repository: %q", writes)
	}
}

// A write that a service made wait until its evidence was too old is not sent: the
// evidence is read again first, and what moved stops.
func TestAWriteThatWaitedTooLong(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C")
	s.parallelism = 1
	stale := &providers.Error{Op: "create variable", Kind: providers.KindStale}
	s.fail("create acme/web A", fault{err: stale, during: func() {
		s.clock.advance(31 * time.Second)
		s.put(app, "B", canary+"new")
	}})
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A wrote create", "B stopped: the secret changed in dev:/app", "C wrote create"}, sorted(s.told())); diff != "" {
		t.Error(diff)
	}
	calls := s.all()
	read := slices.Index(calls, "list dev:/app")
	for _, write := range []string{"create acme/web A", "create acme/web C"} {
		if last := lastIndex(calls, write); read < 0 || last < read {
			t.Errorf("%s was sent before the evidence was read again: %q", write, calls)
		}
	}
	if slices.Contains(calls, "create acme/web B") || len(s.book.doubts()) > 0 {
		t.Errorf("calls %q, doubts %q", calls, s.book.doubts())
	}
	if s.plan.Summary().Writes() != 3 || s.result.Created != 2 || s.result.Stopped != 1 {
		t.Errorf("result %+v", s.result)
	}
}

// A service that makes every write wait that long ends the run, not never.
func TestWritesThatAlwaysWaitTooLong(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	stale := fault{err: &providers.Error{Op: "create variable", Kind: providers.KindStale}}
	for range 100 {
		s.fail("create acme/web A", stale)
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed"}, s.told()); diff != "" || s.result.Failed != 1 {
		t.Errorf("result %+v %s", s.result, diff)
	}
}

// A write that was not sent in time has no intent left when it is tried again, and
// its second intent is noted before its second request.
func TestAnIntentIsTakenBackBetweenRounds(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("B").secrets("B")
	stale := &providers.Error{Op: "update variable", Kind: providers.KindStale}
	s.fail("update acme/web B", fault{err: stale, during: func() { s.clock.advance(31 * time.Second) }})
	s.parallelism = 1
	s.apply(t.Context(), t)
	want := []string{
		"intend A B", "create acme/web A", "settle A written", "update acme/web B", "settle B not done",
		"intend B", "update acme/web B", "settle B written",
	}
	if diff := cmp.Diff(want, s.all("intend", "create", "update", "settle")); diff != "" {
		t.Error(diff)
	}
	if s.result.Created != 1 || s.result.Updated != 1 {
		t.Errorf("result %+v", s.result)
	}
}

// Where the ledger cannot take the intent back, the key fails and is not tried
// again: the next run finds a write in doubt.
func TestAnIntentThatCannotBeTakenBack(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B")
	s.book.settleErr, s.book.settleKey = errors.New("disk full"), "A"
	s.fail("create acme/web A", fault{err: &providers.Error{Op: "create variable", Kind: providers.KindStale}})
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed", "B wrote create"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if err := s.failure(t, "A"); !errors.Is(err, s.book.settleErr) || !strings.HasPrefix(err.Error(), "it was not sent, but the ledger could not note it: ") {
		t.Errorf("got %v", err)
	}
	if creates := s.all("create acme/web A"); len(creates) != 1 || s.result.Taken != 0 {
		t.Errorf("sent %q, result %+v", creates, s.result)
	}
	if diff := cmp.Diff([]string{"A"}, s.book.doubts()); diff != "" {
		t.Error(diff)
	}
}

// A run that ends between two rounds leaves what was not sent, with nothing in
// doubt.
func TestTheRunEndsBetweenRounds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage().secrets("A", "B")
	s.parallelism = 1
	s.fail("create acme/web B", fault{
		err:    &providers.Error{Op: "create variable", Kind: providers.KindStale},
		during: func() { s.clock.advance(31 * time.Second); cancel() },
	})
	s.apply(ctx, t)
	if diff := cmp.Diff([]string{"A wrote create", "B skipped"}, s.told()); diff != "" {
		t.Error(diff)
	}
	want := []string{"intend A B", "create acme/web A", "settle A written", "create acme/web B", "settle B not done"}
	if diff := cmp.Diff(want, s.all()); diff != "" || !s.result.Interrupted {
		t.Errorf("result %+v %s", s.result, diff)
	}
}

// What was not sent in time is read again twenty times, and not more: then the key
// fails, with nothing in doubt, and is not said to have been taken.
func TestRoundsAreBounded(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	for range 100 {
		s.fail("create acme/web A", fault{
			err:    &providers.Error{Op: "create variable", Kind: providers.KindStale},
			during: func() { s.clock.advance(31 * time.Second) },
		})
	}
	s.apply(t.Context(), t)
	if reads, tries := s.all("list"), s.all("create"); len(tries) != 20 || len(reads) != 19 {
		t.Errorf("tried %d times and read again %d times", len(tries), len(reads))
	}
	if err := s.failure(t, "A"); !strings.Contains(err.Error(), "too old again and again") {
		t.Errorf("got %v", err)
	}
	if s.result.Failed != 1 || s.result.Taken != 0 || s.result.Wrote() != 0 || len(s.book.doubts()) > 0 {
		t.Errorf("result %+v, doubts %q", s.result, s.book.doubts())
	}
}

// Every write is sent with the time at which its evidence has grown too old: 30 s
// after the oldest read that it rests on, whether that was the plan's or a later one.
func TestWritesCarryTheirTime(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{0: 30 * time.Second, 20 * time.Second: 30 * time.Second, time.Minute: 90 * time.Second} {
		s := newStage().secrets("A", "B", "C").variable("B")
		s.fail("create acme/web C", fault{err: noAnswer()}) // and is created again
		begun := s.clock.now()
		s.before = func() { s.clock.advance(age) }
		s.apply(t.Context(), t)
		if len(s.sent) != 4 {
			t.Errorf("after %v: %d writes", age, len(s.sent))
		}
		for _, a := range s.sent {
			if got := a.NotAfter.Sub(begun); got != want {
				t.Errorf("after %v: %s may be sent until %v after the first read, want %v", age, a.Key, got, want)
			}
		}
	}
}

// Two connections are two accounts: each key is written through the one that its
// sync names.
func TestTheConnectionOfTheSyncWrites(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	other := newService(s.journal, s.clock.now)
	s.other = other
	b := newSync("b", "/other", "zebra")
	b.Destination.Connection = "c"
	s.put("dev:/other", "B", canary)
	s.syncs = append(s.syncs, b)
	other.repositories["acme/zebra"] = "{zebra}"
	s.apply(t.Context(), t)
	if len(s.live[web]) != 1 || len(s.live["acme/zebra"]) != 0 || len(other.live["acme/zebra"]) != 1 || len(other.live[web]) != 0 {
		t.Errorf("one account wrote %v and the other %v", s.live, other.live)
	}
	if s.result.Created != 2 {
		t.Errorf("result %+v", s.result)
	}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func lastIndex(list []string, want string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == want {
			return i
		}
	}
	return -1
}
