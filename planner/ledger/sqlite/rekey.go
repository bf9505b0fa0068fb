package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/table"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Rekey implements [ledger.Keeper].
//
// The new key is on disk before the one transaction that seals the ledger with it,
// and in its place after it; a kill in between leaves a ledger whose key is found.
// Without the present key the ledger gets a new id too: the old one is as little
// checked as the rest, and may be that of another ledger, whose key must stay.
func (s *Store) Rekey(ctx context.Context, holder ledger.Holder, wait time.Duration, old secret.Key) (done ledger.Rekeyed, err error) {
	var present secret.Key
	find := func(id, keyID string) (secret.Key, string, error) {
		if !old.IsZero() && old.ID() != keyID {
			return secret.Key{}, "", errors.New("the key of --old-key-file is not the one that this ledger has; give the right one, or leave the flag out to go on without it")
		}
		var at string
		var err error
		present, at, err = s.opt.Keys.Present(id, keyID, old, s.opt.Warn)
		return present, at, err
	}
	err = s.care(ctx, holder, wait, find, func(session *session, state *ledger.State) error {
		done.Checked, done.Older = !present.IsZero(), state.Rolled
		var key secret.Key
		var err error
		if done.Checked {
			session.keepOlder(state)
			key, done.KeyAt, err = s.opt.Keys.Next(state.ID, present, s.opt.Random)
		} else {
			if session.ledger, err = s.newID(); err != nil {
				return err
			}
			session.serial = 1 // what it claims could be too high to be raised
			key, done.KeyAt, err = s.opt.Keys.Create(session.ledger, s.opt.Random)
		}
		if err != nil {
			return s.writeError(err)
		}
		s.step()
		if err := session.sealAnew(context.WithoutCancel(ctx), key, &done); err != nil {
			return err
		}
		s.step()
		if done.Checked && done.KeyAt != rootkey.Environment {
			return s.opt.Keys.Promote(state.ID)
		}
		return nil
	})
	return done, err
}

// sealAnew seals every row with another key. What was not checked is released first,
// and has no fingerprint or consent any more: nothing may be deleted or left unwritten
// for its sake.
func (s *session) sealAnew(ctx context.Context, key secret.Key, done *ledger.Rekeyed) error {
	s.seals = record.NewSeals(key, s.ledger)
	w := s.writer()
	if !done.Checked {
		done.Consents = w.dropConsents()
	}
	for id := range s.seen {
		now, _ := w.seenAs(id)
		w.noteDestination(id, now)
	}
	for id, r := range s.rows {
		e := *r.entry
		known := count(r.believed || r.doubted)
		done.Keys += known
		if !done.Checked {
			e.Released, e.Fingerprint, e.KeyID = true, secret.Fingerprint{}, ""
			done.Released += known
		}
		w.destination = id.destination
		w.put(e, r)
	}
	if done.Older && !done.Checked { // which its new id would hide
		s.mark = table.TimeText(s.store.opt.Now())
		w.add(table.SetMeta, table.MetaRolledBack, s.mark)
	}
	s.rolled = false
	w.add(table.SetMeta, table.MetaID, s.ledger)
	w.add(table.SetMeta, table.MetaKeyID, key.ID())
	w.raise()
	return s.commit(ctx, w)
}
