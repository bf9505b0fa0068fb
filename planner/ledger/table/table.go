// Package table is the file of a ledger in SQLite: its schema, held to the letter,
// the statements that change it, and how it is opened and made.
package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/providers/secret"
)

// ErrDamaged says that the file is there and cannot be believed. It never counts
// as a lost ledger: whoever deletes the folder decides that.
var ErrDamaged = errors.New("the ledger is damaged")

// Version is raised by every change of the schema.
const Version = "2"

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
	MetaVersion = "schema_version"
	MetaID      = "ledger_id"
	MetaSerial  = "serial"
	MetaCreated = "created_at"
	MetaKeyID   = "key_id" // of the root key that the seals are made with
	MetaSeal    = "seal"   // of the version, the id, the serial and what follows
	// MetaRolledBack is when a run last set aside the records of an older copy of the
	// ledger, which nobody has accepted since; it is not there without.
	MetaRolledBack = "rolled_back_at"
)

// Cautious makes SQLite look at the layout of each page before it believes it, and
// call nothing with an effect for the sake of a schema that somebody else made.
const Cautious = "_pragma=cell_size_check(1)&_pragma=trusted_schema(0)"

// CheckSchema refuses a file whose schema is not ours to the letter: a trigger would
// run with our writes, and a view could be without end. Where the table meta is ours,
// it tells a schema of another version from one that somebody made up.
func CheckSchema(ctx context.Context, tx *sql.Tx) error {
	missing, foreign := map[string]bool{}, false
	for statement := range strings.SplitSeq(strings.TrimSpace(schema), ";\n") {
		missing[strings.TrimSuffix(statement, ";")] = true
	}
	err := Each(ctx, tx, `SELECT COALESCE(sql, '') FROM sqlite_schema`, func(rows *sql.Rows) error {
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
		err := tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, MetaVersion).Scan(&version)
		if err == nil && version != Version {
			return VersionError(version)
		}
	}
	if foreign {
		return fmt.Errorf("%w: its schema holds something that kmsync did not make", ErrDamaged)
	}
	return fmt.Errorf("%w: a table is missing", ErrDamaged)
}

// VersionError says that a ledger is of another version.
func VersionError(version string) error {
	return fmt.Errorf("its schema has version %q and this kmsync knows version %q only; use the kmsync that wrote it, or a newer one",
		version, Version)
}

// Open opens the file at path with one connection. Parameters are those of
// SQLite's file: names and of the driver.
func Open(path string, parameters ...string) (*sql.DB, error) {
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

// Fill writes into an empty file the schema and what meta holds from the start. Closing the last
// connection moves the log into the file.
func Fill(ctx context.Context, path, id string, key secret.Key, now time.Time) error {
	db, err := Open(path, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate")
	if err != nil {
		return err
	}
	err = InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		for _, pair := range [][2]string{
			{MetaVersion, Version},
			{MetaID, id},
			{MetaSerial, "0"},
			{MetaCreated, TimeText(now)},
			{MetaKeyID, key.ID()},
			{MetaSeal, record.NewSeals(key, id).Meta(Version, "0", "")},
		} {
			if _, err := tx.ExecContext(ctx, SetMeta, pair[0], pair[1]); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, db.Close())
}

// LogAhead puts a file into WAL mode, which a copy made with SQLite's own tools may
// have lost. On the way no journal lies beside it, which a run that is killed would
// leave there.
func LogAhead(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	_, err := db.ExecContext(ctx, `PRAGMA journal_mode = MEMORY; PRAGMA journal_mode = WAL`)
	return err
}

// InTx runs do in one transaction: all of it is kept, or nothing.
func InTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
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

// TimeText is how a time is written down.
func TimeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Each calls read for every row of a query. Its error means that the row is not
// as it was written.
func Each(ctx context.Context, tx *sql.Tx, query string, read func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			if ctx.Err() != nil { // it closes the rows
				return ctx.Err()
			}
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return rows.Err()
}

// QuickCheck has SQLite look at the layout of every page, also of those that are
// free.
func QuickCheck(ctx context.Context, tx *sql.Tx) error {
	return Each(ctx, tx, `PRAGMA quick_check(1)`, func(rows *sql.Rows) error {
		var found string
		if err := rows.Scan(&found); err != nil {
			return err
		}
		if found != "ok" {
			return errors.New(found)
		}
		return nil
	})
}
