package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

var agreed = ledger.Consent{By: "ada@host", At: start}

// consent notes a consent with the destination staging.
func consent(t testing.TB, session ledger.Session, c ledger.Consent) {
	t.Helper()
	if err := session.Consent(t.Context(), staging, c); err != nil {
		t.Fatalf("consent: %v", err)
	}
}

// TestAConsentStays with its destination, whatever is written there later and under
// whatever name.
func TestAConsentStays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	session, state := p.lock(t)
	settle(t, session, written("A", state.Key, "value"))
	if got := p.load(t).Destinations[staging.ID].Consent; got != nil {
		t.Errorf("got %v before anybody consented", got)
	}
	consent(t, session, agreed)
	diff(t, p.load(t).Destinations[staging.ID].Consent, &agreed) // while the session is open
	intend(t, session, create("B"))
	closeSession(t, session)
	renamed := staging
	renamed.Repository = "site"
	p.session(t, func(session ledger.Session, _ *ledger.State) {
		if err := session.Settle(t.Context(), renamed, []ledger.Outcome{{Kind: ledger.Forgotten, Entry: ledger.Entry{Key: "A"}}}); err != nil {
			t.Fatal(err)
		}
	})
	got := p.load(t).Destinations[staging.ID]
	if diff(t, got.Consent, &agreed); got.Repository != "site" || got.Entries["A"] != nil {
		t.Errorf("got %+v", got)
	}
	later := ledger.Consent{By: "build 12 at 0123abc", At: start.Add(time.Hour)}
	p.session(t, func(session ledger.Session, _ *ledger.State) { consent(t, session, later) })
	diff(t, p.load(t).Destinations[staging.ID].Consent, &later)
}

// TestAConsentIsTheFirstThingOfADestination, and raises the serial like a write.
func TestAConsentIsTheFirstThingOfADestination(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, _ *ledger.State) { consent(t, session, agreed) })
	state := p.load(t)
	if state.Serial != 1 || len(state.Destinations) != 1 || len(state.Destinations[staging.ID].Entries) != 0 {
		t.Errorf("got %+v", state)
	}
	diff(t, state.Destinations[staging.ID].Consent, &agreed)
}

// TestAConsentOfNobody is no consent, nor is one without its time, nor one of a run
// that has ended.
func TestAConsentOfNobody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, _ *ledger.State) {
		for _, c := range []ledger.Consent{{At: start}, {By: "ada@host"}} {
			if err := session.Consent(t.Context(), staging, c); err == nil {
				t.Errorf("%+v was noted", c)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := session.Consent(ended, staging, agreed); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	})
	if got := p.load(t); len(got.Destinations) != 0 || got.Serial != 0 {
		t.Errorf("got %+v, want nothing", got)
	}
}

// TestAnOlderCopyHasNoConsents, nor is it accepted by writing to it: its mark stays in
// every later run.
func TestAnOlderCopyHasNoConsents(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		if !state.Unaccepted {
			t.Error("a copy was found and is accepted")
		}
		if err := session.Settle(t.Context(), ledger.Destination{ID: "{other}"}, []ledger.Outcome{written("X", state.Key, "new")}); err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		state := p.load(t)
		if state.Rolled || !state.Unaccepted {
			t.Errorf("rolled %v, unaccepted %v; want the mark alone", state.Rolled, state.Unaccepted)
		}
		if got := state.Destinations[staging.ID].Consent; got != nil {
			t.Errorf("the consent of the copy counts: %v", got)
		}
		p.session(t, func(session ledger.Session, state *ledger.State) {
			if !state.Unaccepted {
				t.Error("lock does not say it")
			}
			settle(t, session, written("A", state.Key, "newer"))
		})
	}
}
