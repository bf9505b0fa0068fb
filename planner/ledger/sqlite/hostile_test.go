package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// TestLinksAreRefused has links that a checkout may bring, each to a file or a
// folder outside, and to nothing: nothing behind them is read or changed.
func TestLinksAreRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes to look at")
	}
	const canary = `{"run":"c4nary"}`
	for _, name := range []string{
		"", "ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal",
		"ledger.db.new", "ledger.db.new-wal", "ledger.db.new-shm", "ledger.db.new-journal", "lock", "lock.json", ".gitignore",
	} {
		for _, target := range []string{"file", "folder", "nothing"} {
			for _, used := range []bool{false, true} { // whether there is a ledger
				t.Run(name+" to "+target, func(t *testing.T) {
					t.Parallel()
					p := newPlace(t)
					if used {
						p.fill(t, 1)
					}
					outside := filepath.Join(p.root, "outside", target)
					write(t, filepath.Join(p.root, "outside", "file"), canary)
					write(t, filepath.Join(p.root, "outside", "folder", "file"), canary)
					if err := os.Chmod(filepath.Join(p.root, "outside", "folder"), 0o755); err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(p.opt.Dir, name)
					if err := os.RemoveAll(path); err != nil {
						t.Fatal(err)
					}
					link(t, outside, path)
					before, modesBefore := p.files(t), p.outsideModes(t)
					p.loadError(t, "read ledger ", path+" is a link", "remove")
					_, _, err := p.store().Lock(t.Context(), tester, 0)
					if err == nil || !strings.Contains(err.Error(), path+" is a link") || strings.Contains(err.Error(), "c4nary") {
						t.Errorf("lock: %v", err)
					}
					diff(t, p.files(t), before)
					diff(t, p.outsideModes(t), modesBefore)
				})
			}
		}
	}
}

func (p *place) outsideModes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"file", "folder"} {
		info, err := os.Stat(filepath.Join(p.root, "outside", name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = info.Mode().String()
	}
	return found
}

// TestALinkAboveTheFolderIsFine: which way leads to the configuration is for its
// user to say.
func TestALinkAboveTheFolderIsFine(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	write(t, filepath.Join(p.root, "real", "file"), "")
	link(t, filepath.Join(p.root, "real"), filepath.Dir(p.opt.Dir))
	p.fill(t, 1)
	if entry(p.load(t), "KEY_00000") == nil {
		t.Error("nothing was written")
	}
}

// TestTightenLeavesLinksAlone even if one gets past the refusal.
func TestTightenLeavesLinksAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	outside := filepath.Join(p.root, "outside", "file")
	write(t, outside, "x")
	if err := os.Chmod(outside, 0o644); err != nil {
		t.Fatal(err)
	}
	link(t, outside, p.db())
	p.store().tighten()
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the mode behind the link was changed: %v, %v", info.Mode(), err)
	}
}

// TestAnIDLeadsNowhere has ledgers whose id would make other files the root key
// or the note of the serial.
func TestAnIDLeadsNowhere(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-of-another-file"
	for _, id := range []string{"../../x", "/x", "", "0123456789ABCDEF", "0123456789abcdef/../x", "0123456789abcdef\n"} {
		for name, fill := range map[string]func(ledger.Session, *ledger.State){
			"without entries": func(s ledger.Session, _ *ledger.State) { intend(t, s, create("A")) },
			"with entries":    func(s ledger.Session, state *ledger.State) { settle(t, s, written("A", state.Key, "x")) },
		} {
			t.Run(id+" "+name, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				p.session(t, fill)
				p.change(t, `UPDATE meta SET value = $1 WHERE name = 'ledger_id'`, id)
				write(t, filepath.Join(p.opt.StateDir, "serial-"+id), canary)
				write(t, filepath.Join(p.opt.Keys.DataDir, "ledger-"+id+".key"), canary)
				before := p.files(t)
				_, _, lockErr := p.store().Lock(t.Context(), tester, 0)
				for _, err := range []error{p.loadError(t, "its id is not 16 hexadecimal digits"), lockErr} {
					if !errors.Is(err, table.ErrDamaged) || strings.Contains(err.Error(), "c4nary") {
						t.Errorf("got %v, want it damaged and nothing quoted", err)
					}
				}
				after := p.files(t)
				delete(after, filepath.Join("conf", ".kmsync", "lock"))
				delete(before, filepath.Join("conf", ".kmsync", "lock"))
				diff(t, after, before)
				if len(p.warnings) != 0 {
					t.Errorf("something was looked at outside: %q", p.warnings)
				}
			})
		}
	}
}

// TestKeysOfAnIDThatIsNone: the store of keys does not rely on who calls it.
func TestKeysOfAnIDThatIsNone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const id = "../../x"
	path := filepath.Join(p.opt.Keys.DataDir, "ledger-"+id+".key")
	write(t, path, envKeyText(3))
	before := p.files(t)
	if key, _, err := p.opt.Keys.Find(id, "", p.opt.Warn); err == nil || !key.IsZero() {
		t.Errorf("a key was found: %v", err)
	}
	if _, _, err := p.opt.Keys.Create(id, p.opt.Random); err == nil {
		t.Error("a key was made")
	}
	if err := p.opt.Keys.Remove(id); err == nil {
		t.Error("a key was removed")
	}
	if err := p.opt.Keys.Promote(id); err == nil || strings.Contains(err.Error(), id) {
		t.Errorf("a key was put in place: %v", err)
	}
	diff(t, p.files(t), before)
}

// TestALedgerThatIsNotMadeLeavesNoKey behind.
func TestALedgerThatIsNotMadeLeavesNoKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.store().Lock(ended, tester, 0); !errors.Is(err, context.Canceled) {
		t.Fatalf("lock: %v", err)
	}
	for name := range p.files(t) {
		if strings.HasPrefix(name, "data"+string(filepath.Separator)) {
			t.Errorf("%s is left", name)
		}
	}
	// A key that was there before is not its own to remove.
	p.fill(t, 1)
	if _, _, err := p.store().Lock(ended, tester, 0); err == nil {
		t.Fatal("a lock was taken after its context had ended")
	}
	if entry(p.load(t), "KEY_00000") == nil {
		t.Error("the key is gone")
	}
}

// TestWhatAKilledRunLeavesIsClearedAway: the files have fixed names.
func TestWhatAKilledRunLeavesIsClearedAway(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	want := p.files(t)
	state := p.load(t)
	write(t, p.store().guard().HolderPath()+".new", "half")
	write(t, filepath.Join(p.opt.StateDir, "serial-"+state.ID+".new"), "half")
	p.session(t, func(session ledger.Session, _ *ledger.State) { intend(t, session, create("A")) })
	got := p.files(t)
	for name := range got {
		if _, known := want[name]; !known {
			t.Errorf("%s is left", name)
		}
	}
	if info, err := os.Stat(p.store().guard().Path()); err != nil || info.Mode().Perm()&^private.FileMode != 0 {
		t.Errorf("the lock: %v, %v", info, err)
	}
}
