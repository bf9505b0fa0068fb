package sqlite

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
)

// rollBack makes a ledger with the entries A and B, keeps a copy, writes twice
// more and puts the copy back: serial 1 where 3 is noted.
func rollBack(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	write := func(key, value string) {
		p.session(t, func(session ledger.Session, state *ledger.State) {
			settle(t, session, written(key, state.Key, value))
		})
	}
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("A", state.Key, "old"), written("B", state.Key, "old"))
		intend(t, session, create("C"))
		consent(t, session, agreed)
	})
	if state := p.load(t); state.Unaccepted {
		t.Error("a ledger in use is unaccepted")
	}
	backup, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	write("A", "new")
	write("B", "new")
	if err := os.WriteFile(p.db(), backup, private.FileMode); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARestoredCopyIsFoundOut(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	if state := p.load(t); !state.Rolled || state.Serial != 1 || entry(state, "A") == nil {
		t.Errorf("got %+v, want a rolled ledger of serial 1 with its entries", state)
	}
	p.session(t, func(_ ledger.Session, state *ledger.State) {
		if !state.Rolled {
			t.Error("lock does not say it")
		}
	})
	if !p.load(t).Rolled {
		t.Error("a session that wrote nothing made it believable")
	}
	p.opt.StateDir = ""
	if p.load(t).Rolled {
		t.Error("rolled without a note")
	}
}

// TestWritingToARestoredCopy: the run rewrites what it wants, here A only. What
// else the copy claims must not be believed afterwards.
func TestWritingToARestoredCopy(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	session, state := p.lock(t)
	intend(t, session, create("A"))
	if got := p.load(t); got.Rolled || entry(got, "B") != nil || entry(got, "A").UUID != "" {
		t.Errorf("after the first intent: %+v, want it in force, and nothing but doubts", got.Destinations[staging.ID].Entries)
	}
	settle(t, session, written("A", state.Key, "new"))
	closeSession(t, session)

	got := p.load(t)
	if got.Rolled || got.Serial != 4 {
		t.Errorf("serial %d, rolled %v; want 4, one more than the noted 3, and false", got.Serial, got.Rolled)
	}
	if entry(got, "B") != nil || !entry(got, "C").InDoubt {
		t.Errorf("got %+v, want B not known and C still in doubt", got.Destinations[staging.ID].Entries)
	}
	if a := entry(got, "A"); a.InDoubt || len(a.Writes) != 2 {
		t.Errorf("got %+v, want A sure and with both of its writes", a)
	}
	if n := p.count(t, `SELECT count(*) FROM entries WHERE believed = 'no' AND uuid <> '' AND entry_key = 'B'`); n != 1 {
		t.Error("B is not set aside")
	}
	if n := p.count(t, `SELECT count(*) FROM entries WHERE believed = 'no'`); n != 2 {
		t.Errorf("%d entries are set aside or in doubt only, want B and C", n)
	}
	if n := p.count(t, `SELECT count(*) FROM meta WHERE name = 'rolled_back_at' AND value LIKE '2026-03-01T%'`); n != 1 {
		t.Error("it is not noted when that was")
	}
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("B", state.Key, "new"))
	})
	if got := p.load(t); got.Serial != 5 || entry(got, "A") == nil || entry(got, "B") == nil || len(entry(got, "B").Writes) != 2 {
		t.Errorf("the session after it lost something: %+v", got)
	}
}

// TestARefusedWriteLeavesWhatIsSetAside: it is as little believed as before, and
// its writes are still remembered when it comes back.
func TestARefusedWriteLeavesWhatIsSetAside(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	p.session(t, func(session ledger.Session, _ *ledger.State) {
		intend(t, session, create("A"))
		settle(t, session, notDone("A"))
	})
	if a := entry(p.load(t), "A"); a != nil {
		t.Errorf("got %+v, want A not known", a)
	}
	p.session(t, func(session ledger.Session, state *ledger.State) { settle(t, session, written("A", state.Key, "new")) })
	if a := entry(p.load(t), "A"); a == nil || len(a.Writes) != 2 {
		t.Errorf("got %+v, want A with both of its writes", a)
	}
}

// TestEveryDestinationIsSetAside by a run that writes to one of them.
func TestEveryDestinationIsSetAside(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	production := ledger.Destination{ID: "{repo}", RepositoryUUID: "{repo}", Workspace: "acme", Repository: "web"}
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("A", state.Key, "old"))
		if err := session.Settle(t.Context(), production, []ledger.Outcome{written("P", state.Key, "old")}); err != nil {
			t.Fatal(err)
		}
		if err := session.Intend(t.Context(), production, []ledger.Intent{create("Q")}); err != nil {
			t.Fatal(err)
		}
	})
	write(t, filepath.Join(p.opt.StateDir, "serial-"+p.load(t).ID), "7")
	for _, key := range []string{"A", "B"} { // the run that sets aside, and one more
		p.session(t, func(session ledger.Session, state *ledger.State) { settle(t, session, written(key, state.Key, "new")) })
		state := p.load(t)
		got := state.Destinations[production.ID].Entries
		if entry(state, key) == nil || state.Rolled || len(got) != 1 || !got["Q"].InDoubt {
			t.Errorf("got %+v, want %s, and of production nothing but the doubt of Q", got, key)
		}
	}
}

func TestNoteThatIsAheadOrBroken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		note   string
		rolled bool
		warned bool
	}{
		{"0\n", false, false},
		{"1\n", false, false},
		{" 2 ", true, false},
		{"", false, true},
		{"two", false, true},
		{"-1", false, true},
		{"9223372036854775807", false, true}, // which cannot be raised
	} {
		t.Run(strconv.Quote(test.note), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 1)
			path := filepath.Join(p.opt.StateDir, "serial-"+p.load(t).ID)
			if err := os.WriteFile(path, []byte(test.note), private.FileMode); err != nil {
				t.Fatal(err)
			}
			if state := p.load(t); state.Rolled != test.rolled {
				t.Errorf("rolled: %v, want %v", state.Rolled, test.rolled)
			}
			if warned := len(p.warnings) > 0; warned != test.warned {
				t.Errorf("warnings: %q", p.warnings)
			}
		})
	}
}

func TestASerialThatCannotBeNotedOnlyWarns(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := os.WriteFile(p.opt.StateDir, nil, private.FileMode); err != nil { // a file where a folder should be
		t.Fatal(err)
	}
	p.fill(t, 1)
	if entry(p.load(t), "KEY_00000") == nil {
		t.Error("nothing was written")
	}
	if len(p.warnings) == 0 || !strings.Contains(strings.Join(p.warnings, " "), "could not be noted") {
		t.Errorf("warnings: %q", p.warnings)
	}
}
