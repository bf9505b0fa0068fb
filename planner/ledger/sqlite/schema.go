package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger/private"
)

// schemaVersion is raised by every change of the schema.
const schemaVersion = "1"

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
//   - checksum: of the row, but for believed, doubt and intent_session.
//
// entry_count is how many entries a destination has: a page of them that is lost
// as a whole is found out by it. The checksum of a destination covers the rest.
const schema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE destinations (
	id TEXT PRIMARY KEY,
	repository_uuid TEXT NOT NULL, environment_uuid TEXT NOT NULL,
	workspace TEXT NOT NULL, repository TEXT NOT NULL, environment TEXT NOT NULL,
	entry_count BIGINT NOT NULL, checksum BIGINT NOT NULL
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
	checksum BIGINT NOT NULL,
	PRIMARY KEY (destination_id, entry_key)
) WITHOUT ROWID;
`

// The names in the table meta.
const (
	metaVersion = "schema_version"
	metaID      = "ledger_id"
	metaSerial  = "serial"
	metaCreated = "created_at"
	// metaRolledBack is when a run first wrote to a restored copy of the ledger.
	metaRolledBack = "rolled_back_at"
)

// cautious makes SQLite look at the layout of each page before it believes it, and
// call nothing with an effect for the sake of a schema that somebody else made.
const cautious = "_pragma=cell_size_check(1)&_pragma=trusted_schema(0)"

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
func (s *Store) create(ctx context.Context, id string) error {
	path := s.newFile()
	for _, name := range withLogs(path) { // of a run that died here
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := private.WriteNew(path, nil); err != nil { // for its mode
		return err
	}
	if err := s.fill(ctx, path, id); err != nil {
		return err
	}
	if err := os.Rename(path, s.file()); err != nil {
		return err
	}
	return private.SyncDir(s.opt.Dir)
}

// fill writes the schema and what meta holds from the start. Closing the last
// connection moves the log into the file.
func (s *Store) fill(ctx context.Context, path, id string) error {
	db, err := openFile(path, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate")
	if err != nil {
		return err
	}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8)`,
			metaVersion, schemaVersion, metaID, id, metaSerial, "0", metaCreated, timeText(s.opt.Now()))
		return err
	})
	return errors.Join(err, db.Close())
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
