package sqlite

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/providers/secret"
)

// modes returns the mode of everything under the place's root.
func modes(t *testing.T, p *place) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	for name := range p.files(t) {
		info, err := os.Stat(filepath.Join(p.root, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = info.Mode().Perm()
	}
	return found
}

func TestModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	p := newPlace(t)
	session, state := p.lock(t)
	settle(t, session, written("A", state.Key, "value"))
	want := map[string]fs.FileMode{
		"conf": private.DirMode, "data": private.DirMode, "state": private.DirMode, "conf/.kmsync": private.DirMode,
		"conf/.kmsync/.gitignore": private.FileMode, "conf/.kmsync/lock": private.FileMode, "conf/.kmsync/lock.json": private.FileMode,
		"conf/.kmsync/ledger.db": private.FileMode, "conf/.kmsync/ledger.db-wal": private.FileMode, "conf/.kmsync/ledger.db-shm": private.FileMode,
		"data/ledger-" + state.ID + ".key": private.FileMode, "state/serial-" + state.ID: private.FileMode,
	}
	diff(t, modes(t, p), want)
	closeSession(t, session)
	for _, name := range []string{"lock.json", "ledger.db-wal", "ledger.db-shm"} {
		delete(want, "conf/.kmsync/"+name)
	}
	diff(t, modes(t, p), want)
	if got := p.files(t)["conf/.kmsync/.gitignore"]; got != "*\n" {
		t.Errorf(".gitignore holds %q", got)
	}
}

func TestRightsOfOthersAreTakenAway(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	p := newPlace(t)
	p.fill(t, 1)
	key := p.keyFile(t, p.load(t).ID)
	for name, mode := range map[string]fs.FileMode{p.opt.Dir: 0o755, p.db(): 0o644, key: 0o640} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	p.session(t, func(ledger.Session, *ledger.State) {})
	got := modes(t, p)
	if got["conf/.kmsync"] != private.DirMode || got["conf/.kmsync/ledger.db"] != private.FileMode {
		t.Errorf("got %v", got)
	}
	if len(p.warnings) != 1 || !strings.Contains(p.warnings[0], key) {
		t.Errorf("warnings %q, want one of the key file", p.warnings)
	}
}

func TestGitignoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	path := filepath.Join(p.opt.Dir, ".gitignore")
	if err := os.MkdirAll(p.opt.Dir, private.DirMode); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine\n"), private.FileMode); err != nil {
		t.Fatal(err)
	}
	p.fill(t, 1)
	if got := p.files(t)["conf/.kmsync/.gitignore"]; got != "mine\n" {
		t.Errorf(".gitignore holds %q, want what was there", got)
	}
	if err := os.Remove(path); err != nil { // by somebody who commits the ledger
		t.Fatal(err)
	}
	p.fill(t, 1)
	if _, ok := p.files(t)["conf/.kmsync/.gitignore"]; ok {
		t.Error(".gitignore came back")
	}
}

// TestLoadLeavesNoTrace compares every file before and after.
func TestLoadLeavesNoTrace(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 3)
	before := p.files(t)
	p.load(t)
	diff(t, p.files(t), before)
}

func TestLoadFromAReadOnlyFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("modes do not stop this user")
	}
	p := newPlace(t)
	p.fill(t, 3)
	p.readOnly(t, true)
	defer p.readOnly(t, false)
	if n := len(p.load(t).Destinations[staging.ID].Entries); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	if _, _, err := p.store().Lock(t.Context(), tester, 0); err == nil {
		t.Error("a lock was taken in a folder that is read-only")
	}
}

func (p *place) readOnly(t *testing.T, on bool) {
	t.Helper()
	dir, file := fs.FileMode(private.DirMode), fs.FileMode(private.FileMode)
	if on {
		dir, file = 0o500, 0o400
	}
	for name, mode := range map[string]fs.FileMode{p.opt.Dir: dir, p.db(): file} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFullDiskLosesNothing lets SQLite run out of pages: the session goes on and
// keeps what it had.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	opened, state := p.lock(t)
	s := opened.(*session)
	if _, err := s.db.ExecContext(t.Context(), `PRAGMA max_page_count = 1`); err != nil { // as many as there are
		t.Fatal(err)
	}
	var many []ledger.Outcome
	for i := range 500 {
		many = append(many, written(fmt.Sprintf("MORE_%d", i), state.Key, "value"))
	}
	err := opened.Settle(t.Context(), staging, many)
	if err == nil || !strings.HasPrefix(err.Error(), "write ledger "+p.db()) || !strings.Contains(err.Error(), "no space is left") {
		t.Errorf("got %v", err)
	}
	settle(t, opened, written("KEY_00000", state.Key, "new"))
	closeSession(t, opened)
	got := p.load(t)
	e := entry(got, "KEY_00000")
	if len(got.Destinations[staging.ID].Entries) != 1 || !e.Fingerprint.Equal(got.Key.Fingerprint(staging.ID, e.Key, secret.New("new"))) {
		t.Errorf("got %+v, want the one key, written anew", got.Destinations[staging.ID].Entries)
	}
}

// TestNoFileHoldsAValue looks for a value, raw and encoded, in every file while a
// session is open and after it; and for the fingerprint and the root key where
// they must not be.
func TestNoFileHoldsAValue(t *testing.T) {
	t.Parallel()
	const canary = "c4nary/+?value"
	p := newPlace(t)
	session, state := p.lock(t)
	intend(t, session, create("A"))
	done := written("A", state.Key, canary)
	settle(t, session, done)
	raw := done.Entry.Fingerprint.Bytes()
	key, err := os.ReadFile(p.keyFile(t, state.ID))
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	search := func(when string) {
		t.Helper()
		stored := false
		for name, content := range p.files(t) {
			lower := strings.ToLower(content)
			for _, text := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary)), hex.EncodeToString([]byte(canary))} {
				if strings.Contains(lower, strings.ToLower(text)) {
					t.Errorf("%s: %s holds the value", when, name)
				}
			}
			for what, b := range map[string][]byte{"fingerprint": raw, "key": rawKey} {
				if strings.Contains(lower, hex.EncodeToString(b)) {
					t.Errorf("%s: %s holds the %s in hex", when, name, what)
				}
			}
			isDB := strings.HasPrefix(filepath.Base(name), "ledger.db")
			if strings.Contains(content, string(raw)) {
				stored = true
				if !isDB {
					t.Errorf("%s: %s holds the fingerprint", when, name)
				}
			}
			if isDB && (strings.Contains(content, string(rawKey)) || strings.Contains(content, strings.TrimSpace(string(key)))) {
				t.Errorf("%s: %s holds the root key", when, name)
			}
		}
		if !stored {
			t.Errorf("%s: the fingerprint is nowhere; the search does not work", when)
		}
	}
	search("open")
	closeSession(t, session)
	search("closed")
	if n := p.count(t, `SELECT count(*) FROM entries WHERE typeof(fingerprint) = 'blob' AND length(fingerprint) = 16`); n != 1 {
		t.Error("the fingerprint is not stored as 16 bytes")
	}
}
