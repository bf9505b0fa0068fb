package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
)

const (
	lockPoll      = 100 * time.Millisecond
	namePolls     = 5    // how often a holder without a name is looked at again
	maxHolderSize = 4096 // bytes of lock.json that are read
)

// heldLock is the write lock of a ledger. The system gives it back when the
// process ends, however it ends; lock.json only says whose it is.
type heldLock struct {
	file   *flock.Flock
	holder string // path of lock.json
}

// lock takes the write lock, trying until wait is over: once at least, and a
// little longer while nobody's name is written down, since the holder has then
// only just begun, or is about to end. The file of the lock stays for ever, since
// taking it away would let two runs hold two files of one name.
func (s *Store) lock(ctx context.Context, holder ledger.Holder, wait time.Duration) (*heldLock, error) {
	lock := &heldLock{
		file:   flock.New(s.lockPath(), flock.SetPermissions(private.FileMode)),
		holder: s.holderPath(),
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	waiting := true
	for left := namePolls; ; {
		taken, err := lock.file.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock ledger %s: %w", s.opt.Dir, err)
		}
		if taken {
			return lock, lock.name(holder)
		}
		if !waiting {
			if by, known := readHolder(s.holderPath()); known || left == 0 {
				return nil, &ledger.LockedError{Holder: by}
			}
			left--
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock ledger %s: %w", s.opt.Dir, ctx.Err())
		case <-over.C:
			waiting = false
		case <-time.After(lockPoll):
		}
	}
}

// name writes down who holds the lock, and gives the lock back where that fails.
func (l *heldLock) name(holder ledger.Holder) error {
	content, err := json.MarshalIndent(holder, "", "  ")
	if err == nil {
		err = private.Replace(l.holder, append(content, '\n'))
	}
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("lock ledger: %w", err), l.file.Unlock())
}

// release gives the lock back. The holder's name goes first: afterwards the file
// may be the next run's.
func (l *heldLock) release() error {
	err := os.Remove(l.holder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, l.file.Unlock()); err != nil {
		return fmt.Errorf("unlock ledger: %w", err)
	}
	return nil
}

// running returns the run that holds the lock now, or nil. The lock is tried only
// where a name is written down, so that a reader does not get in the way of a run
// that is about to take it.
func (s *Store) running() *ledger.Holder {
	if _, err := os.Stat(s.holderPath()); err != nil {
		return nil
	}
	file := flock.New(s.lockPath(), flock.SetFlag(os.O_RDONLY))
	if taken, err := file.TryRLock(); err != nil || taken {
		_ = file.Unlock() // a run that was killed left its name
		return nil
	}
	_ = file.Close()
	holder, _ := readHolder(s.holderPath())
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
