// Package sqlite keeps a ledger in one SQLite file beside the configuration.
//
// [New] returns the [Store]. Its folder holds ledger.db (and, while somebody has
// it open, ledger.db-wal and ledger.db-shm), lock, lock.json and a .gitignore;
// the folder has mode 0700 and every file 0600, and none may be a link. The root key of the
// fingerprints is kept elsewhere ([rootkey.Store]), so that the folder alone tells
// nothing about a value, and the serial of the last write is noted elsewhere
// too, so that a restored copy of the folder is found out.
//
// The file is in WAL mode with synchronous=NORMAL: a commit survives a kill of
// the process at once and a loss of power after the next checkpoint, and readers
// work beside the one writer. The SQL is written so that PostgreSQL accepts it
// too.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
)

// Options says where a ledger and what belongs to it are.
type Options struct {
	// Dir is the folder of the ledger, ".kmsync" beside the configuration. It is
	// made by [Store.Lock] and never by [Store.Load].
	Dir string
	// Keys is where the root key is.
	Keys rootkey.Store
	// StateDir is the folder of the serial's note, $XDG_STATE_HOME/kmsync. With ""
	// nothing is noted and a restored copy is not found out.
	StateDir string
	Now      func() time.Time
	// Random makes the root key and the names of ledgers and sessions; it must be
	// fit for keys, as crypto/rand.Reader is.
	Random io.Reader
	// Warn takes full sentences about what is wrong and does not stop the run. It
	// may be nil.
	Warn func(string)
}

// Store is a ledger in a file. It implements [ledger.Store] and may be used by
// several goroutines and beside other processes.
type Store struct {
	opt  Options
	step func() // called between the steps of a change, for tests that kill there
}

var (
	_ ledger.Store  = (*Store)(nil)
	_ ledger.Keeper = (*Store)(nil)
)

// New returns the store of a folder. It touches nothing yet.
func New(opt Options) *Store {
	if opt.Warn == nil {
		opt.Warn = func(string) {}
	}
	return &Store{opt: opt, step: func() {}}
}

// Load implements [ledger.Store]. It makes no folder and no file where there is
// no ledger, takes no lock, and works on a folder that is read-only, unless a
// killed run left a log (ledger.db-wal) there that must be replayed first.
func (s *Store) Load(ctx context.Context) (*ledger.State, error) {
	if err := s.opt.Keys.Check(); err != nil {
		return nil, err
	}
	found, err := s.exists()
	if err != nil {
		return nil, s.readError(err)
	}
	if !found {
		return &ledger.State{Destinations: map[string]*ledger.Destination{}}, nil
	}
	running := s.guard().Running()
	state, err := s.read(ctx)
	if err != nil {
		return nil, s.readError(err)
	}
	if state.Running = running; running == nil { // it may have begun since
		state.Running = s.guard().Running()
	}
	s.compare(state)
	return state, nil
}

// Lock implements [ledger.Store]. A holder without ID gets a random one, and one
// without Since the present.
func (s *Store) Lock(ctx context.Context, holder ledger.Holder, wait time.Duration) (ledger.Session, *ledger.State, error) {
	if err := s.opt.Keys.Check(); err != nil {
		return nil, nil, err
	}
	if err := s.makeDir(); err != nil {
		return nil, nil, s.writeError(err)
	}
	session, state, err := s.locked(ctx, holder, wait, s.open)
	if err != nil {
		return nil, nil, err
	}
	session.disbelieve()
	return session, state, nil
}

// locked takes the lock and opens the ledger under it.
func (s *Store) locked(ctx context.Context, holder ledger.Holder, wait time.Duration,
	open func(context.Context) (*session, *ledger.State, error),
) (*session, *ledger.State, error) {
	if err := s.fillHolder(&holder); err != nil {
		return nil, nil, err
	}
	lock, err := s.guard().Take(ctx, holder, wait)
	if err != nil {
		return nil, nil, err
	}
	session, state, err := open(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Release())
	}
	session.lock = lock
	return session, state, nil
}

func (s *Store) fillHolder(holder *ledger.Holder) error {
	if holder.Since.IsZero() {
		holder.Since = s.opt.Now()
	}
	if holder.ID != "" {
		return nil
	}
	id, err := s.newID()
	holder.ID = id
	return err
}

// compare notes in a state whether its file is older than the noted serial, which
// it returns.
func (s *Store) compare(state *ledger.State) (noted int64) {
	noted = s.notes().Serial(state.ID)
	state.Rolled = state.Serial < noted
	state.Unaccepted = state.Unaccepted || state.Rolled
	return noted
}

func (s *Store) notes() private.Notes { return private.Notes{Dir: s.opt.StateDir, Warn: s.opt.Warn} }

func (s *Store) newID() (string, error) {
	raw := make([]byte, 8)
	if _, err := io.ReadFull(s.opt.Random, raw); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return fmt.Sprintf("%x", raw), nil
}

func (s *Store) readError(err error) error {
	return fmt.Errorf("read ledger %s: %w", s.file(), s.explain(err))
}

func (s *Store) writeError(err error) error {
	return fmt.Errorf("write ledger %s: %w", s.file(), s.explain(err))
}
