package applier_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/providers"
)

// While the ledger is slow to note an answer, no more requests are sent than may be in
// flight: a kill repeats what is not noted.
func TestASlowLedgerHoldsRequests(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B", "C", "D")
	s.parallelism = 1
	noted := 0
	s.book.during = func() {
		time.Sleep(5 * time.Millisecond) // in which another request could be sent
		if noted++; len(s.all("create")) > noted {
			t.Errorf("sent before %d answers were noted: %q", noted, s.all("create"))
		}
	}
	s.apply(t.Context(), t)
	if noted != 4 || s.result.Created != 4 {
		t.Errorf("noted %d answers; result %+v", noted, s.result)
	}
}

// A proof that is refused after a wait longer than evidence may be old is a doubt all
// the same, for every destination: it is not asked again and again meanwhile.
func TestAProofThatFailsSlowly(t *testing.T) {
	t.Parallel()
	s := twoPlaces()
	s.before = func() { s.clock.advance(31 * time.Second) }
	slow := fault{err: refusal(429), during: func() { s.clock.advance(40 * time.Second) }}
	s.fail("has dev:/lib ALSO", fault{}, slow, slow, slow, slow, slow)
	s.apply(t.Context(), t)
	held := slices.DeleteFunc(s.told(), func(line string) bool { return !strings.Contains(line, " held ") })
	if sent := s.all("delete"); sent != nil || len(held) != 2 || s.result.Created != 2 {
		t.Errorf("sent %q, held %q, result %+v", sent, held, s.result)
	}
	if asked := s.all("has dev:/lib"); len(asked) != 1 {
		t.Errorf("asked %q, want once before the deletes", asked)
	}
}

// A proof that grows old while another one is waited for, every time, is never had: no
// delete of any destination is sent.
func TestProofsThatAlwaysGrowOld(t *testing.T) {
	t.Parallel()
	s := twoPlaces()
	s.before = func() { s.clock.advance(31 * time.Second) }
	slow := fault{during: func() { s.clock.advance(40 * time.Second) }}
	s.fail("has dev:/lib ALSO", append([]fault{{}}, slices.Repeat([]fault{slow}, 100)...)...)
	s.apply(t.Context(), t)
	for _, line := range s.told() {
		if strings.Contains(line, " held ") && !strings.Contains(line, "grew too old again and again") {
			t.Errorf("told %q", line)
		}
	}
	if sent := s.all("delete"); sent != nil || s.result.Held != 2 {
		t.Errorf("sent %q, result %+v", sent, s.result)
	}
}

// A variable is made readable in two steps. When the time of the second is over it is
// done in the next round, alone; the write is in doubt until then.
func TestTheSecondStepWaits(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", canary+"A")
	s.syncs[0].Options.Unsecured = []config.Located[string]{set("A")}
	stale := &providers.Error{Op: "update variable", Kind: providers.KindStale}
	s.fail("update acme/web A", fault{}, fault{err: stale, during: func() { s.clock.advance(31 * time.Second) }})
	s.apply(t.Context(), t)
	want := []string{"intend A", "update acme/web A", "update acme/web A", "update acme/web A", "settle A written"}
	if diff := cmp.Diff(want, s.all("intend", "update", "settle")); diff != "" {
		t.Error(diff)
	}
	if len(s.sent) != 3 || !s.sent[0].Secured || s.sent[1].Secured || s.sent[2].Secured || s.result.Updated != 1 {
		t.Errorf("sent %+v, result %+v", s.sent, s.result)
	}
}
