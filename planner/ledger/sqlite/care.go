package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// Verify implements [ledger.Keeper]. Like [Store.Load] it takes no lock and changes
// nothing.
func (s *Store) Verify(ctx context.Context) (*ledger.Report, error) {
	if err := s.opt.Keys.Check(); err != nil {
		return nil, err
	}
	report := &ledger.Report{Path: s.file()}
	found, err := s.exists()
	if err != nil {
		return nil, s.readError(err)
	}
	if !found {
		return report, nil
	}
	state, err := s.readStable(ctx, func(ctx context.Context, parameter string) (*ledger.State, error) {
		r := &reader{find: s.find, thorough: true}
		err := s.readFile(ctx, parameter, r)
		report.KeyAt = r.keyAt
		return r.state, err
	})
	if err != nil {
		return nil, s.readError(err)
	}
	report.Noted, report.Running = s.compare(state), s.guard().Running()
	report.ID, report.SchemaVersion, report.Serial = state.ID, table.Version, state.Serial
	report.Older, report.Unaccepted = state.Rolled, state.Unaccepted
	for _, d := range state.Destinations {
		report.Destinations++
		report.Consents += count(d.Consent != nil)
		for _, e := range d.Entries {
			report.Keys++
			report.InDoubt += count(e.InDoubt)
			report.Released += count(e.Released)
		}
	}
	return report, nil
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// care has do change a ledger that is there, under the lock.
func (s *Store) care(ctx context.Context, holder ledger.Holder, wait time.Duration, find finder,
	do func(*session, *ledger.State) error,
) (err error) {
	if err := s.opt.Keys.Check(); err != nil {
		return err
	}
	if found, err := s.exists(); err != nil {
		return s.readError(err)
	} else if !found {
		return ledger.ErrNone
	}
	session, state, err := s.locked(ctx, holder, wait, func(ctx context.Context) (*session, *ledger.State, error) {
		found, err := s.exists()
		if err == nil && !found {
			err = ledger.ErrNone // since then
		}
		if err != nil {
			return nil, nil, s.readError(err)
		}
		return s.openWith(ctx, find)
	})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := session.Close(); err == nil {
			err = closeErr
		}
	}()
	return do(session, state)
}

// Accept implements [ledger.Keeper].
func (s *Store) Accept(ctx context.Context, holder ledger.Holder, wait time.Duration) (done ledger.Accepted, err error) {
	err = s.care(ctx, holder, wait, s.find, func(session *session, state *ledger.State) error {
		if !state.Unaccepted {
			return nil
		}
		done = ledger.Accepted{Older: state.Rolled, Marked: session.mark != ""}
		w := session.writer()
		if state.Rolled {
			w.doubtAll(&done)
		}
		session.rolled, session.mark = false, ""
		w.add(table.SetMeta, table.MetaRolledBack, "")
		w.raise()
		return session.commit(context.WithoutCancel(ctx), w)
	})
	return done, err
}

// doubtAll puts every entry that is believed in doubt, and drops every consent: what
// happened since the copy was made nobody knows.
func (w *writer) doubtAll(done *ledger.Accepted) {
	for id, r := range w.session.rows {
		if r.believed {
			r.doubted = true
			w.mark(id, r)
			done.Keys++
		}
	}
	done.Consents = w.dropConsents()
}

// dropConsents takes the consent from every destination that has one.
func (w *writer) dropConsents() (dropped int) {
	for id, d := range w.session.seen {
		if without := d.withConsentOf(seen{}); without != d {
			w.see(id, without)
			dropped++
		}
	}
	return dropped
}

// keepOlder leaves a ledger that is older than its note as old as it is: what is
// changed by hand says nothing about the records.
func (s *session) keepOlder(state *ledger.State) {
	if state.Rolled {
		s.rolled, s.serial = false, state.Serial
	}
}

// Remove implements [ledger.Keeper].
func (s *Store) Remove(ctx context.Context, holder ledger.Holder, wait time.Duration, choose func(*ledger.State) ([]ledger.Removal, error)) error {
	return s.care(ctx, holder, wait, s.find, func(session *session, state *ledger.State) error {
		chosen, err := choose(state)
		if err != nil || len(chosen) == 0 {
			return err
		}
		session.keepOlder(state)
		w := session.writer()
		w.raise()
		for _, one := range chosen {
			if err := w.forget(one); err != nil {
				return s.writeError(err)
			}
		}
		return session.commit(context.WithoutCancel(ctx), w)
	})
}

// forget removes the record of a key, or a destination with all that is known there.
func (w *writer) forget(one ledger.Removal) error {
	w.destination = one.Destination
	if one.Key != "" {
		if !w.row(one.Key).stored {
			return fmt.Errorf("there is no record of %s to remove", one.Key)
		}
		w.remove(one.Key)
		w.add(table.GrowDestination, -1, one.Destination)
		return nil
	}
	for id := range w.session.rows {
		if id.destination == one.Destination {
			w.remove(id.key)
		}
	}
	w.add(table.RemoveDestination, one.Destination)
	return nil
}
