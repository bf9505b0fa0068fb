// Package lockfile is the one write lock of a ledger in a folder, and the name of
// who holds it.
package lockfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
)

// How a lock is waited for.
const (
	// Poll is how long a waiter waits between two tries.
	Poll = 100 * time.Millisecond
	// NamePolls is how often a holder without a name is looked at again.
	NamePolls = 5

	maxHolderSize = 4096 // bytes of lock.json that are read
)

// Lock is the lock of the ledger in a folder.
type Lock struct{ Dir string }

// Path returns the file that is locked.
func (l Lock) Path() string { return filepath.Join(l.Dir, "lock") }

// HolderPath returns the file that says who holds the lock.
func (l Lock) HolderPath() string { return filepath.Join(l.Dir, "lock.json") }

// Held is the write lock of a ledger. The system gives it back when the
// process ends, however it ends; lock.json only says whose it is.
type Held struct {
	file   *flock.Flock
	holder string // path of lock.json
}

// Take takes the write lock, trying until wait is over: once at least, and a
// little longer while nobody's name is written down, since the holder has then
// only just begun, or is about to end. The file of the lock stays for ever, since
// taking it away would let two runs hold two files of one name.
func (l Lock) Take(ctx context.Context, holder ledger.Holder, wait time.Duration) (*Held, error) {
	lock := &Held{
		file:   flock.New(l.Path(), flock.SetPermissions(private.FileMode)),
		holder: l.HolderPath(),
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	waiting := true
	for left := NamePolls; ; {
		taken, err := lock.file.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock ledger %s: %w", l.Dir, err)
		}
		if taken {
			return lock, lock.name(holder)
		}
		if !waiting {
			if by, known := readHolder(l.HolderPath()); known || left == 0 {
				return nil, &ledger.LockedError{Holder: by}
			}
			left--
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock ledger %s: %w", l.Dir, ctx.Err())
		case <-over.C:
			waiting = false
		case <-time.After(Poll):
		}
	}
}

// name writes down who holds the lock, and gives the lock back where that fails.
func (h *Held) name(holder ledger.Holder) error {
	content, err := json.MarshalIndent(holder, "", "  ")
	if err == nil {
		err = private.Replace(h.holder, append(content, '\n'))
	}
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("lock ledger: %w", err), h.file.Unlock())
}

// Release gives the lock back. The holder's name goes first: afterwards the file
// may be the next run's.
func (h *Held) Release() error {
	err := os.Remove(h.holder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, h.file.Unlock()); err != nil {
		return fmt.Errorf("unlock ledger: %w", err)
	}
	return nil
}

// Running returns the run that holds the lock now, or nil. The lock is tried only
// where a name is written down, so that a reader does not get in the way of a run
// that is about to take it.
func (l Lock) Running() *ledger.Holder {
	if _, err := os.Stat(l.HolderPath()); err != nil {
		return nil
	}
	file := flock.New(l.Path(), flock.SetFlag(os.O_RDONLY))
	if taken, err := file.TryRLock(); err != nil || taken {
		_ = file.Unlock() // a run that was killed left its name
		return nil
	}
	_ = file.Close()
	holder, _ := readHolder(l.HolderPath())
	return &holder
}

// readHolder returns who holds the lock, and whether that is known: the file is
// missing for a moment after the lock is taken, and anybody can write to it.
func readHolder(path string) (ledger.Holder, bool) {
	unknown := ledger.Holder{Run: "an unknown run"}
	file, err := os.Open(path)
	if err != nil {
		return unknown, false
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxHolderSize))
	if err != nil {
		return unknown, false
	}
	var holder ledger.Holder
	if json.Unmarshal(content, &holder) != nil || holder.Run == "" {
		return unknown, false
	}
	return holder, true
}
