package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/table"
	"github.com/hanzoai/kmsync/providers/secret"
)

func (p *place) noKey() secret.Key { return secret.Key{} }

func (p *place) rekey(t testing.TB, old secret.Key) (ledger.Rekeyed, error) {
	t.Helper()
	return p.store().Rekey(t.Context(), keeper, 0, old)
}

// used returns a ledger with entries of each kind, and its state.
func used(t *testing.T) (*place, *ledger.State) {
	t.Helper()
	p := newPlace(t)
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, written("A", state.Key, "value"), written("B", state.Key, "value"), written("D", state.Key, "value"))
		settle(t, s, ledger.Outcome{Kind: ledger.Released, Entry: ledger.Entry{Key: "B"}})
		intend(t, s, create("A"), create("C"))
		consent(t, s, agreed)
	})
	return p, p.load(t)
}

// changed fails unless a ledger has another key and is otherwise as before.
func changed(t *testing.T, p *place, before *ledger.State) {
	t.Helper()
	after := p.load(t)
	if after.Key.Equal(before.Key) || after.ID != before.ID || after.Serial != before.Serial+1 {
		t.Errorf("serial %d, ledger %s; want the next of %d, the same, and another key", after.Serial, after.ID, before.Serial)
	}
	diff(t, after.Destinations, before.Destinations) // with the fingerprints and whose key they are of
	if p.count(t, `SELECT count(*) FROM entries WHERE key_id <> '' AND key_id = (SELECT value FROM meta WHERE name = 'key_id')`) != 0 {
		t.Error("a fingerprint claims the new key")
	}
	p.session(t, func(s ledger.Session, state *ledger.State) { settle(t, s, written("E", state.Key, "value")) })
	if e := entry(p.load(t), "E"); e == nil || e.KeyID != after.Key.ID() {
		t.Errorf("got %+v, want a fingerprint of the new key", e)
	}
}

// TestRekeyWithAFreshKey keeps it where the present one was.
func TestRekeyWithAFreshKey(t *testing.T) {
	t.Parallel()
	p, before := used(t)
	old, err := os.ReadFile(p.keyFile(t, before.ID))
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.rekey(t, p.noKey())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, done, ledger.Rekeyed{KeyAt: p.keyFile(t, before.ID), Checked: true, Keys: 4})
	for name, content := range p.files(t) {
		if strings.HasSuffix(name, ".next") || content == string(old) {
			t.Errorf("%s is left", name)
		}
	}
	changed(t, p, before)
	write(t, p.db(), string(copied)) // the copy of before is sealed with the key of before
	if err := p.loadError(t, "is another one"); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("load: %v", err)
	}
}

// TestRekeyWithAWrongOldKey changes nothing, also where the right one is in its place.
func TestRekeyWithAWrongOldKey(t *testing.T) {
	t.Parallel()
	p, _ := used(t)
	wrong, err := secret.ParseKey(envKey(3))
	if err != nil {
		t.Fatal(err)
	}
	files := p.files(t)
	if _, err := p.rekey(t, wrong); err == nil || !strings.Contains(err.Error(), "the key of --old-key-file is not the one") {
		t.Errorf("got %v", err)
	}
	diff(t, p.files(t), files)
}

// TestRekeyWithTheEnvironmentsKey: the present one is in its file, or given.
func TestRekeyWithTheEnvironmentsKey(t *testing.T) {
	t.Parallel()
	t.Run("of a file", func(t *testing.T) {
		t.Parallel()
		p, before := used(t)
		p.opt.Keys.Env = envKey(1)
		done, err := p.rekey(t, p.noKey())
		if err != nil {
			t.Fatal(err)
		}
		diff(t, done, ledger.Rekeyed{KeyAt: rootkey.Environment, Checked: true, Keys: 4})
		changed(t, p, before)
	})
	t.Run("of the environment", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.opt.Keys = rootkey.Store{Env: envKey(1)}
		p.fill(t, 1)
		before := p.load(t)
		files := p.files(t)
		if _, err := p.rekey(t, p.noKey()); err == nil || !strings.Contains(err.Error(), "put the new key there") || !strings.Contains(err.Error(), "--old-key-file") {
			t.Errorf("the key for itself: %v", err)
		}
		p.opt.Keys.Env = envKey(2)
		third, err := secret.ParseKey(envKey(3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.rekey(t, third); err == nil || !strings.Contains(err.Error(), "the key of --old-key-file is not the one") {
			t.Errorf("a key that is not the old one: %v", err)
		}
		diff(t, p.files(t), files)
		if done, err := p.rekey(t, before.Key); err != nil || !done.Checked || done.Keys != 1 {
			t.Fatalf("got %+v, %v", done, err)
		}
		changed(t, p, before)
	})
	t.Run("then of a file", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.opt.Keys.Env = envKey(1)
		p.fill(t, 1)
		before := p.load(t)
		p.opt.Keys.Env = secret.Value{}
		if _, err := p.rekey(t, before.Key); err != nil {
			t.Fatal(err)
		}
		changed(t, p, before)
		p.keyFile(t, before.ID)
	})
}

// TestRekeyKilled: what is left is the old ledger with the old key, or the new one
// with the new, and the next run puts the key in its place.
func TestRekeyKilled(t *testing.T) {
	t.Parallel()
	for _, fromEnv := range []bool{false, true} {
		p, before := used(t)
		if fromEnv {
			p.opt.Keys.Env = envKey(1)
		}
		seen := map[bool]int{}
		p.killed(t, func(s *Store) error {
			_, err := s.Rekey(t.Context(), keeper, 0, secret.Key{})
			return err
		}, func(step int, left *place) {
			if _, err := left.store().Load(t.Context()); fromEnv && errors.Is(err, ledger.ErrNoKey) {
				left.opt.Keys.Env = secret.Value{} // not yet: the old key is in its file
			}
			state := left.load(t)
			diff(t, state.Destinations, before.Destinations)
			isOld := state.Key.Equal(before.Key)
			seen[isOld]++
			left.session(t, func(s ledger.Session, state *ledger.State) {
				settle(t, s, written("E", state.Key, "value"))
			})
			if after := left.load(t); !after.Key.Equal(state.Key) || entry(after, "E") == nil {
				t.Errorf("step %d: the next run has another key", step)
			}
			if path := left.keyFile(t, state.ID); !fromEnv {
				key, err := rootkey.Read(path)
				if err != nil || !key.Equal(state.Key) {
					t.Errorf("step %d: the key is not in its place (%v)", step, err)
				}
				if _, err := os.Stat(path + ".next"); !isOld && !errors.Is(err, os.ErrNotExist) {
					t.Errorf("step %d: the next key is there still", step)
				}
			}
			if done, err := left.rekey(t, state.Key); err != nil && (!fromEnv || isOld) || err == nil && !done.Checked {
				t.Errorf("step %d: again: %+v, %v", step, done, err)
			}
		})
		if seen[true] < 3 || seen[false] != 2 {
			t.Errorf("%v steps leave the old key, want all but the last two", seen)
		}
	}
}

// TestRekeyWithoutThePresentKey: whatever the ledger claims, nothing is deleted for
// it, and nothing left unwritten.
func TestRekeyWithoutThePresentKey(t *testing.T) {
	t.Parallel()
	p, before := used(t)
	if err := os.Rename(p.keyFile(t, before.ID), filepath.Join(p.root, "away")); err != nil {
		t.Fatal(err)
	}
	p.change(t, `UPDATE meta SET value = '4611686018427387904' WHERE name = 'serial'`) // the highest there is
	done, err := p.rekey(t, p.noKey())
	if err != nil {
		t.Fatal(err)
	}
	after := p.load(t)
	diff(t, done, ledger.Rekeyed{KeyAt: p.keyFile(t, after.ID), Keys: 4, Released: 4, Consents: 1})
	if after.ID == before.ID || after.Serial != 1 || after.Destinations[staging.ID].Consent != nil {
		t.Errorf("got %+v, want another id and no consent", after)
	}
	for key, e := range after.Destinations[staging.ID].Entries {
		old := entry(before, key)
		if key != "C" && (!e.Released || !e.Fingerprint.IsZero() || e.KeyID != "" || e.UUID != old.UUID || len(e.Writes) != 1) ||
			e.InDoubt != old.InDoubt || e.Owner != old.Owner || e.Source != old.Source {
			t.Errorf("%s: got %+v", key, e)
		}
	}
	if len(after.Destinations[staging.ID].Entries) != 4 {
		t.Errorf("got %v", after.Destinations[staging.ID].Entries)
	}
}

// TestRekeyOfAnotherLedgersID leaves the key alone of the ledger that has the id, which
// a checkout may name.
func TestRekeyOfAnotherLedgersID(t *testing.T) {
	t.Parallel()
	mine, state := used(t)
	theirs, _ := used(t)
	theirs.change(t, `UPDATE meta SET value = '`+state.ID+`' WHERE name = 'ledger_id'`)
	theirs.opt.Keys, theirs.opt.StateDir = mine.opt.Keys, mine.opt.StateDir
	if done, err := theirs.rekey(t, theirs.noKey()); err != nil || done.Checked {
		t.Fatalf("got %+v, %v", done, err)
	}
	if got := mine.load(t); !got.Key.Equal(state.Key) || got.Rolled {
		t.Errorf("got %+v, want mine as it was", got)
	}
}

// TestRekeyHidesNoAge: an older copy stays one, with its key or without.
func TestRekeyHidesNoAge(t *testing.T) {
	t.Parallel()
	for _, with := range []bool{true, false} {
		p := rollBack(t)
		if !with {
			if err := os.Remove(p.keyFile(t, p.load(t).ID)); err != nil {
				t.Fatal(err)
			}
		}
		done, err := p.rekey(t, p.noKey())
		if err != nil || !done.Older || done.Checked != with {
			t.Fatalf("got %+v, %v", done, err)
		}
		if state := p.load(t); !state.Unaccepted || state.Rolled != with {
			t.Errorf("with the key: %v: %+v", with, state)
		}
	}
}

// TestRekeyChecksWhatItCan without the key: what no ledger holds is damage, and
// changes nothing.
func TestRekeyChecksWhatItCan(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a uuid":            `UPDATE entries SET uuid = 'x' WHERE entry_key = 'A'`,
		"an empty uuid":     `UPDATE entries SET uuid = '{}' WHERE entry_key = 'A'`,
		"no key":            `UPDATE entries SET entry_key = '' WHERE entry_key = 'A'`,
		"a version":         `UPDATE entries SET source_version = -1`,
		"an escape":         `UPDATE entries SET owner_sync = char(27)`,
		"a flag":            `UPDATE entries SET believed = 'y'`,
		"writes":            `UPDATE entries SET writes = '[[1]]'`,
		"a fingerprint":     `UPDATE entries SET fingerprint = x'00'`,
		"a serial":          `UPDATE meta SET value = '-3' WHERE name = 'serial'`,
		"an id":             `UPDATE meta SET value = '../x' WHERE name = 'ledger_id'`,
		"a consent":         `UPDATE destinations SET consent_at = ''`,
		"a count":           `UPDATE destinations SET entry_count = 1`,
		"an environment":    `UPDATE destinations SET environment_uuid = '{other}'`,
		"a repository":      `UPDATE destinations SET repository_uuid = '{other}'`,
		"no repository":     `UPDATE destinations SET repository_uuid = ''`,
		"a destination":     `UPDATE destinations SET id = 'repo/env'; UPDATE entries SET destination_id = 'repo/env'`,
		"no workspace":      `UPDATE destinations SET workspace = ''`,
		"a name":            `UPDATE destinations SET environment = char(10)`,
		"a trigger":         `CREATE TRIGGER t AFTER UPDATE ON entries BEGIN DELETE FROM entries; END`,
		"a place of no row": `UPDATE entries SET destination_id = '{x}'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, before := used(t)
			if err := os.Remove(p.keyFile(t, before.ID)); err != nil {
				t.Fatal(err)
			}
			p.change(t, statement)
			files := p.files(t)
			if _, err := p.rekey(t, p.noKey()); !errors.Is(err, table.ErrDamaged) {
				t.Errorf("got %v, want it damaged", err)
			}
			diff(t, p.files(t), files)
		})
	}
}

// TestRekeyWithoutAPlace for the new key says so and changes nothing.
func TestRekeyWithoutAPlace(t *testing.T) {
	t.Parallel()
	p, before := used(t)
	p.opt.Keys.DataDir = ""
	files := p.files(t)
	if _, err := p.rekey(t, before.Key); err == nil || !strings.Contains(err.Error(), "no folder to keep it in") {
		t.Errorf("got %v", err)
	}
	diff(t, p.files(t), files)
}
