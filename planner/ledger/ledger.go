// Package ledger is what kmsync remembers of its own writes: which variable it
// owns, a keyed fingerprint of what it last sent, and where that came from. It
// never holds a value.
//
// [State] is the memory, [Store] the contract of a place that keeps it. The
// order of calls around a write is: [Session.Intend] (durable before the
// request), the request, [Session.Settle] (when the answer is in). A process
// that dies in between leaves the write in doubt, and the next run repeats it.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hanzoai/kmsync/providers/secret"
)

// State is everything a ledger holds, as of its last commit.
type State struct {
	ID           string // random name of this ledger, made with it
	Serial       int64  // raised by every run that writes; 0 for a ledger that does not exist yet
	Key          secret.Key
	Destinations map[string]*Destination // by destination id
	// Rolled says that the ledger is older than a serial this machine has noted,
	// as after restoring a backup: nothing in it is believed.
	Rolled bool
	// Unaccepted says that an older copy of this ledger was found in use and that
	// nobody has accepted it since ([Keeper.Accept]): nothing may be deleted. It holds
	// where Rolled does, and stays after a run has set the old records aside.
	Unaccepted bool
	// Running is the run that held the lock when the state was loaded, if one did:
	// what is in doubt may just be what it is writing. Under one's own lock it is nil.
	Running *Holder
}

// Destination is one place that variables were written to.
type Destination struct {
	// ID is the repository's UUID, then "/" and the environment's if any; or the
	// workspace's UUID, for its own variables.
	ID              string
	RepositoryUUID  string // "" for the workspace's own variables
	EnvironmentUUID string
	// The names it had when last seen; no Repository for the workspace's own variables.
	Workspace, Repository, Environment string
	// Consent is that to deletes by overwrite-destination; nil where nobody gave it.
	Consent *Consent
	Entries map[string]*Entry // by destination key
}

// Consent is a noted consent to deletes by overwrite-destination in a destination.
type Consent struct {
	By string // user@host, or build and commit
	At time.Time
}

// Entry is what is known of one destination key.
type Entry struct {
	Key         string
	Owner       Owner
	UUID        string // of the variable; "" while a create is in doubt
	Secured     bool
	Fingerprint secret.Fingerprint
	KeyID       string // of the root key the fingerprint was made with
	Source      Source
	// InDoubt: a write was intended and no answer is known, so the variable may
	// hold the value before, or the one intended.
	InDoubt  bool
	Released bool // not ours to delete, until a sync wants it again
	Writes   []Write
}

// Owner says whose entry it is.
type Owner struct {
	Config string // kmsync.name; "" when the configuration has none
	Sync   string // address
}

// Source says which secret a value came from.
type Source struct {
	KMS         string // label of the kms block
	Environment string
	Path        string
	Name        string
	ID          string
	Version     int
}

// Write is one write that was done.
type Write struct {
	At      time.Time
	Action  string
	Reason  string
	Version int    // of the source secret
	Run     string // user@host, or build and commit
}

// MaxWrites is how many writes an entry remembers, the newest first.
const MaxWrites = 5

// LastWrite returns the time of the newest write, or the zero time.
func (e *Entry) LastWrite() time.Time {
	if len(e.Writes) == 0 {
		return time.Time{}
	}
	return e.Writes[0].At
}

// Intent is a write about to be sent.
type Intent struct {
	Key    string
	Owner  Owner
	UUID   string // of the variable to update; "" for a create
	Source Source
}

// Outcome is a write that was answered, or a change of the ledger alone.
type Outcome struct {
	Kind OutcomeKind
	// Entry is, for Written and Adopted, the entry as it is now, without Writes; for
	// Reowned its Key and Owner, and for the others its Key.
	Entry Entry
	Write Write // for Written
}

// OutcomeKind says what an [Outcome] does to an entry.
type OutcomeKind int

// The kinds of outcomes.
const (
	// Written: the write was accepted; Entry replaces what was there.
	Written OutcomeKind = iota
	// NotDone: the service said that nothing was done; the intent is taken back
	// and the entry is as it was before.
	NotDone
	// Adopted: the variable holds the wanted value already; Entry replaces what
	// was there and keeps its writes.
	Adopted
	// Forgotten: the entry is removed.
	Forgotten
	// Released: the variable is not kmsync's to delete any more, until a sync wants
	// it; the entry keeps all else. It is an error where none is believed.
	Released
	// Reowned: the entry has another owner and keeps all else. It is an error where
	// none is believed.
	Reowned
)

// Holder is who holds the lock of a ledger.
type Holder struct {
	ID    string    `json:"id"`
	Run   string    `json:"run"` // user@host, or build and commit
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
	Doing string    `json:"doing"` // the command
}

// LockedError says that another run holds the lock.
type LockedError struct{ Holder Holder }

// Error names the holder, as far as it is known.
func (e *LockedError) Error() string {
	text := "locked by " + e.Holder.Run
	if e.Holder.PID != 0 {
		text += fmt.Sprintf(" (process %d)", e.Holder.PID)
	}
	if !e.Holder.Since.IsZero() {
		text += " since " + e.Holder.Since.UTC().Format(time.RFC3339)
	}
	if e.Holder.Doing != "" {
		text += " for " + e.Holder.Doing
	}
	return text
}

// ErrNoKey says that a ledger exists and the root key it was made with does not, or
// another stands in its place, so that nothing in it can be believed.
var ErrNoKey = errors.New("the root key of this ledger is missing")

// Store keeps a ledger. Reading needs no lock and sees the last commit.
type Store interface {
	// Load returns the state. A ledger that is proven not to exist is an empty
	// state with Serial 0 and no key; one that cannot be read, is damaged or of
	// another version is an error; one without its key, or with another, is [ErrNoKey].
	Load(ctx context.Context) (*State, error)
	// Lock takes the one write lock, waiting at most wait for it, makes the ledger
	// and its key if they do not exist, and returns the state as it is under the
	// lock. It fails with [*LockedError] while another run holds the lock.
	Lock(ctx context.Context, holder Holder, wait time.Duration) (Session, *State, error)
}

// Session is a ledger open for writing. Every method is durable against a kill
// of the process when it returns. Its methods may be called from several
// goroutines.
type Session interface {
	// Intend notes writes of one destination before they are sent.
	Intend(ctx context.Context, destination Destination, intents []Intent) error
	// Settle notes what became of writes, or changes the ledger alone.
	Settle(ctx context.Context, destination Destination, outcomes []Outcome) error
	// Consent notes a consent with a destination, in place of the one before. It goes
	// with the destination's record.
	Consent(ctx context.Context, destination Destination, c Consent) error
	// Close gives the lock back. The serial was raised and noted with the first
	// commit of the session, if there was one.
	Close() error
}
