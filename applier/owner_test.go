package applier_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// A record that names its sync by an address or a configuration of before gets the
// owner of today and nothing else; one that is another sync's, in doubt or released
// is made anew. What is written names the configuration.
func TestTheLedgerFollows(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("MOVED", "UNNAMED", "OTHERS", "RELEASED", "NEW", "CHANGED")
	for _, key := range []string{"MOVED", "UNNAMED", "OTHERS", "RELEASED"} {
		s.variable(key).recorded(key, "{old-"+key+"}", canary+key)
	}
	s.variable("CHANGED").recorded("CHANGED", "{old-CHANGED}", canary+"before")
	s.config = config.Config{Name: set("shop"), Moved: []*config.Moved{{From: set("sync.old"), To: set("sync.a")}}}
	entries := s.state.Destinations[repositoryUUID].Entries
	entries["UNNAMED"].Owner = ledger.Owner{Sync: "sync.old"}
	entries["MOVED"].Owner = ledger.Owner{Config: "shop", Sync: "sync.old"}
	entries["CHANGED"].Owner = ledger.Owner{Config: "shop", Sync: "sync.old"}
	entries["OTHERS"].Owner = ledger.Owner{Config: "shop", Sync: "sync.left"}
	entries["RELEASED"].Owner, entries["RELEASED"].Released = ledger.Owner{Config: "shop", Sync: "sync.a"}, true
	s.apply(t.Context(), t)
	today := ledger.Owner{Config: "shop", Sync: "sync.a"}
	for key, kind := range map[string]ledger.OutcomeKind{
		"MOVED": ledger.Reowned, "UNNAMED": ledger.Reowned, "OTHERS": ledger.Adopted, "RELEASED": ledger.Adopted,
		"NEW": ledger.Written, "CHANGED": ledger.Written,
	} {
		got := s.book.outcomes[key]
		if got.Kind != kind || got.Entry.Owner != today || got.Entry.Released {
			t.Errorf("%s: %s %+v", key, kindName(got.Kind), got.Entry.Owner)
		}
		if kind == ledger.Reowned && (got.Entry.UUID != "" || !got.Entry.Fingerprint.IsZero()) {
			t.Errorf("%s: more than the owner is given: %+v", key, got.Entry)
		}
	}
	if s.result.Adopted != 4 || s.result.Wrote() != 2 {
		t.Errorf("result %+v", s.result)
	}
}

// An intent names the configuration too: a create whose answer never comes is ours.
func TestAnIntentNamesTheConfiguration(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A")
	s.config.Name = set("shop")
	s.apply(t.Context(), t)
	if got := s.book.intents[0].Owner; got != (ledger.Owner{Config: "shop", Sync: "sync.a"}) {
		t.Errorf("got %+v", got)
	}
}

// What a removed sync left is released, what is gone of it forgotten, and nothing is
// sent; also where the sync is declared still and feeds another place in this run.
func TestReleasing(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A").variable("LEFT").recorded("LEFT", "{old-LEFT}", canary).recorded("GONE", "{gone}", "")
	s.syncs = []*config.Sync{newSync("a", "/app", "zebra")}
	s.repositories["acme/zebra"] = "{zebra}"
	s.config.Removed = []*config.Removed{{From: set("sync.a"), Keep: set(true), Workspace: "acme", Repository: "web", Connection: "b"}}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A wrote create", "GONE recorded forget", "LEFT recorded release"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if got := s.book.outcomes["LEFT"]; got.Kind != ledger.Released {
		t.Errorf("got %s", kindName(got.Kind))
	}
	if s.result.Released != 1 || s.result.Forgotten != 1 || s.result.Created != 1 || s.result.Left() != 0 {
		t.Errorf("result %+v", s.result)
	}
}

// A key that somebody takes away while the plan is looked at is not released.
func TestReleasingWhatMoved(t *testing.T) {
	t.Parallel()
	s := newStage().variable("LEFT").recorded("LEFT", "{old-LEFT}", canary).variable("STAYS")
	s.syncs = nil
	s.config.Removed = []*config.Removed{{From: set("sync.a"), Keep: set(true), Connection: "b"}}
	s.before = func() {
		s.drop(web, "LEFT")
		s.clock.advance(time.Minute)
	}
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"LEFT stopped: the variable is gone"}, s.told()); diff != "" {
		t.Error(diff)
	}
}

// Every record of the destination follows a move in one step, that of a key that is
// only kept too; what another configuration wrote, and a create that never got an
// answer, stay as they are. Without anything to do, nothing is noted.
func TestAllRecordsFollowAMove(t *testing.T) {
	t.Parallel()
	scene := func(secrets ...string) *stage {
		s := newStage().secrets(secrets...).variable("KEPT").recorded("KEPT", "{old-KEPT}", canary)
		s.recorded("THEIRS", "{theirs}", canary).recorded("LOST", "", "")
		s.syncs[0].Options.DisableSecretDeletion = set(true)
		s.config = config.Config{Moved: []*config.Moved{{From: set("sync.old"), To: set("sync.a")}}}
		entries := s.state.Destinations[repositoryUUID].Entries
		entries["KEPT"].Owner.Sync, entries["LOST"].Owner.Sync, entries["LOST"].InDoubt = "sync.old", "sync.old", true
		entries["THEIRS"].Owner = ledger.Owner{Config: "other", Sync: "sync.old"}
		return s
	}
	s := scene("NEW")
	s.apply(t.Context(), t)
	if got := s.book.outcomes["KEPT"]; got.Kind != ledger.Reowned || got.Entry.Owner != (ledger.Owner{Sync: "sync.a"}) {
		t.Errorf("KEPT: %s %+v", kindName(got.Kind), got.Entry.Owner)
	}
	for _, key := range []string{"THEIRS", "LOST"} {
		if slices.Contains(s.journal.all(), "settle "+key+" reowned") {
			t.Errorf("%s has another owner", key)
		}
	}
	// A sync that has nothing to do here takes no record over: it may be left out of the
	// plan.
	s = scene()
	delete(s.state.Destinations[repositoryUUID].Entries, "LOST") // a record to forget is something to do
	s.syncs = append(s.syncs, newSync("b", "/b", "web"))
	s.folder["dev:/b"] = []providers.Secret{{ID: "b", Name: "OTHER", Version: 1, Value: secret.New(canary)}}
	s.apply(t.Context(), t)
	if got, noted := s.book.outcomes["KEPT"]; noted || s.result.Created != 1 {
		t.Errorf("KEPT: %s, %+v", kindName(got.Kind), s.result)
	}
	s = scene("NEW")
	s.before = func() {
		s.clock.advance(time.Minute)
		s.fail("variables acme/web", fault{err: refusal(404)})
	}
	s.apply(t.Context(), t)
	if len(s.book.outcomes) > 0 {
		t.Errorf("noted of a destination that could not be read again: %+v", s.book.outcomes)
	}
	s = scene()
	s.state.Destinations[repositoryUUID].Entries = map[string]*ledger.Entry{"KEPT": s.state.Destinations[repositoryUUID].Entries["KEPT"]}
	s.apply(t.Context(), t)
	if len(s.book.outcomes) > 0 {
		t.Errorf("noted without anything to do: %+v", s.book.outcomes)
	}
}
