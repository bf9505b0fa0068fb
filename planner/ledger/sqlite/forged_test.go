package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

const endless = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT`

// refused fails unless a file that somebody made up is refused as damaged, at once
// and without a change.
func (p *place) refused(t *testing.T, want ...string) {
	t.Helper()
	before := p.files(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := p.store().Load(ctx)
	_, _, lockErr := p.store().Lock(ctx, tester, 0)
	for _, err := range []error{err, lockErr} {
		if !errors.Is(err, table.ErrDamaged) {
			t.Fatalf("got %v, want it damaged", err)
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
	diff(t, p.files(t), before)
}

// TestACraftedSchemaIsRefused has files as a checkout may bring them: every row has
// its seal, and the schema says more than kmsync ever does.
func TestACraftedSchemaIsRefused(t *testing.T) {
	t.Parallel()
	const trigger = `CREATE TRIGGER t AFTER UPDATE ON entries BEGIN UPDATE entries SET intent_session = ''; END;`
	for name, statements := range map[string]string{
		"a trigger of entries":      trigger,
		"a trigger of meta":         `CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM entries; END`,
		"a view":                    `CREATE VIEW v AS SELECT 1`,
		"meta as an endless view":   `DROP TABLE meta; CREATE VIEW meta AS ` + endless + ` 'n' || x AS name, 'v' AS value FROM c`,
		"an endless entries":        `DROP TABLE entries; CREATE VIEW entries AS ` + endless + ` x FROM c`,
		"an index":                  `CREATE INDEX i ON entries (uuid)`,
		"an index by an expression": `CREATE INDEX i ON entries (upper(uuid))`,
		"a table":                   `CREATE TABLE more (a)`,
		"statistics":                `ANALYZE`,
		"a column":                  `ALTER TABLE entries ADD COLUMN more TEXT`,
		"another table of the name": `ALTER TABLE destinations RENAME TO old; CREATE TABLE destinations AS SELECT * FROM old; DROP TABLE old`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 3)
			p.change(t, statements)
			p.refused(t, "its schema holds something that kmsync did not make", "backup")
		})
	}
}

// TestTheSchemaCannotBeHidden: no view takes the place of the table that is asked
// for it.
func TestTheSchemaCannotBeHidden(t *testing.T) {
	t.Parallel()
	for _, view := range []string{"sqlite_schema", "sqlite_master", "main.sqlite_schema"} {
		for _, query := range []string{`SELECT * FROM sqlite_master WHERE type = 'table'`, endless + ` 'x' AS sql FROM c`} {
			t.Run(view, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				p.fill(t, 3)
				p.change(t, `CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM entries; END; PRAGMA writable_schema = ON;
INSERT INTO sqlite_master VALUES ('view', '`+view+`', '`+view+`', 0, 'CREATE VIEW `+view+` AS `+strings.ReplaceAll(query, "'", "''")+`')`)
				p.refused(t)
			})
		}
	}
}

// TestForgedRowsAreRefused has what somebody can write who reads every row and has
// not the root key. The counts fit.
func TestForgedRowsAreRefused(t *testing.T) {
	t.Parallel()
	const columns = `owner_config, owner_sync, uuid, secured, fingerprint, key_id, source_kms, source_environment, source_path, source_name,
source_id, source_version, released, writes, believed, doubt, intent_session`
	copyOf := func(destination, key, seals string) string {
		return `INSERT INTO entries SELECT '` + destination + `', '` + key + `', ` + columns + `, ` + seals + ` FROM entries WHERE entry_key = 'A';
UPDATE destinations SET entry_count = entry_count + 1 WHERE id = '` + destination + `'`
	}
	for name, statements := range map[string]string{
		"a new row with the seal 0":    copyOf(staging.ID, "Z", "0, 0"),
		"a new row with a seal":        copyOf(staging.ID, "Z", "4711, 4712"),
		"a genuine row of another key": copyOf(staging.ID, "Z", "seal, flags_seal"),
		"of another destination":       copyOf("{repo}", "A", "seal, flags_seal"),
		"a genuine row renamed":        `UPDATE entries SET entry_key = 'Z' WHERE entry_key = 'A'`,
		"two keys swapped": `UPDATE entries SET entry_key = 'x' WHERE entry_key = 'A';
UPDATE entries SET entry_key = 'A' WHERE entry_key = 'B'; UPDATE entries SET entry_key = 'B' WHERE entry_key = 'x'`,
		"two destinations swapped": `UPDATE destinations SET id = 'x', entry_count = 3 WHERE id = '{repo}';
UPDATE destinations SET id = '{repo}', entry_count = 1 WHERE id = '{repo}/{env}'; UPDATE destinations SET id = '{repo}/{env}' WHERE id = 'x'`,
		"the fingerprint of another": `UPDATE entries SET fingerprint = (SELECT fingerprint FROM entries WHERE entry_key = 'B') WHERE entry_key = 'A'`,
		"another owner":              `UPDATE entries SET owner_sync = 'sync.b' WHERE entry_key = 'A'`,
		"another variable":           `UPDATE entries SET uuid = '{other}' WHERE entry_key = 'A'`,
		"another name of the place":  `UPDATE destinations SET repository = 'evil' WHERE id = '{repo}'`,
		"another repository":         `UPDATE destinations SET repository_uuid = '{evil}' WHERE id = '{repo}'`,
		"a new place":                `INSERT INTO destinations SELECT '{evil}', '{evil}', '', workspace, repository, '', '', '', 0, seal FROM destinations WHERE id = '{repo}'`,
		"a doubt that is believed":   `UPDATE entries SET believed = 'yes' WHERE entry_key = 'C'`,
		"a row that is not believed": `UPDATE entries SET believed = 'no' WHERE entry_key = 'A'`,
		"a doubt":                    `UPDATE entries SET doubt = 'yes' WHERE entry_key = 'A'`,
		"an intent":                  `UPDATE entries SET intent_session = 'x' WHERE entry_key = 'A'`,
		"no intent":                  `UPDATE entries SET intent_session = '' WHERE entry_key = 'B'`,
		"the flags of another row":   `UPDATE entries SET intent_session = '', flags_seal = (SELECT flags_seal FROM entries WHERE entry_key = 'A') WHERE entry_key = 'B'`,
		"flags with the seal 0":      `UPDATE entries SET intent_session = '', flags_seal = 0 WHERE entry_key = 'B'`,
		"a seal that is no number":   `UPDATE entries SET seal = 'x'`,
		"the serial lowered":         `UPDATE meta SET value = '1' WHERE name = 'serial'`,
		"the serial raised":          `UPDATE meta SET value = '99' WHERE name = 'serial'`,
		"no seal of the serial":      `UPDATE meta SET value = '99' WHERE name = 'serial'; DELETE FROM meta WHERE name = 'seal'`,
		"a copy that is accepted":    `DELETE FROM meta WHERE name = 'rolled_back_at'`,
		"a copy that is accepted so": `UPDATE meta SET value = '' WHERE name = 'rolled_back_at'`,
		"another time of the mark":   `UPDATE meta SET value = '2026-01-01T00:00:00Z' WHERE name = 'rolled_back_at'`,
		"a consent":                  `UPDATE destinations SET consent_by = 'eve@host', consent_at = '2026-03-01T12:00:00Z' WHERE id = '{repo}/{env}'`,
		"another's consent":          `UPDATE destinations SET (consent_by, consent_at, seal) = (SELECT consent_by, consent_at, seal FROM destinations WHERE id = '{repo}') WHERE id = '{repo}/{env}'`,
		"another time of a consent":  `UPDATE destinations SET consent_at = '2026-03-02T12:00:00Z' WHERE id = '{repo}'`,
		"a serial with the seal 0":   `UPDATE meta SET value = '99' WHERE name = 'serial'; UPDATE meta SET value = '0' WHERE name = 'seal'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			production := ledger.Destination{ID: "{repo}", RepositoryUUID: "{repo}", Workspace: "acme", Repository: "web"}
			for i := range 2 {
				if i > 0 { // an older copy, as far as this machine knows
					write(t, filepath.Join(p.opt.StateDir, "serial-"+p.load(t).ID), "7")
				}
				p.session(t, func(s ledger.Session, state *ledger.State) {
					settle(t, s, written("A", state.Key, "value"), written("B", state.Key, "other"))
					if err := s.Settle(t.Context(), production, []ledger.Outcome{written("P", state.Key, "value")}); err != nil {
						t.Fatal(err)
					}
					if err := s.Consent(t.Context(), production, ledger.Consent{By: "ada@host", At: start}); err != nil {
						t.Fatal(err)
					}
					intend(t, s, create("B"), create("C"))
				})
			}
			p.change(t, statements)
			p.refused(t)
		})
	}
}

// TestAnotherLedgersRowsAreRefused, although both have one root key, as from the
// environment of a runner.
func TestAnotherLedgersRowsAreRefused(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string]string{
		"entries":      `DELETE FROM entries; INSERT INTO entries SELECT * FROM other.entries`,
		"destinations": `DELETE FROM destinations; INSERT INTO destinations SELECT * FROM other.destinations`,
		"its seal":     `DELETE FROM meta WHERE name = 'seal'; INSERT INTO meta SELECT * FROM other.meta WHERE name = 'seal'`,
		"its id":       `DELETE FROM meta WHERE name = 'ledger_id'; INSERT INTO meta SELECT * FROM other.meta WHERE name = 'ledger_id'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, other := newPlace(t), newPlace(t)
			p.opt.Keys.Env, other.opt.Keys.Env = envKey(1), envKey(1)
			p.fill(t, 2)
			other.fill(t, 2)
			p.change(t, `ATTACH '`+other.db()+`' AS other;`+statements)
			p.refused(t, "another seal")
		})
	}
}

// TestAForgedKeyIDMakesNoKey: what says which root key it was does not open it.
func TestAForgedKeyIDMakesNoKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	p.change(t, `UPDATE meta SET value = '' WHERE name = 'key_id'`)
	if err := p.loadError(t); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("load: %v, want ErrNoKey", err)
	}
}

// TestAJournalIsRefused: SQLite would replay it, and remove a file that it names.
func TestAJournalIsRefused(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "with its magic": "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"} {
		for _, used := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				if used {
					p.fill(t, 1)
				}
				write(t, p.db()+journalSuffix, content)
				p.refused(t, "ledger.db-journal lies beside it", "remove it")
				if err := os.Remove(p.db() + journalSuffix); err != nil {
					t.Fatal(err)
				}
				p.fill(t, 1)
			})
		}
	}
}

// TestNoJournalOnTheWayToWAL: with a link to nowhere in its place none can be made,
// and so a run that is killed leaves none.
func TestNoJournalOnTheWayToWAL(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	p.change(t, `PRAGMA journal_mode = DELETE`)
	link(t, "/nowhere/at/all", p.db()+journalSuffix)
	db, err := table.Open(p.db(), "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := table.LogAhead(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	var mode string
	if err := db.QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("the mode is %q (%v)", mode, err)
	}
}
