package applier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// leaving has the secret A to create, and GONE owned and to be deleted.
func leaving() *stage {
	return newStage().secrets("A").variable("GONE").recorded("GONE", "{old-GONE}", "x")
}

// twoPlaces is leaving, with sync.b from dev:/lib to acme/zebra, where ALSO is to be
// deleted.
func twoPlaces() *stage {
	s := leaving()
	s.syncs = append(s.syncs, newSync("b", "/lib", "zebra"))
	s.repositories["acme/zebra"] = "{zebra}"
	s.put("dev:/lib", "LIB", canary+"LIB")
	s.set("acme/zebra", providers.Variable{UUID: "{old-ALSO}", Key: "ALSO", Secured: true})
	e := *s.state.Destinations[repositoryUUID].Entries["GONE"]
	e.Key, e.UUID, e.Owner.Sync = "ALSO", "{old-ALSO}", "sync.b"
	e.Source.Path, e.Source.Name, e.Source.ID = "/lib", "ALSO", "id-ALSO"
	s.state.Destinations["{zebra}"] = &ledger.Destination{
		ID: "{zebra}", RepositoryUUID: "{zebra}", Workspace: "acme", Repository: "zebra", Entries: map[string]*ledger.Entry{"ALSO": &e},
	}
	return s
}

// TestDelete: what can become of a delete, which is sent when the write before it is
// done, and what the ledger is told.
func TestDelete(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults  []fault
		told    string
		outcome string // "" where the doubt stays
		calls   int
	}{
		"answered":              {nil, "GONE wrote delete", "forgotten", 1},
		"refused":               {[]fault{{err: refusal(403)}}, "GONE failed", "not done", 1},
		"refused for the rate":  {[]fault{{err: refusal(429)}}, "GONE failed", "not done", 1},
		"lost":                  {[]fault{{err: noAnswer()}}, "GONE in doubt", "", 1},
		"lost after the effect": {[]fault{{err: noAnswer(), effect: true}}, "GONE in doubt", "", 1},
		"ended before":          {[]fault{{err: canceled()}}, "GONE skipped", "not done", 1},
		"its evidence grew old": {[]fault{{err: &providers.Error{Kind: providers.KindStale}}}, "GONE wrote delete", "forgotten", 2},
		"lost, and too late":    {[]fault{lostAndLate()}, "GONE wrote delete", "forgotten", 2},
		"always too late":       {[]fault{lostAndLate(), lostAndLate(), lostAndLate()}, "GONE in doubt", "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := leaving()
			s.fail("delete acme/web GONE", test.faults...)
			s.apply(t.Context(), t)
			if got := strings.Join(s.told(), ", "); got != "A wrote create, "+test.told {
				t.Errorf("told %q", got)
			}
			outcome := ""
			if o, ok := s.book.outcomes["GONE"]; ok {
				outcome = kindName(o.Kind)
			}
			if outcome != test.outcome || len(s.all("delete")) != test.calls {
				t.Errorf("outcome %q after %q", outcome, s.all())
			}
			if doubts := s.book.doubts(); slices.Contains(doubts, "GONE") != (test.outcome == "") {
				t.Errorf("doubts %q", doubts)
			}
			if deleted := test.outcome == "forgotten"; deleted != (s.result.Deleted == 1) || s.result.Created != 1 || deleted != (s.result.Left() == 0) {
				t.Errorf("result %+v", s.result)
			}
			before, _, _ := strings.Cut(strings.Join(s.all("intend", "create", "settle A", "delete"), "; "), "; delete")
			if before != "intend A; create acme/web A; settle A written; intend GONE" {
				t.Errorf("before the delete: %q", before)
			}
		})
	}
}

// Whatever goes wrong among the writes, anywhere, no delete is sent: each is told of
// with what went wrong.
func TestTheBarrier(t *testing.T) {
	t.Parallel()
	failing := func(call string, f fault) func(*stage) { return func(s *stage) { s.fail(call, f) } }
	for name, test := range map[string]struct {
		setup func(*stage)
		why   string
	}{
		"a create is refused":       {failing("create acme/web A", fault{err: refusal(403)}), "A of sync.a failed"},
		"a create is lost for good": {func(s *stage) { s.fail("create acme/web A", fault{err: noAnswer()}, fault{err: noAnswer()}) }, "A of sync.a failed"},
		"one elsewhere":             {failing("create acme/zebra LIB", fault{err: refusal(400)}), "LIB of sync.b failed"},
		"a key moves":               {func(s *stage) { s.before = func() { s.clock.advance(31 * time.Second); s.put(app, "A", "new") } }, "A of sync.a moved while kmsync was at work"},
		"a list is doubted when it is read again": {func(s *stage) {
			s.before = func() {
				s.clock.advance(31 * time.Second)
				s.doubts = map[string][]providers.Doubt{"acme/web": {{Detail: "A page is missing."}}}
			}
		}, "A page is missing"},
		"the ledger cannot be written":  {func(s *stage) { s.book.settleErr, s.book.settleKey = errors.New("disk full"), "A" }, "A of sync.a failed"},
		"an intent cannot be noted":     {func(s *stage) { s.book.intendErr = errors.New("disk full") }, " failed"},
		"Bitbucket does not secure one": {func(s *stage) { s.unsecured = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twoPlaces()
			test.setup(s)
			s.apply(t.Context(), t)
			if sent := s.all("delete"); sent != nil {
				t.Errorf("sent %q", sent)
			}
			held := slices.DeleteFunc(s.told(), func(line string) bool { return !strings.Contains(line, " held ") })
			for _, line := range held {
				if !strings.Contains(line, test.why) {
					t.Errorf("told %q", line)
				}
			}
			if len(held) != 2 || s.result.Held != 2 || s.result.Deleted != 0 {
				t.Errorf("held %q, result %+v", held, s.result)
			}
		})
	}
}

// The deletes of all destinations come after the writes of all.
func TestDeletesComeLast(t *testing.T) {
	t.Parallel()
	s := twoPlaces()
	s.apply(t.Context(), t)
	calls := s.all("create", "delete")
	if len(calls) != 4 || !strings.HasPrefix(calls[0], "create") || !strings.HasPrefix(calls[1], "create") {
		t.Errorf("calls %q", calls)
	}
	if s.result.Deleted != 2 || s.result.Left() != 0 {
		t.Errorf("result %+v", s.result)
	}
}

// A delete that fails stops no other.
func TestADeleteThatFails(t *testing.T) {
	t.Parallel()
	s := twoPlaces()
	s.fail("delete acme/web GONE", fault{err: refusal(403)})
	s.apply(t.Context(), t)
	if s.result.Deleted != 1 || s.result.Failed != 1 || s.result.Held != 0 {
		t.Errorf("result %+v", s.result)
	}
}

// TestWhatADeleteRestsOn is asked and read again where it is older than 30 seconds, and
// what it says then counts.
func TestWhatADeleteRestsOn(t *testing.T) {
	t.Parallel()
	const deleted = "ALSO wrote delete, GONE wrote delete"
	for name, test := range map[string]struct {
		meanwhile func(*stage)
		told      string
	}{
		"nothing": {func(*stage) {}, deleted},
		"the secret is back": {
			func(s *stage) { s.put(app, "GONE", canary) },
			"ALSO wrote delete, GONE stopped: it is wanted again",
		},
		"the variable was made again": {
			func(s *stage) { s.set(web, providers.Variable{UUID: "{other}", Key: "GONE", Secured: true}) },
			"ALSO wrote delete, GONE stopped: the variable was made again",
		},
		"the variable is gone": {func(s *stage) { s.drop(web, "GONE") }, deleted},
		"the secret may not be asked for": {
			func(s *stage) { s.fail("has dev:/app GONE", fault{err: refusal(403)}) },
			"ALSO held by doubt: Whether GONE of dev:/app is gone is not proven",
		},
		"its folder cannot be read":    {func(s *stage) { s.fail("list dev:/app", fault{err: refusal(503)}) }, "ALSO held by doubt: "},
		"the other's folder is empty":  {func(s *stage) { s.folder["dev:/lib"] = nil }, "ALSO held by doubt: dev:/lib holds no secret"},
		"a destination cannot be read": {func(s *stage) { s.fail("variables acme/zebra", fault{err: refusal(403)}) }, "ALSO held by doubt: "},
		"a key is refused now":         {func(s *stage) { s.put(app, "BAD-NAME", "x") }, "ALSO wrote delete, GONE held by refused_key: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twoPlaces()
			passed := false
			s.book.during = func() { // when the last write is noted, time passes
				if !passed && len(s.all("settle A", "settle LIB")) == 2 {
					passed = true
					s.clock.advance(31 * time.Second)
					test.meanwhile(s)
					s.reset()
				}
			}
			s.parallelism, s.destinations = 1, 1
			s.apply(t.Context(), t)
			told := slices.DeleteFunc(s.told(), func(line string) bool { return strings.Contains(line, "create") })
			if got := strings.Join(told, ", "); !strings.HasPrefix(got, test.told) {
				t.Errorf("told %q, want %q", got, test.told)
			}
			if strings.Contains(test.told, "held by doubt") && s.all("delete") != nil {
				t.Errorf("deleted before all was proven: %q", s.all("delete"))
			}
			if calls := s.all("has dev:/app GONE", "list dev:/app", "variables acme/web"); name == "nothing" && len(calls) != 3 {
				t.Errorf("read again: %q", calls)
			}
		})
	}
}

// Evidence that is fresh is not asked for again.
func TestFreshEvidenceOfDeletes(t *testing.T) {
	t.Parallel()
	s := leaving()
	s.before = func() { s.clock.advance(29 * time.Second) }
	s.apply(t.Context(), t)
	if calls := s.all("has", "list", "variables"); calls != nil || s.result.Deleted != 1 {
		t.Errorf("calls %q, result %+v", calls, s.result)
	}
}

// A run that ends deletes nothing more.
func TestTheRunEndsBeforeTheDeletes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := leaving()
	s.book.during = func() { // when the write is noted
		if len(s.all("settle A")) == 1 {
			cancel()
		}
	}
	s.apply(ctx, t)
	if diff := cmp.Diff([]string{"A wrote create", "GONE skipped"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if s.all("delete") != nil || !s.result.Interrupted {
		t.Errorf("sent %q, result %+v", s.all("delete"), s.result)
	}
}

// overwriting has FOREIGN, which kmsync never wrote, to be deleted.
func overwriting() *stage {
	s := newStage().secrets("A").variable("FOREIGN")
	s.syncs[0].Options.OverwriteDestination = set(true)
	n := 1
	s.allowed = &n
	return s
}

// The consent that --max-deletes gives is noted before the first delete that needs it,
// with who gave it, and only once.
func TestConsent(t *testing.T) {
	t.Parallel()
	s := overwriting()
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"consent of ann@host", "delete acme/web FOREIGN", "settle FOREIGN forgotten"}, s.all("consent", "delete", "intend FOREIGN", "settle FOREIGN")); diff != "" {
		t.Error(diff)
	}
	if c := s.book.consents[0]; c.By != "ann@host" || !c.At.Equal(s.clock.now()) {
		t.Errorf("noted %+v", c)
	}
	noted := overwriting()
	noted.allowed = nil
	noted.recorded("A", "{old-A}", canary+"A").variable("A").state.Destinations[repositoryUUID].Consent = &ledger.Consent{By: "bob"}
	noted.apply(t.Context(), t)
	if len(noted.all("consent")) != 0 || noted.result.Deleted != 1 {
		t.Errorf("calls %q, result %+v", noted.all(), noted.result)
	}
	failing := overwriting()
	failing.book.during = func() { failing.book.intendErr = errors.New("disk full") } // after the write
	failing.apply(t.Context(), t)
	if failing.all("delete") != nil || failing.result.Failed != 1 {
		t.Errorf("sent %q, result %+v", failing.all("delete"), failing.result)
	}
}

// Without the consent nothing is sent.
func TestNoConsent(t *testing.T) {
	t.Parallel()
	s := overwriting()
	s.allowed = nil
	s.apply(t.Context(), t)
	if s.all("delete", "consent") != nil || s.result.Held != 1 {
		t.Errorf("sent %q, result %+v", s.all("delete", "consent"), s.result)
	}
}

// A key that differs by case from its old name is one update, with the deletes; the
// ledger learns both names at once.
func TestRenamingInPlace(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("KEY", "A").variable("Key").recorded("Key", "{old-Key}", canary+"KEY")
	s.state.Destinations[repositoryUUID].Entries["Key"].Source.ID = s.folder[app][0].ID
	s.apply(t.Context(), t)
	want := []string{"create acme/web A", "intend KEY Key", "update acme/web KEY", "settle KEY written", "settle Key forgotten"}
	if diff := cmp.Diff(want, s.all("create", "intend KEY", "update", "delete", "settle K")); diff != "" {
		t.Error(diff)
	}
	if s.result.Renamed != 1 || s.live[web][0].Key != "KEY" || s.live[web][0].UUID != "{old-Key}" {
		t.Errorf("result %+v, live %+v", s.result, s.live[web])
	}
	if e := s.book.outcomes["KEY"].Entry; e.UUID != "{old-Key}" {
		t.Errorf("recorded %+v", e)
	}
}

// destroying has two keys of sync.a, one of which is protected.
func TestDestroy(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", canary+"A").variable("PIN").recorded("PIN", "{old-PIN}", "x")
	s.syncs[0].Options.Protect = []config.Located[string]{set("P*")}
	s.destroy = true
	s.before = func() { s.clock.advance(31 * time.Second) }
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"variables acme/web", "intend A", "delete acme/web A", "settle A forgotten"}, s.all()); diff != "" {
		t.Error(diff)
	}
}

// A sync that only deletes is noted as the owner of its keys all the same, after a move.
func TestADeleteFollowsMoves(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", canary+"A").variable("GONE").recorded("GONE", "{old-GONE}", "x")
	s.config.Name = set("shop") // which the records do not have yet
	s.syncs[0].Options.Protect = []config.Located[string]{set("A")}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"settle A reowned", "settle GONE reowned", "settle GONE forgotten"}, s.all("settle")); diff != "" || s.result.Deleted != 1 {
		t.Errorf("result %+v %s", s.result, diff)
	}
}

// A rename in place that fails stops the deletes, since it is a write.
func TestARenameInPlaceThatFails(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("KEY").variable("Key").recorded("Key", "{old-Key}", canary+"KEY").variable("GONE").recorded("GONE", "{old-GONE}", "x")
	s.state.Destinations[repositoryUUID].Entries["Key"].Source.ID = s.folder[app][0].ID
	s.fail("update acme/web KEY", fault{err: refusal(403)})
	s.apply(t.Context(), t)
	if s.all("delete") != nil || s.result.Held != 1 || s.result.Failed != 1 {
		t.Errorf("sent %q, result %+v", s.all("delete"), s.result)
	}
}

// A delete that is answered by "not found", and no word of what, is done only where a
// list says so too.
func TestADeleteOfWhatIsNotFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		during func(*stage)
		told   string
	}{
		"it is there":      {func(*stage) {}, "GONE failed"},
		"it is not":        {func(s *stage) { s.drop(web, "GONE") }, "GONE wrote delete"},
		"nothing is":       {func(s *stage) { s.live[web] = nil }, "GONE failed"},
		"it is not proven": {func(s *stage) { s.drop(web, "GONE"); s.doubts = map[string][]providers.Doubt{web: {{Detail: "x"}}} }, "GONE failed"},
		"nobody knows":     {func(s *stage) { s.fail("variables acme/web", fault{err: refusal(403)}) }, "GONE failed"},
	} {
		s := leaving().variable("STAYS")
		s.fail("delete acme/web GONE", fault{err: &providers.Error{Kind: providers.KindNotFound, Status: 404}, during: func() { test.during(s) }})
		s.apply(t.Context(), t)
		if !slices.Contains(s.told(), test.told) {
			t.Errorf("%s: told %q", name, s.told())
		}
	}
}

// Who consents to a part of what overwrite-destination would delete is asked again for
// the rest.
func TestConsentToAPart(t *testing.T) {
	t.Parallel()
	s := overwriting().variable("OTHER")
	s.target = "sync.a/FOREIGN"
	s.apply(t.Context(), t)
	if s.result.Deleted != 1 || len(s.all("consent")) != 0 {
		t.Errorf("result %+v, calls %q", s.result, s.all("consent"))
	}
}

// A secured variable becomes readable in two steps: the new value goes first, secured.
func TestUnsecure(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("A").recorded("A", "{old-A}", "x")
	s.syncs[0].Options.Unsecured = []config.Located[string]{set("A")}
	s.apply(t.Context(), t)
	if len(s.sent) != 2 || !s.sent[0].Secured || s.sent[1].Secured || !s.sent[0].Value.Equal(s.sent[1].Value) {
		t.Errorf("sent %+v", s.sent)
	}
	if s.result.Updated != 1 || s.live[web][0].Secured || s.book.outcomes["A"].Entry.Secured {
		t.Errorf("result %+v, live %+v", s.result, s.live[web])
	}
}
