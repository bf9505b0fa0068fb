package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/record"

	"github.com/hanzoai/kmsync/planner/ledger/table"
	"github.com/hanzoai/kmsync/providers/secret"
)

// readTries is how often a read is repeated that a writer's checkpoint may have
// crossed. The last one goes through SQLite's own locks.
const readTries = 3

// read returns what the file holds, as of its last commit.
//
// Without a log there is nothing but the file, which is then read as one that
// does not change: this alone works on a read-only folder and leaves no files
// behind. A writer that comes and goes meanwhile is noticed by the stamp.
// Beside a log SQLite's ordinary way of reading is the right one.
func (s *Store) read(ctx context.Context) (*ledger.State, error) {
	return s.readStable(ctx, s.readWith)
}

// readStable is read, with the reader as an argument: it takes a parameter of
// the file: name.
func (s *Store) readStable(ctx context.Context, read func(context.Context, string) (*ledger.State, error)) (*ledger.State, error) {
	for range readTries {
		before, err := s.stamp()
		if err != nil {
			return nil, err
		}
		if before.logged {
			break
		}
		state, err := read(ctx, "immutable=1")
		if after, stampErr := s.stamp(); stampErr == nil && after == before {
			return state, err
		}
	}
	return read(ctx, "_pragma=busy_timeout(5000)")
}

// stamp tells one state of the files from another.
type stamp struct {
	size     int64
	modified time.Time
	logged   bool // the log holds something
}

func (s *Store) stamp() (stamp, error) {
	info, err := os.Stat(s.file())
	if err != nil {
		return stamp{}, err
	}
	now := stamp{size: info.Size(), modified: info.ModTime()}
	for _, suffix := range []string{walSuffix, journalSuffix} {
		log, err := os.Stat(s.file() + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return stamp{}, err
		}
		now.logged = now.logged || err == nil && log.Size() > 0
	}
	return now, nil
}

func (s *Store) readWith(ctx context.Context, parameter string) (*ledger.State, error) {
	r := &reader{find: s.find}
	if err := s.readFile(ctx, parameter, r); err != nil {
		return nil, err
	}
	return r.state, nil
}

func (s *Store) readFile(ctx context.Context, parameter string, r *reader) error {
	db, err := table.Open(s.file(), "mode=ro", parameter, table.Cautious)
	if err != nil {
		return err
	}
	err = r.read(ctx, db)
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return err
}

// finder finds the root key of a ledger by the ids of both, and says where it is.
type finder func(id, keyID string) (key secret.Key, at string, err error)

// find finds the root key where it belongs.
func (s *Store) find(id, keyID string) (secret.Key, string, error) {
	return s.opt.Keys.Find(id, keyID, s.opt.Warn)
}

// reader reads everything in one transaction, so that all of it is of one commit.
//
// Damage is looked for on the way, not by a check of its own that would read every
// page twice. SQLite finds pages without a sound layout, the seals of a row what is
// torn inside of one or was made by somebody else, and entry_count what is lost as a
// whole. Free pages have nothing to lose, and SQLite checks them when it takes them.
type reader struct {
	find     finder
	thorough bool // look at every page besides, also at the free ones

	state   *ledger.State
	rows    map[rowID]row  // what a session remembers; nil where there is none
	missing map[string]int // how many entries of a destination were not read yet
	seals   *record.Seals  // nil where find gave no key: then none is checked
	mark    string         // what meta says of rolled_back_at
	keyAt   string         // where the root key is
}

// read reads what the file holds.
func (r *reader) read(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was changed
	r.missing, r.state = map[string]int{}, &ledger.State{Destinations: map[string]*ledger.Destination{}}
	if err := table.CheckSchema(ctx, tx); err != nil {
		return err
	}
	if err := r.meta(ctx, tx); err != nil {
		return err
	}
	if err := table.Each(ctx, tx, `SELECT `+table.DestinationColumns+` FROM destinations`, r.destination); err != nil {
		return err
	}
	if err := table.Each(ctx, tx, `SELECT `+table.EntryColumns+` FROM entries`, r.entry); err != nil {
		return err
	}
	for id, n := range r.missing {
		if n != 0 {
			return fmt.Errorf("%w: %d entries of the destination %q are missing", table.ErrDamaged, n, id)
		}
	}
	if r.thorough {
		return table.QuickCheck(ctx, tx)
	}
	return nil
}

func (r *reader) destination(rows *sql.Rows) error {
	var entries int
	var sum int64
	var consentBy, consentAt string
	d := &ledger.Destination{Entries: map[string]*ledger.Entry{}}
	err := rows.Scan(&d.ID, &d.RepositoryUUID, &d.EnvironmentUUID, &d.Workspace, &d.Repository, &d.Environment, &consentBy, &consentAt, &entries, &sum)
	if err != nil {
		return err
	}
	if d.Consent, err = record.ParseConsent(consentBy, consentAt); err != nil {
		return fmt.Errorf("destination %q: %w", d.ID, err)
	}
	if r.seals == nil {
		if err := record.CheckDestination(d); err != nil {
			return err
		}
	} else if sum != r.seals.Destination(d.ID, seenOf(d).texts()...) {
		return fmt.Errorf("destination %q has another seal", d.ID)
	}
	r.state.Destinations[d.ID], r.missing[d.ID] = d, entries
	return nil
}

func (r *reader) entry(rows *sql.Rows) error {
	var destination, writes, believed, doubt, session string
	var fingerprint []byte
	var sum, flags int64
	e, now := &ledger.Entry{}, row{stored: true}
	err := rows.Scan(&destination, &e.Key, &e.Owner.Config, &e.Owner.Sync, &e.UUID, &e.Secured, &fingerprint, &e.KeyID,
		&e.Source.KMS, &e.Source.Environment, &e.Source.Path, &e.Source.Name, &e.Source.ID, &e.Source.Version, &e.Released,
		&writes, &believed, &doubt, &session, &sum, &flags)
	if err != nil {
		return err
	}
	id := rowID{destination, e.Key}
	if r.seals == nil {
		if err := record.CheckEntry(e); err != nil {
			return err
		}
	} else if sum != r.seals.Entry(destination, e, fingerprint, writes) || flags != r.seals.Flags(destination, e.Key, believed, doubt, session) {
		return fmt.Errorf("entry %q has another seal", e.Key)
	}
	if e.Fingerprint, err = secret.ParseFingerprint(fingerprint); err != nil {
		return fmt.Errorf("entry %q: %w", e.Key, err)
	}
	if now.writes, err = record.DecodeWrites(writes); err != nil {
		return fmt.Errorf("writes of %q: %w", e.Key, err)
	}
	d, ok := r.state.Destinations[destination]
	if !ok { // both are written in one transaction
		return fmt.Errorf("there are keys of the unknown destination %q", destination)
	}
	if _, twice := d.Entries[e.Key]; twice {
		return fmt.Errorf("entry %q is there twice", e.Key)
	}
	r.missing[destination]--
	doubted, doubtErr := record.ParseFlag(doubt)
	if now.believed, err = record.ParseFlag(believed); err != nil || doubtErr != nil {
		return fmt.Errorf("entry %q: %w", e.Key, errors.Join(err, doubtErr))
	}
	if now.doubted = doubted || session != ""; now.doubted {
		now.shown = &shown{owner: e.Owner, source: e.Source}
	}
	now.entry = e
	if r.rows != nil {
		r.rows[id] = now
	}
	switch {
	case now.believed:
		e.Writes, e.InDoubt = now.writes, now.doubted
		d.Entries[e.Key] = e
	case now.doubted:
		d.Entries[e.Key] = &ledger.Entry{Key: e.Key, Owner: e.Owner, Source: e.Source, InDoubt: true}
	}
	return nil
}

// meta reads what the ledger says of itself, finds its root key, and refuses a
// ledger of another version or key.
func (r *reader) meta(ctx context.Context, tx *sql.Tx) error {
	meta := map[string]string{}
	err := table.Each(ctx, tx, `SELECT name, value FROM meta`, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		meta[name] = value
		return err
	})
	if err != nil {
		return err
	}
	if version := meta[table.MetaVersion]; version != table.Version {
		return table.VersionError(version)
	}
	id := meta[table.MetaID]
	serial, err := private.ParseSerial(meta[table.MetaSerial])
	if err := errors.Join(private.CheckID(id), err); err != nil {
		return fmt.Errorf("%w: %w", table.ErrDamaged, err)
	}
	key, at, err := r.find(id, meta[table.MetaKeyID])
	if err != nil {
		return err
	}
	r.mark, r.keyAt = meta[table.MetaRolledBack], at
	if !key.IsZero() {
		r.seals = record.NewSeals(key, id)
		if r.seals.Meta(table.Version, meta[table.MetaSerial], r.mark) != meta[table.MetaSeal] {
			return fmt.Errorf("%w: it has another seal", table.ErrDamaged)
		}
	}
	r.state.ID, r.state.Serial, r.state.Key, r.state.Unaccepted = id, serial, key, r.mark != ""
	return nil
}
