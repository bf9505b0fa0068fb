package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/hanzoai/kmsync/providers/secret"
)

// ErrNone says that there is no ledger to care for.
var ErrNone = errors.New("there is no ledger yet")

// Keeper cares for a ledger: what plan and apply never do. Each of its changes is
// made under the lock, in one transaction: a kill leaves all of it or nothing. They
// fail with [ErrNone] where there is no ledger, and make none.
type Keeper interface {
	// Verify reads everything with every check there is. Of a ledger that does not
	// exist the report has no ID.
	Verify(ctx context.Context) (*Report, error)
	// Accept takes back that an older copy of the ledger counts as lost. Where its
	// records are not set aside yet they count again, each of them in doubt, so that
	// whatever is wanted is written once more; its consents are dropped.
	Accept(ctx context.Context, holder Holder, wait time.Duration) (Accepted, error)
	// Rekey gives the ledger another root key. old is the present one where that is
	// not in its place, and may be the zero Key. Without the present key no seal can be
	// checked: then every entry is released, and every consent dropped.
	Rekey(ctx context.Context, holder Holder, wait time.Duration, old secret.Key) (Rekeyed, error)
	// Remove forgets what choose returns of the state under the lock. No variable
	// changes by it.
	Remove(ctx context.Context, holder Holder, wait time.Duration, choose func(*State) ([]Removal, error)) error
}

// Report is what [Keeper.Verify] found.
type Report struct {
	Path          string // of the file
	ID            string // "" where there is none
	SchemaVersion string
	Serial        int64
	Noted         int64  // the highest serial that this machine has noted; 0 for none
	KeyAt         string // where the root key was found
	Destinations  int
	Keys          int
	InDoubt       int
	Released      int
	Consents      int
	Older         bool // than its note: [State.Rolled]
	Unaccepted    bool
	Running       *Holder // who holds the lock; nil for nobody
}

// Accepted is what [Keeper.Accept] did.
type Accepted struct {
	Older    bool // the ledger was older than its note: its records count again
	Marked   bool // records of an older copy were set aside by an earlier run
	Keys     int  // that are in doubt now
	Consents int  // that were dropped
}

// Rekeyed is what [Keeper.Rekey] did.
type Rekeyed struct {
	KeyAt    string // where the new key is
	Checked  bool   // the present key was there, and every seal was checked with it
	Keys     int
	Released int // entries that were released for want of a check
	Consents int // that were dropped for want of a check
	Older    bool
}

// Removal is a record to forget: that of a key, or with no key that of a destination
// as a whole, with all its keys and its consent.
type Removal struct{ Destination, Key string }
