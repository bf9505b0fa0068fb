package applier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// TestAgeOfEvidence: what was read at most 30 seconds ago is believed; what is
// older is read again once, before the intents and so before the first write.
func TestAgeOfEvidence(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration][]string{
		0:                               nil,
		30 * time.Second:                nil,
		30*time.Second + 1:              {"list dev:/app", "repository acme/web", "variables acme/web"},
		10*time.Minute + 30*time.Second: {"list dev:/app", "repository acme/web", "variables acme/web"},
	} {
		s := newStage().secrets("A", "B")
		s.before = func() { s.clock.advance(age) }
		s.apply(t.Context(), t)
		calls := s.all()
		reads := len(calls) - len([]string{"intend", "create", "create", "settle", "settle"})
		if reads < 0 {
			t.Fatalf("%v: calls %q", age, calls)
		}
		slices.Sort(calls[:reads])
		if diff := cmp.Diff(want, calls[:reads:reads], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v: %s", age, diff)
		}
		if calls[reads] != "intend A B" || s.result.Created != 2 {
			t.Errorf("%v: after the reads: %q; result %+v", age, calls[reads:], s.result)
		}
	}
}

// A folder that feeds many destinations is read again once, however many of them
// are worked on at a time.
func TestASharedFolderIsReadAgainOnce(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.syncs = nil
	for i := range 12 {
		repository := fmt.Sprintf("r%02d", i)
		s.syncs = append(s.syncs, newSync(repository, "/app", repository))
		s.repositories["acme/"+repository] = "{" + repository + "}"
	}
	s.before = func() { s.clock.advance(time.Minute) }
	s.apply(t.Context(), t)
	listed := s.all("variables")
	slices.Sort(listed)
	if reads := s.all("list"); len(reads) != 1 || len(listed) != 12 || len(slices.Compact(listed)) != 12 {
		t.Errorf("the folder was read %d times and the destinations %q, want each once", len(reads), listed)
	}
	if s.result.Created != 12 {
		t.Errorf("result %+v, want 12 created", s.result)
	}
}

// TestWhatMoved changes one thing about A between plan and apply: A stops, with
// what moved as its reason, and B is written all the same.
func TestWhatMoved(t *testing.T) {
	t.Parallel()
	live := func(uuid string, secured bool) func(*stage) {
		return func(s *stage) {
			v := providers.Variable{UUID: uuid, Key: "A", Secured: secured}
			if !secured {
				v.Value = secret.New(canary + "by hand")
			}
			s.set(web, v)
		}
	}
	changed := func(change func(*providers.Secret)) func(*stage) {
		return func(s *stage) { change(&s.folder[app][0]) }
	}
	gone := func(s *stage) { s.folder[app] = s.folder[app][1:] }
	nothing := func(*stage) {}
	const noLonger = "it is as wanted already, or no longer wanted"
	for name, test := range map[string]struct {
		planned, moved func(*stage)
		want           string
	}{
		"create: a new version":           {nothing, func(s *stage) { s.put(app, "A", canary+"new") }, "the secret changed in dev:/app"},
		"create: another secret":          {nothing, changed(func(v *providers.Secret) { v.ID = "another" }), "the secret changed in dev:/app"},
		"create: the secret is gone":      {nothing, gone, noLonger},
		"create: the value is empty now":  {nothing, changed(func(v *providers.Secret) { v.Value = secret.Value{} }), "it is refused now"},
		"create: the variable appeared":   {nothing, live("{by-hand}", true), "the variable exists now"},
		"create: it appeared readable":    {nothing, live("{by-hand}", false), "the variable exists now"},
		"update: a new version":           {live("{old-A}", true), func(s *stage) { s.put(app, "A", canary+"new") }, "the secret changed in dev:/app"},
		"update: the variable is gone":    {live("{old-A}", true), func(s *stage) { s.drop(web, "A") }, "the variable is gone"},
		"update: made again":              {live("{old-A}", true), live("{by-hand}", true), "the variable was made again"},
		"update: secured by hand":         {live("{old-A}", false), live("{old-A}", true), "the variable was changed"},
		"update: made readable by hand":   {live("{old-A}", true), live("{old-A}", false), "the variable was changed"},
		"update: the secret is gone":      {live("{old-A}", true), gone, noLonger},
		"update: both ends":               {live("{old-A}", true), func(s *stage) { s.drop(web, "A"); s.put(app, "A", canary) }, "the variable is gone; the secret changed in dev:/app"},
		"create: a twin by case appeared": {nothing, func(s *stage) { s.variable("a") }, "it is refused now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage().secrets("A", "B")
			test.planned(s)
			s.before = func() { test.moved(s); s.clock.advance(time.Minute) }
			s.apply(t.Context(), t)
			if diff := cmp.Diff([]string{"A stopped: " + test.want, "B wrote create"}, s.told()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"intend B", "create acme/web B", "settle B written"}, s.all("intend", "create", "update", "settle")); diff != "" {
				t.Error(diff)
			}
			if s.result.Stopped != 1 || s.result.Created != 1 || s.result.Left() != 1 {
				t.Errorf("result %+v", s.result)
			}
		})
	}
}

// Inside the 30 seconds a move that no request shows is not looked for.
func TestFreshEvidenceIsBelieved(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.before = func() { s.put(app, "A", canary+"new"); s.clock.advance(30 * time.Second) }
	s.apply(t.Context(), t)
	if s.result.Created != 1 || s.book.outcomes["A"].Entry.Source.Version != 1 {
		t.Errorf("result %+v, ledger %+v: want version 1 written", s.result, s.book.outcomes["A"].Entry.Source)
	}
}

// A folder that cannot be read again stops the keys that come from it, with the
// error of the read; another folder's keys are written.
func TestAFolderUnreadableNow(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.put("dev:/other", "B", canary)
	s.syncs = append(s.syncs, newSync("b", "/other", "web"))
	s.before = func() {
		s.clock.advance(time.Minute)
		s.fail("list "+app, fault{err: refusal(403)})
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed", "B wrote create"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if err := s.failure(t, "A"); providers.KindOf(err) != providers.KindForbidden || !strings.HasPrefix(err.Error(), "read again before writing: ") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"intend B"}, s.all("intend")); diff != "" {
		t.Error(diff)
	}
}

// A destination that cannot be read again is not written, nor is the ledger.
func TestADestinationUnreadableNow(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "B").recorded("GONE", "{gone}", "").variable("LIVE")
	// A listing that failed shows nothing, and proves nothing gone.
	s.state.Destinations[repositoryUUID].Entries["GONE"].Owner.Sync = "sync.left"
	s.before = func() {
		s.clock.advance(time.Minute)
		s.fail("variables acme/web", fault{err: refusal(503)})
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A failed", "B failed", "GONE failed"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if calls := s.all("intend", "create", "update", "settle"); calls != nil {
		t.Errorf("calls %q, want none", calls)
	}
}

// A change of the ledger alone holds although the sync it is shown under could
// not be read: it rests on the listing of the destination only.
func TestForgetUnderASyncThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{0, time.Minute} {
		s := newStage().recorded("GONE", "{gone}", "").variable("LIVE")
		s.state.Destinations[repositoryUUID].Entries["GONE"].Owner.Sync = "sync.left"
		s.fail("list "+app, fault{err: refusal(403)}, fault{err: refusal(403)})
		s.before = func() { s.clock.advance(age) }
		s.apply(t.Context(), t)
		if diff := cmp.Diff([]string{"GONE recorded forget"}, s.told()); diff != "" {
			t.Errorf("after %v: %s", age, diff)
		}
	}
}

// Two spellings of one environment are one destination: one list, one record of
// intents.
func TestTwoSpellingsOfOneDestination(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.put("dev:/other", "B", canary)
	s.environments[web] = []providers.Environment{{UUID: stagingUUID, Name: "Staging", Slug: "staging"}}
	s.syncs = append(s.syncs[:0], newSync("a", "/app", "web/Staging"), newSync("b", "/other", "web/"+stagingUUID))
	s.before = func() { s.clock.advance(time.Minute) }
	s.apply(t.Context(), t)
	calls := s.all()
	if diff := cmp.Diff([]string{"intend A B"}, s.all("intend")); diff != "" {
		t.Error(diff)
	}
	if n := len(s.all("variables")); n != 1 {
		t.Errorf("one place was listed %d times: %q", n, calls)
	}
	if s.result.Created != 2 || len(s.live[web+" "+stagingUUID]) != 2 {
		t.Errorf("result %+v, live %v", s.result, s.live)
	}
	for _, e := range s.events {
		if wrote, ok := e.(applier.Wrote); ok && wrote.Destination.String() != "acme/web (Staging)" {
			t.Errorf("told as %s", wrote.Destination)
		}
	}
	if got := s.book.noted[0]; got.ID != repositoryUUID+"/"+stagingUUID || got.Environment != "Staging" || got.EnvironmentUUID != stagingUUID {
		t.Errorf("the ledger noted %+v", got)
	}
}
