package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/lockfile"
	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// session is a ledger open for writing. It implements [ledger.Session].
//
// The serial is raised with the first commit and not with the last, so that a
// run that is killed has raised it too.
type session struct {
	store *Store
	lock  *lockfile.Held
	id    string // random; tells its intents from those of other sessions

	ledger string // id
	serial int64  // that the first commit raises the ledger to
	rolled bool   // the ledger was older than the noted serial
	mark   string // rolled_back_at, "" where there is none

	mu       sync.Mutex // everything below; one write at a time
	db       *sql.DB
	prepared map[string]*sql.Stmt // by their text
	rows     map[rowID]row
	seen     map[string]seen // destinations as they are in the file, by id
	seals    *record.Seals
	raised   bool
	closed   bool
}

// seen is what was last noted of a destination: its UUIDs, its names, and the two
// columns of its consent.
type seen [7]string

func seenOf(d *ledger.Destination) seen {
	by, at := record.ConsentTexts(d.Consent)
	return seen{d.RepositoryUUID, d.EnvironmentUUID, d.Workspace, d.Repository, d.Environment, by, at}
}

// texts returns what the seal of a destination covers beside its id.
func (s seen) texts() []string { return s[:] }

// withConsentOf returns the same destination with the consent of another.
func (s seen) withConsentOf(other seen) seen {
	s[5], s[6] = other[5], other[6]
	return s
}

var errClosed = errors.New("write ledger: its session is closed")

// open makes the ledger if there is none, opens it for writing and reads it. The
// caller holds the lock.
func (s *Store) open(ctx context.Context) (*session, *ledger.State, error) {
	found, err := s.exists()
	if err != nil {
		return nil, nil, s.readError(err)
	}
	if !found {
		if err := s.createWithKey(ctx); err != nil {
			return nil, nil, s.writeError(err)
		}
	}
	return s.openWith(ctx, s.find)
}

// openWith opens a ledger that is there for writing and reads it, with the root key
// that find finds.
func (s *Store) openWith(ctx context.Context, find finder) (*session, *ledger.State, error) {
	s.tighten()
	// Until the first commit is in, and its serial noted elsewhere, a commit waits
	// for the disk: else a loss of power would leave a note ahead of the ledger.
	db, err := table.Open(s.file(), "mode=rw", "_txlock=immediate", "_pragma=busy_timeout(5000)", "_pragma=synchronous(FULL)", table.Cautious)
	if err != nil {
		return nil, nil, s.readError(err)
	}
	session, state, err := s.start(ctx, db, find)
	if err != nil {
		_ = db.Close() // the first error says more
		return nil, nil, err
	}
	return session, state, nil
}

func (s *Store) createWithKey(ctx context.Context) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	key, _, err := s.opt.Keys.Create(id, s.opt.Random) // it is there before anything that needs it
	if err != nil {
		return err
	}
	if err := s.create(ctx, id, key); err != nil {
		return errors.Join(err, s.opt.Keys.Remove(id))
	}
	return nil
}

func (s *Store) start(ctx context.Context, db *sql.DB, find finder) (*session, *ledger.State, error) {
	id, err := s.newID()
	if err != nil {
		return nil, nil, err
	}
	rows := map[rowID]row{}
	r := &reader{rows: rows, find: find}
	if err := r.read(ctx, db); err != nil {
		return nil, nil, s.readError(err)
	}
	if rootkey.IsNext(r.keyAt) { // a run was killed that changed it
		if err := s.opt.Keys.Promote(r.state.ID); err != nil {
			return nil, nil, s.writeError(err)
		}
	}
	state, known := r.state, map[string]seen{}
	for id, d := range state.Destinations {
		known[id] = seenOf(d)
	}
	noted := s.compare(state)
	if err := table.LogAhead(ctx, db); err != nil {
		return nil, nil, s.writeError(err)
	}
	prepared, err := prepare(ctx, db)
	if err != nil {
		return nil, nil, s.readError(err)
	}
	return &session{
		store: s, id: id, ledger: state.ID, rolled: state.Rolled, mark: r.mark,
		serial: max(state.Serial, noted) + 1,
		db:     db, prepared: prepared, rows: rows, seen: known,
		seals: r.seals,
	}, state, nil
}

// disbelieve has the first commit set aside everything that an older copy claims.
func (s *session) disbelieve() {
	if !s.rolled {
		return
	}
	for id, r := range s.rows {
		r.believed = false
		s.rows[id] = r
	}
}

// Intend implements [ledger.Session]. With a ctx that has ended nothing is noted,
// so that nothing is sent.
func (s *session) Intend(ctx context.Context, destination ledger.Destination, intents []ledger.Intent) error {
	if err := ctx.Err(); err != nil && len(intents) > 0 {
		return s.store.writeError(err)
	}
	destination.Consent = nil
	return s.write(ctx, destination, len(intents), func(w *writer, i int) error { return w.intend(intents[i]) })
}

// Settle implements [ledger.Session]. It works after ctx has ended too: what a
// service answered is a fact, and forgetting it would leave a doubt.
func (s *session) Settle(ctx context.Context, destination ledger.Destination, outcomes []ledger.Outcome) error {
	destination.Consent = nil
	return s.write(ctx, destination, len(outcomes), func(w *writer, i int) error { return w.settle(outcomes[i]) })
}

// Consent implements [ledger.Session]. With a ctx that has ended nothing is noted,
// so that nothing is deleted.
func (s *session) Consent(ctx context.Context, destination ledger.Destination, c ledger.Consent) error {
	if err := ctx.Err(); err != nil {
		return s.store.writeError(err)
	}
	if c.By == "" || c.At.IsZero() {
		return errors.New("write ledger: a consent that does not say who gave it and when")
	}
	destination.Consent = &c
	return s.write(ctx, destination, 1, func(*writer, int) error { return nil })
}

// write makes in one transaction the n changes that do gathers, after noting the
// destination and, the first time, the serial. A destination without a consent keeps
// the one that is noted. It does not end with ctx: it takes
// no longer than the wait for another program that holds the file, and ending a
// statement half-way would cost each of them a goroutine that watches ctx.
func (s *session) write(ctx context.Context, destination ledger.Destination, n int, do func(*writer, int) error) error {
	if n == 0 {
		return nil
	}
	if destination.ID == "" {
		return errors.New("write ledger: a destination without id")
	}
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	w := s.writer()
	w.destination = destination.ID
	w.raise()
	now := seenOf(&destination)
	if destination.Consent == nil {
		before, _ := w.seenAs(destination.ID)
		now = now.withConsentOf(before)
	}
	w.see(destination.ID, now)
	for i := range n {
		if err := do(w, i); err != nil {
			return s.store.writeError(err)
		}
	}
	if w.grown != 0 {
		w.add(table.GrowDestination, w.grown, destination.ID)
	}
	return s.commit(ctx, w)
}

// commit makes the gathered changes and remembers them.
func (s *session) commit(ctx context.Context, w *writer) error {
	if err := s.run(ctx, w.changes); err != nil {
		return s.store.writeError(err)
	}
	maps.Copy(s.seen, w.seen)
	maps.Copy(s.rows, w.rows)
	s.note(ctx)
	return nil
}

// raise raises the serial, once in a session. What a restored copy of the ledger
// claims is set aside then, and its consents are dropped: the new serial would make
// them believable. That nobody has accepted the copy is marked.
func (w *writer) raise() {
	s := w.session
	if s.raised {
		return
	}
	serial, mark := strconv.FormatInt(s.serial, 10), s.mark
	if s.rolled {
		for id, r := range s.rows {
			w.mark(id, r)
		}
		for id, d := range s.seen {
			w.see(id, d.withConsentOf(seen{}))
		}
		mark = table.TimeText(s.store.opt.Now())
		w.add(table.SetMeta, table.MetaRolledBack, mark)
	}
	w.add(table.SetMeta, table.MetaSerial, serial)
	w.add(table.SetMeta, table.MetaSeal, s.seals.Meta(table.Version, serial, mark))
}

// note notes the raised serial after the first commit, which is on disk; later
// commits need not wait for the disk.
func (s *session) note(ctx context.Context) {
	if s.raised {
		return
	}
	s.raised = true
	s.store.notes().Raise(s.ledger, s.serial)
	if _, err := s.db.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err != nil {
		s.store.opt.Warn(fmt.Sprintf("The ledger stays slower than need be: %v.", err))
	}
}

// Close implements [ledger.Session]. Closing the last connection moves the log
// into the file. A second call does nothing.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.db.Close() // and the statements with it
	if err != nil {
		err = s.store.writeError(err)
	}
	return errors.Join(err, s.lock.Release())
}
