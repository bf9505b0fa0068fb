package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/lockfile"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// refused tries to take the lock and returns who holds it.
func refused(t *testing.T, p *place, wait time.Duration) ledger.Holder {
	t.Helper()
	_, _, err := p.store().Lock(t.Context(), ledger.Holder{Run: "bob@other"}, wait)
	locked, ok := errors.AsType[*ledger.LockedError](err)
	if !ok {
		t.Fatalf("got %v, want a LockedError", err)
	}
	return locked.Holder
}

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	holder := tester
	holder.ID = "ab12"
	session, _, err := p.store().Lock(t.Context(), holder, 0)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, refused(t, p, 0), holder)
	closeSession(t, session)
	if _, err := os.Stat(p.store().guard().HolderPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("lock.json after close: %v, want it gone", err)
	}
	again, _ := p.lock(t)
	closeSession(t, again)
}

func TestLockFillsInIDAndTime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	session, _, err := p.store().Lock(t.Context(), ledger.Holder{Run: "ada@host"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if got := refused(t, p, 0); len(got.ID) != 16 || !got.Since.Equal(start) {
		t.Errorf("got %+v, want an id and the present", got)
	}
}

func TestLockOfAnUnknownHolder(t *testing.T) {
	t.Parallel()
	unknown := ledger.Holder{Run: "an unknown run"}
	p := newPlace(t)
	_, _ = p.lock(t)
	if err := os.Remove(p.store().guard().HolderPath()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	diff(t, refused(t, p, 0), unknown)
	if waited := time.Since(begin); waited < lockfile.NamePolls*lockfile.Poll || waited > time.Minute {
		t.Errorf("answered after %v", waited)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lockfile.Poll/2)
	defer cancel()
	if _, _, err := p.store().Lock(ctx, tester, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

// TestLockWaitsForTheName of a holder that has only just taken the lock, or is
// about to give it back.
func TestLockWaitsForTheName(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first, _ := p.lock(t)
	path := p.store().guard().HolderPath()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(lockfile.Poll, func() { _ = os.WriteFile(path, []byte(`{"run":"late@host"}`), 0o600) })
	diff(t, refused(t, p, 0), ledger.Holder{Run: "late@host"})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(lockfile.Poll, func() { _ = first.Close() })
	second, _, err := p.store().Lock(t.Context(), tester, 0)
	if err != nil {
		t.Fatalf("the lock was given back meanwhile: %v", err)
	}
	closeSession(t, second)
}

func TestLockWaits(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first, _ := p.lock(t)
	begin := time.Now()
	refused(t, p, 2*lockfile.Poll)
	if waited := time.Since(begin); waited < 2*lockfile.Poll {
		t.Errorf("gave up after %v", waited)
	}
	time.AfterFunc(2*lockfile.Poll, func() { _ = first.Close() })
	second, _, err := p.store().Lock(t.Context(), tester, time.Minute)
	if err != nil {
		t.Fatalf("the lock was given back meanwhile: %v", err)
	}
	closeSession(t, second)
}

func TestLockStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, _ = p.lock(t)
	ctx, cancel := context.WithTimeout(t.Context(), lockfile.Poll/2)
	defer cancel()
	if _, _, err := p.store().Lock(ctx, tester, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestAFailedLockIsGivenBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(ledger.Session, *ledger.State) {})
	good, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.db(), []byte(strings.Repeat("no ledger ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, table.ErrDamaged) {
		t.Fatalf("got %v, want it damaged", err)
	}
	if err := os.WriteFile(p.db(), good, 0o600); err != nil {
		t.Fatal(err)
	}
	session, _ := p.lock(t)
	closeSession(t, session)
}

// TestReadersBesideWriters reads while sessions come, write two keys at a time,
// and go: no read fails, and none sees half of a commit.
func TestReadersBesideWriters(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(s ledger.Session, state *ledger.State) { settle(t, s, written("first", state.Key, "x")) })
	const rounds, perSession = 15, 4
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for round := range rounds {
				session, state, err := p.store().Lock(t.Context(), tester, time.Minute)
				if err != nil {
					return err
				}
				for i := range perSession {
					a, b := fmt.Sprintf("A%d.%d", round, i), fmt.Sprintf("B%d.%d", round, i)
					err := session.Settle(t.Context(), staging, []ledger.Outcome{written(a, state.Key, "x"), written(b, state.Key, "x")})
					if err != nil {
						return err
					}
				}
				if err := session.Close(); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	seen := 0
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			if n := len(p.load(t).Destinations[staging.ID].Entries); n != 1+2*rounds*perSession {
				t.Errorf("%d entries in the end, want %d", n, 1+2*rounds*perSession)
			}
			return
		default:
		}
		n := len(p.load(t).Destinations[staging.ID].Entries)
		if n < seen || n%2 != 1 {
			t.Fatalf("%d entries after %d, want an odd number that does not fall", n, seen)
		}
		seen = n
	}
}

func TestAReaderSeesEveryCommitOfAnOpenSession(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	session, state := p.lock(t)
	intend(t, session, create("A"))
	if e := entry(p.load(t), "A"); e == nil || !e.InDoubt {
		t.Errorf("got %+v, want A in doubt", e)
	}
	settle(t, session, written("A", state.Key, "x"))
	if e := entry(p.load(t), "A"); e == nil || e.InDoubt {
		t.Errorf("got %+v, want A", e)
	}
}

// TestAReadThatAWriterCrossedIsRepeated lets a session come and go, or stay,
// while the file is read as one that does not change.
func TestAReadThatAWriterCrossedIsRepeated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stays bool // the session
		want  []string
	}{
		"comes and goes": {false, []string{"immutable=1", "immutable=1"}},
		"stays":          {true, []string{"immutable=1", "_pragma=busy_timeout(5000)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 1)
			var read []string
			state, err := p.store().readStable(t.Context(), func(ctx context.Context, parameter string) (*ledger.State, error) {
				read = append(read, parameter)
				if len(read) > 1 {
					return p.store().readWith(ctx, parameter)
				}
				session, state := p.lock(t)
				settle(t, session, written("A", state.Key, "value"))
				if !test.stays {
					closeSession(t, session)
				}
				return nil, table.ErrDamaged // as a torn read is
			})
			if err != nil || entry(state, "A") == nil {
				t.Errorf("got %v, want the commit that crossed the read", err)
			}
			diff(t, read, test.want)
		})
	}
}

func TestLoadNamesTheRunAtWork(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	session, state := p.lock(t)
	if state.Running != nil {
		t.Errorf("under its own lock: %+v is at work", state.Running)
	}
	loaded, err := p.store().Load(t.Context())
	if err != nil || loaded.Running == nil || loaded.Running.Run != tester.Run {
		t.Fatalf("beside a run: %+v, %v", loaded, err)
	}
	closeSession(t, session)
	// A run that was killed leaves its name and not its lock.
	if err := os.WriteFile(p.store().guard().HolderPath(), []byte(`{"run":"gone@host"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err = p.store().Load(t.Context())
	if err != nil || loaded.Running != nil {
		t.Fatalf("after a run was killed: %+v, %v", loaded, err)
	}
	again, _ := p.lock(t)
	closeSession(t, again)
}
