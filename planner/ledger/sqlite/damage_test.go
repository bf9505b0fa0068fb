package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

func keyOf(i int) string { return fmt.Sprintf("KEY_%05d", i) }

// fill writes n entries and closes.
func (p *place) fill(t testing.TB, n int) {
	t.Helper()
	p.session(t, func(session ledger.Session, state *ledger.State) {
		var outcomes []ledger.Outcome
		for i := range n {
			outcomes = append(outcomes, written(keyOf(i), state.Key, "value"))
		}
		settle(t, session, outcomes...)
	})
}

// TestDamage damages a good file: neither reading nor writing takes it for a lost
// ledger, and none of both changes it.
func TestDamage(t *testing.T) {
	t.Parallel()
	const page = 4096
	overwrite := func(at, n int) func([]byte) []byte {
		return func(b []byte) []byte {
			for i := at; i < at+n; i++ {
				b[i] = 0xA5
			}
			return b
		}
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":              func([]byte) []byte { return nil },
		"not a database":     func([]byte) []byte { return []byte("{}\n") },
		"text of its size":   func(b []byte) []byte { return overwrite(0, len(b))(b) },
		"header gone":        overwrite(0, 100),
		"first half":         func(b []byte) []byte { return b[:len(b)/2/page*page] },
		"torn in a page":     func(b []byte) []byte { return b[:len(b)-page/2] },
		"last page gone":     func(b []byte) []byte { return b[:len(b)-page] },
		"a page of rubbish":  func(b []byte) []byte { return overwrite(len(b)/2/page*page, page)(b) },
		"schema overwritten": overwrite(100, 900),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 200)
			good, err := os.ReadFile(p.db())
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(append([]byte(nil), good...))
			if err := os.WriteFile(p.db(), bad, private.FileMode); err != nil {
				t.Fatal(err)
			}
			err = p.loadError(t, p.db(), "damaged", "backup", "delete ledger.db and its logs")
			if !errors.Is(err, table.ErrDamaged) {
				t.Errorf("load: %v", err)
			}
			if _, _, err := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, table.ErrDamaged) {
				t.Errorf("lock: %v", err)
			}
			if after, err := os.ReadFile(p.db()); err != nil || string(after) != string(bad) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

// TestDamagedRows has files that SQLite finds nothing wrong with.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"another program's file": `DROP TABLE meta`,
		"no id":                  `DELETE FROM meta WHERE name = 'ledger_id'`,
		"id of another file":     `UPDATE meta SET value = '../../x' WHERE name = 'ledger_id'`,
		"serial below 0":         `UPDATE meta SET value = '-1' WHERE name = 'serial'`,
		"serial at the end":      `UPDATE meta SET value = '9223372036854775807' WHERE name = 'serial'`,
		"no serial":              `DELETE FROM meta WHERE name = 'serial'`,
		"short fingerprint":      `UPDATE entries SET fingerprint = x'0102'`,
		"entry of nowhere":       `UPDATE entries SET destination_id = 'x'`,
		"no destination":         `DELETE FROM destinations`,
		"no entries":             `DROP TABLE entries`,
		"an entry is lost":       `DELETE FROM entries WHERE entry_key = 'A'`,
		"a doubt is lost":        `DELETE FROM entries WHERE entry_key = 'B'`,
		"other uuid":             `UPDATE entries SET uuid = 'x'`,
		"other write":            `UPDATE entries SET writes = replace(writes, 'create', 'update')`,
		"other version":          `UPDATE entries SET source_version = source_version + 1`,
		"no flag":                `UPDATE entries SET doubt = 'nO'`,
		"nor this one":           `UPDATE entries SET believed = ''`,
		"destination's name":     `UPDATE destinations SET repository = 'wec'`,
		"a consent of nobody":    `UPDATE destinations SET consent_at = '2026-03-01T12:00:00Z'`,
		"other flag":             `UPDATE entries SET released = NOT released`,
		"no number":              `UPDATE entries SET source_version = 'three'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.session(t, func(session ledger.Session, state *ledger.State) {
				settle(t, session, written("A", state.Key, "value"))
				intend(t, session, create("A"), create("B"))
			})
			p.change(t, statement)
			if err := p.loadError(t); !errors.Is(err, table.ErrDamaged) {
				t.Errorf("load: %v", err)
			}
			if _, _, err := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, table.ErrDamaged) {
				t.Errorf("lock: %v", err)
			}
		})
	}
}

func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	for name, also := range map[string]string{
		"of the same tables": ``,
		"with a new column":  `ALTER TABLE entries ADD COLUMN more TEXT`,
		"with a new table":   `CREATE TABLE more (a)`,
		"without a table":    `DROP TABLE entries`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 1)
			p.change(t, `UPDATE meta SET value = '7' WHERE name = 'schema_version';`+also)
			err := p.loadError(t, `version "7"`, `version "2"`)
			if errors.Is(err, table.ErrDamaged) {
				t.Errorf("it counts as damaged: %v", err)
			}
			if _, _, lockErr := p.store().Lock(t.Context(), tester, 0); lockErr == nil || lockErr.Error() != err.Error() {
				t.Errorf("lock: %v, want %v", lockErr, err)
			}
		})
	}
}

// TestNotProvenAbsent has places where no ledger can be read, and where it is not
// proven that there is none.
func TestNotProvenAbsent(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *place){
		"the folder is a file":         func(t *testing.T, p *place) { write(t, p.opt.Dir, "x") },
		"a folder above is a file":     func(t *testing.T, p *place) { write(t, filepath.Dir(p.opt.Dir), "x") },
		"the folder is a dead link":    func(t *testing.T, p *place) { link(t, "/nowhere/at/all", p.opt.Dir) },
		"the file is a dead link":      func(t *testing.T, p *place) { link(t, "/nowhere/at/all", p.db()) },
		"the file is a folder":         func(t *testing.T, p *place) { write(t, filepath.Join(p.db(), "x"), "x") },
		"only the file's log is there": func(t *testing.T, p *place) { write(t, p.db()+walSuffix, "x") },
		"only a journal is there":      func(t *testing.T, p *place) { write(t, p.db()+journalSuffix, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			prepare(t, p)
			before := p.files(t)
			p.loadError(t, "read ledger "+p.db())
			if _, _, err := p.store().Lock(t.Context(), tester, 0); err == nil {
				t.Error("lock made a ledger")
			}
			after := p.files(t)
			for name := range after { // the lock and nothing else may be new
				if _, ok := before[name]; !ok && filepath.Base(name) != "lock" {
					t.Errorf("lock made %s", name)
				}
			}
			for name, content := range before {
				if after[name] != content {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

// TestALedgerThatWasNotFinishedIsMadeAnew leaves what a run leaves that dies while
// it makes the ledger.
func TestALedgerThatWasNotFinishedIsMadeAnew(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := os.MkdirAll(p.opt.Dir, private.DirMode); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", walSuffix, shmSuffix, journalSuffix} {
		if err := os.WriteFile(p.db()+".new"+suffix, []byte("half"), private.FileMode); err != nil {
			t.Fatal(err)
		}
	}
	if state := p.load(t); state.Serial != 0 || state.ID != "" {
		t.Errorf("got %+v, want no ledger", state)
	}
	p.fill(t, 3)
	if n := len(p.load(t).Destinations[staging.ID].Entries); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}
