package sqlite

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers/secret"
)

func TestLoadWithoutALedgerMakesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	state := p.load(t)
	if state.Serial != 0 || !state.Key.IsZero() || state.Rolled || state.ID != "" || state.Destinations == nil || len(state.Destinations) != 0 {
		t.Errorf("got %+v, want an empty state", state)
	}
	if files := p.files(t); len(files) != 0 {
		t.Errorf("load made %v", files)
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	production := ledger.Destination{ID: "{repo}", RepositoryUUID: "{repo}", Workspace: "acme", Repository: "old-name"}
	var key secret.Key
	var full ledger.Outcome
	p.session(t, func(session ledger.Session, state *ledger.State) {
		key = state.Key
		full = written("A", key, "value")
		full.Entry.Released = true
		settle(t, session, full)
		bare := ledger.Outcome{Kind: ledger.Adopted, Entry: ledger.Entry{Key: "B", UUID: "{b}"}}
		if err := session.Settle(t.Context(), production, []ledger.Outcome{bare}); err != nil {
			t.Fatal(err)
		}
		production.Repository = "new-name"
		if err := session.Settle(t.Context(), production, []ledger.Outcome{bare}); err != nil {
			t.Fatal(err)
		}
	})
	state := p.load(t)
	if state.Serial != 1 || len(state.ID) != 16 || state.Rolled || !state.Key.Equal(key) || key.IsZero() {
		t.Errorf("got serial %d, id %q, rolled %v, the key the same: %v", state.Serial, state.ID, state.Rolled, state.Key.Equal(key))
	}
	a := full.Entry
	a.Writes = []ledger.Write{full.Write}
	wantStaging, wantProduction := staging, production
	wantStaging.Entries = map[string]*ledger.Entry{"A": &a}
	wantProduction.Entries = map[string]*ledger.Entry{"B": {Key: "B", UUID: "{b}"}}
	diff(t, state.Destinations, map[string]*ledger.Destination{staging.ID: &wantStaging, production.ID: &wantProduction})
	if got := entry(state, "A").Fingerprint; !got.Equal(key.Fingerprint(staging.ID, "A", secret.New("value"))) {
		t.Error("the fingerprint is not that of the value")
	}
}

func TestLockShowsTheSameState(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("A", state.Key, "value"))
	})
	before := p.load(t)
	if before.Running != nil || entry(before, "A") == nil {
		t.Errorf("before: %+v, want A, and nobody at work", before)
	}
	_, state := p.lock(t)
	diff(t, state, before)
	loaded := p.load(t)
	if loaded.Running == nil || loaded.Running.ID == "" { // only a reader is told of it
		t.Fatalf("beside the session: %+v is at work", loaded.Running)
	}
	want := tester
	want.ID = loaded.Running.ID // random
	diff(t, *loaded.Running, want)
	loaded.Running = nil
	diff(t, loaded, state)
}

func TestOnlyTheNewestWritesAreKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		for version := range 8 {
			outcome := written("A", state.Key, "value")
			outcome.Write.Version = version + 1
			outcome.Write.At = start.Add(time.Duration(version) * time.Minute)
			settle(t, session, outcome)
		}
		settle(t, session, written("B", state.Key, "value"))
		settle(t, session, ledger.Outcome{Kind: ledger.Adopted, Entry: written("A", state.Key, "other").Entry})
	})
	a := entry(p.load(t), "A")
	var versions []int
	for _, write := range a.Writes {
		versions = append(versions, write.Version)
	}
	diff(t, versions, []int{8, 7, 6, 5, 4})
	if want := start.Add(7 * time.Minute); !a.LastWrite().Equal(want) {
		t.Errorf("the last write was at %v, want %v", a.LastWrite(), want)
	}
	if n := p.count(t, `SELECT sum(json_array_length(writes)) FROM entries`); n != 6 {
		t.Errorf("%d writes are stored, want 5 of A and 1 of B", n)
	}
}

func TestForgottenLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("A", state.Key, "value"), written("B", state.Key, "value"))
		intend(t, session, create("A"))
		settle(t, session, ledger.Outcome{Kind: ledger.Forgotten, Entry: ledger.Entry{Key: "A"}})
	})
	state := p.load(t)
	if entry(state, "A") != nil || entry(state, "B") == nil {
		t.Errorf("got %v, want B only", state.Destinations[staging.ID].Entries)
	}
	if n := p.count(t, `SELECT count(*) FROM entries WHERE entry_key = 'A'`); n != 0 {
		t.Errorf("%d rows of A are left", n)
	}
}

func TestSerialIsRaisedOnceBySessionsThatWrite(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := func(serial int64) {
		t.Helper()
		state := p.load(t)
		if state.Serial != serial || state.Rolled {
			t.Errorf("serial %d (rolled %v), want %d", state.Serial, state.Rolled, serial)
		}
		if noted := p.store().notes().Serial(state.ID); noted != serial {
			t.Errorf("noted serial %d, want %d", noted, serial)
		}
	}
	p.session(t, func(ledger.Session, *ledger.State) {})
	want(0)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		intend(t, session, create("A"), create("B"))
		settle(t, session, written("A", state.Key, "value"))
		settle(t, session, written("B", state.Key, "value"))
	})
	want(1)
	p.session(t, func(session ledger.Session, _ *ledger.State) {
		intend(t, session)
		settle(t, session)
	})
	want(1)
	p.session(t, func(session ledger.Session, _ *ledger.State) { intend(t, session, create("A")) })
	want(2)
}

func TestASessionWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		ctx := t.Context()
		nameless := written("", state.Key, "value")
		if err := session.Settle(ctx, staging, []ledger.Outcome{written("A", state.Key, "value"), nameless}); err == nil {
			t.Error("an outcome without a key was settled")
		}
		if err := session.Settle(ctx, staging, []ledger.Outcome{{Kind: 99, Entry: ledger.Entry{Key: "A"}}}); err == nil {
			t.Error("an outcome of an unknown kind was settled")
		}
		if err := session.Intend(ctx, staging, []ledger.Intent{create("A"), create("")}); err == nil {
			t.Error("an intent without a key was noted")
		}
		if err := session.Intend(ctx, ledger.Destination{}, []ledger.Intent{create("A")}); err == nil {
			t.Error("an intent without a destination was noted")
		}
	})
	if state := p.load(t); state.Serial != 0 || len(state.Destinations) != 0 {
		t.Errorf("got %+v, want nothing", state)
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p.session(t, func(session ledger.Session, state *ledger.State) {
		if err := session.Intend(ended, staging, []ledger.Intent{create("B")}); !errors.Is(err, context.Canceled) {
			t.Errorf("intend: %v, want it refused, since nothing is sent any more", err)
		}
		if err := session.Settle(ended, staging, []ledger.Outcome{written("A", state.Key, "value")}); err != nil {
			t.Errorf("settle: %v, want it done: it is a fact", err)
		}
	})
	state := p.load(t)
	if entry(state, "A") == nil || entry(state, "B") != nil {
		t.Errorf("got %v, want A only", state.Destinations[staging.ID].Entries)
	}
	if _, err := p.store().Load(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v, want it canceled", err)
	}
}

func TestCloseTwiceAndWritesAfterwards(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	session, state := p.lock(t)
	closeSession(t, session)
	closeSession(t, session)
	if err := session.Settle(t.Context(), staging, []ledger.Outcome{written("A", state.Key, "value")}); !errors.Is(err, errClosed) {
		t.Errorf("settle after close: %v", err)
	}
	second, _ := p.lock(t)
	closeSession(t, session) // must not give away the lock of the second
	if _, _, err := p.store().Lock(t.Context(), tester, 0); err == nil {
		t.Error("two sessions at once")
	}
	closeSession(t, second)
}

func TestSessionFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, state *ledger.State) {
		errs := make(chan error)
		for i := range 8 {
			go func() {
				key := string(rune('A' + i))
				err := session.Intend(t.Context(), staging, []ledger.Intent{create(key)})
				errs <- errors.Join(err, session.Settle(t.Context(), staging, []ledger.Outcome{written(key, state.Key, "value")}))
			}()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
	state := p.load(t)
	if n := len(state.Destinations[staging.ID].Entries); n != 8 || state.Serial != 1 {
		t.Errorf("%d entries and serial %d, want 8 and 1", n, state.Serial)
	}
	for key, e := range state.Destinations[staging.ID].Entries {
		if e.InDoubt {
			t.Errorf("%s is in doubt", key)
		}
	}
}

// TestACopyInAnotherMode: VACUUM INTO makes a copy that is not in WAL mode.
func TestACopyInAnotherMode(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 3)
	p.change(t, `PRAGMA journal_mode = DELETE`)
	before := p.load(t)
	session, state := p.lock(t)
	diff(t, state, before)
	settle(t, session, written("A", state.Key, "value"))
	if e := entry(p.load(t), "A"); e == nil {
		t.Error("a reader beside the writer does not see its commit")
	}
	if _, err := os.Stat(p.db() + walSuffix); err != nil {
		t.Errorf("the ledger is not in WAL mode again: %v", err)
	}
	closeSession(t, session)
	if entry(p.load(t), "A") == nil || entry(p.load(t), "KEY_00000") == nil {
		t.Error("something was lost")
	}
}
