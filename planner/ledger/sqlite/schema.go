package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/providers/secret"
)

// schemaVersion is raised by every change of the schema.
const schemaVersion = "2"

// schema holds only types and clauses that PostgreSQL has too, but for WITHOUT
// ROWID, which spares the second tree of a table. Times are RFC 3339 texts. There
// is no column that could hold a value of a secret.
//
// One row of entries is all that is known of a key, so that noting an answer
// changes one row of one table:
//
//   - writes: a JSON array of at most [ledger.MaxWrites] writes, the newest first.
//   - believed: no where only the doubt counts, since an intent made the row, or a
//     restored copy of the ledger did and a later run has written; else yes.
//   - intent_session: whose intent stands open; empty for nobody's.
//   - doubt: yes where an earlier intent, of that session or of another, was never
//     answered; else no.
//   - seal, flags_seal: of believed, doubt and intent_session the second, of the rest
//     the first. They are made with the root key, as those of the other tables are.
//
// entry_count is how many entries a destination has: a page of them that is lost
// as a whole is found out by it. The seal of a destination covers the rest: consent_by
// and consent_at, both empty without a consent, too.
const schema = metaTable + `CREATE TABLE destinations (
	id TEXT PRIMARY KEY,
	repository_uuid TEXT NOT NULL, environment_uuid TEXT NOT NULL,
	workspace TEXT NOT NULL, repository TEXT NOT NULL, environment TEXT NOT NULL,
	consent_by TEXT NOT NULL, consent_at TEXT NOT NULL,
	entry_count BIGINT NOT NULL, seal BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
	destination_id TEXT NOT NULL, entry_key TEXT NOT NULL,
	owner_config TEXT NOT NULL, owner_sync TEXT NOT NULL,
	uuid TEXT NOT NULL, secured BOOLEAN NOT NULL,
	fingerprint BYTEA NOT NULL, key_id TEXT NOT NULL,
	source_kms TEXT NOT NULL, source_environment TEXT NOT NULL, source_path TEXT NOT NULL,
	source_name TEXT NOT NULL, source_id TEXT NOT NULL, source_version BIGINT NOT NULL,
	released BOOLEAN NOT NULL, writes TEXT NOT NULL,
	believed TEXT NOT NULL, doubt TEXT NOT NULL, intent_session TEXT NOT NULL,
	seal BIGINT NOT NULL, flags_seal BIGINT NOT NULL,
	PRIMARY KEY (destination_id, entry_key)
) WITHOUT ROWID;
`

const metaTable = `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

// The names in the table meta.
const (
	metaVersion = "schema_version"
	metaID      = "ledger_id"
	metaSerial  = "serial"
	metaCreated = "created_at"
	metaKeyID   = "key_id" // of the root key that the seals are made with
	metaSeal    = "seal"   // of the version, the id, the serial and what follows
	// metaRolledBack is when a run last set aside the records of an older copy of the
	// ledger, which nobody has accepted since; it is not there without.
	metaRolledBack = "rolled_back_at"
)

// cautious makes SQLite look at the layout of each page before it believes it, and
// call nothing with an effect for the sake of a schema that somebody else made.
const cautious = "_pragma=cell_size_check(1)&_pragma=trusted_schema(0)"

// checkSchema refuses a file whose schema is not ours to the letter: a trigger would
// run with our writes, and a view could be without end. Where the table meta is ours,
// it tells a schema of another version from one that somebody made up.
func checkSchema(ctx context.Context, tx *sql.Tx) error {
	missing, foreign := map[string]bool{}, false
	for statement := range strings.SplitSeq(strings.TrimSpace(schema), ";\n") {
		missing[strings.TrimSuffix(statement, ";")] = true
	}
	err := each(ctx, tx, `SELECT COALESCE(sql, '') FROM sqlite_schema`, func(rows *sql.Rows) error {
		var statement string
		err := rows.Scan(&statement)
		foreign = foreign || !missing[statement]
		delete(missing, statement)
		return err
	})
	if err != nil || !foreign && len(missing) == 0 {
		return err
	}
	if !missing[strings.TrimSuffix(metaTable, ";\n")] {
		var version string
		err := tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, metaVersion).Scan(&version)
		if err == nil && version != schemaVersion {
			return errVersion(version)
		}
	}
	if foreign {
		return fmt.Errorf("%w: its schema holds something that kmsync did not make", errDamaged)
	}
	return fmt.Errorf("%w: a table is missing", errDamaged)
}

func errVersion(version string) error {
	return fmt.Errorf("its schema has version %q and this kmsync knows version %q only; use the kmsync that wrote it, or a newer one",
		version, schemaVersion)
}

// openFile opens the file at path with one connection. Parameters are those of
// SQLite's file: names and of the driver.
func openFile(path string, parameters ...string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(absolute)
	if !strings.HasPrefix(slashed, "/") { // a drive letter
		slashed = "/" + slashed
	}
	name := url.URL{Scheme: "file", Path: slashed, RawQuery: strings.Join(parameters, "&")}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// create makes an empty ledger under another name and renames it when it is
// whole and on disk, so that a run that dies here leaves no half ledger, and a
// file without a schema is always a damaged one.
func (s *Store) create(ctx context.Context, id string, key secret.Key) error {
	path := s.newFile()
	for _, name := range withLogs(path) { // of a run that died here
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := private.WriteNew(path, nil); err != nil { // for its mode
		return err
	}
	if err := s.fill(ctx, path, id, key); err != nil {
		return err
	}
	if err := os.Rename(path, s.file()); err != nil {
		return err
	}
	return private.SyncDir(s.opt.Dir)
}

// fill writes the schema and what meta holds from the start. Closing the last
// connection moves the log into the file.
func (s *Store) fill(ctx context.Context, path, id string, key secret.Key) error {
	db, err := openFile(path, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate")
	if err != nil {
		return err
	}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		for _, pair := range [][2]string{
			{metaVersion, schemaVersion},
			{metaID, id},
			{metaSerial, "0"},
			{metaCreated, timeText(s.opt.Now())},
			{metaKeyID, key.ID()},
			{metaSeal, record.NewSeals(key, id).Meta(schemaVersion, "0", "")},
		} {
			if _, err := tx.ExecContext(ctx, setMeta, pair[0], pair[1]); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, db.Close())
}

// logAhead puts a file into WAL mode, which a copy made with SQLite's own tools may
// have lost. On the way no journal lies beside it, which a run that is killed would
// leave there.
func logAhead(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	_, err := db.ExecContext(ctx, `PRAGMA journal_mode = MEMORY; PRAGMA journal_mode = WAL`)
	return err
}

// inTx runs do in one transaction: all of it is kept, or nothing.
func inTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the first error says more
		return err
	}
	return tx.Commit()
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
