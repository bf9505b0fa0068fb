package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

var keeper = ledger.Holder{Run: "ada@host", PID: 77, Since: start, Doing: "ledger rm"}

func (p *place) verify(t testing.TB) *ledger.Report {
	t.Helper()
	report, err := p.store().Verify(t.Context())
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return report
}

func (p *place) accept(t testing.TB) ledger.Accepted {
	t.Helper()
	done, err := p.store().Accept(t.Context(), keeper, 0)
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return done
}

// remove removes records, and returns the state that they were chosen of.
func (p *place) remove(t testing.TB, chosen ...ledger.Removal) (state *ledger.State) {
	t.Helper()
	err := p.store().Remove(t.Context(), keeper, 0, func(s *ledger.State) ([]ledger.Removal, error) {
		state = s
		return chosen, nil
	})
	if err != nil {
		t.Fatalf("remove: %v", err)
	}
	return state
}

func named(destination, key string) ledger.Removal {
	return ledger.Removal{Destination: destination, Key: key}
}

// killed calls do, and check with what a kill at each step of it would leave.
func (p *place) killed(t *testing.T, do func(*Store) error, check func(step int, left *place)) {
	t.Helper()
	store, n := p.store(), 0
	snapshot := func() {
		left := placeAt(filepath.Join(t.TempDir(), "left"))
		left.opt.Keys.Env = p.opt.Keys.Env
		if err := os.CopyFS(left.root, os.DirFS(p.root)); err != nil {
			t.Error(err)
		}
		check(n, left)
		n++
	}
	store.step = snapshot
	if err := do(store); err != nil {
		t.Fatal(err)
	}
	if snapshot(); n < 4 {
		t.Errorf("only %d steps were seen", n)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	diff(t, p.verify(t), &ledger.Report{Path: p.db()})
	if len(p.files(t)) != 0 {
		t.Error("it made something")
	}
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, written("A", state.Key, "value"), written("B", state.Key, "value"))
		settle(t, s, ledger.Outcome{Kind: ledger.Released, Entry: ledger.Entry{Key: "B"}})
		intend(t, s, create("C"))
		consent(t, s, agreed)
	})
	before := p.files(t)
	id := p.load(t).ID
	want := &ledger.Report{
		Path: p.db(), ID: id, SchemaVersion: "2", Serial: 1, Noted: 1, KeyAt: p.keyFile(t, id),
		Destinations: 1, Keys: 3, InDoubt: 1, Released: 1, Consents: 1,
	}
	diff(t, p.verify(t), want)
	diff(t, p.files(t), before)

	write(t, filepath.Join(p.opt.StateDir, "serial-"+id), "7")
	want.Noted, want.Older, want.Unaccepted = 7, true, true
	diff(t, p.verify(t), want)
	session, _ := p.lock(t)
	if got := p.verify(t); got.Running == nil || got.Running.Run != "ada@host" {
		t.Errorf("got %+v, want who holds the lock", got.Running)
	}
	intend(t, session, create("D"))
	if got := p.verify(t); got.Older || !got.Unaccepted || got.Serial != 8 || got.Noted != 8 || got.Consents != 0 {
		t.Errorf("after a write: %+v, want it unaccepted", got)
	}
}

// TestVerifyLooksAtFreePages, which no other reader does: the next write would find
// them damaged.
func TestVerifyLooksAtFreePages(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 200)
	p.session(t, func(s ledger.Session, _ *ledger.State) {
		var gone []ledger.Outcome
		for i := range 200 {
			gone = append(gone, ledger.Outcome{Kind: ledger.Forgotten, Entry: ledger.Entry{Key: keyOf(i)}})
		}
		settle(t, s, gone...)
	})
	p.verify(t)
	content, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	trunk := int(content[34])<<8 | int(content[35]) // the first free page: bytes 32 to 35 of the file's header
	if trunk == 0 {
		t.Fatal("there is no free page")
	}
	at := (trunk - 1) * 4096
	for i := range 4 { // how many free pages this one names
		content[at+4+i] = 0x7f
	}
	write(t, p.db(), string(content))
	p.load(t)
	if _, err := p.store().Verify(t.Context()); !errors.Is(err, table.ErrDamaged) {
		t.Errorf("got %v, want it damaged", err)
	}
}

// TestAcceptAnOlderCopy: its records count again, each in doubt, and its consents do
// not.
func TestAcceptAnOlderCopy(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	diff(t, p.accept(t), ledger.Accepted{Older: true, Keys: 2, Consents: 1})
	state := p.load(t)
	if state.Rolled || state.Unaccepted || state.Serial != 4 || p.verify(t).Noted != 4 {
		t.Errorf("got %+v, want it accepted, with a serial beyond the noted 3", state)
	}
	for _, key := range []string{"A", "B", "C"} {
		if e := entry(state, key); e == nil || !e.InDoubt || (e.UUID == "") != (key == "C") {
			t.Errorf("%s: got %+v, want it in doubt", key, e)
		}
	}
	if c := state.Destinations[staging.ID].Consent; c != nil {
		t.Errorf("the consent is left: %v", c)
	}
	before := p.files(t)
	diff(t, p.accept(t), ledger.Accepted{})
	diff(t, p.files(t), before)
	p.session(t, func(s ledger.Session, state *ledger.State) { settle(t, s, written("A", state.Key, "new")) })
	if got := p.load(t); entry(got, "A").InDoubt || !entry(got, "B").InDoubt || got.Unaccepted {
		t.Errorf("after a write: %+v", got.Destinations[staging.ID].Entries)
	}
}

// TestAcceptWhatWasSetAside clears the mark and changes no record.
func TestAcceptWhatWasSetAside(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, written("A", state.Key, "new"))
		consent(t, s, agreed)
	})
	before := p.load(t)
	diff(t, p.accept(t), ledger.Accepted{Marked: true})
	after := p.load(t)
	if after.Unaccepted || after.Serial != before.Serial+1 || p.verify(t).Noted != after.Serial {
		t.Errorf("got %+v, want it accepted", after)
	}
	diff(t, after.Destinations, before.Destinations)
}

// TestAcceptKilled: what is left is refused as before, or accepted as a whole.
func TestAcceptKilled(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	accepted := 0
	p.killed(t, func(s *Store) error {
		_, err := s.Accept(t.Context(), keeper, 0)
		return err
	}, func(step int, left *place) {
		state := left.load(t)
		if state.Rolled != state.Unaccepted || (state.Destinations[staging.ID].Consent != nil) != state.Rolled || entry(state, "A").InDoubt == state.Rolled {
			t.Errorf("step %d leaves %+v", step, state)
		}
		accepted += count(!state.Unaccepted)
		left.accept(t)
		if state := left.load(t); state.Unaccepted || !entry(state, "A").InDoubt {
			t.Errorf("step %d: not accepted the second time", step)
		}
	})
	if accepted != 1 {
		t.Errorf("%d steps leave it accepted, want the end alone", accepted)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	production := ledger.Destination{ID: "{repo}", RepositoryUUID: "{repo}", Workspace: "acme", Repository: "web"}
	fill := func(t *testing.T) *place {
		t.Helper()
		p := newPlace(t)
		p.session(t, func(s ledger.Session, state *ledger.State) {
			settle(t, s, written("A", state.Key, "value"), written("B", state.Key, "value"))
			intend(t, s, create("B"), create("C"))
			consent(t, s, agreed)
			if err := s.Settle(t.Context(), production, []ledger.Outcome{written("A", state.Key, "value")}); err != nil {
				t.Fatal(err)
			}
		})
		return p
	}
	keys := func(state *ledger.State) string {
		var all []string
		for _, id := range []string{"{repo}", staging.ID} {
			if d := state.Destinations[id]; d != nil {
				all = append(all, fmt.Sprint(id, " ", len(d.Entries), " ", d.Consent != nil))
			}
		}
		return strings.Join(all, ", ")
	}
	for name, test := range map[string]struct {
		chosen []ledger.Removal
		want   string
	}{
		"a key":           {[]ledger.Removal{named(staging.ID, "A")}, "{repo} 1 false, {repo}/{env} 2 true"},
		"a doubt":         {[]ledger.Removal{named(staging.ID, "C")}, "{repo} 1 false, {repo}/{env} 2 true"},
		"every key":       {[]ledger.Removal{named(staging.ID, "A"), named(staging.ID, "B"), named(staging.ID, "C")}, "{repo} 1 false, {repo}/{env} 0 true"},
		"a place":         {[]ledger.Removal{named(staging.ID, "")}, "{repo} 1 false"},
		"a place and key": {[]ledger.Removal{named("{repo}", "A"), named(staging.ID, "")}, "{repo} 0 false"},
		"everything":      {[]ledger.Removal{named(staging.ID, ""), named("{repo}", "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := fill(t)
			if got := keys(p.remove(t, test.chosen...)); got != "{repo} 1 false, {repo}/{env} 3 true" {
				t.Errorf("chosen of %q", got)
			}
			state := p.load(t)
			if got := keys(state); got != test.want || state.Serial != 2 {
				t.Errorf("%q is left at serial %d, want %q", got, state.Serial, test.want)
			}
			p.fill(t, 1)
			p.load(t)
		})
	}
	p := fill(t)
	before := p.files(t)
	p.remove(t) // nothing
	no := errors.New("no")
	err := p.store().Remove(t.Context(), keeper, 0, func(*ledger.State) ([]ledger.Removal, error) { return nil, no })
	if !errors.Is(err, no) {
		t.Errorf("got %v, want the error of the choice", err)
	}
	err = p.store().Remove(t.Context(), keeper, 0, func(*ledger.State) ([]ledger.Removal, error) {
		return []ledger.Removal{named(staging.ID, "A"), named(staging.ID, "Z")}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "no record of Z") {
		t.Errorf("got %v", err)
	}
	diff(t, p.files(t), before)
}

// TestCareLeavesAnOlderCopyOlder: to forget one key of it says nothing of the others.
func TestCareLeavesAnOlderCopyOlder(t *testing.T) {
	t.Parallel()
	p := rollBack(t)
	p.remove(t, ledger.Removal{Destination: staging.ID, Key: "A"})
	state := p.load(t)
	if !state.Rolled || !state.Unaccepted || entry(state, "A") != nil || entry(state, "B") == nil || entry(state, "B").UUID == "" {
		t.Errorf("got %+v, want it as old as before, without A", state)
	}
	if got := p.verify(t); got.Noted != 3 {
		t.Errorf("%d is noted", got.Noted)
	}
	// What was set aside goes with its destination.
	p.session(t, func(s ledger.Session, state *ledger.State) { settle(t, s, written("A", state.Key, "new")) })
	p.remove(t, ledger.Removal{Destination: staging.ID})
	if n := p.count(t, `SELECT count(*) FROM entries`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if state := p.load(t); !state.Unaccepted || len(state.Destinations) != 0 {
		t.Errorf("got %+v, want the mark alone", state)
	}
}

// TestCareOfNoLedger makes none.
func TestCareOfNoLedger(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, accepted := p.store().Accept(t.Context(), keeper, 0)
	_, rekeyed := p.rekey(t, p.noKey())
	removed := p.store().Remove(t.Context(), keeper, 0, func(*ledger.State) ([]ledger.Removal, error) { panic("there is nothing to choose of") })
	for what, err := range map[string]error{"accept": accepted, "rekey": rekeyed, "rm": removed} {
		if !errors.Is(err, ledger.ErrNone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := p.files(t); len(got) != 0 {
		t.Errorf("made %v", got)
	}
}

// TestCareNeedsTheLock and a ledger that is sound.
func TestCareNeedsTheLock(t *testing.T) {
	t.Parallel()
	all := func(p *place) map[string]error {
		_, accepted := p.store().Accept(t.Context(), keeper, 0)
		_, rekeyed := p.rekey(t, p.noKey())
		removed := p.store().Remove(t.Context(), keeper, 0, func(*ledger.State) ([]ledger.Removal, error) { panic("it was read") })
		return map[string]error{"accept": accepted, "rekey": rekeyed, "rm": removed}
	}
	p := rollBack(t)
	session, _ := p.lock(t)
	for what, err := range all(p) {
		if locked, ok := errors.AsType[*ledger.LockedError](err); !ok || locked.Holder.Run != "ada@host" {
			t.Errorf("%s beside a run: %v", what, err)
		}
	}
	closeSession(t, session)
	p.change(t, `UPDATE entries SET uuid = '{other}' WHERE entry_key = 'A'`)
	before := p.files(t)
	for what, err := range all(p) {
		if !errors.Is(err, table.ErrDamaged) {
			t.Errorf("%s of a damaged ledger: %v", what, err)
		}
	}
	if _, err := p.store().Verify(t.Context()); !errors.Is(err, table.ErrDamaged) {
		t.Errorf("verify: %v", err)
	}
	after := p.files(t)
	for name, content := range before {
		if after[name] != content && strings.HasPrefix(filepath.Base(name), "ledger.db") {
			t.Errorf("%s was changed", name)
		}
	}
	if err := os.Remove(p.db()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.db(), []byte("{}"), private.FileMode); err != nil {
		t.Fatal(err)
	}
	for what, err := range all(p) {
		if !errors.Is(err, table.ErrDamaged) {
			t.Errorf("%s of another file: %v", what, err)
		}
	}
}
